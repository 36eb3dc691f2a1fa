/* SPDX-License-Identifier: MIT */
/* safe_run on every system. */
#include "support.h"

static safe_spawn_options spawn_helper(const char *const *argv) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

  options.file = helper_path();
  options.argv = argv;
  return options;
}

static int handles_before;

static int count_before(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  safe_spawn_options options = spawn_helper(argv);

  (void)state;
  if (safe_run(&options, NULL, NULL, NULL, NULL) != SAFE_OK) return -1; /* makes what is made once */
  handles_before = count_handles();
  return 0;
}

static int nothing_is_left(void **state) {
  (void)state;
  if (safe_parked_count() != 0 || count_handles() != handles_before) {
    print_error("%d parked, %d handles instead of %d\n", safe_parked_count(), count_handles(), handles_before);
    return -1;
  }
  return 0;
}

static void output_and_status(void **state) {
  const char *const argv[] = {"helper", "args", "a b", "", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_output output = SAFE_OUTPUT_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;

  (void)state;
  if (safe_run(&options, NULL, &status, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_string_equal(output.out, "[a b]\n[]\n");
  assert_string_equal(output.err, "");
  assert_int_equal(output.flags, 0);
  assert_int_equal(status.kind, SAFE_EXIT_CODE);
  assert_int_equal(status.code, 0);
  safe_output_free(&output);
}

static void another_status(void **state) {
  const char *const argv[] = {"helper", "exit", "7", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_exit status = SAFE_EXIT_INIT;

  (void)state;
  assert_code(safe_run(&options, NULL, &status, NULL, NULL), SAFE_OK);
  assert_int_equal(status.kind, SAFE_EXIT_CODE);
  assert_int_equal(status.code, 7);
  assert_code(safe_run(&options, NULL, NULL, NULL, NULL), SAFE_OK);
}

static void without_input_there_is_none(void **state) {
  const char *const argv[] = {"helper", "swallow", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_output output = SAFE_OUTPUT_INIT;

  (void)state;
  assert_code(safe_run(&options, NULL, NULL, &output, NULL), SAFE_OK);
  assert_int_equal(atol(output.out), 0);
  safe_output_free(&output);
}

static void big_both_ways(void **state) {
  const char *const argv[] = {"helper", "echo", NULL};
  const size_t size = 5 << 20;
  safe_spawn_options options = spawn_helper(argv);
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  char *input = malloc(size);
  size_t at;

  (void)state;
  assert_non_null(input);
  for (at = 0; at < size; at++) input[at] = (char)(at * 13 + at / 4099);
  talk.input = input;
  talk.input_length = size;
  talk.timeout_ms = 60000;
  assert_code(safe_run(&options, &talk, NULL, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_length, size);
  assert_memory_equal(output.out, input, size);
  assert_int_equal(output.input_used, size);
  safe_output_free(&output);
  free(input);
}

static void both_outputs_and_a_cap(void **state) {
  const char *const argv[] = {"helper", "both", "50000", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;

  (void)state;
  talk.out.limit = 100;
  talk.timeout_ms = 60000;
  assert_code(safe_run(&options, &talk, NULL, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_length, 100);
  assert_int_equal(output.out_total, 50000);
  assert_int_equal(output.err_length, 50000);
  assert_int_equal(output.flags, SAFE_OUTPUT_OUT_CUT);
  safe_output_free(&output);
}

static void stderr_may_join_stdout(void **state) {
  const char *const argv[] = {"helper", "both", "1000", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_output output = SAFE_OUTPUT_INIT;

  (void)state;
  options.err.kind = SAFE_STDIO_TO_OUT;
  assert_code(safe_run(&options, NULL, NULL, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_length, 2000);
  assert_int_equal(output.err_length, 0);
  safe_output_free(&output);
  options.out.kind = SAFE_STDIO_NULL;
  assert_code(safe_run(&options, NULL, NULL, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_total, 0);
  safe_output_free(&output);
}

/* Ended by force, as it does not listen: what it had said is there. */
static void the_time_is_that_of_the_whole_run(void **state) {
  const char *const argv[] = {"helper", "stubborn", "60000", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int64_t began = now_ms();

  (void)state;
  talk.timeout_ms = 300 * slowness();
  assert_code(safe_run(&options, &talk, &status, &output, &error), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, talk.timeout_ms - 1, talk.timeout_ms + 2000 + 1000 * slowness());
  assert_memory_equal(output.out, "ready", 5);
  assert_true(status.kind != SAFE_EXIT_UNKNOWN);
  assert_true(status.kind != SAFE_EXIT_CODE || status.code != 0);
  assert_true(error.message[0] != '\0');
  safe_output_free(&output);
}

static void what_the_child_leaves_behind_is_ended(void **state) {
  const char *const argv[] = {"helper", "leave", "60000", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  int64_t began = now_ms();

  (void)state;
  talk.drain_ms = 50;
  talk.timeout_ms = 60000;
  assert_code(safe_run(&options, &talk, &status, &output, NULL), SAFE_OK);
  assert_true(now_ms() - began < 10000 * slowness());
  assert_int_equal(output.flags, SAFE_OUTPUT_HELD_OPEN);
  assert_int_equal(status.code, 0);
  assert_true(atol(output.out) > 0);
  safe_output_free(&output);
}

static void a_cancel_ends_it(void **state) {
  const char *const argv[] = {"helper", "sleep", "60000", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_cancel *cancel;
  int64_t began = now_ms();

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  safe_cancel_trigger(cancel);
  talk.cancel = cancel;
  assert_code(safe_run(&options, &talk, &status, NULL, NULL), SAFE_ECANCELED);
  assert_true(now_ms() - began < 4000 * slowness());
  assert_true(status.kind != SAFE_EXIT_UNKNOWN);
  safe_cancel_free(cancel);
}

static void a_missing_program_is_an_error(void **state) {
  const char *const argv[] = {"there-is-no-such-program", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;

  (void)state;
  options.argv = argv;
  status.code = 42;
  assert_code(safe_run(&options, NULL, &status, &output, &error), SAFE_ENOENT);
  assert_null(output.out);
  assert_int_equal(status.code, 42);
  assert_non_null(strstr(error.message, argv[0]));
}

static int refuse(void *context, int stream, const void *bytes, size_t length) {
  (void)context, (void)stream, (void)bytes, (void)length;
  return SAFE_ENOSPC;
}

static void a_function_that_refuses_ends_it(void **state) {
  const char *const argv[] = {"helper", "stubborn", "60000", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;

  (void)state;
  talk.out.kind = SAFE_SINK_CALLBACK;
  talk.out.function = refuse;
  talk.timeout_ms = 60000;
  assert_code(safe_run(&options, &talk, NULL, NULL, NULL), SAFE_ENOSPC);
}

static void bad_arguments_are_named(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  safe_spawn_options options = spawn_helper(argv);
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_output short_output;

  (void)state;
  assert_code(safe_run(NULL, NULL, NULL, NULL, &error), SAFE_EINVAL);
  talk.err.kind = SAFE_SINK_LEAVE;
  assert_code(safe_run(&options, &talk, NULL, NULL, &error), SAFE_EINVAL);
  assert_int_equal(error.index, 2);
  options.out.kind = SAFE_STDIO_PIPE;
  options.out.flags = SAFE_STDIO_BLOCKING;
  assert_code(safe_run(&options, NULL, NULL, NULL, &error), SAFE_EINVAL);
  assert_int_equal(error.index, 1);
  memset(&short_output, 0, sizeof(short_output));
  options = spawn_helper(argv);
  assert_code(safe_run(&options, NULL, NULL, &short_output, &error), SAFE_EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(output_and_status, nothing_is_left),
    cmocka_unit_test_teardown(another_status, nothing_is_left),
    cmocka_unit_test_teardown(without_input_there_is_none, nothing_is_left),
    cmocka_unit_test_teardown(big_both_ways, nothing_is_left),
    cmocka_unit_test_teardown(both_outputs_and_a_cap, nothing_is_left),
    cmocka_unit_test_teardown(stderr_may_join_stdout, nothing_is_left),
    cmocka_unit_test_teardown(the_time_is_that_of_the_whole_run, nothing_is_left),
    cmocka_unit_test_teardown(what_the_child_leaves_behind_is_ended, nothing_is_left),
    cmocka_unit_test_teardown(a_cancel_ends_it, nothing_is_left),
    cmocka_unit_test_teardown(a_missing_program_is_an_error, nothing_is_left),
    cmocka_unit_test_teardown(a_function_that_refuses_ends_it, nothing_is_left),
    cmocka_unit_test_teardown(bad_arguments_are_named, nothing_is_left),
  };
  return cmocka_run_group_tests(tests, count_before, NULL);
}
