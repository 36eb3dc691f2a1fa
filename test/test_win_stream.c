/* SPDX-License-Identifier: MIT */
/* Pipes to a child on Windows, and its end. */
#include "test_win_child.h"

/* ---- Streams. */

#define MEBI ((size_t)1024 * 1024)

static void communicate_both_ways(void **state) {
  const char *argv[] = {self, "both", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  char *input = malloc(MEBI);
  size_t at;

  (void)state;
  assert_non_null(input);
  for (at = 0; at < MEBI; at++) input[at] = (char)(at * 31 + at / 251);
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  process = start_child(argv, &options);
  talk.input = input;
  talk.input_length = MEBI;
  talk.timeout_ms = slow(30000);
  if (safe_process_communicate(process, &talk, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(output.input_used, MEBI);
  assert_int_equal(output.flags, 0);
  assert_int_equal(output.out_length, MEBI);
  assert_int_equal(output.err_length, MEBI);
  assert_memory_equal(output.out, input, MEBI);
  assert_memory_equal(output.err, input, MEBI);
  assert_int_equal(end_of(process), 0);
  safe_output_free(&output);
  safe_process_free(process);
  free(input);
}

/* A timed-out exchange goes on where it was, though a write was under way when it ended. */
static void communicate_goes_on(void **state) {
  const char *argv[] = {self, "echo", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  size_t used = 0, got = 0, at;
  safe_process *process;
  char *input = malloc(MEBI), *all = malloc(MEBI);
  int code = SAFE_ETIMEDOUT, rounds = 0;

  (void)state;
  for (at = 0; at < MEBI; at++) input[at] = (char)(at * 7 + at / 509);
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  process = start_child(argv, &options);
  for (; code == SAFE_ETIMEDOUT && rounds < 10000; rounds++) {
    safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
    safe_output output = SAFE_OUTPUT_INIT;

    talk.input = input + used;
    talk.input_length = MEBI - used;
    talk.timeout_ms = rounds < 20 ? 1 : slow(20000);
    code = safe_process_communicate(process, &talk, &output, &error);
    used += output.input_used;
    assert_true(got + output.out_length <= MEBI);
    memcpy(all + got, output.out, output.out_length);
    got += output.out_length;
    safe_output_free(&output);
  }
  assert_int_equal(code, SAFE_OK);
  assert_true(rounds > 1);
  assert_int_equal(used, MEBI);
  assert_int_equal(got, MEBI);
  assert_memory_equal(all, input, MEBI);
  safe_process_free(process);
  free(input);
  free(all);
}

static void input_is_refused(void **state) {
  const char *argv[] = {self, "exit", "0", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  char *input = calloc(1, MEBI);

  (void)state;
  options.in.kind = SAFE_STDIO_PIPE;
  process = start_child(argv, &options);
  talk.input = input;
  talk.input_length = MEBI;
  assert_int_equal(safe_process_communicate(process, &talk, &output, &error), SAFE_OK);
  assert_int_equal(output.flags, SAFE_OUTPUT_IN_REFUSED);
  assert_true(output.input_used < MEBI);
  safe_output_free(&output);
  safe_process_free(process);
  free(input);
}

static void a_grandchild_keeps_the_pipe(void **state) {
  const char *argv[] = {self, "leave", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  HANDLE grandchild;
  int64_t began;

  (void)state;
  options.out.kind = SAFE_STDIO_PIPE;
  process = start_child(argv, &options);
  talk.drain_ms = 200;
  talk.timeout_ms = slow(20000);
  assert_int_equal(safe_process_communicate(process, &talk, &output, &error), SAFE_OK);
  assert_int_equal(output.flags, SAFE_OUTPUT_HELD_OPEN);
  grandchild = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)atoi(output.out));
  assert_non_null(grandchild);
  assert_int_equal(WaitForSingleObject(grandchild, 0), WAIT_TIMEOUT);
  stop.grace_ms = 0;
  began = safe__os_now();
  assert_int_equal(safe_process_stop(process, &stop, &report, &error), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  assert_true(ms_since(began) <= slow(200));
  assert_int_equal(WaitForSingleObject(grandchild, 1000), WAIT_OBJECT_0);
  assert_int_equal(end_of(process), 0); /* its own end was before that */
  CloseHandle(grandchild);
  safe_output_free(&output);
  safe_process_free(process);
}

static void a_taken_pipe(void **state) {
  const char *argv[] = {self, "echo", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;
  OVERLAPPED overlapped = {0};
  HANDLE in, out;
  char text[16];
  DWORD flags, moved = 0;

  (void)state;
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  process = start_child(argv, &options);
  in = safe_process_take_pipe(process, 0);
  assert_true(in != SAFE_INVALID_HANDLE);
  assert_true(safe_process_take_pipe(process, 0) == SAFE_INVALID_HANDLE);
  assert_true(safe_process_take_pipe(process, 2) == SAFE_INVALID_HANDLE);
  assert_true(GetHandleInformation(in, &flags));
  assert_int_equal(flags & HANDLE_FLAG_INHERIT, 0);
  /* Somebody waits for output before the pipe is taken: nothing may get lost. */
  talk.timeout_ms = 1;
  assert_int_equal(safe_process_communicate(process, &talk, &output, NULL), SAFE_ETIMEDOUT);
  assert_int_equal(output.out_length, 0);
  safe_output_free(&output);
  overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (!WriteFile(in, "hello", 5, NULL, &overlapped)) assert_int_equal(GetLastError(), ERROR_IO_PENDING);
  assert_true(GetOverlappedResult(in, &overlapped, &moved, TRUE));
  out = safe_process_take_pipe(process, 1);
  assert_true(out != SAFE_INVALID_HANDLE);
  if (!ReadFile(out, text, sizeof(text), NULL, &overlapped)) assert_int_equal(GetLastError(), ERROR_IO_PENDING);
  assert_true(GetOverlappedResult(out, &overlapped, &moved, TRUE));
  assert_int_equal(moved, 5);
  assert_memory_equal(text, "hello", 5);
  CloseHandle(overlapped.hEvent);
  CloseHandle(in);
  CloseHandle(out);
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
}

static void given_handles_as_streams(void **state) {
  const char *argv[] = {self, "echo", NULL};
  HANDLE in = decoy_file("input", false), out = decoy_file("output", false);
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;
  DWORD moved, flags;
  char text[16];

  (void)state;
  assert_true(WriteFile(in, "from a file", 11, &moved, NULL));
  SetFilePointer(in, 0, NULL, FILE_BEGIN);
  options.in.kind = options.out.kind = SAFE_STDIO_HANDLE;
  options.in.handle = in;
  options.out.handle = out;
  options.err.kind = SAFE_STDIO_TO_OUT;
  process = start_child(argv, &options);
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
  SetFilePointer(out, 0, NULL, FILE_BEGIN);
  assert_true(ReadFile(out, text, sizeof(text), &moved, NULL));
  assert_int_equal(moved, 11);
  assert_memory_equal(text, "from a file", 11);
  assert_true(GetHandleInformation(in, &flags) && (flags & HANDLE_FLAG_INHERIT) == 0);
  CloseHandle(in);
  CloseHandle(out);
}

/* ---- Ends. */

static void stop_by_force(void **state) {
  const char *argv[] = {self, "pair", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  safe_handle out;
  HANDLE grandchild;
  OVERLAPPED overlapped = {0};
  char text[32] = "";
  DWORD moved = 0;
  int64_t began;

  (void)state;
  options.out.kind = SAFE_STDIO_PIPE;
  process = start_child(argv, &options);
  out = safe_process_take_pipe(process, 1);
  overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  ReadFile(out, text, sizeof(text) - 1, NULL, &overlapped);
  assert_true(GetOverlappedResult(out, &overlapped, &moved, TRUE));
  grandchild = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)atoi(text));
  assert_non_null(grandchild);
  stop.grace_ms = 100;
  began = safe__os_now();
  assert_int_equal(safe_process_stop(process, &stop, &report, &error), SAFE_OK);
  assert_in_range(ms_since(began), 0, 100 + slow(100));
  assert_true(report.verdict == SAFE_STOP_FORCED || report.verdict == SAFE_STOP_POLITE);
  assert_int_equal(report.left_count, 0);
  assert_int_equal(WaitForSingleObject(grandchild, 1000), WAIT_OBJECT_0);
  assert_int_equal(safe_process_stop(process, &stop, &report, &error), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_WAS_GONE);
  CloseHandle(grandchild);
  CloseHandle(out);
  CloseHandle(overlapped.hEvent);
  safe_process_free(process);
}

/* A program that reads its input ends when the polite stop closes it, console or not. */
static void stop_politely(void **state) {
  const char *argv[] = {self, "echo", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process;

  (void)state;
  options.in.kind = SAFE_STDIO_PIPE;
  options.out.kind = SAFE_STDIO_NULL;
  process = start_child(argv, &options);
  stop.grace_ms = slow(10000);
  assert_int_equal(safe_process_stop(process, &stop, &report, NULL), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_POLITE);
  safe_process_free(process);
}

static void stop_the_child_alone(void **state) {
  const char *argv[] = {self, "leave", "3000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;
  HANDLE grandchild;

  (void)state;
  options.group = SAFE_GROUP_HOST;
  options.out.kind = SAFE_STDIO_PIPE;
  process = start_child(argv, &options);
  talk.drain_ms = 1;
  assert_int_equal(safe_process_communicate(process, &talk, &output, NULL), SAFE_OK);
  grandchild = OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, (DWORD)atoi(output.out));
  assert_non_null(grandchild);
  assert_int_equal(safe_process_stop(process, &stop, &report, NULL), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_WAS_GONE);
  assert_int_equal(WaitForSingleObject(grandchild, 0), WAIT_TIMEOUT);
  TerminateProcess(grandchild, 0);
  WaitForSingleObject(grandchild, 5000);
  CloseHandle(grandchild);
  safe_output_free(&output);
  safe_process_free(process);
}

static void waiting_ends_in_time(void **state) {
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_wait_options wait = SAFE_WAIT_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_cancel *cancel;
  safe_process *process = start_child(argv, &options);
  int64_t began = safe__os_now();

  (void)state;
  wait.timeout_ms = 100;
  assert_int_equal(safe_process_wait(process, &wait, NULL, NULL), SAFE_ETIMEDOUT);
  assert_in_range(ms_since(began), 99, 100 + slow(200));
  assert_int_equal(safe_cancel_create(&cancel), SAFE_OK);
  safe_cancel_trigger(cancel);
  wait.cancel = cancel;
  wait.timeout_ms = SAFE_FOREVER;
  assert_int_equal(safe_process_wait(process, &wait, NULL, NULL), SAFE_ECANCELED);
  stop.grace_ms = 0;
  assert_int_equal(safe_process_stop(process, &stop, NULL, NULL), SAFE_OK);
  safe_cancel_free(cancel);
  safe_process_free(process);
}

static void freeing_ends_nobody(void **state) {
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process = start_child(argv, &options);
  HANDLE kept = OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, (DWORD)safe_process_pid(process));

  (void)state;
  assert_non_null(kept);
  safe_process_free(process);
  assert_int_equal(WaitForSingleObject(kept, 200), WAIT_TIMEOUT);
  TerminateProcess(kept, 0);
  assert_int_equal(WaitForSingleObject(kept, 5000), WAIT_OBJECT_0);
  CloseHandle(kept);
}

int main(int count, char **args) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(communicate_both_ways), cmocka_unit_test(communicate_goes_on),
    cmocka_unit_test(input_is_refused),      cmocka_unit_test(a_grandchild_keeps_the_pipe),
    cmocka_unit_test(a_taken_pipe),          cmocka_unit_test(given_handles_as_streams),
    cmocka_unit_test(stop_by_force),         cmocka_unit_test(stop_politely),
    cmocka_unit_test(stop_the_child_alone),  cmocka_unit_test(waiting_ends_in_time),
    cmocka_unit_test(freeing_ends_nobody),
  };

  if (count > 1) return play_child(count, args);
  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
