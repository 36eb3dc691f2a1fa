/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_OWNER_RECORD_H
#define SAFEHOLD_OWNER_RECORD_H

#include "attempt.h"

/* Its layout is in inspect.h. Written once the lock is held and verified, cleared before it is given back. */
int safe__owner_record_write(struct safe_lock *lock, const char *label, safe_error *error);
void safe__owner_record_clear(struct safe_lock *lock);
/* The record of a process that is alive, if there is one: by its file's path, within the deadline. */
bool safe__owner_record_find(const char *path, int64_t deadline, safe_owner *owner);

#endif
