/* SPDX-License-Identifier: MIT */
/*
 * A thread for a call that may block longer than its caller has time: macOS has neither fork (which a host with threads
 * does not survive here) nor anything like clone. It owns what it works on, so that its caller can leave it behind.
 */
#ifndef SAFEHOLD_HELPER_H
#define SAFEHOLD_HELPER_H

#include <pthread.h>
#include <stdatomic.h>

#include "os.h"

struct safe__helper {
  struct safe__parked parked;
  void (*run)(struct safe__helper *self);   /* on the thread, with all signals blocked */
  void (*ended)(struct safe__helper *self); /* the same, afterwards, also when it was cancelled */
  void (*free)(struct safe__helper *self);  /* of one that was left behind: gives everything back */
  pthread_t thread;
  int queue; /* a kqueue, never inherited by anybody; readable once it has ended */
  atomic_bool done;
  atomic_int owner; /* see safe__helper_take */
};

/* 0 or errno; then there is no thread. */
int safe__helper_start(struct safe__helper *helper);

/* 0 once it has ended; SAFE_ETIMEDOUT; SAFE_ECANCELED; SAFE_EINTR if that is asked for. */
int safe__helper_await(struct safe__helper *helper, int64_t deadline, safe_cancel *cancel, bool interruptible);

/* After it has ended: the thread is no more. */
void safe__helper_join(struct safe__helper *helper);

/* The one question to which thread and caller must get opposite answers: false, if the other one has asked it before.
   Asked by the thread: may I give what I have got to the caller? By the caller: may I give up? */
bool safe__helper_take(struct safe__helper *helper);

/* Leaves it behind; it is freed once it has ended. */
void safe__helper_park(struct safe__helper *helper);

#endif
