/* SPDX-License-Identifier: MIT */
/*
 * One queued lock request: an open file with the OVERLAPPED and the event of its lock calls, all of it in one piece
 * of heap memory, because the kernel writes there for as long as a request is queued, whoever has given up waiting.
 */
#ifndef SAFEHOLD_WIN_WAIT_OVERLAPPED_H
#define SAFEHOLD_WIN_WAIT_OVERLAPPED_H

#include "own_locks.h"

struct safe__win_request {
  struct safe__parked parked;
  HANDLE file, event;
  OVERLAPPED overlapped;
  DWORD flags; /* of LockFileEx */
  bool granted;
  safe_error *error; /* of the call that waits */
  struct safe__win_own_lock own;
};

/* Every kernel call in the life of a request: tests replace the table and play the kernel. */
struct safe__win_lock_calls {
  BOOL(WINAPI *lock)(HANDLE file, DWORD flags, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped);
  BOOL(WINAPI *unlock)(HANDLE file, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped);
  BOOL(WINAPI *cancel)(HANDLE file, OVERLAPPED *overlapped);
  BOOL(WINAPI *result)(HANDLE file, OVERLAPPED *overlapped, DWORD *bytes, BOOL wait);
  DWORD(WINAPI *wait)(DWORD count, const HANDLE *handles, BOOL all, DWORD milliseconds);
};
extern struct safe__win_lock_calls safe__win_lock_calls;

/* Takes over the file, also when it fails. */
int safe__win_request_make(HANDLE file, int32_t mode, struct safe__win_request **request, safe_error *error);
/* Closes the file; nothing may be queued. NULL does nothing. */
void safe__win_request_free(struct safe__win_request *request);

/*
 * Asks for the lock of method FAR and waits for the answer until the deadline. 0: it is held. SAFE_EBUSY: refused
 * (with LOCKFILE_FAIL_IMMEDIATELY), or ended without an answer. SAFE_ETIMEDOUT, SAFE_ECANCELED or an error: not
 * held. SAFE_ESTUCK: the file was parked with the request. Every one of them but 0 has filled the error.
 */
int safe__win_lock_run(struct safe__file *file, DWORD flags, int64_t deadline, struct safe__notice *notice,
                       safe_cancel *cancel, safe_error *error);
/* Gives it back; 0 or a SAFE_E*. */
int safe__win_lock_release(struct safe__win_request *request);

/* Whether the kernel's queue can be waited in. False only on a Wine that has none (wait_selftest.c). */
bool safe__win_queue_works(void);

#endif
