/* SPDX-License-Identifier: MIT */
#include "job.h"

struct safe__win_leash {
  struct safe__parked parked;
  HANDLE job;
};

struct safe__win_leash *safe__win_leash_make(void) {
  return safe__alloc(sizeof(struct safe__win_leash));
}

void safe__win_leash_free(struct safe__win_leash *leash) { safe__free(leash); }

static bool collect(struct safe__parked *item) {
  struct safe__win_leash *leash = (struct safe__win_leash *)item;
  JOBOBJECT_BASIC_ACCOUNTING_INFORMATION found;

  if (!QueryInformationJobObject(leash->job, JobObjectBasicAccountingInformation, &found, sizeof(found), NULL) ||
      found.ActiveProcesses > 0)
    return false;
  safe__win_close(&leash->job);
  safe__free(leash);
  return true;
}

void safe__win_leash_keep(struct safe__win_leash *leash, HANDLE job) {
  leash->job = job;
  leash->parked.collect = collect;
  if (!collect(&leash->parked)) safe__park(&leash->parked);
}
