/* SPDX-License-Identifier: MIT */
/*
 * A process that locks again as soon as it has unlocked starves those who wait in the kernel's queue: a grant is no
 * more there than a wake-up, and a processor that sleeps takes 50 us to wake, where the next lock call takes less than
 * one. Whoever asks all the time gets in between. That costs processor time, and so is done for a moment only, and only
 * by who has seen the lock pass by.
 */
#include "lock_catch.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#include "lock_calls.h"

/* Wake-ups in vain, and the time in which they are too many. A debugger that stops the thread at each system call
   counts as a dozen. */
#define LOST 16
#define LOST_IN (30 * SAFE__MS)
#define SELDOM 2 /* one is the call's end */

#define PATIENCE (3 * SAFE__MS)
#define TRIES 64 /* between two looks at the clock and at the others: about 40 us */

long safe__switches(void) {
  struct rusage usage;

  return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

enum safe__woken safe__woken(long switches, int64_t time) {
  long woken = safe__switches() - switches;

  if (woken <= SELDOM) return SAFE__WOKEN_SELDOM;
  return woken > LOST * (long)(time > LOST_IN ? time / LOST_IN : 1) ? SAFE__WOKEN_IN_VAIN : SAFE__WOKEN_AMONG;
}

/* If anybody else is to run on it, the processor goes to him now. */
static bool gives_way(void) {
  struct rusage before, after;

  if (getrusage(RUSAGE_THREAD, &before) != 0) return true;
  sched_yield();
  return getrusage(RUSAGE_THREAD, &after) != 0 || after.ru_nivcsw != before.ru_nivcsw ||
         after.ru_nvcsw != before.ru_nvcsw;
}

/* One of the kernel's own threads, which has been and gone, is not somebody who waits for it. */
static bool processor_is_wanted(void) {
  int times = 0;

  while (times < 2 && gives_way()) times++;
  return times == 2;
}

int safe__catch_lock(int fd, const struct safe__claim *claim, int64_t deadline) {
  int64_t until = safe__deadline_min(deadline, safe__os_now() + PATIENCE);
  int tries, os_code = EAGAIN;

  while (os_code == EAGAIN && safe__os_now() < until) {
    if (processor_is_wanted()) return EBUSY;
    for (tries = 0; os_code == EAGAIN && tries < TRIES; tries++) os_code = safe__lock_call(fd, claim, false);
  }
  return os_code == 0 ? 0 : EAGAIN; /* another error will be told by the call that waits */
}
