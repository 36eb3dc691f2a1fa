/* SPDX-License-Identifier: MIT */
/* Handles of the caller's as input and output: every kind, none of them ever made non-blocking, none that holds up. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "support.h"

#define SIZE ((size_t)3 << 20)

static char *pattern(size_t size) {
  char *bytes = malloc(size);
  size_t at;

  assert_non_null(bytes);
  for (at = 0; at < size; at++) bytes[at] = (char)(at * 7 + at / 4096);
  return bytes;
}

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

static safe_communicate_options to_handle(int fd, int64_t timeout_ms) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;

  options.out.kind = SAFE_SINK_HANDLE;
  options.out.handle = fd;
  options.timeout_ms = timeout_ms;
  return options;
}

static bool is_blocking(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0; }

/* ---- Output to a handle. */

/* Reads to the end of fd in another process, after a pause, in which the writer has to wait. To be made before a child
   is spawned: a copy of this process has our ends of its pipes. */
static pid_t reader_of(int fd, int other, int64_t pause_ms, const char *expected, size_t size) {
  pid_t pid = fork();
  char buffer[65536];
  size_t at = 0;
  ssize_t length;

  if (pid != 0) return pid;
  close(other);
  sleep_ms(pause_ms);
  while ((length = read(fd, buffer, sizeof(buffer))) > 0) {
    if (at + (size_t)length > size || memcmp(buffer, expected + at, (size_t)length) != 0) _exit(1);
    at += (size_t)length;
  }
  _exit(at == size ? 0 : 2);
}

static void check_reader(pid_t pid) {
  int status;

  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

/* ends[1] is written to by us, ends[0] read by the other process. */
static void send_all(int ends[2]) {
  safe_communicate_options options = to_handle(ends[1], 60000);
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  char *input = pattern(SIZE);
  pid_t reader = reader_of(ends[0], ends[1], 100, input, SIZE);
  safe_process *process = piped("echo", NULL);

  close(ends[0]);
  options.input = input;
  options.input_length = SIZE;
  if (safe_process_communicate(process, &options, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(output.out_total, SIZE);
  assert_int_equal(output.out_length, 0);
  assert_int_equal(output.flags, 0);
  assert_true(is_blocking(ends[1]));
  assert_int_equal(close(ends[1]), 0); /* still the caller's */
  check_reader(reader);
  safe_output_free(&output);
  safe_process_free(process);
  free(input);
}

static void a_pipe_takes_all(void **state) {
  int ends[2];

  (void)state;
  assert_int_equal(pipe(ends), 0);
  send_all(ends);
}

static void a_socket_takes_all(void **state) {
  int ends[2];

  (void)state;
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  send_all(ends);
}

static void a_file_takes_all(void **state) {
  int fd = open("taken", O_RDWR | O_CREAT | O_TRUNC, 0600);
  safe_communicate_options options = to_handle(fd, 60000);
  char *input = pattern(SIZE), *content = malloc(SIZE);
  safe_process *process = piped("echo", NULL);

  (void)state;
  options.input = input;
  options.input_length = SIZE;
  assert_int_equal(pwrite(fd, "head", 4, 0), 4);
  assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
  assert_code(safe_process_communicate(process, &options, NULL, NULL), SAFE_OK);
  assert_int_equal(lseek(fd, 0, SEEK_CUR), 4 + SIZE);
  assert_int_equal(pread(fd, content, SIZE, 4), SIZE);
  assert_memory_equal(content, input, SIZE);
  close(fd);
  safe_process_free(process);
  free(input);
  free(content);
}

/* Nobody reads the pipe: the deadline holds, and what did not go through goes through the next time. */
static void a_full_pipe_holds_nobody_up(void **state) {
  safe_communicate_options options;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  char *input = pattern(SIZE);
  safe_process *process;
  uint64_t used;
  int ends[2];
  pid_t reader;
  int64_t began;

  (void)state;
  assert_int_equal(pipe(ends), 0);
  reader = reader_of(ends[0], ends[1], 1500 * slowness(), input, SIZE);
  process = piped("echo", NULL);
  close(ends[0]);
  options = to_handle(ends[1], 300);
  options.input = input;
  options.input_length = SIZE;
  began = now_ms();
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, 299, 300 + 1000 * slowness());
  used = output.input_used;
  safe_output_free(&output);
  options.timeout_ms = 60000;
  options.input = input + used;
  options.input_length = SIZE - (size_t)used;
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_OK);
  close(ends[1]);
  check_reader(reader);
  safe_output_free(&output);
  safe_process_free(process);
  free(input);
}

/* What a handle did not take goes where the next call wants it, though the child has ended and its pipe is closed. */
static void what_a_handle_did_not_take_goes_on(void **state) {
  safe_process *process = piped("flood", "150000");
  safe_communicate_options options;
  safe_output output = SAFE_OUTPUT_INIT;
  char *text = malloc(150000);
  int ends[2], at;
  ssize_t length;

  (void)state;
  assert_int_equal(pipe(ends), 0);
  options = to_handle(ends[1], 300);
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_ETIMEDOUT);
  safe_output_free(&output);
  length = read(ends[0], text, 150000);
  assert_in_range(length, 1, 149999);
  assert_code(safe_process_communicate(process, NULL, &output, NULL), SAFE_OK);
  assert_int_equal((size_t)length + output.out_length, 150000);
  memcpy(text + length, output.out, output.out_length);
  for (at = 0; at < 150000; at++) assert_int_equal(text[at], 'a' + at % 26);
  close(ends[0]);
  close(ends[1]);
  safe_output_free(&output);
  safe_process_free(process);
  free(text);
}

static volatile sig_atomic_t signals;
static void count_signal(int number) {
  (void)number;
  signals++;
}

static void without_a_reader_it_is_an_error(void **state) {
  struct sigaction count = {0}, before;
  safe_error error = SAFE_ERROR_INIT;
  int ends[2], kind;

  (void)state;
  count.sa_handler = count_signal;
  sigaction(SIGPIPE, &count, &before);
  for (kind = 0; kind < 2; kind++) {
    safe_process *process = piped("flood", "100000");
    safe_communicate_options options;

    assert_int_equal(kind == 0 ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    close(ends[0]);
    options = to_handle(ends[1], 60000);
    assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EPIPE);
    assert_int_equal(error.index, 1);
    close(ends[1]);
    end_helper(process);
  }
  assert_int_equal(signals, 0);
  sigaction(SIGPIPE, &before, NULL);
}

/* Both outputs to one handle, one end of a pipe given for the other, one that is closed. */
static void handles_that_do_not_fit_are_named(void **state) {
  safe_process *process = piped("both", "1000");
  safe_communicate_options options;
  safe_error error = SAFE_ERROR_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  char text[4096];
  int ends[2];

  (void)state;
  assert_int_equal(pipe(ends), 0);
  options = to_handle(ends[0], 60000);
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_EBADF);
  assert_int_equal(error.index, 1);
  assert_null(output.out);
  options.out.kind = SAFE_SINK_MEMORY;
  options.input_handle = ends[1];
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EBADF);
  assert_int_equal(error.index, 0);
  options = to_handle(ends[1], 60000);
  options.err = options.out;
  assert_code(safe_process_communicate(process, &options, &output, &error), SAFE_OK);
  assert_int_equal(read(ends[0], text, sizeof(text)), 2000);
  close(ends[0]);
  close(ends[1]);
  safe_output_free(&output);
  safe_process_free(process);
  process = piped("exit", "0");
  options = to_handle(ends[1], 60000);
  assert_code(safe_process_communicate(process, &options, NULL, &error), SAFE_EBADF);
  assert_true(error.os_code == EBADF);
  end_helper(process);
}

/* ---- Input from a handle. */

static void feed_from(int fd, size_t expected) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process = piped("swallow", NULL);

  options.input_handle = fd;
  options.timeout_ms = 60000;
  if (safe_process_communicate(process, &options, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(atol(output.out), expected);
  assert_int_equal(output.input_used, expected);
  assert_true(is_blocking(fd));
  safe_output_free(&output);
  safe_process_free(process);
}

static void files_pipes_and_sockets_give_input(void **state) {
  static char *bytes; /* not on the stack of the copies of this process, where Valgrind does not find it any more */
  int ends[2], kind, fd = open("given", O_RDWR | O_CREAT | O_TRUNC, 0600);
  pid_t writer;

  (void)state;
  bytes = pattern(SIZE);
  assert_int_equal(write(fd, bytes, SIZE), SIZE);
  assert_int_equal(lseek(fd, 1000, SEEK_SET), 1000);
  feed_from(fd, SIZE - 1000);
  close(fd);
  for (kind = 0; kind < 2; kind++) {
    assert_int_equal(kind == 0 ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    writer = fork();
    if (writer == 0) {
      close(ends[0]);
      usleep(50000);
      _exit(write(ends[1], bytes, SIZE) == (ssize_t)SIZE ? 0 : 1);
    }
    close(ends[1]);
    feed_from(ends[0], SIZE);
    close(ends[0]);
    check_reader(writer);
  }
  free(bytes);
}

/* A source that never ends, and a child that does not wait for it. */
static void a_silent_source_holds_nobody_up(void **state) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process = piped("exit", "3");
  int ends[2];
  int64_t began = now_ms();

  (void)state;
  assert_int_equal(pipe(ends), 0);
  options.input_handle = ends[0];
  options.timeout_ms = 60000;
  options.drain_ms = 60000;
  assert_code(safe_process_communicate(process, &options, &output, NULL), SAFE_OK);
  assert_true(now_ms() - began < 5000 * slowness());
  assert_int_equal(output.flags, SAFE_OUTPUT_IN_REFUSED);
  safe_output_free(&output);
  safe_process_free(process);
  process = piped("sleep", "60000");
  options.timeout_ms = 100;
  assert_code(safe_process_communicate(process, &options, NULL, NULL), SAFE_ETIMEDOUT);
  end_helper(process);
  close(ends[0]);
  close(ends[1]);
}

/* What was read from the handle and not taken by the child in time is not lost. */
static void input_that_waits_is_kept(void **state) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  char late_ms[16];
  safe_process *process;
  char *bytes = pattern(SIZE);
  int fd = open("given late", O_RDWR | O_CREAT | O_TRUNC, 0600), rounds = 0, code;
  long swallowed = 0;

  (void)state;
  snprintf(late_ms, sizeof(late_ms), "%d", 400 * slowness());
  process = piped("late", late_ms);
  assert_int_equal(write(fd, bytes, SIZE), SIZE);
  assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
  options.input_handle = fd;
  options.timeout_ms = 50;
  do {
    code = safe_process_communicate(process, &options, &output, NULL);
    if (output.out_length > 0) swallowed = atol(output.out);
    safe_output_free(&output);
  } while (code == SAFE_ETIMEDOUT && rounds++ < 1000);
  assert_code(code, SAFE_OK);
  assert_true(rounds > 2);
  assert_int_equal(swallowed, SIZE);
  safe_process_free(process);
  close(fd);
  free(bytes);
}

/* ---- Terminals. */

static int open_master(int *slave) {
  int master = posix_openpt(O_RDWR | O_NOCTTY);
  struct termios raw;

  assert_true(master >= 0);
  assert_int_equal(grantpt(master), 0);
  assert_int_equal(unlockpt(master), 0);
  *slave = open(ptsname(master), O_RDWR | O_NOCTTY);
  assert_true(*slave >= 0);
  tcgetattr(*slave, &raw);
  raw.c_oflag &= ~(tcflag_t)OPOST;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  tcsetattr(*slave, TCSANOW, &raw);
  return master;
}

/* A terminal whose output was stopped (Ctrl-S) would hold up a plain write for as long as it is. */
static void a_stopped_terminal_holds_nobody_up(void **state) {
  safe_process *process = piped("flood", "100000");
  safe_communicate_options options;
  char text[4096];
  size_t got = 0;
  int slave, master = open_master(&slave);
  struct pollfd ready = {master, POLLIN, 0};
  int code, rounds = 0;

  (void)state;
  assert_int_equal(tcflow(slave, TCOOFF), 0);
  options = to_handle(slave, 200);
  assert_code(safe_process_communicate(process, &options, NULL, NULL), SAFE_ETIMEDOUT);
  assert_true(is_blocking(slave));
  assert_int_equal(tcflow(slave, TCOON), 0);
  options.timeout_ms = 20;
  do {
    code = safe_process_communicate(process, &options, NULL, NULL);
    while (poll(&ready, 1, 20) > 0 && (ready.revents & POLLIN) != 0) {
      ssize_t length = read(master, text, sizeof(text));
      if (length <= 0) break;
      got += (size_t)length;
    }
  } while (code == SAFE_ETIMEDOUT && rounds++ < 2000);
  assert_code(code, SAFE_OK);
  assert_int_equal(got, 100000);
  assert_true(is_blocking(slave));
  close(slave);
  close(master);
  safe_process_free(process);
}

/* ---- What is left. */

static void run_leaves_nobody(void **state) {
  const char *const argv[] = {"helper", "leave", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  int ends[2];
  char text[64];

  (void)state;
  assert_int_equal(pipe(ends), 0);
  options.file = helper_path();
  options.argv = argv;
  options.out.kind = SAFE_STDIO_HANDLE;
  options.out.handle = ends[1];
  assert_code(safe_run(&options, NULL, NULL, NULL, NULL), SAFE_OK);
  close(ends[1]);
  assert_true(read(ends[0], text, sizeof(text)) > 0);
  assert_int_equal(read(ends[0], text, sizeof(text)), 0); /* nobody has it open any more */
  close(ends[0]);
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
  return safe_parked_count() == 0 && count_handles() == handles_before ? 0 : -1;
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(a_pipe_takes_all, nothing_is_left),
    cmocka_unit_test_teardown(a_socket_takes_all, nothing_is_left),
    cmocka_unit_test_teardown(a_file_takes_all, nothing_is_left),
    cmocka_unit_test_teardown(a_full_pipe_holds_nobody_up, nothing_is_left),
    cmocka_unit_test_teardown(what_a_handle_did_not_take_goes_on, nothing_is_left),
    cmocka_unit_test_teardown(without_a_reader_it_is_an_error, nothing_is_left),
    cmocka_unit_test_teardown(handles_that_do_not_fit_are_named, nothing_is_left),
    cmocka_unit_test_teardown(files_pipes_and_sockets_give_input, nothing_is_left),
    cmocka_unit_test_teardown(a_silent_source_holds_nobody_up, nothing_is_left),
    cmocka_unit_test_teardown(input_that_waits_is_kept, nothing_is_left),
    cmocka_unit_test_teardown(a_stopped_terminal_holds_nobody_up, nothing_is_left),
    cmocka_unit_test_teardown(run_leaves_nobody, nothing_is_left),
  };
  return cmocka_run_group_tests(tests, count_before, NULL);
}
