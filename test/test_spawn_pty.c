/* SPDX-License-Identifier: MIT */
/* Children on a pseudo-terminal (Unix). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include "support_unix.h"

static safe_spawn_options on_terminal(const char *command) {
  safe_spawn_options options = of_shell(command);

  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PTY;
  return options;
}

static void need_terminals(void) {
  int fd = posix_openpt(O_RDWR | O_NOCTTY);

  if (fd < 0) {
    print_message("skipped: no pseudo-terminal can be made here\n");
    skip();
  }
  close(fd);
}

/* The terminal writes "\r\n" for a line's end, unless its options say otherwise. */
static void expect_lines(const safe_spawn_options *options, const char *expected) {
  char *text = output_of(options), *from = text, *to = text;

  for (; *from != '\0'; from++)
    if (*from != '\r') *to++ = *from;
  *to = '\0';
  assert_string_equal(text, expected);
  free(text);
}

static void all_three_streams_are_one_terminal(void **state) {
  safe_spawn_options options = on_terminal("test -t 0 && test -t 1 && test -t 2 && echo terminals; exec 3<&1; "
                                           "test $(tty) = $(tty <&3) && test $(tty) = $(tty <&2) && echo the same");

  (void)state;
  need_terminals();
  expect_lines(&options, "terminals\nthe same\n");
}

static void only_those_that_ask_are_terminals(void **state) {
  safe_spawn_options options = on_terminal("test -t 0 || echo in; test -t 1 || echo out; test -t 2 || echo err");

  (void)state;
  need_terminals();
  options.out.kind = SAFE_STDIO_PIPE;
  expect_output(&options, "out\n");
  options.in.kind = SAFE_STDIO_NULL;
  expect_output(&options, "in\nout\n");
  options = on_terminal("test -t 0 || echo in; test -t 1 || echo out; test -t 2 || echo err");
  options.in.kind = SAFE_STDIO_NULL;
  options.err.kind = SAFE_STDIO_PIPE;
  expect_lines(&options, "in\nerr\n");
}

/* stderr comes out where stdout does; where only it is a terminal, as itself. */
static void errors_come_out_of_the_terminal(void **state) {
  safe_spawn_options options = on_terminal("echo problem >&2");
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;

  (void)state;
  need_terminals();
  expect_lines(&options, "problem\n");
  options.err.kind = SAFE_STDIO_TO_OUT;
  expect_lines(&options, "problem\n");
  options.in.kind = options.out.kind = SAFE_STDIO_NULL;
  options.err.kind = SAFE_STDIO_PTY;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_communicate(process, NULL, &output, NULL), SAFE_OK);
  assert_string_equal(output.err, "problem\r\n");
  safe_output_free(&output);
  safe_process_free(process);
}

/* The child is the leader of a session with it, whatever group it was to have. */
static void it_is_the_controlling_terminal(void **state) {
  safe_spawn_options options = on_terminal("echo told the terminal >/dev/tty; ps -o sid= -p $$ | tr -d ' '; echo $$");
  char *text;
  long session, pid;

  (void)state;
  need_terminals();
  text = output_of(&options);
  if (sscanf(text, "told the terminal\r\n%ld\r\n%ld", &session, &pid) != 2) fail_msg("it said: %s", text);
  assert_int_equal(session, pid);
  free(text);
}

static void its_size_is_as_asked_and_can_be_changed(void **state) {
  safe_spawn_options options = on_terminal("stty size");
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;

  (void)state;
  need_terminals();
  expect_lines(&options, "24 80\n");
  options.pty_columns = 132;
  options.pty_rows = 43;
  expect_lines(&options, "43 132\n");

  /* The child is told by SIGWINCH. */
  options.shell = "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done";
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  expect_line(process, "ready");
  assert_code(safe_process_resize(process, 100, 50), SAFE_OK);
  talk.timeout_ms = 20000;
  assert_code(safe_process_communicate(process, &talk, &output, NULL), SAFE_OK);
  assert_string_equal(output.out, "50 100\r\n");
  safe_output_free(&output);
  assert_code(safe_process_resize(process, 0, 50), SAFE_EINVAL);
  assert_code(safe_process_resize(process, 50, 32768), SAFE_EINVAL);
  safe_process_free(process);
  assert_code(safe_process_resize(NULL, 50, 50), SAFE_EINVAL);
}

static void a_child_without_one_cannot_be_resized(void **state) {
  safe_process *process = start_helper("exit", "0", NULL);

  (void)state;
  assert_code(safe_process_resize(process, 80, 25), SAFE_EINVAL);
  end_helper(process);
}

/* The end of the input is told by the terminal's character for it, as it has no other end. */
static void input_is_read_to_its_end(void **state) {
  safe_spawn_options options = on_terminal("stty -echo; echo ready; cat; echo end");
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;
  struct host *before;

  (void)state;
  need_terminals();
  before = host_now();
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  expect_line(process, "ready");
  talk.input = "one\ntwo\n";
  talk.input_length = 8;
  talk.timeout_ms = 5000;
  assert_code(safe_process_communicate(process, &talk, &output, NULL), SAFE_OK);
  assert_string_equal(output.out, "one\r\ntwo\r\nend\r\n");
  safe_output_free(&output);
  safe_process_free(process);
  expect_host(before);
  free(before);
}

/* What the child wrote before its end is there afterwards, and then comes the end, not an error. */
static void output_outlives_the_child(void **state) {
  safe_spawn_options options = on_terminal("echo last words");
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  need_terminals();
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  if (safe_process_communicate(process, NULL, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_string_equal(output.out, "last words\r\n");
  assert_int_equal(output.flags, 0);
  safe_output_free(&output);
  safe_process_free(process);
}

/* A background process of the session is told that its terminal is gone. */
static void a_freed_terminal_hangs_up(void **state) {
  safe_spawn_options options = on_terminal("trap 'echo hung up >hung; exit 0' HUP; echo ready; while :; do sleep 0.05; "
                                           "done");
  safe_process *process;
  int64_t deadline = now_ms() + 20000;

  (void)state;
  need_terminals();
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  expect_line(process, "ready");
  safe_process_free(process);
  while (access("hung", F_OK) != 0 && now_ms() < deadline) sleep_ms(10);
  assert_int_equal(access("hung", F_OK), 0);
  while (safe_parked_count() > 0 && now_ms() < deadline) sleep_ms(10);
  assert_int_equal(safe_parked_count(), 0);
}

static void our_ends_can_be_taken(void **state) {
  safe_spawn_options options = on_terminal("read line; echo \"got $line\"");
  safe_process *process;
  char text[64] = {0};
  size_t length = 0;
  int in, out;

  (void)state;
  need_terminals();
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  in = safe_process_take_pipe(process, 0);
  out = safe_process_take_pipe(process, 1);
  assert_true(in >= 0 && out >= 0 && in != out);
  assert_int_equal(fcntl(in, F_GETFD), FD_CLOEXEC);
  assert_int_equal(fcntl(out, F_GETFD), FD_CLOEXEC);
  assert_int_equal(write(in, "word\n", 5), 5);
  while (strstr(text, "got word") == NULL && length < sizeof(text) - 1 && becomes_ready(out, 20000)) {
    ssize_t moved = read(out, text + length, sizeof(text) - 1 - length);
    if (moved <= 0) break;
    length += (size_t)moved;
  }
  if (strstr(text, "got word") == NULL) fail_msg("it said: %s", text);
  close(in);
  close(out);
  end_helper(process);
}

/* ---- A terminal that the caller has made. */
static void the_callers_own_terminal_becomes_the_controlling_one(void **state) {
  safe_spawn_options options = of_shell("echo told the terminal >/dev/tty");
  int ours = posix_openpt(O_RDWR | O_NOCTTY), theirs;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  char text[64] = {0};

  (void)state;
  need_terminals();
  assert_int_equal(grantpt(ours), 0);
  assert_int_equal(unlockpt(ours), 0);
  theirs = open(ptsname(ours), O_RDWR | O_NOCTTY | O_CLOEXEC);
  assert_true(theirs >= 0);
  options.in.kind = SAFE_STDIO_HANDLE;
  options.in.handle = theirs;
  options.group = SAFE_GROUP_SESSION;
  options.flags = SAFE_SPAWN_CONTROLLING_TERMINAL;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  assert_true(becomes_ready(ours, 20000));
  assert_true(read(ours, text, sizeof(text) - 1) > 0);
  assert_string_equal(text, "told the terminal\r\n");
  safe_process_free(process);
  close(ours);
  close(theirs);

  options.in.kind = SAFE_STDIO_NULL; /* which is none */
  assert_code(safe_spawn(&process, &options, &error), SAFE_ESYSTEM);
  assert_int_equal(error.stage, SAFE_STAGE_TERMINAL);
  assert_int_equal(error.index, 0);
  assert_int_equal(error.os_code, ENOTTY);
}

static void what_does_not_go_together_is_refused(void **state) {
  safe_spawn_options options = on_terminal("true");
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int at;

  (void)state;
  for (at = 0; at < 4; at++) {
    options = on_terminal("true");
    if (at == 0) options.group = SAFE_GROUP_HOST;
    if (at == 1) options.flags = SAFE_SPAWN_CONTROLLING_TERMINAL;
    if (at == 2) options.pty_columns = 32768;
    if (at == 3) {
      options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_NULL;
      options.flags = SAFE_SPAWN_CONTROLLING_TERMINAL; /* without a session */
    }
    assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
    assert_int_equal(error.stage, SAFE_STAGE_ARGUMENTS);
  }
}

/* Each descriptor that a terminal takes is the last one once. */
static void a_terminal_that_cannot_be_made_leaves_nothing(void **state) {
  safe_spawn_options options = on_terminal("true");
  struct host *before;
  struct rlimit old, low;
  int free_ones, lowest;

  (void)state;
  need_terminals();
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  lowest = dup(0);
  close(lowest);
  before = host_now();
  for (free_ones = 0; free_ones < 4; free_ones++) {
    safe_error error = SAFE_ERROR_INIT;
    safe_process *process;
    int code;
    low = old;
    low.rlim_cur = (rlim_t)(lowest + free_ones);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    code = safe_spawn(&process, &options, &error);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_code(code, SAFE_EMFILE);
    assert_int_equal(error.stage, SAFE_STAGE_TERMINAL);
    assert_int_equal(error.os_code, EMFILE);
    expect_host(before);
  }
  free(before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_three_streams_are_one_terminal),
    cmocka_unit_test(only_those_that_ask_are_terminals),
    cmocka_unit_test(errors_come_out_of_the_terminal),
    cmocka_unit_test(it_is_the_controlling_terminal),
    cmocka_unit_test(its_size_is_as_asked_and_can_be_changed),
    cmocka_unit_test(a_child_without_one_cannot_be_resized),
    cmocka_unit_test(input_is_read_to_its_end),
    cmocka_unit_test(output_outlives_the_child),
    cmocka_unit_test(a_freed_terminal_hangs_up),
    cmocka_unit_test(our_ends_can_be_taken),
    cmocka_unit_test(the_callers_own_terminal_becomes_the_controlling_one),
    cmocka_unit_test(what_does_not_go_together_is_refused),
    cmocka_unit_test(a_terminal_that_cannot_be_made_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
