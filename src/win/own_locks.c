/* SPDX-License-Identifier: MIT */
#include "own_locks.h"

/* Held for a few instructions, never across a call into the kernel. */
static SRWLOCK guard = SRWLOCK_INIT;
static struct safe__win_own_lock *first;

/* Who stands in the turnstile comes from there to the lock: it is one wait. Its bytes are those of no lock. */
static void describe(struct safe__win_own_lock *own, const struct safe__claim *claim, int32_t role) {
  bool gate = claim->offset == SAFE__GATE;

  if (gate) role = SAFE_HOLDER_WAITS;
  if (own->link == NULL || role == SAFE_HOLDER_HOLDS || own->role != role) own->since_ms = safe__win_now_ms();
  own->role = role;
  own->mode = claim->mode;
  own->method = claim->method;
  own->offset = gate ? 0 : claim->offset;
  own->length = gate ? 0 : claim->length;
}

void safe__win_own_lock_note(struct safe__win_own_lock *own, const struct safe__claim *claim, int32_t role) {
  AcquireSRWLockExclusive(&guard);
  describe(own, claim, role);
  if (own->link == NULL) {
    own->next = first;
    own->link = &first;
    if (first != NULL) first->link = &own->next;
    first = own;
  }
  ReleaseSRWLockExclusive(&guard);
}

void safe__win_own_lock_block(struct safe__win_own_lock *own, int64_t deadline) {
  AcquireSRWLockExclusive(&guard);
  own->thread = GetCurrentThreadId();
  own->until = deadline;
  ReleaseSRWLockExclusive(&guard);
}

void safe__win_own_lock_unblock(struct safe__win_own_lock *own) {
  AcquireSRWLockExclusive(&guard);
  own->thread = 0;
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
    if (id == NULL || safe__win_same_file(&own->id, id)) found(own, context);
  ReleaseSRWLockShared(&guard);
}

bool safe__win_own_lock_of(HANDLE file, struct safe__win_own_lock *copy) {
  const struct safe__win_own_lock *own;

  AcquireSRWLockShared(&guard);
  for (own = first; own != NULL && own->file != file; own = own->next) continue;
  if (own != NULL) *copy = *own;
  ReleaseSRWLockShared(&guard);
  return own != NULL;
}
