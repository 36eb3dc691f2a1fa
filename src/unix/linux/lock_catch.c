/* SPDX-License-Identifier: MIT */
/*
 * A process that locks again as soon as it has unlocked starves those who wait in the kernel's queue: a grant is no
 * more there than a wake-up, and a processor that sleeps takes 50 us to wake, where the next lock call takes less than
 * one. Whoever asks all the time gets in between. That costs processor time, and so is done for a moment only, and only
 * by who has seen the lock pass by.
 */
#include "lock_catch.h"

#include <errno.h>
#include <sys/resource.h>

#include "lock_raw.h"

/*
 * How long the lock is waited for before it is looked whether it passes by; and where others wanted the processor,
 * which among many waiters they always do, how much longer and how often again.
 *
 * To look is to leave the kernel's queue, and that wakes up all who are behind us in it, one by one, to find their
 * places anew (fs/locks.c, __locks_insert_block). Among 512 waiters, looks at each 30 ms took two thirds of two
 * processors. So who finds himself in such a queue takes much longer to look the next time.
 */
#define LOOK (30 * SAFE__MS)
#define RARER 16
#define RAREST (LOOK * RARER * RARER)
#define LATER (100 * SAFE__MS)
#define LATER_LOOKS 10

/* Wake-ups in vain, and the time in which they are too many. A debugger that stops the thread at each system call
   counts as a dozen. */
#define LOST 16
#define LOST_IN (30 * SAFE__MS)
#define SELDOM 2 /* one is the call's end */

#define PATIENCE (3 * SAFE__MS)
#define TRIES 64 /* between two looks at the clock and at the others: about 40 us */

static struct safe__usage usage(void) {
  struct safe__usage usage;

  usage.left = usage.taken = 0;
  safe__raw6(SYS_getrusage, RUSAGE_THREAD, (long)&usage, 0, 0, 0, 0);
  return usage;
}

static int64_t earlier(int64_t one, int64_t other) { return one < other ? one : other; }

/* ---- What the wake-ups in vain of one blocking call tell. */

enum woken {
  SELDOM_WOKEN,  /* whoever has the lock keeps it */
  WOKEN_AMONG,   /* by a queue in motion, in which everybody is woken up to find his place anew */
  WOKEN_IN_VAIN, /* somebody lets go of the lock and takes it again before a processor that sleeps has woken up */
};

static enum woken how_often(long before, int64_t time) {
  long woken = usage().left - before;

  if (woken <= SELDOM) return SELDOM_WOKEN;
  return woken > LOST * (long)(time > LOST_IN ? time / LOST_IN : 1) ? WOKEN_IN_VAIN : WOKEN_AMONG;
}

int64_t safe__first_look(int64_t began, int64_t look) { return began + (look == 0 ? LOOK : look); }

/* A wait that came to its deadline before it was to look tells when the next one need not wait so long. */
static void learn(int64_t *look, enum woken woken, int64_t time, bool looked) {
  if (woken == SELDOM_WOKEN && time < LOST_IN) return; /* too short to tell */
  if (woken != WOKEN_AMONG)
    *look = LOOK;
  else if (looked && *look < RAREST)
    *look = safe__first_look(0, *look) * RARER;
}

/* ---- Catching it. */

/* If anybody else is to run on it, the processor goes to him now. */
static bool gives_way(void) {
  struct safe__usage before = usage(), after;

  safe__raw6(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
  after = usage();
  return after.taken != before.taken || after.left != before.left;
}

/* One of the kernel's own threads, which has been and gone, is not somebody who waits for it. */
static bool processor_is_wanted(void) {
  int times = 0;

  while (times < 2 && gives_way()) times++;
  return times == 2;
}

int64_t safe__put_off_look(int64_t *look, bool *put_off) {
  if (!processor_is_wanted()) return 0;
  if (*put_off) return SAFE__NEVER;
  *put_off = true;
  learn(look, WOKEN_AMONG, LOOK, true);
  return safe__raw_now() + LATER;
}

static bool is_withdrawn(const struct safe__turns *turns) {
  return turns->withdrawn != NULL && __atomic_load_n(turns->withdrawn, __ATOMIC_ACQUIRE);
}

/* Asks without pause for a few holds, as the lock comes by for less than a microsecond; only while nobody else wants
   the processor: -EBUSY. Else 0, or -EAGAIN. */
static long catch_it(const struct safe__turns *turns) {
  const struct safe__claim *claim = turns->claim;
  const struct flock range = safe__record_range(claim, safe__record_type(claim));
  int64_t until = earlier(turns->deadline, safe__raw_now() + PATIENCE);
  long result = -EAGAIN;
  int tries;

  while (result == -EAGAIN && safe__raw_now() < until && !is_withdrawn(turns)) {
    if (processor_is_wanted()) return -EBUSY;
    for (tries = 0; result == -EAGAIN && tries < TRIES; tries++)
      result = safe__raw_lock(turns->fd, claim, &range, false);
  }
  return result == 0 ? 0 : -EAGAIN; /* another error will be told by the call that waits */
}

/* How much longer to wait when the lock has passed by; each look takes time from who has it. One more is had before the
   deadline in any case. */
static int64_t after_catch(long caught, int64_t deadline, int *later) {
  int64_t left = deadline - safe__raw_now();

  if (caught == -EAGAIN) return LOOK;
  if ((*later)++ == 0 && left < LATER) return left / 2;
  return *later <= LATER_LOOKS ? LATER : SAFE__NEVER;
}

/* ---- The wait. */

SAFE__ON_GRANT int safe__wait_in_turns(const struct safe__turns *turns) {
  int64_t began = turns->began, look = safe__first_look(0, *turns->look), until, time;
  int code, later = 0;
  enum woken woken;
  long before, caught;

  for (;; began = safe__raw_now()) {
    before = usage().left;
    until = look == SAFE__NEVER ? turns->deadline : earlier(turns->deadline, began + look);
    code = turns->wait(turns->context, until);
    if (code != SAFE_ETIMEDOUT && !is_withdrawn(turns)) return code;
    time = safe__raw_now() - began;
    woken = how_often(before, time);
    if (later == 0) learn(turns->look, woken, time, until != turns->deadline && code == SAFE_ETIMEDOUT);
    if (code != SAFE_ETIMEDOUT || until == turns->deadline) return code;
    look = SAFE__NEVER;
    if (woken != WOKEN_IN_VAIN) continue;
    caught = catch_it(turns);
    if (caught == 0) return SAFE_OK;
    look = after_catch(caught, turns->deadline, &later);
  }
}
