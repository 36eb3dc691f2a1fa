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
  if (spawn_surely(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
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

/* ---- What is kept. */

static void kept(const char *bytes, const safe_sink *sink, size_t total, size_t cut) {
  const char *const argv[] = {"helper", "flood", bytes, NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process = piped(argv);
  size_t at, length = total < sink->limit ? total : sink->limit, missing = total - length;

  options.out = *sink;
  options.timeout_ms = 60000;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_total, total);
  assert_int_equal(output.out_length, length);
  assert_int_equal(output.out_cut, cut);
  assert_int_equal(output.flags, missing > 0 ? SAFE_OUTPUT_OUT_CUT : 0);
  assert_int_equal(output.out[length], 0);
  for (at = 0; at < length; at++) {
    size_t place = at < cut ? at : at + missing;
    if (output.out[at] != (char)('a' + place % 26))
      fail_msg("byte %lu of %lu is %d", (unsigned long)at, (unsigned long)length, output.out[at]);
  }
  safe_output_free(&output);
  safe_process_free(process);
}

/* Rings that are filled by way of another block, and those that are read into. */
static void tails_and_both_ends_are_exact(void **state) {
  static const size_t limits[] = {0, 1, 10, 4095, 4096, 65535, 65536, 100001, 262144, 299999, 300000, 300001, 1000000};
  safe_sink sink = SAFE_SINK_INIT;
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(limits) / sizeof(limits[0]); at++) {
    sink.limit = limits[at];
    sink.keep = SAFE_KEEP_HEAD;
    kept("300000", &sink, 300000, sink.limit < 300000 ? sink.limit : 300000);
    sink.keep = SAFE_KEEP_TAIL;
    kept("300000", &sink, 300000, sink.limit < 300000 ? 0 : 300000);
    sink.keep = SAFE_KEEP_BOTH;
    kept("300000", &sink, 300000, sink.limit < 300000 ? sink.limit - sink.limit / 2 : 300000);
  }
}

static void a_limit_without_end_is_one(void **state) {
  safe_sink sink = SAFE_SINK_INIT;

  (void)state;
  sink.limit = SIZE_MAX;
  kept("300000", &sink, 300000, 300000);
  sink.keep = SAFE_KEEP_BOTH;
  kept("300000", &sink, 300000, 300000);
}

/* ---- Functions. */

struct tally {
  size_t lengths[3];
  unsigned sum;
  int answer;
};

static int add_up(void *context, int stream, const void *bytes, size_t length) {
  struct tally *tally = context;
  size_t at;

  tally->lengths[stream] += length;
  for (at = 0; at < length; at++) tally->sum += ((const unsigned char *)bytes)[at];
  return tally->answer;
}

static void functions_take_the_output(void **state) {
  const char *const argv[] = {"helper", "both", "100000", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  struct tally tally = {{0}, 0, 0};
  safe_process *process = piped(argv);
  unsigned sum = 0, at;

  (void)state;
  for (at = 0; at < 100000; at++) sum += 'a' + at % 26 + 'A' + at % 26;
  options.out.kind = options.err.kind = SAFE_SINK_CALLBACK;
  options.out.function = options.err.function = add_up;
  options.out.context = options.err.context = &tally;
  options.timeout_ms = 60000;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_int_equal(tally.lengths[1], 100000);
  assert_int_equal(tally.lengths[2], 100000);
  assert_int_equal(tally.sum, sum);
  assert_int_equal(output.out_total, 100000);
  assert_int_equal(output.out_length, 0);
  assert_string_equal(output.err, "");
  assert_int_equal(output.flags, 0);
  safe_output_free(&output);
  safe_process_free(process);
}

static void a_function_ends_it(void **state) {
  const char *const argv[] = {"helper", "flood", "1000000", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  struct tally tally = {{0}, 0, SAFE_ENOSPC};
  safe_process *process = piped(argv);

  (void)state;
  options.out.kind = SAFE_SINK_CALLBACK;
  options.out.function = add_up;
  options.out.context = &tally;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_ENOSPC);
  assert_int_equal(error.stage, SAFE_STAGE_READ);
  assert_int_equal(error.index, 1);
  tally.answer = 7; /* no code of ours */
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EINVAL);
  tally.answer = 0;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_OK);
  assert_int_equal(tally.lengths[1], 1000000);
  safe_process_free(process);
}

struct spring {
  size_t left;
  int64_t last;
};

static int64_t give_some(void *context, void *buffer, size_t room) {
  struct spring *spring = context;
  size_t length = spring->left < 1000 ? spring->left : 1000;

  if (length == 0) return spring->last == INT64_MAX ? (int64_t)room + 1 : spring->last;
  memset(buffer, 'x', length < room ? length : room);
  spring->left -= length;
  return (int64_t)length;
}

static void a_function_gives_the_input(void **state) {
  const char *const argv[] = {"helper", "swallow", NULL};
  static const int64_t lasts[] = {0, SAFE_EACCES, INT64_MAX};
  static const int codes[] = {SAFE_OK, SAFE_EACCES, SAFE_EINVAL};
  int at;

  (void)state;
  for (at = 0; at < 3; at++) {
    safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
    safe_output output = SAFE_OUTPUT_INIT;
    safe_error error = SAFE_ERROR_INIT;
    struct spring spring = {1234567, 0};
    safe_process *process = piped(argv);

    spring.last = lasts[at];
    options.input_function = give_some;
    options.input_context = &spring;
    options.timeout_ms = 60000;
    assert_code(safe_process_communicate(process, &options, &output, &error), codes[at]);
    if (at == 0) assert_int_equal(atol(output.out), 1234567);
    if (at == 0) assert_int_equal(output.input_used, 1234567);
    if (at > 0) assert_int_equal(error.stage, SAFE_STAGE_WRITE);
    safe_output_free(&output);
    end_helper(process);
  }
}

/* ---- Left alone, dropped. */

static void what_is_left_alone_is_still_there(void **state) {
  const char *const argv[] = {"helper", "both", "5000", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process = piped(argv);

  (void)state;
  options.out.kind = SAFE_SINK_LEAVE;
  options.err.kind = SAFE_SINK_DROP;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_total, 0);
  assert_int_equal(output.err_total, 5000);
  assert_int_equal(output.err_length, 0);
  assert_int_equal(output.flags, 0);
  safe_output_free(&output);
  options.out.kind = SAFE_SINK_MEMORY;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_length, 5000);
  safe_output_free(&output);
  safe_process_free(process);
}

/* What the child wrote before its end is there, though nobody waits a moment for it. So much fits into a pipe
   also where musl's stdio fills its pages: by 1025 bytes at a time. */
static void no_drain_time_loses_nothing(void **state) {
  const char *const argv[] = {"helper", "flood", "40000", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process = piped(argv);

  (void)state;
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  /* Wine lets a process be seen to have ended before its handles are closed. */
  if (!on_wine()) options.drain_ms = options.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_int_equal(output.out_length, 40000);
  assert_int_equal(output.flags, 0);
  safe_output_free(&output);
  safe_process_free(process);
}

/* The end of its output is not the child's end. */
static void closed_output_is_not_the_end(void **state) {
  const char *const argv[] = {"helper", "hush", "300", NULL};
  safe_output output = SAFE_OUTPUT_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process = piped(argv);
  int64_t began = now_ms();

  (void)state;
  assert_code(safe_process_communicate(process, NULL, &output, NULL), SAFE_OK);
  assert_true(now_ms() - began >= 250);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.code, 0);
  safe_output_free(&output);
  safe_process_free(process);
}

static void nothing_is_left_open(void **state) {
  const char *const argv[] = {"helper", "echo", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_process *process;
  int before;

  (void)state;
  options.input = "once";
  options.input_length = 4;
  process = piped(argv); /* what is made once for the process is made now */
  assert_code(safe_process_communicate(process, &options, NULL, NULL), SAFE_OK);
  safe_process_free(process);
  before = count_handles();
  process = piped(argv);
  assert_code(safe_process_communicate(process, &options, NULL, NULL), SAFE_OK);
  safe_process_free(process);
  assert_int_equal(count_handles(), before);
  assert_int_equal(safe_parked_count(), 0);
}

static void bad_sinks_and_sources_are_named(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT, good = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process = piped(argv);

  (void)state;
  options.out.kind = SAFE_SINK_CALLBACK;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EINVAL);
  assert_int_equal(error.index, 1);
  options = good;
  options.err.kind = SAFE_SINK_HANDLE;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EBADF);
  assert_int_equal(error.index, 2);
  options = good;
  options.out.kind = SAFE_SINK_LEAVE + 1;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EINVAL);
  options = good;
  options.out.keep = SAFE_KEEP_BOTH + 1;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EINVAL);
  options = good;
  options.input = "x";
  options.input_function = give_some;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EINVAL);
  assert_code(safe_process_communicate(process, &good, NULL, &error), SAFE_OK);
  safe_process_free(process);
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
    cmocka_unit_test(tails_and_both_ends_are_exact),
    cmocka_unit_test(a_limit_without_end_is_one),
    cmocka_unit_test(functions_take_the_output),
    cmocka_unit_test(a_function_ends_it),
    cmocka_unit_test(a_function_gives_the_input),
    cmocka_unit_test(what_is_left_alone_is_still_there),
    cmocka_unit_test(no_drain_time_loses_nothing),
    cmocka_unit_test(closed_output_is_not_the_end),
    cmocka_unit_test(nothing_is_left_open),
    cmocka_unit_test(bad_sinks_and_sources_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
