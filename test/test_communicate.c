/* SPDX-License-Identifier: MIT */
/* safe_process_communicate on every system. */
#include "support.h"

static safe_process *piped(const char *const *argv) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options.file = helper_path();
  options.argv = argv;
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  if (safe_spawn(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  return process;
}

static void both_ways_at_once_never_blocks(void **state) {
  const char *const argv[] = {"helper", "echo", NULL};
  const size_t size = 8 << 20;
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process = piped(argv);
  char *input = malloc(size);
  size_t at;

  (void)state;
  assert_non_null(input);
  for (at = 0; at < size; at++) input[at] = (char)(at * 7 + at / 4096);
  options.input = input;
  options.input_length = size;
  options.timeout_ms = 60000;
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_OK);
  assert_int_equal(output.out_length, size);
  assert_memory_equal(output.out, input, size);
  assert_int_equal(output.err_length, 0);
  assert_string_equal(output.err, "");
  assert_int_equal(output.input_used, size);
  assert_int_equal(output.flags, 0);
  safe_output_free(&output);
  safe_process_free(process);
  free(input);
}

static void caps_are_exact_to_the_byte(void **state) {
  const char *const argv[] = {"helper", "both", "100000", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process = piped(argv);

  (void)state;
  options.out.limit = 12345;
  options.err.limit = 0;
  options.timeout_ms = 60000;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_length, 12345);
  assert_int_equal(output.out_total, 100000);
  assert_int_equal(output.out[12344], 'a' + 12344 % 26);
  assert_int_equal(output.err_length, 0);
  assert_int_equal(output.err_total, 100000);
  assert_int_equal(output.flags, SAFE_OUTPUT_OUT_CUT | SAFE_OUTPUT_ERR_CUT);
  safe_output_free(&output);
  safe_process_free(process);
}

static void a_cap_that_just_fits_cuts_nothing(void **state) {
  const char *const argv[] = {"helper", "flood", "70000", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process = piped(argv);

  (void)state;
  options.out.limit = 70000;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_length, 70000);
  assert_int_equal(output.flags, 0);
  safe_output_free(&output);
  safe_process_free(process);
}

static void input_nobody_reads_is_no_error(void **state) {
  const char *const argv[] = {"helper", "exit", "5", NULL};
  static char input[1 << 20];
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process = piped(argv);

  (void)state;
  options.input = input;
  options.input_length = sizeof(input);
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_true((output.flags & SAFE_OUTPUT_IN_REFUSED) != 0);
  assert_true(output.input_used < sizeof(input));
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.code, 5);
  safe_output_free(&output);
  safe_process_free(process);
}

static void the_deadline_ends_it_and_it_can_go_on(void **state) {
  const char *const argv[] = {"helper", "stubborn", "600", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process = piped(argv);
  safe_cancel *cancel;
  int64_t began = now_ms();

  (void)state;
  options.timeout_ms = 150;
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, 149, 150 + 300 * slowness());
  safe_output_free(&output);
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  safe_cancel_trigger(cancel);
  options.cancel = cancel;
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_ECANCELED);
  safe_output_free(&output);
  safe_cancel_free(cancel);
  options.cancel = NULL;
  options.timeout_ms = 60000;
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_OK);
  safe_output_free(&output);
  safe_process_free(process);
}

static void a_grandchild_that_keeps_the_pipe_costs_the_drain_time(void **state) {
  const char *const argv[] = {"helper", "leave", "30000", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_stop_options at_once = SAFE_STOP_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process = piped(argv);
  int64_t began = now_ms();

  (void)state;
  options.drain_ms = 300;
  options.timeout_ms = 20000;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_in_range(now_ms() - began, 299, 300 + 2000 * slowness());
  assert_int_equal(output.flags, SAFE_OUTPUT_HELD_OPEN);
  assert_true(atol(output.out) > 0);
  safe_output_free(&output);
  at_once.grace_ms = 0;
  assert_code(safe_process_stop(process, &at_once, &report, NULL), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  safe_process_free(process);
}

static void bad_arguments_are_named(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_output output;
  safe_process *process = piped(argv);

  (void)state;
  options.input_length = 4;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EINVAL);
  options.input_length = 0;
  options.drain_ms = -3;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EINVAL);
  memset(&output, 0, sizeof(output));
  assert_code(safe_process_communicate(process, NULL, &output, &error), SAFE_EINVAL);
  assert_code(safe_process_communicate(process, NULL, NULL, &error), SAFE_OK);
  safe_process_free(process);
  safe_output_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(both_ways_at_once_never_blocks),
    cmocka_unit_test(caps_are_exact_to_the_byte),
    cmocka_unit_test(a_cap_that_just_fits_cuts_nothing),
    cmocka_unit_test(input_nobody_reads_is_no_error),
    cmocka_unit_test(the_deadline_ends_it_and_it_can_go_on),
    cmocka_unit_test(a_grandchild_that_keeps_the_pipe_costs_the_drain_time),
    cmocka_unit_test(bad_arguments_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
