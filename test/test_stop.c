/* SPDX-License-Identifier: MIT */
/* safe_process_stop on every system. */
#include "support.h"

static int stop_within(safe_process *process, int64_t grace_ms, safe_stop_report *report) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int64_t began = now_ms();
  int code;

  options.grace_ms = grace_ms;
  code = safe_process_stop(process, &options, report, &error);
  assert_in_range(now_ms() - began, 0, grace_ms + 100 + 400 * slowness());
  return code;
}

static void a_stubborn_child_is_ended_after_the_grace(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  int64_t began;

  (void)state;
  expect_line(process, "ready");
  began = now_ms();
  assert_code(stop_within(process, 200, &report), SAFE_OK);
  assert_true(now_ms() - began >= 199);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  assert_int_equal(report.left_count, 0);
  assert_code(stop_within(process, 200, &report), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_WAS_GONE);
  safe_process_free(process);
}

static void no_grace_is_force_at_once(void **state) {
  safe_process *process = start_helper("sleep", "60000", NULL);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;

  (void)state;
  assert_code(stop_within(process, 0, &report), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(process);
}

static void a_child_that_has_ended_is_gone_and_keeps_its_status(void **state) {
  safe_process *process = start_helper("exit", "4", NULL);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_exit status = SAFE_EXIT_INIT;

  (void)state;
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  assert_code(stop_within(process, 1000, &report), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_WAS_GONE);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.code, 4);
  safe_process_free(process);
}

static void what_a_child_left_behind_is_ended_too(void **state) {
  safe_process *process = start_helper("leave", "60000", NULL);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;

  (void)state;
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  assert_code(stop_within(process, 0, &report), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(process);
}

static void the_status_of_a_forced_end(void **state) {
  safe_process *process = start_helper("sleep", "60000", NULL);
  safe_exit status = SAFE_EXIT_INIT;

  (void)state;
  assert_code(stop_within(process, 0, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_true(status.kind == SAFE_EXIT_SIGNAL ? status.signal == 9 : status.kind == SAFE_EXIT_CODE);
  safe_process_free(process);
}

static void a_triggered_cancel_is_no_grace_but_not_the_calls_end(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  int64_t began;

  (void)state;
  expect_line(process, "ready");
  assert_code(safe_cancel_create(&options.cancel), SAFE_OK);
  safe_cancel_trigger(options.cancel);
  options.grace_ms = 20000;
  began = now_ms();
  assert_code(safe_process_stop(process, &options, &report, NULL), SAFE_OK);
  assert_in_range(now_ms() - began, 0, 100 + 400 * slowness());
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(process);
  safe_cancel_free(options.cancel);
}

static void bad_arguments_are_named(void **state) {
  safe_process *process = start_helper("sleep", "60000", NULL);
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;

  (void)state;
  options.grace_ms = SAFE_FOREVER;
  assert_code(safe_process_stop(process, &options, NULL, &error), SAFE_EINVAL);
  options.grace_ms = -9;
  assert_code(safe_process_stop(process, &options, NULL, &error), SAFE_EINVAL);
  options.grace_ms = 0;
  options.flags = 4;
  assert_code(safe_process_stop(process, &options, NULL, &error), SAFE_EINVAL);
  end_helper(process);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_stubborn_child_is_ended_after_the_grace),
    cmocka_unit_test(no_grace_is_force_at_once),
    cmocka_unit_test(a_child_that_has_ended_is_gone_and_keeps_its_status),
    cmocka_unit_test(what_a_child_left_behind_is_ended_too),
    cmocka_unit_test(the_status_of_a_forced_end),
    cmocka_unit_test(a_triggered_cancel_is_no_grace_but_not_the_calls_end),
    cmocka_unit_test(bad_arguments_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
