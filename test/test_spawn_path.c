/* SPDX-License-Identifier: MIT */
/* Standard streams that are files named by their paths (Unix). */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support_unix.h"

static safe_stdio path_of(const char *path, uint32_t flags) {
  safe_stdio stdio = SAFE_STDIO_INIT;

  stdio.kind = SAFE_STDIO_PATH;
  stdio.path = path;
  stdio.flags = flags;
  return stdio;
}

static void run(const safe_spawn_options *options) { expect_output(options, ""); }

static void expect_file(const char *path, const char *expected) {
  char *text = read_file(path);

  assert_string_equal(text, expected);
  free(text);
}

static void expect_failure(const safe_spawn_options *options, int code, int index, int os_code) {
  struct host *before = host_now();
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  assert_code(safe_spawn(&process, options, &error), code);
  assert_null(process);
  assert_int_equal(error.stage, SAFE_STAGE_STDIO);
  assert_int_equal(error.index, index);
  assert_int_equal(error.os_code, os_code);
  expect_host(before);
  free(before);
}

static void a_file_is_read_and_written(void **state) {
  safe_spawn_options options = of_shell("cat; echo problem >&2");

  (void)state;
  make_file("input", "line\n");
  make_file("output", "something much longer\n");
  options.in = path_of("input", 0);
  options.out = path_of("output", 0);
  options.err = path_of("errors", 0);
  run(&options);
  expect_file("output", "line\n");
  expect_file("errors", "problem\n");
  options.out = path_of("output", SAFE_STDIO_APPEND);
  run(&options);
  expect_file("output", "line\nline\n");
  expect_file("input", "line\n");
}

/* Each opens it anew: with two appenders nothing is overwritten. TO_OUT is the very same file as stdout. */
static void both_outputs_can_be_one_file(void **state) {
  safe_spawn_options options = of_shell("echo one; echo two >&2; echo three");

  (void)state;
  options.out = path_of("both", 0);
  options.err.kind = SAFE_STDIO_TO_OUT;
  run(&options);
  expect_file("both", "one\ntwo\nthree\n");
  options.out = path_of("both", SAFE_STDIO_APPEND);
  options.err = path_of("both", SAFE_STDIO_APPEND);
  run(&options);
  expect_file("both", "one\ntwo\nthree\none\ntwo\nthree\n");
}

/* With the host's three closed the child's opens get these very numbers, in the wrong order. */
static void closed_streams_of_the_host_are_not_mixed_up(void **state) {
  safe_spawn_options options = of_shell("cat; echo problem >&2");
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int saved[3], at, code;

  (void)state;
  make_file("input", "line\n");
  options.in = path_of("input", 0);
  options.out = path_of("closed-out", 0);
  options.err = path_of("closed-err", 0);
  for (at = 0; at < 3; at++) saved[at] = fcntl(at, F_DUPFD_CLOEXEC, 10);
  for (at = 0; at < 3; at++) close(at);
  code = safe_spawn(&process, &options, &error);
  if (code == SAFE_OK) code = safe_process_wait(process, NULL, NULL, NULL);
  for (at = 0; at < 3; at++) {
    if (saved[at] < 0) continue;
    dup2(saved[at], at);
    close(saved[at]);
  }
  assert_code(code, SAFE_OK);
  safe_process_free(process);
  expect_file("closed-out", "line\n");
  expect_file("closed-err", "problem\n");
}

static void access_rights_are_as_asked(void **state) {
  safe_spawn_options options = of_shell("true");
  struct stat found;
  mode_t old = umask(022);

  (void)state;
  options.out = path_of("rights", 0);
  run(&options);
  assert_int_equal(stat("rights", &found), 0);
  assert_int_equal(found.st_mode & 07777, 0644);
  unlink("rights");
  options.out.mode = 0770;
  run(&options);
  assert_int_equal(stat("rights", &found), 0);
  assert_int_equal(found.st_mode & 07777, 0750);
  unlink("rights");
  options.umask = 0007;
  run(&options);
  assert_int_equal(stat("rights", &found), 0);
  assert_int_equal(found.st_mode & 07777, 0770);
  umask(old);
  options.out.mode = 010000;
  assert_code(safe_spawn(&(safe_process *){NULL}, &options, NULL), SAFE_EINVAL);
}

/* Whatever folder the child begins in. */
static void a_relative_path_is_meant_from_here(void **state) {
  safe_spawn_options options = of_shell("cat; pwd");

  (void)state;
  make_file("input", "line\n");
  options.in = path_of("./input", 0);
  options.out = path_of("from-here", 0);
  options.cwd = "/";
  run(&options);
  expect_file("from-here", "line\n/\n");
}

static void what_cannot_be_opened_is_named(void **state) {
  safe_spawn_options options = of_shell("true");
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  make_file("there", "x");
  options.in = path_of("no/such/file", 0);
  expect_failure(&options, SAFE_ENOENT, 0, ENOENT);
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  if (strstr(error.message, "no/such/file") == NULL) fail_msg("%s", error.message);
  options.in = path_of("/", 0);
  options.out = path_of("/", 0);
  expect_failure(&options, SAFE_EISDIR, 1, EISDIR);
  options.out = path_of("there", SAFE_STDIO_NEW);
  expect_failure(&options, SAFE_ESYSTEM, 1, EEXIST);
  expect_file("there", "x");
  options.out = path_of("there/below", 0);
  expect_failure(&options, SAFE_ENOTDIR, 1, ENOTDIR);
  options.out = path_of("new", SAFE_STDIO_NEW);
  options.err = path_of("new", SAFE_STDIO_NEW); /* made by the one before */
  expect_failure(&options, SAFE_ESYSTEM, 2, EEXIST);
}

static void what_makes_no_sense_is_refused(void **state) {
  safe_spawn_options options = of_shell("true");
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int at;

  (void)state;
  for (at = 0; at < 5; at++) {
    options.in = options.out = (safe_stdio)SAFE_STDIO_INIT;
    if (at == 0) options.in = path_of("x", SAFE_STDIO_APPEND);
    if (at == 1) options.in = path_of(NULL, 0);
    if (at == 2) options.in = path_of("", 0);
    if (at == 3) options.out = path_of("x", SAFE_STDIO_BLOCKING);
    if (at == 4) options.out.flags = SAFE_STDIO_APPEND;
    assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
    assert_int_equal(error.stage, SAFE_STAGE_ARGUMENTS);
    assert_int_equal(error.index, at < 3 ? 0 : 1);
  }
}

/* It is the child that opens it: a FIFO without a writer holds up nobody for longer than the deadline. */
static void a_fifo_that_nobody_opens_costs_the_deadline(void **state) {
  safe_spawn_options options = of_shell("true");
  safe_error error = SAFE_ERROR_INIT;
  struct host *before;
  safe_process *process;
  int64_t began;

  (void)state;
  assert_int_equal(mkfifo("fifo", 0600), 0);
  options.in = path_of("fifo", 0);
  options.timeout_ms = 200;
  before = host_now();
  began = now_ms();
  assert_code(safe_spawn(&process, &options, &error), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, 199, 200 + 200 * slowness());
  expect_host(before);
  free(before);
}

static void a_fifo_that_somebody_writes_is_read(void **state) {
  safe_spawn_options reader = of_shell("cat >copied"), writer = of_shell("sleep 0.1; echo line >written");
  safe_process *reading, *writing;

  (void)state;
  assert_int_equal(mkfifo("written", 0600), 0);
  reader.in = path_of("written", 0);
  reader.timeout_ms = 20000;
  assert_code(safe_spawn(&writing, &writer, NULL), SAFE_OK);
  assert_code(safe_spawn(&reading, &reader, NULL), SAFE_OK);
  assert_code(safe_process_wait(reading, NULL, NULL, NULL), SAFE_OK);
  assert_code(safe_process_wait(writing, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(reading);
  safe_process_free(writing);
  expect_file("copied", "line\n");
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_file_is_read_and_written),
    cmocka_unit_test(both_outputs_can_be_one_file),
    cmocka_unit_test(closed_streams_of_the_host_are_not_mixed_up),
    cmocka_unit_test(access_rights_are_as_asked),
    cmocka_unit_test(a_relative_path_is_meant_from_here),
    cmocka_unit_test(what_cannot_be_opened_is_named),
    cmocka_unit_test(what_makes_no_sense_is_refused),
    cmocka_unit_test(a_fifo_that_nobody_opens_costs_the_deadline),
    cmocka_unit_test(a_fifo_that_somebody_writes_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
