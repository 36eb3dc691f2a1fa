/* SPDX-License-Identifier: MIT */
/*
 * Work that may block longer than its caller can wait: it runs on a thread of its own, on memory that belongs to
 * whoever is left. A caller whose deadline comes first abandons it; the thread then undoes what it did, and the
 * memory is parked until the thread has ended. No thread is ever terminated: its locks and its stack would stay.
 */
#ifndef SAFEHOLD_WIN_TASK_H
#define SAFEHOLD_WIN_TASK_H

#include "win.h"

struct safe__win_task {
  struct safe__parked parked;
  HANDLE thread, token;
  volatile LONG state;
  bool look;     /* it only asks, for an answer that can be done without: few of those may be parked at a time */
  DWORD failure; /* why the thread could not run at all, or 0 */
  void (*run)(struct safe__win_task *task);
  void (*abandon)(struct safe__win_task *task); /* or NULL: on the caller's thread, once it has given up */
  void (*free)(struct safe__win_task *task);    /* the whole of it, also the memory it lies in */
};

/* Starts the thread, which acts in the name that the calling thread acts in. After a failure nothing runs:
   SAFE_ESTUCK for a look while too many are parked. */
int safe__win_task_start(struct safe__win_task *task, int stage, safe_error *error);

/*
 * SAFE_OK: it has ended; the caller looks at its results and frees it. SAFE_ETIMEDOUT: it was abandoned, ended
 * within settle_ms more, and is freed. SAFE_ESTUCK: it was abandoned and parked.
 */
int safe__win_task_wait(struct safe__win_task *task, int64_t deadline, int64_t settle_ms);

/* On the task's thread, at its end: true when the caller still waits for the results; false when it has given up,
   and cannot be reached any more: the results have to be undone. */
bool safe__win_task_deliver(struct safe__win_task *task);

#define SAFE__MOST_PARKED_LOOKS 16
int safe__win_parked_looks(void); /* after a look which of them have come back */

#endif
