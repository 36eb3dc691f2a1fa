/* SPDX-License-Identifier: MIT */
#include "inherit.h"

/* A handle that some spawn has made inheritable: two of them may list the same one, and the last to leave puts it
   back. Counted here, so that no lock need be held across CreateProcess, which may take seconds. */
struct lent {
  struct lent *next;
  HANDLE handle;
  unsigned users;
};

static SRWLOCK guard = SRWLOCK_INIT;
static struct lent *lent;

static DWORD lend(HANDLE handle) {
  struct lent *item;
  DWORD flags, failure;

  for (item = lent; item != NULL; item = item->next)
    if (item->handle == handle) {
      item->users++;
      return ERROR_SUCCESS;
    }
  if (!GetHandleInformation(handle, &flags)) return GetLastError();
  if ((flags & HANDLE_FLAG_INHERIT) != 0) return ERROR_SUCCESS; /* the caller's doing, and to stay */
  item = safe__alloc(sizeof(*item));
  if (item == NULL) return ERROR_NOT_ENOUGH_MEMORY;
  if (!SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT)) {
    failure = GetLastError();
    safe__free(item);
    return failure;
  }
  item->handle = handle;
  item->users = 1;
  item->next = lent;
  lent = item;
  return ERROR_SUCCESS;
}

static void give_back(HANDLE handle) {
  struct lent **link, *item;

  for (link = &lent; (item = *link) != NULL; link = &item->next) {
    if (item->handle != handle) continue;
    if (--item->users > 0) return;
    *link = item->next;
    SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0);
    safe__free(item);
    return;
  }
}

static void leave(struct safe__win_inherit *set, size_t count) {
  size_t at;

  for (at = 0; at < count; at++) give_back(set->handles[at]);
  set->entered = false;
}

DWORD safe__win_inherit_enter(struct safe__win_inherit *set, size_t *bad) {
  DWORD failure = ERROR_SUCCESS;
  size_t at;

  AcquireSRWLockExclusive(&guard);
  if (set->closed) failure = ERROR_OPERATION_ABORTED;
  for (at = 0; failure == ERROR_SUCCESS && at < set->count; at++) {
    failure = lend(set->handles[at]);
    if (failure == ERROR_SUCCESS) continue;
    leave(set, at);
    *bad = at;
  }
  set->entered = failure == ERROR_SUCCESS;
  ReleaseSRWLockExclusive(&guard);
  return failure;
}

void safe__win_inherit_leave(struct safe__win_inherit *set) {
  AcquireSRWLockExclusive(&guard);
  if (set->entered) leave(set, set->count);
  ReleaseSRWLockExclusive(&guard);
}

void safe__win_inherit_close(struct safe__win_inherit *set) {
  AcquireSRWLockExclusive(&guard);
  set->closed = true;
  if (set->entered) leave(set, set->count);
  ReleaseSRWLockExclusive(&guard);
}
