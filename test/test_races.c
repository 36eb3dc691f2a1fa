/* SPDX-License-Identifier: MIT */
/*
 * Grants against deadlines and cancels, at random, in the microseconds where they meet. Whatever wins: whoever is
 * told that it has the lock has it alone, whoever is told that it has not leaves nothing of it, and in the end the
 * lock is free. A few thousand rounds; a million with SAFEHOLD_LONG=1, with the sanitizers too.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "support.h"

#define THREADS 4

static atomic_int inside, overlaps, granted, expired, cancelled, stuck, others;
static atomic_long rounds_left;

static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Up to about 1 ms of work, by the clock and not by sleeping, which takes longer than the races last. */
static void work(uint64_t random) {
  volatile uint64_t spin = random % 600000;

  while (spin > 0) spin--;
}

static void one_round(int method, safe_cancel *cancel, bool trigger, uint64_t random) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;
  int code;

  options.method = method;
  options.timeout_ms = (int64_t)(random % 3);
  options.cancel = cancel;
  if (trigger) safe_cancel_trigger(cancel);
  code = safe_lock_file(&lock, "raced", &options, NULL);
  if (code == SAFE_OK) {
    if (atomic_fetch_add(&inside, 1) != 0) overlaps++;
    work(random >> 8);
    atomic_fetch_sub(&inside, 1);
    if (safe_unlock(lock) != SAFE_OK) others++;
    granted++;
  } else if (code == SAFE_EBUSY || code == SAFE_ETIMEDOUT) {
    expired++;
  } else if (code == SAFE_ESTUCK) {
    stuck++;
  } else if (code == SAFE_ECANCELED && cancel != NULL) {
    cancelled++;
  } else {
    print_error("%s\n", safe_code_name(code));
    others++;
  }
}

/* Triggers the cancel of a waiter after a moment. */
struct trigger {
  safe_cancel *cancel;
  uint64_t delay;
};

static void *trigger_soon(void *argument) {
  struct trigger *trigger = argument;

  work(trigger->delay);
  safe_cancel_trigger(trigger->cancel);
  return NULL;
}

static void cancelled_round(int method, uint64_t random) {
  struct trigger trigger = {NULL, random >> 16};
  pthread_t thread;

  if (safe_cancel_create(&trigger.cancel) != SAFE_OK || pthread_create(&thread, NULL, trigger_soon, &trigger) != 0) {
    others++;
    return;
  }
  one_round(method, trigger.cancel, false, random | 2);
  pthread_join(thread, NULL);
  safe_cancel_free(trigger.cancel);
}

/* Begun, and then cancelled or finished, at any moment. */
static void begun_round(int method, uint64_t random) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock_wait *wait;
  safe_lock *lock;
  int code;

  options.method = method;
  options.timeout_ms = 1 + (int64_t)(random % 3);
  code = safe_lock_begin(&wait, "raced", &options, NULL);
  if (code == SAFE_ETIMEDOUT) { /* on a machine so busy that the deadline passed already */
    expired++;
    return;
  }
  if (code == SAFE_ESTUCK) {
    stuck++;
    return;
  }
  if (code != SAFE_OK) {
    print_error("begin: %s\n", safe_code_name(code));
    others++;
    return;
  }
  if (random % 4 == 0) safe_lock_wait_handle(wait);
  work(random >> 20);
  if (random % 5 == 0) safe_lock_wait_poll(wait);
  if (random % 2 == 0) {
    safe_lock_wait_cancel(wait);
    cancelled++;
    return;
  }
  code = safe_lock_finish(wait, &lock, NULL);
  if (code == SAFE_OK) {
    if (atomic_fetch_add(&inside, 1) != 0) overlaps++;
    work(random >> 12);
    atomic_fetch_sub(&inside, 1);
    if (safe_unlock(lock) != SAFE_OK) others++;
    granted++;
  } else if (code == SAFE_ETIMEDOUT) {
    expired++;
  } else if (code == SAFE_ESTUCK) {
    stuck++;
  } else {
    print_error("finish: %s\n", safe_code_name(code));
    others++;
  }
}

static int raced_method;

static void *race(void *argument) {
  uint64_t state = (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15u + 1;

  while (atomic_fetch_sub(&rounds_left, 1) > 0) {
    uint64_t random = next_random(&state);
    if (random % 16 == 0)
      cancelled_round(raced_method, random >> 4);
    else if (random % 16 < 3)
      begun_round(raced_method, random >> 4);
    else
      one_round(raced_method, NULL, false, random >> 4);
  }
  return NULL;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DIVIDE_LONG 1 /* slower, but this is where it counts */
#else
#define DIVIDE_LONG (slowness() * slowness())
#endif

static long rounds_of_this_tier(void) {
  const char *tier = getenv("SAFEHOLD_LONG");

  return tier != NULL && strcmp(tier, "1") == 0 ? 1000000 / DIVIDE_LONG : 8000 / (slowness() * slowness());
}

static void race_for(long rounds, const char *what) {
  safe_lock_options no_wait = SAFE_LOCK_OPTIONS_INIT;
  pthread_t threads[THREADS];
  uintptr_t at;
  safe_lock *lock;
  int before;

  one_round(raced_method, NULL, false, 0);
  cancelled_round(raced_method, 1);
  assert_code(safe_shutdown(5000), SAFE_OK);
  granted = expired = cancelled = stuck = others = overlaps = 0;
  before = count_handles();
  rounds_left = rounds;
  for (at = 0; at < THREADS; at++) assert_int_equal(pthread_create(&threads[at], NULL, race, (void *)(at + 1)), 0);
  for (at = 0; at < THREADS; at++) pthread_join(threads[at], NULL);
  print_message("%s: %ld rounds: %d granted, %d expired, %d cancelled, %d parked\n", what, rounds, granted, expired,
                cancelled, stuck);
  assert_int_equal(overlaps, 0);
  assert_int_equal(others, 0);
  /* A helper that gets no processor for 100 ms after its end was ordered: told, parked, and collected below. */
  assert_true(stuck <= 1 + rounds / 20000);
  assert_true(granted > 0);
  if (rounds >= 500) assert_true(expired > 0); /* a matter of chance in fewer; and so are these: */
  if (rounds >= 5000) assert_true(cancelled > 0);
  no_wait.timeout_ms = SAFE_NO_WAIT;
  no_wait.method = raced_method;
  assert_code(safe_lock_file(&lock, "raced", &no_wait, NULL), SAFE_OK); /* no ghost of a lock */
  safe_unlock(lock);
  assert_code(safe_shutdown(5000), SAFE_OK);
  assert_int_equal(count_handles(), before);
}

static void deadlines_and_cancels_against_grants(void **state) {
  (void)state;
  raced_method = SAFE_METHOD_DEFAULT;
  race_for(rounds_of_this_tier() / 4 * 3, "default method");
}

static void the_same_with_flock(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  (void)state;
  options.method = SAFE_METHOD_FLOCK;
  if (safe_lock_file(&lock, "raced", &options, NULL) != SAFE_OK) {
    print_message("skipped: no flock on this system\n");
    skip();
  }
  safe_unlock(lock);
  raced_method = SAFE_METHOD_FLOCK;
  race_for(rounds_of_this_tier() / 8, "flock");
}

/* Of the range of real-time signals, whose numbers have no names on every system: Linux's 61. */
static void the_same_with_a_lent_signal(void **state) {
  (void)state;
  if (safe_use_signal(61) != SAFE_OK) {
    print_message("skipped: no signal can be lent here\n");
    skip();
  }
  raced_method = SAFE_METHOD_DEFAULT;
  race_for(rounds_of_this_tier() / 8, "lent signal");
  assert_code(safe_use_signal(0), SAFE_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(deadlines_and_cancels_against_grants),
    cmocka_unit_test(the_same_with_flock),
    cmocka_unit_test(the_same_with_a_lent_signal),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
