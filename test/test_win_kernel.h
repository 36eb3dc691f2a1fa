/* SPDX-License-Identifier: MIT */
/*
 * A kernel for the tests of waits on Windows: it keeps a table of locks and a queue, as Windows does and Wine does not,
 * and can be slow, unfair or deaf on purpose.
 */
#ifndef SAFEHOLD_TEST_WIN_KERNEL_H
#define SAFEHOLD_TEST_WIN_KERNEL_H

#include "wait_overlapped.h"

#define CANCELLED_STATUS ((ULONG_PTR)0xC0000120)
#define FAR_SPACE (UINT64_C(1) << 62)

/* What it is to do. Set before the first call. */
struct kernel_orders {
  int steals;                 /* so often somebody else is quicker when the far space becomes free of a sensor */
  int deny_reopens;           /* so often a file cannot be opened again */
  bool deaf;                  /* takes nothing back */
  bool grants_when_cancelled; /* what the stranger has becomes free, and is granted, at the moment of the cancel */
  bool caller_pends;          /* even what must not wait pends on a caller's handle, and is never granted */
};
extern struct kernel_orders kernel_orders;

/* From here to kernel_stop the library's calls come to this kernel. */
void kernel_start(void);
void kernel_stop(void);

/* Handles that stand for a caller's: nothing may ever be queued on them. */
void kernel_add_caller(HANDLE handle);
void kernel_close_caller(HANDLE handle);

/* Somebody else has the range; lets go of it (false: he has not got it). */
void stranger_takes(uint64_t start, uint64_t length);
bool stranger_lets_go(uint64_t start, uint64_t length);

/* Takes the lock away from the handle; false if it has none. */
bool kernel_drop(HANDLE handle, uint64_t start, uint64_t length);
/* Ends the first request that is queued, with this status. */
void kernel_end_first(ULONG_PTR status);

int kernel_locks(void);      /* that are held, by whomever */
int kernel_requests(void);   /* that are queued */
int kernel_violations(void); /* requests that would have blocked on a caller's handle */
int kernel_reopened(void);

#endif
