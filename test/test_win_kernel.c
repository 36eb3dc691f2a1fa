/* SPDX-License-Identifier: MIT */
#include "test_win_kernel.h"

#include "test_win.h"

#define STRANGER ((HANDLE)(ULONG_PTR)0x7ffffff0) /* who else has locks: never an open handle */
#define PLACES 64

struct entry {
  bool used, exclusive;
  HANDLE handle;
  uint64_t start, length;
  OVERLAPPED *overlapped; /* of one that is queued */
};

struct kernel_orders kernel_orders;

static struct {
  CRITICAL_SECTION guard;
  struct entry held[PLACES], queued[PLACES]; /* the queue is in order of arrival */
  HANDLE callers[8];
  int caller_count, violations, reopened;
} kernel;

static struct safe__win_lock_calls real_calls;

/* ---- The kernel. All of it with the guard held. */

static bool overlap(const struct entry *one, const struct entry *other) {
  return one->start < other->start + other->length && other->start < one->start + one->length;
}

static bool stands_in_the_way(const struct entry *held, const struct entry *wanted) {
  if (!held->used || !overlap(held, wanted)) return false;
  return wanted->exclusive || (held->exclusive && held->handle != wanted->handle);
}

static bool take(const struct entry *wanted) {
  int at, place = -1;

  for (at = 0; at < PLACES; at++) {
    if (stands_in_the_way(&kernel.held[at], wanted)) return false;
    if (!kernel.held[at].used) place = at;
  }
  kernel.held[place] = *wanted;
  kernel.held[place].used = true;
  return true;
}

static void complete(struct entry *entry, ULONG_PTR status) {
  OVERLAPPED *overlapped = entry->overlapped;
  int at = (int)(entry - kernel.queued);

  memmove(entry, entry + 1, sizeof(*entry) * (size_t)(PLACES - 1 - at));
  kernel.queued[PLACES - 1].used = false;
  overlapped->Internal = status;
  SetEvent((HANDLE)((ULONG_PTR)overlapped->hEvent & ~(ULONG_PTR)1));
}

static bool is_callers(HANDLE handle) {
  int at;

  for (at = 0; at < kernel.caller_count; at++)
    if (kernel.callers[at] == handle) return true;
  return false;
}

static void grant_what_can_be(void) {
  int at = 0;

  while (at < PLACES && kernel.queued[at].used)
    if (!(kernel_orders.caller_pends && is_callers(kernel.queued[at].handle)) && take(&kernel.queued[at]))
      complete(&kernel.queued[at], 0);
    else
      at++;
}

static bool drop(HANDLE handle, uint64_t start, uint64_t length) {
  int at;

  for (at = 0; at < PLACES; at++) {
    struct entry *held = &kernel.held[at];
    if (!held->used || held->handle != handle || held->start != start || held->length != length) continue;
    held->used = false;
    return true;
  }
  return false;
}

static BOOL lock_guarded(struct entry *wanted, DWORD flags) {
  int at;

  if (is_callers(wanted->handle) && (flags & LOCKFILE_FAIL_IMMEDIATELY) == 0) kernel.violations++;
  if (!(is_callers(wanted->handle) && kernel_orders.caller_pends)) {
    if (take(wanted)) {
      wanted->overlapped->Internal = 0;
      SetEvent((HANDLE)((ULONG_PTR)wanted->overlapped->hEvent & ~(ULONG_PTR)1));
      return TRUE;
    }
    SetLastError(ERROR_LOCK_VIOLATION);
    if ((flags & LOCKFILE_FAIL_IMMEDIATELY) != 0) return FALSE;
  }
  for (at = 0; kernel.queued[at].used; at++) continue;
  kernel.queued[at] = *wanted;
  kernel.queued[at].used = true;
  SetLastError(ERROR_IO_PENDING);
  return FALSE;
}

static struct entry entry_of(HANDLE handle, DWORD low, DWORD high, OVERLAPPED *overlapped) {
  struct entry entry = {false, false, handle, 0, 0, overlapped};

  entry.start = (uint64_t)overlapped->OffsetHigh << 32 | overlapped->Offset;
  entry.length = (uint64_t)high << 32 | low;
  return entry;
}

/* ---- The table of calls. */

static BOOL WINAPI play_lock(HANDLE handle, DWORD flags, DWORD reserved, DWORD low, DWORD high,
                             OVERLAPPED *overlapped) {
  struct entry wanted = entry_of(handle, low, high, overlapped);
  BOOL answer;

  (void)reserved;
  wanted.exclusive = (flags & LOCKFILE_EXCLUSIVE_LOCK) != 0;
  EnterCriticalSection(&kernel.guard);
  answer = lock_guarded(&wanted, flags);
  LeaveCriticalSection(&kernel.guard);
  return answer;
}

static BOOL WINAPI play_unlock(HANDLE handle, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped) {
  struct entry wanted = entry_of(handle, low, high, overlapped);
  bool found;

  (void)reserved;
  EnterCriticalSection(&kernel.guard);
  found = drop(handle, wanted.start, wanted.length);
  if (found && kernel_orders.steals > 0 && wanted.start == FAR_SPACE && !is_callers(handle)) {
    kernel_orders.steals--;
    wanted.handle = STRANGER;
    wanted.exclusive = true;
    take(&wanted);
  }
  grant_what_can_be();
  LeaveCriticalSection(&kernel.guard);
  if (!found) SetLastError(ERROR_NOT_LOCKED);
  return found;
}

static BOOL WINAPI play_cancel(HANDLE handle, OVERLAPPED *overlapped) {
  int at;

  (void)handle;
  EnterCriticalSection(&kernel.guard);
  if (kernel_orders.grants_when_cancelled) {
    drop(STRANGER, FAR_SPACE, FAR_SPACE);
    grant_what_can_be();
  }
  for (at = 0; at < PLACES && !kernel_orders.deaf; at++)
    if (kernel.queued[at].used && kernel.queued[at].overlapped == overlapped)
      complete(&kernel.queued[at], CANCELLED_STATUS);
  LeaveCriticalSection(&kernel.guard);
  return TRUE;
}

static HANDLE WINAPI play_reopen(HANDLE handle, DWORD access, DWORD share, DWORD flags) {
  assert_true((flags & FILE_FLAG_OVERLAPPED) != 0);
  if (kernel_orders.deny_reopens > 0) {
    kernel_orders.deny_reopens--;
    SetLastError(ERROR_SHARING_VIOLATION);
    return INVALID_HANDLE_VALUE;
  }
  EnterCriticalSection(&kernel.guard);
  kernel.reopened++;
  LeaveCriticalSection(&kernel.guard);
  return real_calls.reopen(handle, access, share, flags);
}

/* ---- Strangers. */

void stranger_takes(uint64_t start, uint64_t length) {
  struct entry wanted = {false, true, STRANGER, start, length, NULL};

  EnterCriticalSection(&kernel.guard);
  assert_true(take(&wanted));
  LeaveCriticalSection(&kernel.guard);
}

/* ---- What the tests ask. */

void kernel_start(void) {
  memset(&kernel, 0, sizeof(kernel));
  memset(&kernel_orders, 0, sizeof(kernel_orders));
  InitializeCriticalSection(&kernel.guard);
  real_calls = safe__win_lock_calls;
  safe__win_lock_calls.lock = play_lock;
  safe__win_lock_calls.unlock = play_unlock;
  safe__win_lock_calls.cancel = play_cancel;
  safe__win_lock_calls.reopen = play_reopen;
}

void kernel_stop(void) {
  safe__win_lock_calls = real_calls;
  DeleteCriticalSection(&kernel.guard);
}

void kernel_add_caller(HANDLE handle) {
  EnterCriticalSection(&kernel.guard);
  kernel.callers[kernel.caller_count++] = handle;
  LeaveCriticalSection(&kernel.guard);
}

/* Its number may soon be another one's. */
void kernel_close_caller(HANDLE handle) {
  int at;

  EnterCriticalSection(&kernel.guard);
  for (at = 0; at < kernel.caller_count; at++)
    if (kernel.callers[at] == handle) kernel.callers[at] = NULL;
  CloseHandle(handle);
  LeaveCriticalSection(&kernel.guard);
}

bool kernel_drop(HANDLE handle, uint64_t start, uint64_t length) {
  bool found;

  EnterCriticalSection(&kernel.guard);
  found = drop(handle, start, length);
  grant_what_can_be();
  LeaveCriticalSection(&kernel.guard);
  return found;
}

bool stranger_lets_go(uint64_t start, uint64_t length) { return kernel_drop(STRANGER, start, length); }

void kernel_end_first(ULONG_PTR status) {
  EnterCriticalSection(&kernel.guard);
  if (kernel.queued[0].used) complete(&kernel.queued[0], status);
  LeaveCriticalSection(&kernel.guard);
}

static int count(const struct entry *entries) {
  int at, found = 0;

  EnterCriticalSection(&kernel.guard);
  for (at = 0; at < PLACES; at++) found += entries[at].used;
  LeaveCriticalSection(&kernel.guard);
  return found;
}

int kernel_locks(void) { return count(kernel.held); }

int kernel_requests(void) { return count(kernel.queued); }

int kernel_violations(void) { return kernel.violations; }

int kernel_reopened(void) { return kernel.reopened; }
