/* SPDX-License-Identifier: MIT */
/* Waits with a signal that the host lends (Linux). */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "support.h"

#define LENT (SIGRTMAX - 3)

static safe_lock_options within(int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.timeout_ms = timeout_ms;
  return options;
}

static void on_signal(int number) { (void)number; }

static void need_lending(void) {
  if (safe_use_signal(LENT) == SAFE_ENOTSUP) {
    print_message("skipped: no signal can be lent here (under Valgrind, or no timer signals a single thread)\n");
    skip();
  }
  assert_code(safe_use_signal(0), SAFE_OK);
}

static void only_a_signal_that_is_free_can_be_lent(void **state) {
  struct sigaction action = {.sa_handler = on_signal}, old;

  (void)state;
  need_lending();
  assert_code(safe_use_signal(0), SAFE_OK); /* nothing was lent */
  assert_code(safe_use_signal(-1), SAFE_EINVAL);
  assert_code(safe_use_signal(SIGKILL), SAFE_EINVAL);
  assert_code(safe_use_signal(SIGRTMAX + 1), SAFE_EINVAL);
  sigaction(SIGUSR1, &action, &old);
  assert_code(safe_use_signal(SIGUSR1), SAFE_EBUSY);
  sigaction(SIGUSR1, &old, NULL);
  assert_code(safe_use_signal(LENT), SAFE_OK);
  assert_code(safe_use_signal(LENT), SAFE_OK);
  assert_code(safe_use_signal(LENT - 1), SAFE_EBUSY);
  assert_code(safe_use_signal(0), SAFE_OK);
  sigaction(LENT, NULL, &old);
  assert_true(old.sa_handler == SIG_DFL);
}

static void a_wait_is_one_hop(void **state) {
  int methods[] = {SAFE_METHOD_OFD, SAFE_METHOD_FLOCK};
  size_t at;

  (void)state;
  need_lending();
  assert_code(safe_use_signal(LENT), SAFE_OK);
  for (at = 0; at < 2; at++) {
    safe_lock_options options = within(20000);
    safe_process *holder;
    char number[8];
    safe_lock *lock;
    snprintf(number, sizeof(number), "%d", methods[at]);
    holder = start_helper("lock", number, "0", "100", "hop", NULL);
    expect_line(holder, "held");
    options.method = methods[at];
    assert_code(safe_lock_file(&lock, "hop", &options, NULL), SAFE_OK);
    assert_int_equal(safe_lock_wait_kind(lock), SAFE_WAIT_SIGNAL);
    safe_unlock(lock);
    end_helper(holder);
  }
  assert_code(safe_use_signal(0), SAFE_OK);
}

/* Also in a thread that has the signal blocked, and has it so again afterwards. */
static void a_deadline_is_kept(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *held, *lock;
  sigset_t mask, now;
  int round;

  (void)state;
  need_lending();
  held = locked_by_another_thread("late", NULL);
  assert_code(safe_use_signal(LENT), SAFE_OK);
  sigemptyset(&mask);
  sigaddset(&mask, LENT);
  pthread_sigmask(SIG_BLOCK, &mask, NULL);
  for (round = 0; round < 40; round++) {
    safe_lock_options options = within(1 + round % 7);
    int64_t began = now_ms();
    assert_code(safe_lock_file(&lock, "late", &options, round % 2 == 0 ? NULL : &error), SAFE_ETIMEDOUT);
    assert_in_range(now_ms() - began, options.timeout_ms - 1, options.timeout_ms + 200 * slowness());
  }
  assert_non_null(strstr(error.message, "still locked"));
  pthread_sigmask(SIG_UNBLOCK, &mask, &now);
  assert_int_equal(sigismember(&now, LENT), 1);
  sigpending(&now);
  assert_int_equal(sigismember(&now, LENT), 0);
  sleep_ms(5); /* a timer that was left on would ring by now, and end this process */
  assert_code(safe_use_signal(0), SAFE_OK);
  sleep_ms(5);
  safe_unlock(held);
}

static void a_cancel_and_a_signals_return_take_the_helper(void **state) {
  safe_lock_options options = within(20000);
  safe_process *holder;
  safe_cancel *cancel;
  safe_lock *lock;

  (void)state;
  need_lending();
  holder = start_helper("lock", "0", "0", "100", "cancel", NULL);
  expect_line(holder, "held");
  assert_code(safe_use_signal(LENT), SAFE_OK);
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  options.cancel = cancel;
  assert_code(safe_lock_file(&lock, "cancel", &options, NULL), SAFE_OK);
  assert_int_not_equal(safe_lock_wait_kind(lock), SAFE_WAIT_SIGNAL);
  safe_unlock(lock);
  safe_cancel_free(cancel);
  assert_code(safe_use_signal(0), SAFE_OK);
  end_helper(holder);
}

static int code_in_the_handler;

static void wait_within(int number) {
  safe_lock_options options = within(10);
  safe_lock *lock;

  (void)number;
  code_in_the_handler = safe_lock_file(&lock, "within", &options, NULL);
}

/* Its wait would stop the timer of the one that it has interrupted. */
static void a_hosts_handler_that_waits_itself_stops_nothing(void **state) {
  const struct itimerval soon = {{0, 0}, {0, 60000}};
  struct sigaction action = {.sa_handler = wait_within, .sa_flags = SA_RESTART}, old;
  safe_lock_options options = within(300);
  safe_lock *held[2], *lock;
  int64_t began;

  (void)state;
#if defined(__SANITIZE_THREAD__)
  skip(); /* it reports memory that is allocated in a handler */
#endif
  need_lending();
  assert_code(safe_use_signal(LENT), SAFE_OK);
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
  assert_code(safe_use_signal(0), SAFE_OK);
}

/* ---- What such a wait shares with all others. */

static void a_thread_does_not_wait_for_itself(void **state) {
  safe_lock_options options = within(20000);
  safe_lock *held, *lock;

  (void)state;
  need_lending();
  assert_code(safe_use_signal(LENT), SAFE_OK);
  assert_code(safe_lock_file(&held, "self", &options, NULL), SAFE_OK);
  assert_code(safe_lock_file(&lock, "self", &options, NULL), SAFE_EDEADLK);
  safe_unlock(held);
  assert_code(safe_use_signal(0), SAFE_OK);
}

static int heard[SAFE_TRACE_STOP + 1];

static void hear(void *context, int32_t kind, const char *line) {
  (void)context, (void)line;
  heard[kind]++;
}

/* The look for the holder, which comes at half of the time here, is a pause in one wait. */
static void a_wait_is_told_of_once_and_names_the_holder(void **state) {
  static const safe_tracer tracer = {sizeof(tracer), hear, NULL};
  safe_lock_options options = within(100 * slowness());
  safe_error error = SAFE_ERROR_INIT;
  safe_process *holder;
  safe_lock *lock;
  int64_t began;

  (void)state;
  need_lending();
  holder = start_helper("lock", "0", "0", "60000", "told", NULL);
  expect_line(holder, "held");
  assert_code(safe_use_signal(LENT), SAFE_OK);
  assert_code(safe_use_tracer(&tracer), SAFE_OK);
  options.holder_query_ms = (uint32_t)options.timeout_ms;
  began = now_ms();
  assert_code(safe_lock_file(&lock, "told", &options, &error), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, options.timeout_ms - 1, options.timeout_ms + 200 * slowness());
  assert_code(safe_use_tracer(NULL), SAFE_OK);
  assert_int_equal(error.holder_pid, safe_process_pid(holder));
  assert_int_equal(heard[SAFE_TRACE_WAIT], 1);
  assert_int_equal(heard[SAFE_TRACE_FAILURE], 1);
  assert_code(safe_use_signal(0), SAFE_OK);
  assert_code(safe_process_stop(holder, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(holder);
}

/* The file that was waited for is replaced by one that is locked too, and then given back. */
static void *replace_later(void *argument) {
  struct flock range = {.l_type = F_UNLCK};

  sleep_ms(400);
  assert_int_equal(rename("next", "replaced"), 0);
  fcntl(*(int *)argument, F_OFD_SETLK, &range);
  return NULL;
}

static int locked_bare(const char *path) {
  struct flock range = {.l_type = F_WRLCK};
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  assert_int_equal(fcntl(fd, F_OFD_SETLK, &range), 0);
  return fd;
}

static void a_replaced_file_does_not_begin_the_time_anew(void **state) {
  safe_lock_options options = within(600);
  int first, next;
  pthread_t thread;
  safe_lock *lock;
  int64_t began;

  (void)state;
  need_lending();
  first = locked_bare("replaced");
  next = locked_bare("next");
  assert_code(safe_use_signal(LENT), SAFE_OK);
  assert_int_equal(pthread_create(&thread, NULL, replace_later, &first), 0);
  began = now_ms();
  assert_code(safe_lock_file(&lock, "replaced", &options, NULL), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, 599, 600 + 300 * slowness());
  pthread_join(thread, NULL);
  assert_code(safe_use_signal(0), SAFE_OK);
  close(first);
  close(next);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(only_a_signal_that_is_free_can_be_lent),
    cmocka_unit_test(a_wait_is_one_hop),
    cmocka_unit_test(a_deadline_is_kept),
    cmocka_unit_test(a_hosts_handler_that_waits_itself_stops_nothing),
    cmocka_unit_test(a_cancel_and_a_signals_return_take_the_helper),
    cmocka_unit_test(a_thread_does_not_wait_for_itself),
    cmocka_unit_test(a_replaced_file_does_not_begin_the_time_anew),
    cmocka_unit_test(a_wait_is_told_of_once_and_names_the_holder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
