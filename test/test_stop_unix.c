/* SPDX-License-Identifier: MIT */
/* Stops without blocking and signals, where there is fork and where signals are more than an end. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"
#include "support_unix.h"

/* ---- A forked copy of the host. */

static void expect_in_a_copy(int (*run)(void *argument), void *argument) {
  pid_t copy = fork();
  int status;

  assert_true(copy >= 0);
  if (copy == 0) _exit(run(argument));
  assert_int_equal(waitpid(copy, &status, 0), copy);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

struct stopping {
  safe_process *process;
  safe_stop *stop;
};

static int use_and_finish(void *argument) {
  safe_process *process = ((struct stopping *)argument)->process;
  safe_stop *stop = ((struct stopping *)argument)->stop;
  safe_error error = SAFE_ERROR_INIT;
  safe_stop *other;

  if (safe_stop_begin(&other, process, NULL, &error) != SAFE_EOWNER || other != NULL) return 1;
  if (safe_stop_poll(stop) != SAFE_EOWNER) return 2;
  if (safe_stop_delay_ms(stop) != 0) return 3;
  if (safe_process_signal(process, SIGKILL, 0, &error) != SAFE_EOWNER) return 4;
  if (safe_process_signal(process, SIGKILL, SAFE_SIGNAL_GROUP, &error) != SAFE_EOWNER) return 5;
  if (safe_stop_finish(stop, NULL, &error) != SAFE_EOWNER || error.code != SAFE_EOWNER) return 6;
  safe_process_free(process);
  return 0;
}

static int abandon(void *argument) {
  struct stopping *stopping = argument;

  safe_stop_abandon(stopping->stop);
  safe_process_free(stopping->process);
  return 0;
}

static void a_forked_copy_ends_nobody(void **state) {
  struct stopping stopping = {start_helper("stubborn", "60000", NULL), NULL};
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;

  (void)state;
  expect_line(stopping.process, "ready");
  options.grace_ms = 60000;
  assert_code(safe_stop_begin(&stopping.stop, stopping.process, &options, NULL), SAFE_OK);
  expect_in_a_copy(use_and_finish, &stopping);
  expect_in_a_copy(abandon, &stopping);
  assert_code(safe_stop_poll(stopping.stop), SAFE_EAGAIN);
  assert_code(safe_process_signal(stopping.process, 0, 0, NULL), SAFE_OK);
  safe_stop_abandon(stopping.stop);
  options.grace_ms = 0;
  assert_code(safe_process_stop(stopping.process, &options, &report, NULL), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(stopping.process);
}

static int set_query_and_cancel(void *wait) {
  if (safe_lock_wait_set_query(wait, 1) != SAFE_EOWNER) return 1;
  safe_lock_wait_cancel(wait);
  return 0;
}

static void a_forked_copy_of_a_wait(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock_wait *wait;
  safe_lock *held, *lock;
  int round;

  (void)state;
  for (round = 0; round < 2; round++) {
    options.flags = SAFE_LOCK_CREATE | (round == 1 ? SAFE_LOCK_ISOLATE : 0);
    assert_code(safe_lock_file(&held, "copied", NULL, NULL), SAFE_OK);
    if (safe_lock_begin(&wait, "copied", &options, NULL) == SAFE_ENOTSUP) { /* no helper, no isolation */
      assert_int_equal(round, 1);
      assert_code(safe_unlock(held), SAFE_OK);
      return;
    }
    expect_in_a_copy(set_query_and_cancel, wait);
    assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN);
    assert_code(safe_unlock(held), SAFE_OK);
    assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
    assert_code(safe_unlock(lock), SAFE_OK);
  }
}

/* ---- Signals that end nobody. */

static void expect_trapped(const char *script, int signal_number, uint32_t flags, const char *expected) {
  safe_spawn_options options = of_shell(script);
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options.out.kind = SAFE_STDIO_PIPE;
  if (safe_spawn(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  expect_line(process, "ready");
  assert_code(safe_process_signal(process, signal_number, flags, &error), SAFE_OK);
  expect_line(process, expected);
  end_helper(process);
}

static void a_signal_arrives_as_what_it_is(void **state) {
  (void)state;
  expect_trapped("trap 'echo one' USR1; echo ready; while :; do sleep 0.01; done", SIGUSR1, 0, "one");
  expect_trapped("trap 'echo hung up' HUP; echo ready; while :; do sleep 0.01; done", SIGHUP, 0, "hung up");
}

/* The inner shell is the child's child. The outer one has a handler, so that it goes on. */
static void a_groups_signal_is_for_all_of_them(void **state) {
  (void)state;
  expect_trapped("trap : USR1; sh -c \"trap 'echo inner' USR1; echo ready; while :; do sleep 0.01; done\"; :", SIGUSR1,
                 SAFE_SIGNAL_GROUP, "inner");
}

static void what_is_stopped_is_still_there(void **state) {
  safe_process *process = start_helper("sleep", "60000", NULL);
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;

  (void)state;
  assert_code(safe_process_signal(process, SIGSTOP, SAFE_SIGNAL_GROUP, NULL), SAFE_OK);
  assert_code(safe_process_signal(process, 0, SAFE_SIGNAL_GROUP, NULL), SAFE_OK);
  options.grace_ms = 20000;
  assert_code(safe_process_stop(process, &options, &report, NULL), SAFE_OK); /* SIGCONT comes with SIGTERM */
  assert_int_equal(report.verdict, SAFE_STOP_POLITE);
  safe_process_free(process);
}

/* The number may be a stranger's by now. */
static void a_child_that_the_host_has_reaped(void **state) {
  safe_process *process = start_helper("exit", "0", NULL);
  safe_error error = SAFE_ERROR_INIT;
  int code;

  (void)state;
  assert_int_equal(waitpid((pid_t)safe_process_pid(process), NULL, 0), safe_process_pid(process));
  assert_code(safe_process_signal(process, SIGKILL, 0, &error), SAFE_ESRCH);
  code = safe_process_signal(process, SIGKILL, SAFE_SIGNAL_GROUP, &error);
  assert_true(code == SAFE_ESRCH || code == SAFE_ENOTSUP); /* the latter where the system cannot tell */
  safe_process_free(process);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_forked_copy_ends_nobody),      cmocka_unit_test(a_forked_copy_of_a_wait),
    cmocka_unit_test(a_signal_arrives_as_what_it_is), cmocka_unit_test(a_groups_signal_is_for_all_of_them),
    cmocka_unit_test(what_is_stopped_is_still_there), cmocka_unit_test(a_child_that_the_host_has_reaped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
