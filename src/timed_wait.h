/* SPDX-License-Identifier: MIT */
/*
 * The life of one queued lock request, the same on every system: it was started, is awaited, and, when the deadline
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
  /* 0 when the kernel has answered the request; SAFE_ETIMEDOUT; SAFE_ECANCELED; SAFE_EINTR if that is asked for. */
  int (*await)(void *request, int64_t deadline, safe_cancel *cancel, bool interruptible);
  /* Asks the kernel to take the request back. It may be granted all the same. Never blocks. */
  void (*revoke)(void *request);
  /* 0: granted. SAFE_EBUSY: not granted, and nothing is queued any more. SAFE_ESTUCK: still queued at the
     deadline. Or the error that the kernel answered with. */
  int (*settle)(void *request, int64_t deadline, safe_error *error);
  /* Takes over the request, and whatever it refers to, after SAFE_ESTUCK. */
  void (*park)(void *request);
  /* Frees a request that has been settled. */
  void (*release)(void *request);
  /* What becomes ready with the answer; NULL or SAFE_INVALID_HANDLE: nothing, look again at retry_at. */
  safe_handle (*handle)(void *request);
  int64_t (*retry_at)(void *request); /* or NULL */
};

struct safe__wait {
  const struct safe__wait_calls *calls; /* NULL: nothing is queued */
  void *request;
  int kind; /* SAFE_WAIT_* */
  /* Set by who queues it. There may be no thread to wait, or it must sleep until it is over: it has to tell of a
     signal, and would miss one that came while it was up for something else. */
  bool undisturbed;
};

/*
 * 0: granted. SAFE_ETIMEDOUT, SAFE_ECANCELED, SAFE_EINTR: the request is still queued. SAFE_EBUSY: the request ended
 * without an answer (its helper was killed from outside): try again, or another way. SAFE_ESTUCK: parked. Or an error.
 */
int safe__wait_until(struct safe__wait *wait, int64_t deadline, struct safe__notice *notice, safe_cancel *cancel,
                     bool interruptible, safe_error *error);

/*
 * Takes back what is queued. SAFE_EBUSY: it is. 0: the grant won the race. SAFE_ESTUCK: parked. Or the error that the
 * kernel answered the request with. Nothing is queued afterwards.
 */
int safe__wait_give_up(struct safe__wait *wait, safe_error *error);

/* The same in steps, for who must not wait: revoke answers the deadline for what follows. SAFE__AGAIN: until has passed
   before that deadline, and the request is still there. */
int64_t safe__wait_revoke(struct safe__wait *wait);
int safe__wait_take_back(struct safe__wait *wait, int64_t until, int64_t deadline, safe_error *error);

#endif
