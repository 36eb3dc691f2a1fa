/* SPDX-License-Identifier: MIT */
#include "own_locks.h"

/* Held for a few instructions, never across a call into the kernel. */
static SRWLOCK guard = SRWLOCK_INIT;
static struct safe__win_own_lock *first;

void safe__win_own_lock_note(struct safe__win_own_lock *own, const struct safe__claim *claim, int32_t role) {
  AcquireSRWLockExclusive(&guard);
  own->role = claim->offset == SAFE__GATE ? SAFE_HOLDER_WAITS : role;
  own->mode = claim->mode;
  own->method = claim->method;
  if (own->link == NULL) {
    own->next = first;
    own->link = &first;
    if (first != NULL) first->link = &own->next;
    first = own;
  }
  ReleaseSRWLockExclusive(&guard);
}

void safe__win_own_lock_forget(struct safe__win_own_lock *own) {
  AcquireSRWLockExclusive(&guard);
  if (own->link != NULL) {
    *own->link = own->next;
    if (own->next != NULL) own->next->link = own->link;
    own->link = NULL;
  }
  ReleaseSRWLockExclusive(&guard);
}

void safe__win_own_locks(const struct safe__file_id *id,
                         void (*found)(const struct safe__win_own_lock *own, void *context), void *context) {
  const struct safe__win_own_lock *own;

  AcquireSRWLockShared(&guard);
  for (own = first; own != NULL; own = own->next)
    if (safe__win_same_file(&own->id, id)) found(own, context);
  ReleaseSRWLockShared(&guard);
}
