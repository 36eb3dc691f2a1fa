/* SPDX-License-Identifier: MIT */
/*
 * Grants against deadlines and cancels, at random, in the microseconds where they meet. Whatever wins: whoever is
 * told that it has the lock has it alone, whoever is told that it has not leaves nothing of it, and in the end the
 * lock is free. A few thousand rounds; a million with SAFEHOLD_LONG=1.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "support.h"

#define THREADS 4

static atomic_int inside, overlaps, granted, expired, cancelled, others;
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

static void *race(void *argument) {
  uint64_t state = (uint64_t)(uintptr_t)argument * 0x9e3779b97f4a7c15u + 1;

  while (atomic_fetch_sub(&rounds_left, 1) > 0) {
    uint64_t random = next_random(&state);
    if (random % 16 == 0)
      cancelled_round(SAFE_METHOD_DEFAULT, random >> 4);
    else
      one_round(SAFE_METHOD_DEFAULT, NULL, false, random >> 4);
  }
  return NULL;
}

static void deadlines_and_cancels_against_grants(void **state) {
  const char *tier = getenv("SAFEHOLD_LONG");
  safe_lock_options no_wait = SAFE_LOCK_OPTIONS_INIT;
  long rounds =
    tier != NULL && strcmp(tier, "1") == 0 ? 1000000 / (slowness() * slowness()) : 8000 / (slowness() * slowness());
  pthread_t threads[THREADS];
  uintptr_t at;
  safe_lock *lock;
  int before;

  (void)state;
  one_round(SAFE_METHOD_DEFAULT, NULL, false, 0);
  cancelled_round(SAFE_METHOD_DEFAULT, 1);
  before = count_handles();
  rounds_left = rounds;
  for (at = 0; at < THREADS; at++) assert_int_equal(pthread_create(&threads[at], NULL, race, (void *)(at + 1)), 0);
  for (at = 0; at < THREADS; at++) pthread_join(threads[at], NULL);
  print_message("%ld rounds: %d granted, %d expired, %d cancelled\n", rounds, granted, expired, cancelled);
  assert_int_equal(overlaps, 0);
  assert_int_equal(others, 0);
  assert_true(granted > 0 && expired > 0);
  if (rounds >= 5000) assert_true(cancelled > 0); /* a matter of chance in a few hundred */
  no_wait.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_lock_file(&lock, "raced", &no_wait, NULL), SAFE_OK); /* no ghost of a lock */
  safe_unlock(lock);
  assert_code(safe_shutdown(5000), SAFE_OK);
  assert_int_equal(count_handles(), before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(deadlines_and_cancels_against_grants),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
