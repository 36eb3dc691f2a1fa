/* SPDX-License-Identifier: MIT */
/* Handles of the caller's as input and output on Windows: files and pipes, synchronous and overlapped. */
#include "support.h"

#include "test_win.h"

#define SIZE ((size_t)1 << 20)

static safe_process *piped(const char *word, const char *argument) {
  const char *const argv[] = {"helper", word, argument, NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options.file = helper_path();
  options.argv = argv;
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  if (safe_spawn(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  return process;
}

static char *pattern(size_t size) {
  char *bytes = malloc(size);
  size_t at;

  assert_non_null(bytes);
  for (at = 0; at < size; at++) bytes[at] = (char)(at * 7 + at / 509);
  return bytes;
}

static HANDLE open_file(const char *name, DWORD flags, DWORD how) {
  HANDLE file =
    CreateFileA(name, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, how, flags, NULL);

  assert_true(file != INVALID_HANDLE_VALUE);
  return file;
}

/* The bytes go from a file through the child into another one. */
static void through_files(DWORD flags) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  char *bytes = pattern(SIZE), *content = malloc(SIZE);
  HANDLE file = open_file("given", 0, CREATE_ALWAYS);
  DWORD moved;

  assert_true(WriteFile(file, bytes, (DWORD)SIZE, &moved, NULL));
  CloseHandle(file);
  process = piped("echo", NULL);
  options.input_handle = open_file("given", flags, OPEN_EXISTING);
  options.out.kind = SAFE_SINK_HANDLE;
  options.out.handle = open_file("taken", flags, CREATE_ALWAYS);
  options.timeout_ms = 60000;
  if (safe_process_communicate(process, &options, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(output.input_used, SIZE);
  assert_int_equal(output.out_total, SIZE);
  assert_int_equal(output.flags, 0);
  assert_true(CloseHandle(options.input_handle));
  assert_true(CloseHandle(options.out.handle));
  file = open_file("taken", 0, OPEN_EXISTING);
  assert_true(ReadFile(file, content, (DWORD)SIZE, &moved, NULL));
  assert_int_equal(moved, SIZE);
  assert_memory_equal(content, bytes, SIZE);
  CloseHandle(file);
  safe_output_free(&output);
  safe_process_free(process);
  free(bytes);
  free(content);
}

static void files_give_and_take(void **state) {
  (void)state;
  through_files(0);
}

static void files_for_overlapped_calls_give_and_take(void **state) {
  (void)state;
  if (on_wine()) {
    print_message("Wine does not tell a handle for overlapped calls from another\n");
    skip();
  }
  through_files(FILE_FLAG_OVERLAPPED);
}

/* Nobody reads the pipe until the deadline has passed; what was not written then goes through afterwards. */
static void a_full_pipe_holds_nobody_up(void **state) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process = piped("flood", "200000");
  HANDLE ends[2];
  int64_t began = now_ms();

  (void)state;
  assert_true(CreatePipe(&ends[0], &ends[1], NULL, 4096));
  options.out.kind = SAFE_SINK_HANDLE;
  options.out.handle = ends[1];
  options.timeout_ms = 300;
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, 299, 300 + 1000 * slowness());
  safe_output_free(&output);
  CloseHandle(ends[0]); /* lets a thread go that was left behind */
  CloseHandle(ends[1]);
  options.out.kind = SAFE_SINK_DROP;
  options.timeout_ms = 60000;
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_OK);
  safe_output_free(&output);
  safe_process_free(process);
  assert_code(safe_shutdown(5000), SAFE_OK);
}

static void a_silent_source_holds_nobody_up(void **state) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process = piped("exit", "3");
  HANDLE ends[2];
  int64_t began = now_ms();

  (void)state;
  assert_true(CreatePipe(&ends[0], &ends[1], NULL, 4096));
  options.input_handle = ends[0];
  options.drain_ms = 500;
  options.timeout_ms = 60000;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_true(now_ms() - began < 10000 * slowness());
  assert_true((output.flags & (SAFE_OUTPUT_IN_REFUSED | SAFE_OUTPUT_HELD_OPEN)) != 0);
  safe_output_free(&output);
  safe_process_free(process);
  CloseHandle(ends[1]);
  CloseHandle(ends[0]);
  assert_code(safe_shutdown(5000), SAFE_OK);
}

static void handles_that_are_none_are_named(void **state) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process = piped("exit", "0");

  (void)state;
  options.err.kind = SAFE_SINK_HANDLE;
  options.err.handle = NULL;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EBADF);
  assert_int_equal(error.index, 2);
  options.err.handle = (HANDLE)(intptr_t)0x7ffc;
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EBADF);
  options.err.handle = GetCurrentProcess();
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EBADF);
  end_helper(process);
}

static int handles_before;

static int count_before(void **state) {
  (void)state;
  end_helper(piped("exit", "0")); /* makes what is made once */
  handles_before = count_handles();
  return 0;
}

static int nothing_is_left(void **state) {
  (void)state;
  if (safe_parked_count() == 0 && count_handles() == handles_before) return 0;
  print_error("%d parked, %d handles instead of %d\n", safe_parked_count(), count_handles(), handles_before);
  return -1;
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(files_give_and_take, nothing_is_left),
    cmocka_unit_test_teardown(files_for_overlapped_calls_give_and_take, nothing_is_left),
    cmocka_unit_test_teardown(a_full_pipe_holds_nobody_up, nothing_is_left),
    cmocka_unit_test_teardown(a_silent_source_holds_nobody_up, nothing_is_left),
    cmocka_unit_test_teardown(handles_that_are_none_are_named, nothing_is_left),
  };
  return cmocka_run_group_tests(tests, count_before, NULL);
}
