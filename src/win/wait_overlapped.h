/* SPDX-License-Identifier: MIT */
/*
 * One lock request: an open file with the OVERLAPPED and the event of its lock calls, all of it in one piece of heap
 * memory, because the kernel writes there for as long as a request is queued, whoever has given up waiting.
 */
#ifndef SAFEHOLD_WIN_WAIT_OVERLAPPED_H
#define SAFEHOLD_WIN_WAIT_OVERLAPPED_H

#include "own_locks.h"

struct safe__wait; /* timed_wait.h */

struct safe__win_range {
  uint64_t start, length;
};

struct safe__win_request {
  struct safe__parked parked;
  HANDLE file, event;
  OVERLAPPED overlapped;
  struct safe__win_range range; /* what is, or was last, asked for */
  struct safe__claim claim;     /* what that is a part of, while it is queued (wait_queued.c) */
  struct safe__file *owner;     /* the same */
  bool borrowed;                /* the file is the caller's: nothing is queued on it, and nobody closes it */
  bool created;                 /* the file was made by us, just now */
  bool granted;                 /* at once: nothing was queued */
  DWORD failure;                /* why it could not be waited for, or 0 */
  struct safe__win_own_lock own;
};

/* Every kernel call in the life of a request: tests replace the table and play the kernel. */
struct safe__win_lock_calls {
  BOOL(WINAPI *lock)(HANDLE file, DWORD flags, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped);
  BOOL(WINAPI *unlock)(HANDLE file, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped);
  BOOL(WINAPI *cancel)(HANDLE file, OVERLAPPED *overlapped);
  BOOL(WINAPI *result)(HANDLE file, OVERLAPPED *overlapped, DWORD *bytes, BOOL wait);
  DWORD(WINAPI *wait)(DWORD count, const HANDLE *handles, BOOL all, DWORD milliseconds);
  HANDLE(WINAPI *reopen)(HANDLE file, DWORD access, DWORD share, DWORD flags);
};
extern struct safe__win_lock_calls safe__win_lock_calls;

/* Takes over the file, also when it fails, unless it is borrowed. */
int safe__win_request_make(HANDLE file, bool borrowed, struct safe__win_request **request, safe_error *error);
/* Closes the file, unless it is borrowed; nothing may be queued. NULL does nothing. */
void safe__win_request_free(struct safe__win_request *request);

/* Asks for a lock, with flags of LockFileEx. 0: granted or queued. SAFE_EBUSY: refused. Or an error. */
int safe__win_request_ask(struct safe__win_request *request, const struct safe__win_range *range, DWORD flags,
                          safe_error *error);
/* 0 once there is an answer, or none can be waited for; SAFE_ETIMEDOUT; SAFE_ECANCELED. */
int safe__win_request_await(struct safe__win_request *request, int64_t deadline, safe_cancel *cancel);
/* Asks the kernel to take it back. Never blocks. */
void safe__win_request_revoke(struct safe__win_request *request);
/* 0: granted. SAFE_EBUSY: refused or taken back. SAFE_ESTUCK: still queued at the deadline. Or an error. */
int safe__win_request_settle(struct safe__win_request *request, int64_t deadline, safe_error *error);
/* Keeps a request that is stuck, with its file and memory, until the kernel lets go of it. */
void safe__win_request_park(struct safe__win_request *request);
int safe__win_request_unlock(struct safe__win_request *request, const struct safe__win_range *range);

/* ---- lock_ranges.c */
struct safe__win_range safe__win_range_of(const struct safe__claim *claim);
/* The range that guards a claim's sensors (wait_sensor.c): those of two claims overlap if the claims do. */
struct safe__win_range safe__win_gate_of(const struct safe__claim *claim);
/* LOCKFILE_EXCLUSIVE_LOCK or 0. */
DWORD safe__win_mode_flag(const struct safe__claim *claim);

/* ---- wait_sensor.c: safe__os_lock_queue for a handle of the caller's. */
int safe__win_sensor_queue(struct safe__file *file, const struct safe__claim *claim, struct safe__wait *wait,
                           safe_error *error);
/* wait_queued.c: the same for a handle of our own. */
int safe__win_request_queue(struct safe__file *file, const struct safe__claim *claim, struct safe__wait *wait,
                            safe_error *error);

/* Whether the kernel's queue can be waited in. False only on a Wine that has none (wait_selftest.c). */
bool safe__win_queue_works(void);

#endif
