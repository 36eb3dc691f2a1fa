/* SPDX-License-Identifier: MIT */
/*
 * A process that locks again as soon as it has unlocked (linux/lock_catch.c), and those who wait for it in each of the
 * ways that there are. Who only waits to be woken may not be served for a quarter of a second, as his processor sleeps.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "support.h"

#define LENT (SIGRTMAX - 3)
#define PATH "hogged"
#define SOON 100 /* ms */

/* ---- The hog, as it may be met in the wild: the bare call, and nothing between the unlock and the next lock. */

static pid_t hog;

static void raw_lock(int fd, int method, bool lock) {
  struct flock range = {.l_type = lock ? F_WRLCK : F_UNLCK};

  if (method == SAFE_METHOD_FLOCK)
    flock(fd, lock ? LOCK_EX : LOCK_UN);
  else
    fcntl(fd, lock ? F_OFD_SETLKW : F_OFD_SETLK, &range);
}

/* Both of the kinds that are made here run without end, so that they must not outlive a test that is killed. */
static pid_t fork_spinner(void) {
  pid_t pid = fork();

  if (pid == 0) prctl(PR_SET_PDEATHSIG, SIGKILL, 0L, 0L, 0L);
  assert_true(pid >= 0);
  return pid;
}

static void start_hog(int method) {
  int fd = open(PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int64_t began;

  hog = fork_spinner();
  while (hog == 0) {
    raw_lock(fd, method, true);
    for (began = now_ms(); now_ms() - began < 1;) continue;
    raw_lock(fd, method, false);
  }
  close(fd);
  sleep_ms(20);
}

static int end_hog(void **state) {
  (void)state;
  if (hog > 0) {
    kill(hog, SIGKILL);
    waitpid(hog, NULL, 0);
  }
  hog = 0;
  return 0;
}

/* Who asks again after pauses may be starved for minutes. */
static void need_more_than_backoff(void) {
  if (safe__clone_works()) return;
  print_message("skipped: no process can share our memory here\n");
  skip();
}

/* ---- Those who wait. */

static safe_lock_options within(int64_t ms, int method) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.timeout_ms = ms;
  options.method = method;
  return options;
}

static int block(const safe_lock_options *options, safe_lock **lock) {
  return safe_lock_file(lock, PATH, options, NULL);
}

static int begin_and_finish(const safe_lock_options *options, safe_lock **lock) {
  safe_lock_wait *wait;
  int code = safe_lock_begin(&wait, PATH, options, NULL);

  *lock = NULL;
  if (code == SAFE_OK) safe_lock_wait_handle(wait); /* from now on it may be an event loop that waits */
  return code == SAFE_OK ? safe_lock_finish(wait, lock, NULL) : code;
}

/* How many of twenty were served soon; -1: one of them waited in another way than expected, which is left in *kind. All
   are served in the end. */
static int served_soon(int (*get)(const safe_lock_options *options, safe_lock **lock), const safe_lock_options *options,
                       int expected, int *kind) {
  int round, served = 0;
  safe_lock *lock;
  int64_t began;

  for (round = 0; round < 20; round++) {
    began = now_ms();
    assert_code(get(options, &lock), SAFE_OK);
    if (now_ms() - began <= SOON) served++;
    *kind = safe_lock_wait_kind(lock);
    safe_unlock(lock);
    if (*kind != expected && *kind != SAFE_WAIT_NONE) return -1;
    sleep_ms(3);
  }
  return served;
}

/* Nearly all of them, in two of four series: others may want the processor for a while. Without a look at whether the
   lock passes by it was anything from one to twenty. */
static void expect_service(int (*get)(const safe_lock_options *options, safe_lock **lock),
                           const safe_lock_options *options, int expected) {
  int kind, series, served = 0, good = 0;

  need_more_than_backoff();
  start_hog(options->method);
  for (series = 0; series < 4 && good < 2 && served >= 0; series++) {
    served = served_soon(get, options, expected, &kind);
    if (served >= 18) good++;
  }
  end_hog(NULL);
  if (served < 0) {
    print_message("skipped: waits are of kind %d here, and not %d\n", kind, expected);
    skip();
  }
  if (slowness() == 1) assert_int_equal(good, 2);
}

static void who_waits_with_io_uring_is_served(void **state) {
  safe_lock_options options = within(20000 * slowness(), SAFE_METHOD_OFD);

  (void)state;
  expect_service(block, &options, SAFE_WAIT_RING);
}

static void who_waits_with_a_helper_is_served(void **state) {
  safe_lock_options options = within(20000 * slowness(), SAFE_METHOD_FLOCK);

  (void)state;
  expect_service(block, &options, SAFE_WAIT_QUEUED);
}

static void who_is_to_be_told_of_a_signal_is_served(void **state) {
  safe_lock_options options = within(20000 * slowness(), SAFE_METHOD_OFD);

  (void)state;
  options.flags |= SAFE_LOCK_RETURN_ON_EINTR;
  expect_service(block, &options, SAFE_WAIT_QUEUED);
}

static void who_waits_in_an_event_loop_is_served(void **state) {
  safe_lock_options options = within(20000 * slowness(), SAFE_METHOD_OFD);

  (void)state;
  expect_service(begin_and_finish, &options, SAFE_WAIT_QUEUED);
}

static void who_waits_with_a_lent_signal_is_served(void **state) {
  static const int methods[] = {SAFE_METHOD_OFD, SAFE_METHOD_FLOCK};
  size_t at;

  (void)state;
  if (safe_use_signal(LENT) != SAFE_OK) {
    print_message("skipped: no signal can be lent here\n");
    skip();
  }
  for (at = 0; at < 2; at++) {
    safe_lock_options options = within(20000 * slowness(), methods[at]);
    expect_service(block, &options, SAFE_WAIT_SIGNAL);
  }
}

static int take_the_signal_back(void **state) {
  safe_use_signal(0);
  return end_hog(state);
}

/* How many of so many were served before they gave up. */
static int served_in_time(int rounds, const safe_lock_options *options) {
  int served = 0;
  safe_lock *lock;

  for (; rounds > 0; rounds--) {
    if (safe_lock_file(&lock, PATH, options, NULL) != SAFE_OK) continue;
    served++;
    safe_unlock(lock);
    sleep_ms(3);
  }
  return served;
}

/* Among many who want the processor a look is made rarer, and each of these waits is over before it. When the many have
   gone it is as before. */
static void who_waited_on_a_busy_machine_is_served_afterwards(void **state) {
  safe_lock_options options = within(SOON, SAFE_METHOD_FLOCK);
  long at, count = 4 * sysconf(_SC_NPROCESSORS_ONLN);
  int series, served = 0;
  pid_t busy[64];

  (void)state;
  need_more_than_backoff();
  if (count > 64) count = 64;
  start_hog(SAFE_METHOD_FLOCK);
  for (at = 0; at < count; at++) {
    busy[at] = fork_spinner();
    while (busy[at] == 0) continue;
  }
  served_in_time(8, &options);
  for (at = 0; at < count; at++) {
    kill(busy[at], SIGKILL);
    waitpid(busy[at], NULL, 0);
  }
  for (series = 0; series < 4 && served < 18; series++) served = served_in_time(20, &options);
  if (slowness() == 1) assert_in_range(served, 18, 20);
}

/* ---- The deadline, or a cancel, while the helper asks without pause. */

struct trigger {
  safe_cancel *cancel;
  int64_t ms;
};

static void *trigger_later(void *argument) {
  struct trigger *trigger = argument;

  sleep_ms(trigger->ms);
  safe_cancel_trigger(trigger->cancel);
  return NULL;
}

static void wait_in_vain_perhaps(int round) {
  safe_lock_options options = within(28 + round % 9, round % 2 == 0 ? SAFE_METHOD_FLOCK : SAFE_METHOD_OFD);
  struct trigger trigger = {NULL, 28 + round % 7};
  safe_lock *lock = NULL;
  pthread_t thread;
  int code;

  if (round % 4 == 3) {
    assert_code(safe_cancel_create(&trigger.cancel), SAFE_OK);
    options.cancel = trigger.cancel;
    options.timeout_ms = 20000;
    assert_int_equal(pthread_create(&thread, NULL, trigger_later, &trigger), 0);
  }
  code = round % 3 == 0 ? begin_and_finish(&options, &lock) : block(&options, &lock);
  if (code == SAFE_OK) safe_unlock(lock);
  if (code != SAFE_OK && code != SAFE_ETIMEDOUT) assert_code(code, SAFE_ECANCELED);
  if (trigger.cancel == NULL) return;
  pthread_join(thread, NULL);
  safe_cancel_free(trigger.cancel);
}

/* By a second, and bare, open file description, once with each call. */
static void expect_it_free(void) {
  struct flock range = {.l_type = F_WRLCK};
  int fd = open(PATH, O_RDWR | O_CLOEXEC);

  assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
  assert_int_equal(fcntl(fd, F_OFD_SETLK, &range), 0);
  close(fd);
}

static void whoever_gives_up_leaves_nothing(void **state) {
  int round, before;

  (void)state;
  need_more_than_backoff();
  assert_code(safe_shutdown(5000), SAFE_OK);
  start_hog(SAFE_METHOD_FLOCK);
  before = count_handles();
  for (round = 0; round < 60; round++) wait_in_vain_perhaps(round);
  assert_code(safe_shutdown(5000), SAFE_OK);
  assert_int_equal(count_handles(), before);
  end_hog(NULL);
  expect_it_free();
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(who_waits_with_io_uring_is_served, end_hog),
    cmocka_unit_test_teardown(who_waits_with_a_helper_is_served, end_hog),
    cmocka_unit_test_teardown(who_is_to_be_told_of_a_signal_is_served, end_hog),
    cmocka_unit_test_teardown(who_waits_in_an_event_loop_is_served, end_hog),
    cmocka_unit_test_teardown(who_waits_with_a_lent_signal_is_served, take_the_signal_back),
    cmocka_unit_test_teardown(who_waited_on_a_busy_machine_is_served_afterwards, end_hog),
    cmocka_unit_test_teardown(whoever_gives_up_leaves_nothing, end_hog),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
