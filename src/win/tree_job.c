/* SPDX-License-Identifier: MIT */
/*
 * The whole tree is the job object that the child was born in: whatever its processes start is in it too, and no
 * process of the job can leave it. Nothing depends on who is whose parent.
 */
#include <wchar.h>

#include "processes.h"
#include "pty.h"

/* What a forced end leaves as the exit code, as taskkill does. */
#define FORCED_CODE 1

/* Processes may come into the job while one of them is waited for. */
#define SLICE_MS 20

static bool has_ended(const struct safe__child *child) { return safe__win_signalled(child->process); }

bool safe__os_child_end(struct safe__child *child, bool force) {
  bool ended;

  if (force) {
    if (child->alone)
      TerminateProcess(child->process, FORCED_CODE);
    else
      TerminateJobObject(child->job, FORCED_CODE);
    return true;
  }
  ended = has_ended(child); /* before it is asked, and may do as it is told */
  /* Most programs that read their input end at its end. */
  safe__os_stream_close(&child->streams[0]);
  if (child->pty != NULL) safe__win_pty_hang_up(child->pty);
  /* The group outlives its leader, whose number is reserved for as long as we have its handle. */
  return (child->console && GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, (DWORD)child->pid)) || !ended;
}

/* The processes of the job, to be freed; NULL if they cannot be told. */
static JOBOBJECT_BASIC_PROCESS_ID_LIST *list_job(HANDLE job) {
  JOBOBJECT_BASIC_PROCESS_ID_LIST *list;
  DWORD room, size;

  for (room = 64; room <= 65536; room *= 4) {
    size = (DWORD)(sizeof(*list) + room * sizeof(list->ProcessIdList[0]));
    list = safe__alloc(size);
    if (list == NULL) return NULL;
    if (QueryInformationJobObject(job, JobObjectBasicProcessIdList, list, size, NULL)) return list;
    safe__free(list);
    if (GetLastError() != ERROR_MORE_DATA) return NULL;
  }
  return NULL;
}

/* Those besides the child, where there is no memory for their numbers. */
static int32_t count_job(HANDLE job, bool child_ended) {
  JOBOBJECT_BASIC_ACCOUNTING_INFORMATION found;

  if (!QueryInformationJobObject(job, JobObjectBasicAccountingInformation, &found, sizeof(found), NULL)) return 0;
  return (int32_t)found.ActiveProcesses - (!child_ended && found.ActiveProcesses > 0);
}

/*
 * A console that no other process shares has a process of its own, conhost.exe, which Wine (and Windows, in some
 * versions) starts within the job. It is nobody's program, and ends by itself once its last client has.
 */
static bool is_console_host(HANDLE process) {
  static const wchar_t name[] = L"\\conhost.exe";
  wchar_t path[MAX_PATH + 1], folder[MAX_PATH + 1];
  DWORD length = MAX_PATH + 1;
  UINT system = GetSystemDirectoryW(folder, MAX_PATH + 1);

  return system > 0 && system <= MAX_PATH && QueryFullProcessImageNameW(process, 0, path, &length) &&
         _wcsnicmp(path, folder, system) == 0 && _wcsicmp(path + system, name) == 0;
}

static bool counts(DWORD pid) {
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  bool does;

  if (process == NULL) return GetLastError() != ERROR_INVALID_PARAMETER; /* it has ended since */
  does = !is_console_host(process);
  CloseHandle(process);
  return does;
}

static void report_one(safe_stop_report *report, int64_t pid) {
  if (report->left_count < SAFE_STOP_MAX_PIDS) report->left[report->left_count] = pid;
  report->left_count++;
}

/* A process that was terminated, but that a driver keeps, is still in its job. */
static int32_t state_of_first(const struct safe__child *child, const safe_stop_report *report) {
  if (report->left_count == 0 || report->left[0] == 0) return 0; /* counted, but not named */
  if (report->left[0] != child->pid) return safe__win_process_state(NULL, report->left[0], NULL);
  return safe__win_process_deleting(child->process) ? 'X' : 0;
}

static void list_left(struct safe__child *child, safe_stop_report *report) {
  JOBOBJECT_BASIC_PROCESS_ID_LIST *list;
  bool ended = has_ended(child);
  DWORD at;

  report->left_count = 0;
  if (!ended) report_one(report, child->pid);
  if (child->alone) return;
  list = list_job(child->job);
  if (list == NULL) report->left_count += count_job(child->job, ended);
  for (at = 0; list != NULL && at < list->NumberOfProcessIdsInList; at++)
    if ((int64_t)list->ProcessIdList[at] != child->pid && counts((DWORD)list->ProcessIdList[at]))
      report_one(report, (int64_t)list->ProcessIdList[at]);
  safe__free(list);
}

bool safe__os_child_left(struct safe__child *child, safe_stop_report *report) {
  list_left(child, report);
  report->state = state_of_first(child, report);
  report->wait_channel[0] = '\0';
  return report->left_count > 0;
}

/* One of those that are left, once the child itself has ended; NULL if there is none, or none that may be opened. */
static HANDLE open_left(struct safe__child *child) {
  JOBOBJECT_BASIC_PROCESS_ID_LIST *list = list_job(child->job);
  HANDLE process = NULL;
  BOOL in_job = FALSE;

  if (list != NULL && list->NumberOfProcessIdsInList > 0)
    process = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, (DWORD)list->ProcessIdList[0]);
  safe__free(list);
  /* Its number may have gone to another process since. */
  if (process == NULL || (IsProcessInJob(process, child->job, &in_job) && in_job)) return process;
  CloseHandle(process);
  return NULL;
}

void safe__os_child_settle(struct safe__child *child, int64_t deadline) {
  int64_t until = safe__deadline_min(deadline, safe__deadline(SLICE_MS));
  HANDLE left;

  if (!has_ended(child)) {
    safe__win_wait(&child->process, 1, until);
    return;
  }
  left = child->alone ? NULL : open_left(child);
  if (left == NULL) {
    safe__os_sleep(safe__deadline_min(until, safe__os_now() + SAFE__MS), NULL, false);
    return;
  }
  safe__win_wait(&left, 1, until);
  CloseHandle(left);
}

void safe__os_child_tree(const struct safe__child *child, safe_tree_info *info) {
  info->kind = child->alone ? SAFE_TREE_BY_CHILD : SAFE_TREE_BY_JOB;
}
