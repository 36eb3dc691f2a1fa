/* SPDX-License-Identifier: MIT */
/* The helper that waits in our stead (Linux), and what hosts do to it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "io_uring.h"
#include "kernel.h"
#include "proc_stat.h"
#include "support.h"

static safe_lock_options within(int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.timeout_ms = timeout_ms;
  return options;
}

static void need_helper(void) {
  if (safe__clone_works()) return;
  print_message("skipped: no process can share our memory here\n");
  skip();
}

/* The first process that shares our memory; 0 when there is none. */
static int64_t find_helper(void) {
  struct safe__proc_stat stat;
  DIR *folder = opendir("/proc");
  int64_t pid, found = 0;

  while (found == 0 && (pid = safe__proc_next(folder)) != 0)
    if (safe__proc_stat(pid, &stat) && stat.parent == getpid() && stat.exit_signal == 0 && stat.state != 'Z')
      found = pid;
  closedir(folder);
  return found;
}

/* Granted long before the deadline, though the first helper has died: through the wait handle alone. */
static void expect_the_grant(safe_lock_wait *wait, safe_lock *held) {
  int64_t deadline = now_ms() + 10000 * slowness();
  safe_lock *lock;

  sleep_ms(50);
  safe_unlock(held);
  while (safe_lock_wait_poll(wait) != SAFE_OK) {
    assert_true(now_ms() < deadline);
    assert_true(becomes_ready(safe_lock_wait_handle(wait), 5000 * slowness()));
  }
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
  safe_unlock(lock);
}

static void a_killed_helper_makes_the_wait_handle_ready(void **state) {
  safe_lock_options options = within(60000);
  safe_lock_wait *wait;
  safe_lock *held;
  int64_t pid;

  (void)state;
  need_helper();
  assert_code(safe_shutdown(5000), SAFE_OK);
  held = locked_by_another_thread("killed", NULL);
  assert_code(safe_lock_begin(&wait, "killed", &options, NULL), SAFE_OK);
  assert_true(safe_lock_wait_handle(wait) != SAFE_INVALID_HANDLE);
  pid = find_helper();
  assert_true(pid > 0);
  assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
  expect_the_grant(wait, held);
}

static safe_lock_wait *begun;

static void begin_it(void *path) {
  safe_lock_options options = within(60000);

  if (safe_lock_begin(&begun, path, &options, NULL) != SAFE_OK) begun = NULL;
}

/* The helper dies with the thread that made it; who goes on with the wait gets another one. */
static void a_wait_outlives_the_thread_that_began_it(void **state) {
  safe_lock *held = locked_by_another_thread("outlived", NULL);

  (void)state;
  in_another_thread(begin_it, "outlived");
  assert_non_null(begun);
  expect_the_grant(begun, held);
}

/* A host that closes all it does not know, as a daemon does, and then has other files of the same numbers. */
static void a_host_that_closes_our_descriptors(void **state) {
  safe_process *holder = start_helper("lock", "0", "0", "100", "closed", NULL);
  safe_lock_options options = within(20000);
  int fds[8], at, first;
  safe_lock *lock;

  (void)state;
  expect_line(holder, "held");
  first = dup(0);
  close(first);
  assert_code(safe_lock_file(&lock, "closed", &options, NULL), SAFE_OK);
  safe_unlock(lock);
  end_helper(holder);
  for (at = first; at < first + 8; at++) close(at);
  for (at = 0; at < 8; at++) fds[at] = open("/dev/null", O_RDWR | O_CLOEXEC);
  holder = start_helper("lock", "0", "0", "100", "closed", NULL);
  expect_line(holder, "held");
  assert_code(safe_lock_file(&lock, "closed", &options, NULL), SAFE_OK);
  safe_unlock(lock);
  assert_code(safe_shutdown(5000), SAFE_OK);
  for (at = 0; at < 8; at++) assert_int_equal(close(fds[at]), 0); /* each of them is still the host's */
  end_helper(holder);
}

/* One after the other, a thread's waits are the same helper's, also after a deadline. */
static void a_helper_is_kept_for_the_next_wait(void **state) {
  safe_lock_options options = within(30);
  int64_t first, round;
  safe_lock *held, *lock;

  (void)state;
  need_helper();
  if (!SAFE__RAW_HANDLERS) {
    print_message("skipped: on this processor a wait that has expired takes its helper with it\n");
    skip();
  }
  held = locked_by_another_thread("kept", NULL);
  assert_code(safe_lock_file(&lock, "kept", &options, NULL), SAFE_ETIMEDOUT);
  first = find_helper();
  assert_true(first > 0);
  for (round = 0; round < 5; round++) {
    assert_code(safe_lock_file(&lock, "kept", &options, NULL), SAFE_ETIMEDOUT);
    assert_int_equal(find_helper(), first);
  }
  safe_unlock(held);
  assert_code(safe_shutdown(5000), SAFE_OK);
  assert_int_equal(find_helper(), 0);
}

static void wait_once(void *path) {
  safe_lock_options options = within(20);
  safe_lock *lock;

  safe_lock_file(&lock, path, &options, NULL);
}

static void a_thread_takes_its_helper_with_it(void **state) {
  safe_lock *held;

  (void)state;
  need_helper();
  assert_code(safe_shutdown(5000), SAFE_OK);
  held = locked_by_another_thread("thread", NULL);
  in_another_thread(wait_once, "thread");
  assert_int_equal(find_helper(), 0);
  safe_unlock(held);
}

/* What is tested here is what waits where io_uring cannot be had. */
static long no_uring(unsigned entries, struct safe__uring_params *params) {
  (void)entries, (void)params;
  return -ENOSYS;
}

static int refuse_io_uring(void **state) {
  (void)state;
  safe__uring_setup = no_uring;
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_killed_helper_makes_the_wait_handle_ready),
    cmocka_unit_test(a_wait_outlives_the_thread_that_began_it),
    cmocka_unit_test(a_host_that_closes_our_descriptors),
    cmocka_unit_test(a_helper_is_kept_for_the_next_wait),
    cmocka_unit_test(a_thread_takes_its_helper_with_it),
  };
  return cmocka_run_group_tests(tests, refuse_io_uring, NULL);
}
