/* SPDX-License-Identifier: MIT */
#include "job.h"

#define UNITS_PER_SECOND INT64_C(10000000) /* of 100 ns */

int safe__win_job_limit(JOBOBJECT_EXTENDED_LIMIT_INFORMATION *wanted, const safe_limit *limit) {
  JOBOBJECT_BASIC_LIMIT_INFORMATION *basic = &wanted->BasicLimitInformation;
  bool none = limit->value == SAFE_UNLIMITED; /* what an outer job limits stays limited */

  switch (limit->kind) {
  case SAFE_LIMIT_MEMORY:
    if (none || (uint64_t)limit->value > SIZE_MAX) return SAFE_OK;
    basic->LimitFlags |= JOB_OBJECT_LIMIT_JOB_MEMORY;
    wanted->JobMemoryLimit = (SIZE_T)limit->value;
    return SAFE_OK;
  case SAFE_LIMIT_CPU_TIME:
    if (none || limit->value > INT64_MAX / UNITS_PER_SECOND) return SAFE_OK;
    basic->LimitFlags |= JOB_OBJECT_LIMIT_JOB_TIME;
    basic->PerJobUserTimeLimit.QuadPart = limit->value * UNITS_PER_SECOND;
    return SAFE_OK;
  case SAFE_LIMIT_PROCESSES:
    if (none || limit->value > MAXDWORD) return SAFE_OK;
    if (limit->value == 0) return SAFE_EINVAL; /* the child itself would be one too many */
    basic->LimitFlags |= JOB_OBJECT_LIMIT_ACTIVE_PROCESS;
    basic->ActiveProcessLimit = (DWORD)limit->value;
    return SAFE_OK;
  default:
    return SAFE_ENOTSUP;
  }
}

static bool apply(HANDLE job, JOBOBJECT_EXTENDED_LIMIT_INFORMATION *wanted) {
  return SetInformationJobObject(job, JobObjectExtendedLimitInformation, wanted, sizeof(*wanted));
}

/* One after the other, so that it can be said which of them the system refuses. */
static int set_limits(const safe_spawn_options *options, HANDLE job, JOBOBJECT_EXTENDED_LIMIT_INFORMATION *wanted,
                      safe_error *error) {
  size_t at;
  int code;

  for (at = 0; at < options->limit_count; at++) {
    code = safe__win_job_limit(wanted, &options->limits[at]);
    if (code == SAFE_EINVAL)
      return safe__fail(error, code, SAFE_STAGE_LIMIT, (int)at,
                        "A limit of no processes leaves no room for the child.");
    if (code != SAFE_OK)
      return safe__fail(error, code, SAFE_STAGE_LIMIT, (int)at,
                        "Resource limit %d is of a kind that Windows does not have.", (int)at);
    if (!apply(job, wanted))
      return safe__fail_os(error, GetLastError(), SAFE_STAGE_LIMIT, (int)at, "Resource limit %d could not be set",
                           (int)at);
  }
  return SAFE_OK;
}

int safe__win_job_make(const safe_spawn_options *options, HANDLE *job, safe_error *error) {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION wanted = {0};
  DWORD *flags = &wanted.BasicLimitInformation.LimitFlags;

  *job = CreateJobObjectW(NULL, NULL);
  if (*job == NULL) return safe__fail_os(error, GetLastError(), SAFE_STAGE_JOB, -1, "No job object could be made");
  if ((options->flags & SAFE_SPAWN_DIE_WITH_HOST) != 0) *flags |= JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  if (options->tree == SAFE_TREE_GROUP) *flags |= JOB_OBJECT_LIMIT_BREAKAWAY_OK;
  if (*flags != 0 && !apply(*job, &wanted))
    return safe__fail_os(error, GetLastError(), SAFE_STAGE_JOB, -1, "The job object could not be set up");
  return set_limits(options, *job, &wanted, error);
}
