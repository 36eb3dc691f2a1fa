/* SPDX-License-Identifier: MIT */
/* The wait that io_uring ends: see linux/lock_ring.c. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io_uring.h"
#include "support.h"

static safe_lock_options within(int64_t ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.timeout_ms = ms;
  return options;
}

/* Waits for a lock that a process gives back after 100 ms: how it was waited for. */
static int kind_of_a_wait(const safe_lock_options *options) {
  safe_process *holder = start_helper("lock", "0", "0", "100", "ring", NULL);
  safe_lock *lock;
  int kind;

  expect_line(holder, "held");
  assert_code(safe_lock_file(&lock, "ring", options, NULL), SAFE_OK);
  kind = safe_lock_wait_kind(lock);
  safe_unlock(lock);
  end_helper(holder);
  return kind;
}

static void need_a_ring(void) {
  static int kind = -1;
  safe_lock_options options = within(20000);

  if (kind < 0) kind = kind_of_a_wait(&options);
  if (kind == SAFE_WAIT_RING) return;
  print_message("skipped: no io_uring here, or one before Linux 6.8, or a policy against it (wait kind %d)\n", kind);
  skip();
}

static void a_grant_ends_the_wait(void **state) {
  safe_lock_options options = within(20000);
  safe_cancel *cancel;
  int before;

  (void)state;
  need_a_ring();
  before = count_handles();
  assert_int_equal(kind_of_a_wait(&options), SAFE_WAIT_RING);
  options.mode = SAFE_LOCK_SHARED;
  assert_int_equal(kind_of_a_wait(&options), SAFE_WAIT_RING);
  assert_int_equal(count_handles(), before); /* the ring is no descriptor */
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  options.cancel = cancel;
  assert_int_equal(kind_of_a_wait(&options), SAFE_WAIT_RING);
  options.timeout_ms = SAFE_FOREVER;
  assert_int_equal(kind_of_a_wait(&options), SAFE_WAIT_RING);
  safe_cancel_free(cancel);
}

static void a_deadline_ends_the_wait(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *held, *lock;
  int64_t began;
  int round;

  (void)state;
  need_a_ring();
  held = locked_by_another_thread("late", NULL);
  for (round = 0; round < 60; round++) {
    safe_lock_options options = within(1 + round % 7);
    began = now_ms();
    assert_code(safe_lock_file(&lock, "late", &options, round % 2 == 0 ? NULL : &error), SAFE_ETIMEDOUT);
    assert_in_range(now_ms() - began, options.timeout_ms - 1, options.timeout_ms + 100 * slowness());
  }
  assert_non_null(strstr(error.message, "still locked"));
  safe_unlock(held);
  /* What ended those waits does not end, or spoil, a later one. */
  assert_code(safe_lock_file(&lock, "late", NULL, NULL), SAFE_OK);
  safe_unlock(lock);
}

static void *trigger_soon(void *cancel) {
  sleep_ms(30);
  safe_cancel_trigger(cancel);
  return NULL;
}

static void a_cancel_ends_the_wait(void **state) {
  static const int64_t timeouts[] = {20000, SAFE_FOREVER};
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *held, *lock;
  safe_cancel *cancel;
  pthread_t thread;
  size_t at;

  (void)state;
  need_a_ring();
  held = locked_by_another_thread("cancelled", NULL);
  for (at = 0; at < 2; at++) {
    safe_lock_options options = within(timeouts[at]);
    assert_code(safe_cancel_create(&cancel), SAFE_OK);
    options.cancel = cancel;
    assert_int_equal(pthread_create(&thread, NULL, trigger_soon, cancel), 0);
    assert_code(safe_lock_file(&lock, "cancelled", &options, &error), SAFE_ECANCELED);
    pthread_join(thread, NULL);
    /* Once triggered it stays so. */
    assert_code(safe_lock_file(&lock, "cancelled", &options, &error), SAFE_ECANCELED);
    safe_cancel_free(cancel);
  }
  safe_unlock(held);
}

static bool keeps_signals_back(void) {
#if defined(__SANITIZE_THREAD__)
  return true;
#else
  return false;
#endif
}

static volatile sig_atomic_t ticks;

static void tick(int number) {
  (void)number;
  ticks++;
}

/* Whether the host's handler lets the interrupted call be restarted or not. */
static void a_hosts_handlers_run_and_end_nothing(void **state) {
  static const int flags[] = {0, SA_RESTART};
  const struct itimerval every = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
  struct sigaction action = {.sa_handler = tick}, old;
  safe_lock_options options = within(100);
  safe_lock *held, *lock;
  int64_t began;
  size_t at;

  (void)state;
  need_a_ring();
  held = locked_by_another_thread("ticks", NULL);
  for (at = 0; at < 2; at++) {
    action.sa_flags = flags[at];
    ticks = 0;
    sigaction(SIGALRM, &action, &old);
    setitimer(ITIMER_REAL, &every, NULL);
    began = now_ms();
    assert_code(safe_lock_file(&lock, "ticks", &options, NULL), SAFE_ETIMEDOUT);
    setitimer(ITIMER_REAL, &never, NULL);
    sigaction(SIGALRM, &old, NULL);
    assert_in_range(now_ms() - began, 99, 100 + 100 * slowness());
    /* The thread sanitizer keeps signals back from a bare system call. */
    if (!keeps_signals_back()) assert_true(ticks >= 5);
  }
  safe_unlock(held);
}

struct lent {
  int fd, code;
};

static void *wait_for_a_lent_file(void *argument) {
  safe_lock_options options = within(1000);
  struct lent *lent = argument;
  safe_lock *lock;

  lent->code = safe_lock_handle(&lock, lent->fd, &options, NULL);
  return NULL;
}

/* The host gives the number of its file to another one, which it must not: that one is not locked instead. */
static void another_file_of_the_same_number_is_not_locked(void **state) {
  struct lent lent = {open("lent", O_RDWR | O_CREAT | O_CLOEXEC, 0600), SAFE_OK};
  int other = open("other", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct flock range = {.l_type = F_WRLCK};
  pthread_t thread;
  safe_lock *held;

  (void)state;
  need_a_ring();
  held = locked_by_another_thread("lent", NULL);
  assert_int_equal(pthread_create(&thread, NULL, wait_for_a_lent_file, &lent), 0);
  sleep_ms(8);
  assert_int_equal(dup2(other, lent.fd), lent.fd);
  pthread_join(thread, NULL);
  assert_code(lent.code, SAFE_EBADF);
  close(other);
  other = open("other", O_RDWR | O_CLOEXEC);
  assert_int_equal(fcntl(other, F_OFD_GETLK, &range), 0);
  assert_int_equal(range.l_type, F_UNLCK);
  close(other);
  close(lent.fd);
  safe_unlock(held);
}

static int code_in_the_handler;

static void wait_within(int number) {
  safe_lock_options options = within(10);
  safe_lock *lock;

  (void)number;
  code_in_the_handler = safe_lock_file(&lock, "within", &options, NULL);
}

/* Its wait would take away what ends the one that it has interrupted. */
static void a_hosts_handler_that_waits_itself_takes_nothing_away(void **state) {
  const struct itimerval soon = {{0, 0}, {0, 60000}};
  struct sigaction action = {.sa_handler = wait_within, .sa_flags = SA_RESTART}, old;
  safe_lock_options options = within(300);
  safe_lock *held[2], *lock;
  int64_t began;

  (void)state;
  need_a_ring();
  if (keeps_signals_back()) skip();
  held[0] = locked_by_another_thread("without", NULL);
  held[1] = locked_by_another_thread("within", NULL);
  code_in_the_handler = SAFE_OK;
  sigaction(SIGALRM, &action, &old);
  setitimer(ITIMER_REAL, &soon, NULL);
  began = now_ms();
  assert_code(safe_lock_file(&lock, "without", &options, NULL), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, 299, 300 + 100 * slowness());
  sigaction(SIGALRM, &old, NULL);
  assert_code(code_in_the_handler, SAFE_ETIMEDOUT);
  safe_unlock(held[0]);
  safe_unlock(held[1]);
  assert_int_equal(kind_of_a_wait(&options), SAFE_WAIT_RING);
}

/* The child has the memory of its parent's ring, but not the ring. */
static void a_forked_child_waits_with_a_ring_of_its_own(void **state) {
  safe_lock_options options = within(50);
  safe_lock *held, *lock;
  int status;
  pid_t child;

  (void)state;
  need_a_ring();
  held = locked_by_another_thread("forked", NULL);
  child = fork();
  if (child == 0) _exit(safe_lock_file(&lock, "forked", &options, NULL) == SAFE_ETIMEDOUT ? 0 : 1);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_code(safe_lock_file(&lock, "forked", &options, NULL), SAFE_ETIMEDOUT);
  safe_unlock(held);
}

static void wait_in_vain(void *path) {
  safe_lock_options options = within(5);
  safe_lock *lock;

  assert_code(safe_lock_file(&lock, path, &options, NULL), SAFE_ETIMEDOUT);
}

static void a_thread_takes_its_ring_with_it(void **state) {
  safe_lock *held;
  int round;

  (void)state;
  need_a_ring();
  held = locked_by_another_thread("threads", NULL);
  for (round = 0; round < 200; round++) in_another_thread(wait_in_vain, "threads");
  safe_unlock(held);
  assert_code(safe_shutdown(5000), SAFE_OK);
}

static int setups;

static long refuse(unsigned entries, struct safe__uring_params *params) {
  (void)entries, (void)params;
  setups++;
  return -ENOSYS;
}

/* Last: from then on it is not tried again. */
static void without_io_uring_there_is_a_helper(void **state) {
  safe_lock_options options = within(20000);
  int kind;

  (void)state;
  need_a_ring();
  assert_code(safe_shutdown(5000), SAFE_OK);
  safe__uring_setup = refuse;
  kind = kind_of_a_wait(&options);
  assert_true(kind == SAFE_WAIT_QUEUED || kind == SAFE_WAIT_BACKOFF);
  kind_of_a_wait(&options);
  assert_int_equal(setups, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_grant_ends_the_wait),
    cmocka_unit_test(a_deadline_ends_the_wait),
    cmocka_unit_test(a_cancel_ends_the_wait),
    cmocka_unit_test(a_hosts_handlers_run_and_end_nothing),
    cmocka_unit_test(a_hosts_handler_that_waits_itself_takes_nothing_away),
    cmocka_unit_test(another_file_of_the_same_number_is_not_locked),
    cmocka_unit_test(a_forked_child_waits_with_a_ring_of_its_own),
    cmocka_unit_test(a_thread_takes_its_ring_with_it),
    cmocka_unit_test(without_io_uring_there_is_a_helper),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
