/* SPDX-License-Identifier: MIT */
/* The kernel behind the table. Functions of our own, as the address of an imported one is no constant in C. */
#include "wait_overlapped.h"

static BOOL WINAPI lock(HANDLE file, DWORD flags, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped) {
  return LockFileEx(file, flags, reserved, low, high, overlapped);
}

static BOOL WINAPI unlock(HANDLE file, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped) {
  return UnlockFileEx(file, reserved, low, high, overlapped);
}

static BOOL WINAPI cancel(HANDLE file, OVERLAPPED *overlapped) { return CancelIoEx(file, overlapped); }

static BOOL WINAPI result(HANDLE file, OVERLAPPED *overlapped, DWORD *bytes, BOOL wait) {
  return GetOverlappedResult(file, overlapped, bytes, wait);
}

static DWORD WINAPI wait_any(DWORD count, const HANDLE *handles, BOOL all, DWORD milliseconds) {
  return WaitForMultipleObjects(count, handles, all, milliseconds);
}

static HANDLE WINAPI reopen(HANDLE file, DWORD access, DWORD share, DWORD flags) {
  return ReOpenFile(file, access, share, flags);
}

struct safe__win_lock_calls safe__win_lock_calls = {lock, unlock, cancel, result, wait_any, reopen};
