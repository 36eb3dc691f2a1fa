/* SPDX-License-Identifier: MIT */
/* safe_stop_begin and what follows it, and safe_process_signal, on every system. */
#include <signal.h>

#include "support.h"

/* ---- A loop that has nothing else to do. */

static safe_stop *begin(safe_process *process, int64_t grace_ms) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_stop *stop;

  options.grace_ms = grace_ms;
  if (safe_stop_begin(&stop, process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  return stop;
}

/* A poll may look through the list of processes, of which a busy machine has thousands. */
static int longest_ms(void) { return 200 * slowness(); }

/* Polls as the header says; the exit handle wakes, as long as the child runs. */
static void loop(safe_stop *stop, safe_process *process) {
  safe_handle exit = safe_process_exit_handle(process);
  int64_t began, delay;
  bool ended = false;
  int code;

  for (;;) {
    began = now_ms();
    code = safe_stop_poll(stop);
    assert_in_range(now_ms() - began, 0, longest_ms());
    if (code == SAFE_OK) return;
    assert_code(code, SAFE_EAGAIN);
    delay = safe_stop_delay_ms(stop);
    assert_in_range(delay, 0, 100);
    if (ended || exit == SAFE_INVALID_HANDLE)
      sleep_ms(delay);
    else
      ended = becomes_ready(exit, delay);
  }
}

static int finish(safe_stop *stop, safe_stop_report *report) {
  safe_error error = SAFE_ERROR_INIT;
  int64_t began = now_ms();
  int code = safe_stop_finish(stop, report, &error);

  assert_in_range(now_ms() - began, 0, longest_ms());
  assert_int_equal(error.code, code);
  return code;
}

static int verdict_of(safe_process *process, int64_t grace_ms) {
  safe_stop *stop = begin(process, grace_ms);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;

  loop(stop, process);
  assert_int_equal(safe_stop_delay_ms(stop), 0);
  assert_code(safe_stop_poll(stop), SAFE_OK);
  assert_code(finish(stop, &report), SAFE_OK);
  assert_int_equal(report.left_count, 0);
  return report.verdict;
}

static void expect_verdict(safe_process *process, int64_t grace_ms, int verdict) {
  assert_int_equal(verdict_of(process, grace_ms), verdict);
}

static void a_child_that_does_as_it_is_asked(void **state) {
  const char *const argv[] = {"helper", "echo", NULL}; /* whose input ends: that is how Windows asks */
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int64_t began = now_ms();
  safe_process *process;

  (void)state;
  options.file = helper_path();
  options.argv = argv;
  options.in.kind = SAFE_STDIO_PIPE;
  if (spawn_surely(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  expect_verdict(process, 20000, SAFE_STOP_POLITE);
  assert_in_range(now_ms() - began, 0, 1000 * slowness());
  expect_verdict(process, 20000, SAFE_STOP_WAS_GONE);
  safe_process_free(process);
}

static void a_stubborn_child(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);
  int64_t began;

  (void)state;
  expect_line(process, "ready");
  began = now_ms();
  expect_verdict(process, 200, SAFE_STOP_FORCED);
  assert_in_range(now_ms() - began, 199, 300 + 400 * slowness());
  safe_process_free(process);
}

static void no_grace(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);

  (void)state;
  expect_line(process, "ready");
  expect_verdict(process, 0, SAFE_STOP_FORCED);
  safe_process_free(process);
}

static void begin_does_not_wait_for_the_grace(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  int64_t began;
  safe_stop *stop;

  (void)state;
  expect_line(process, "ready");
  began = now_ms();
  stop = begin(process, 20000);
  assert_code(safe_stop_poll(stop), SAFE_EAGAIN);
  assert_in_range(now_ms() - began, 0, longest_ms());
  safe_stop_abandon(stop);
  assert_code(safe_process_wait(process, &(safe_wait_options){sizeof(safe_wait_options), 0, 0, NULL}, NULL, NULL),
              SAFE_ETIMEDOUT); /* it was asked only, and goes on */
  assert_code(safe_process_stop(process, &(safe_stop_options){sizeof(safe_stop_options), 0, 0, NULL}, &report, NULL),
              SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(process);
}

static void a_finish_that_comes_early_waits(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_stop *stop;
  int64_t began;

  (void)state;
  expect_line(process, "ready");
  began = now_ms();
  stop = begin(process, 200);
  assert_code(safe_stop_finish(stop, &report, NULL), SAFE_OK);
  assert_in_range(now_ms() - began, 199, 300 + 400 * slowness());
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(process);
}

/* The loop was busy from before the end of the grace until long after the verdict was due. */
static void a_loop_that_comes_late(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);
  safe_stop *stop;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;

  (void)state;
  expect_line(process, "ready");
  stop = begin(process, 50);
  sleep_ms(400);
  assert_code(safe_stop_poll(stop), SAFE_EAGAIN); /* killed only now */
  sleep_ms(300);
  loop(stop, process);
  assert_code(finish(stop, &report), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(process);
}

/* Its exit handle wakes nobody any more. */
static void a_child_that_has_ended_with_its_group_alive(void **state) {
  safe_process *process = start_helper("leave", "60000", NULL);
  safe_exit status = SAFE_EXIT_INIT;
  safe_stop *stop;

  (void)state;
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  stop = begin(process, 20000);
  if (safe_stop_poll(stop) == SAFE_EAGAIN) assert_in_range(safe_stop_delay_ms(stop), 0, 10);
  safe_stop_abandon(stop);
  stop = begin(process, 0);
  loop(stop, process);
  assert_code(finish(stop, NULL), SAFE_OK);
  expect_verdict(process, 0, SAFE_STOP_WAS_GONE);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.code, 0);
  safe_process_free(process);
}

static void a_cancel_ends_the_grace(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_stop *stop;

  (void)state;
  expect_line(process, "ready");
  assert_code(safe_cancel_create(&options.cancel), SAFE_OK);
  options.grace_ms = 20000;
  assert_code(safe_stop_begin(&stop, process, &options, NULL), SAFE_OK);
  assert_code(safe_stop_poll(stop), SAFE_EAGAIN);
  assert_in_range(safe_stop_delay_ms(stop), 0, 20);
  safe_cancel_trigger(options.cancel);
  loop(stop, process);
  assert_code(finish(stop, &report), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(process);
  safe_cancel_free(options.cancel);
}

static void abandoned_in_each_phase(void **state) {
  int handles = 0, verdict, at;
  safe_process *process;
  safe_stop *stop;

  (void)state;
  safe_stop_abandon(NULL);
  for (at = 0; at < 4; at++) {
    process = start_helper("stubborn", "60000", NULL);
    expect_line(process, "ready");
    stop = begin(process, at == 0 ? 20000 : at == 1 ? 20 : 0); /* in the grace, forced late, forced at once, over */
    if (at == 1) sleep_ms(30);
    if (at == 1 || at == 2) safe_stop_poll(stop);
    if (at == 3) loop(stop, process);
    safe_stop_abandon(stop);
    verdict = verdict_of(process, 0); /* one that was killed may be gone by now */
    if (at == 0) assert_int_equal(verdict, SAFE_STOP_FORCED);
    if (at == 3) assert_int_equal(verdict, SAFE_STOP_WAS_GONE);
    safe_process_free(process);
    if (at == 0) handles = count_handles();
  }
  assert_int_equal(count_handles(), handles);
}

static void one_stop_at_a_time(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);
  safe_error error = SAFE_ERROR_INIT;
  safe_stop *stop, *other = (safe_stop *)&error;

  (void)state;
  expect_line(process, "ready");
  stop = begin(process, 20000);
  assert_code(safe_stop_begin(&other, process, NULL, &error), SAFE_EBUSY);
  assert_null(other);
  assert_int_equal(error.stage, SAFE_STAGE_STOP);
  assert_true(strlen(error.message) > 10);
  assert_code(safe_process_stop(process, NULL, NULL, &error), SAFE_EBUSY);
  safe_stop_abandon(stop);
  expect_verdict(process, 0, SAFE_STOP_FORCED);
  safe_process_free(process);
}

static void bad_arguments_are_named(void **state) {
  safe_process *process = start_helper("sleep", "60000", NULL);
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_stop *stop = (safe_stop *)&error;

  (void)state;
  assert_code(safe_stop_begin(NULL, process, NULL, &error), SAFE_EINVAL);
  assert_code(safe_stop_begin(&stop, NULL, NULL, &error), SAFE_EINVAL);
  assert_null(stop);
  options.grace_ms = SAFE_FOREVER;
  assert_code(safe_stop_begin(&stop, process, &options, &error), SAFE_EINVAL);
  options = (safe_stop_options)SAFE_STOP_OPTIONS_INIT;
  options.flags = 1;
  assert_code(safe_stop_begin(&stop, process, &options, &error), SAFE_EINVAL);
  assert_code(safe_stop_poll(NULL), SAFE_EINVAL);
  assert_int_equal(safe_stop_delay_ms(NULL), 0);
  assert_code(safe_stop_finish(NULL, NULL, &error), SAFE_EINVAL);
  stop = begin(process, 0);
  report.size = 0;
  assert_code(safe_stop_finish(stop, &report, &error), SAFE_EINVAL); /* and the stop is still there */
  report.size = sizeof(report);
  assert_code(safe_stop_finish(stop, &report, &error), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(process);
}

#define MANY 100

/* None of them waits for another one, nor does the thread for any. */
static void many_at_once(void **state) {
  safe_process *processes[MANY];
  safe_stop *stops[MANY];
  int64_t began, longest = 0, all;
  int at, left = MANY, polls = 0;

  (void)state;
  for (at = 0; at < MANY; at++) processes[at] = start_helper("stubborn", "60000", NULL);
  for (at = 0; at < MANY; at++) expect_line(processes[at], "ready");
  all = now_ms();
  for (at = 0; at < MANY; at++) stops[at] = begin(processes[at], 500);
  while (left > 0) {
    for (at = 0; at < MANY; at++) {
      if (stops[at] == NULL || safe_stop_delay_ms(stops[at]) > 0) continue;
      began = now_ms();
      polls++;
      if (safe_stop_poll(stops[at]) == SAFE_OK) {
        assert_code(safe_stop_finish(stops[at], NULL, NULL), SAFE_OK);
        stops[at] = NULL;
        left--;
      }
      if (now_ms() - began > longest) longest = now_ms() - began;
    }
    sleep_ms(1);
  }
  all = now_ms() - all;
  print_message("%d stops: %d ms, %d polls, the longest %d ms\n", MANY, (int)all, polls, (int)longest);
  assert_in_range(all, 499, 600 + 6000 * slowness());
  assert_in_range(longest, 0, longest_ms());
  for (at = 0; at < MANY; at++) safe_process_free(processes[at]);
}

/* ---- Signals. */

static void a_signal_is_asked_for_and_sent(void **state) {
  safe_process *process = start_helper("sleep", "60000", NULL);
  safe_error error = SAFE_ERROR_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  int64_t until = now_ms() + 5000 * slowness();
  int code;

  (void)state;
  assert_code(safe_process_signal(process, 0, 0, &error), SAFE_OK);
  assert_code(safe_process_signal(process, 0, SAFE_SIGNAL_GROUP, &error), SAFE_OK);
  assert_code(safe_process_signal(process, SIGTERM, 0, &error), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, &status, &error), SAFE_OK);
  assert_true(status.kind == SAFE_EXIT_SIGNAL ? status.signal == SIGTERM : status.code == 1);
  assert_code(safe_process_signal(process, 0, 0, &error), SAFE_ESRCH);
  assert_non_null(strstr(error.message, "has ended"));
  assert_code(safe_process_signal(process, SIGTERM, 0, &error), SAFE_ESRCH);
  /* Under Wine a job's count follows its process's end. */
  while ((code = safe_process_signal(process, SIGTERM, SAFE_SIGNAL_GROUP, &error)) == SAFE_OK && now_ms() < until)
    sleep_ms(10);
  assert_code(code, SAFE_ESRCH);
  safe_process_free(process);
}

static void a_group_outlives_its_child(void **state) {
  safe_process *process = start_helper("leave", "60000", NULL);
  safe_error error = SAFE_ERROR_INIT;
  int64_t until = now_ms() + 2000 * slowness();
  int code;

  (void)state;
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  assert_code(safe_process_signal(process, SIGTERM, 0, &error), SAFE_ESRCH);
  assert_code(safe_process_signal(process, 0, SAFE_SIGNAL_GROUP, &error), SAFE_OK);
  assert_code(safe_process_signal(process, 9, SAFE_SIGNAL_GROUP, &error), SAFE_OK);
  do code = safe_process_signal(process, 0, SAFE_SIGNAL_GROUP, &error);
  while (code == SAFE_OK && now_ms() < until);
  assert_code(code, SAFE_ESRCH);
  safe_process_free(process);
}

static void a_signal_that_there_is_not(void **state) {
  safe_process *process = start_helper("sleep", "60000", NULL);
  safe_error error = SAFE_ERROR_INIT;
  int code;

  (void)state;
  assert_code(safe_process_signal(NULL, 0, 0, &error), SAFE_EINVAL);
  assert_code(safe_process_signal(process, -1, 0, &error), SAFE_EINVAL);
  assert_code(safe_process_signal(process, 0, 2, &error), SAFE_EINVAL);
  code = safe_process_signal(process, 9999, 0, &error);
  assert_true(code == SAFE_EINVAL || code == SAFE_ENOTSUP); /* the latter on Windows */
  assert_code(safe_process_signal(process, 0, 0, &error), SAFE_OK);
  end_helper(process);
}

static void a_child_in_the_hosts_group(void **state) {
  const char *const argv[] = {"helper", "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  options.file = helper_path();
  options.argv = argv;
  options.group = SAFE_GROUP_HOST;
  assert_code(spawn_surely(&process, &options, &error), SAFE_OK);
  assert_code(safe_process_signal(process, 9, SAFE_SIGNAL_GROUP, &error), SAFE_EINVAL); /* it would be for us, too */
  assert_code(safe_process_signal(process, 9, 0, &error), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, NULL, &error), SAFE_OK);
  safe_process_free(process);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_child_that_does_as_it_is_asked),
    cmocka_unit_test(a_stubborn_child),
    cmocka_unit_test(no_grace),
    cmocka_unit_test(begin_does_not_wait_for_the_grace),
    cmocka_unit_test(a_finish_that_comes_early_waits),
    cmocka_unit_test(a_loop_that_comes_late),
    cmocka_unit_test(a_child_that_has_ended_with_its_group_alive),
    cmocka_unit_test(a_cancel_ends_the_grace),
    cmocka_unit_test(abandoned_in_each_phase),
    cmocka_unit_test(one_stop_at_a_time),
    cmocka_unit_test(bad_arguments_are_named),
    cmocka_unit_test(many_at_once),
    cmocka_unit_test(a_signal_is_asked_for_and_sent),
    cmocka_unit_test(a_group_outlives_its_child),
    cmocka_unit_test(a_signal_that_there_is_not),
    cmocka_unit_test(a_child_in_the_hosts_group),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
