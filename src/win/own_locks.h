/* SPDX-License-Identifier: MIT */
/*
 * The locks that this process holds or waits for. Windows names no owner of a lock, and lists this process among
 * those that have a file open as soon as it asks; but the most frequent holder of all is another thread of the host.
 */
#ifndef SAFEHOLD_WIN_OWN_LOCKS_H
#define SAFEHOLD_WIN_OWN_LOCKS_H

#include "file_id.h"

struct safe__win_own_lock {
  struct safe__win_own_lock *next, **link; /* link is NULL while it is in no list */
  struct safe__file_id id;
  HANDLE file;
  int32_t mode, method, role;
  DWORD thread;     /* that is blocked until it is got, or 0: an event loop looks after it, or nobody */
  int64_t until;    /* the deadline of that thread's wait, or SAFE__NEVER */
  int64_t since_ms; /* got, or asked for: milliseconds since 1970 */
  int64_t offset, length;
};

/* Lists it, or changes as what it is listed. The turnstile of SAFE_LOCK_FAIR is nobody's lock: who stands in it
   waits. */
void safe__win_own_lock_note(struct safe__win_own_lock *own, const struct safe__claim *claim, int32_t role);
/* The calling thread blocks until the deadline, or does not any more. */
void safe__win_own_lock_block(struct safe__win_own_lock *own, int64_t deadline);
void safe__win_own_lock_unblock(struct safe__win_own_lock *own);
void safe__win_own_lock_forget(struct safe__win_own_lock *own);
/* Calls back for each of the file's (NULL: of all files); the lock on the list is held meanwhile. */
void safe__win_own_locks(const struct safe__file_id *id,
                         void (*found)(const struct safe__win_own_lock *own, void *context), void *context);
/* What the handle is listed as; false if it is not. link and next of the copy are nobody's. */
bool safe__win_own_lock_of(HANDLE file, struct safe__win_own_lock *copy);

#endif
