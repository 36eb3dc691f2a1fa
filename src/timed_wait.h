/* SPDX-License-Identifier: MIT */
/*
 * The life of one queued lock request, the same on every system: it is started, awaited, and, when the deadline
 * or a cancel comes first, taken back; then one question to the kernel settles who won. What cannot be taken
 * back is parked. The kernel calls are behind a table, so that the tests can play a kernel that grants late,
 * refuses to cancel, or races.
 */
#ifndef SAFEHOLD_TIMED_WAIT_H
#define SAFEHOLD_TIMED_WAIT_H

#include "internal.h"

/* How long a request that was taken back may still linger in the kernel before it is parked. */
#define SAFE__SETTLE_MS 100

struct safe__wait_calls {
  /* Queues the request. 0: it is queued, or was granted at once (settle tells); or an error, and nothing is queued. */
  int (*start)(void *request, safe_error *error);
  /* 0 when the kernel has answered the request; SAFE_ETIMEDOUT; SAFE_ECANCELED. */
  int (*await)(void *request, int64_t deadline, safe_cancel *cancel);
  /* Asks the kernel to take the request back. It may be granted all the same. Never blocks. */
  void (*revoke)(void *request);
  /* 0: granted. SAFE_EBUSY: not granted, and nothing is queued any more. SAFE_ESTUCK: still queued at the
     deadline. Or the error that the kernel answered with. */
  int (*settle)(void *request, int64_t deadline, safe_error *error);
  /* Takes over the request, and whatever it refers to, after SAFE_ESTUCK. */
  void (*park)(void *request);
};

/*
 * 0: granted, also when the grant won a race against the deadline. SAFE_ETIMEDOUT. SAFE_ECANCELED, with
 * *granted true if the grant won that race: the caller gives the lock back. SAFE_EBUSY: the request ended
 * without an answer (its helper was killed from outside): try another way. SAFE_ESTUCK: parked. Or an error.
 */
int safe__timed_wait(const struct safe__wait_calls *calls, void *request, int64_t deadline, struct safe__notice *notice,
                     safe_cancel *cancel, bool *granted, safe_error *error);

#endif
