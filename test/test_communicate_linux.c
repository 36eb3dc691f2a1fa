/* SPDX-License-Identifier: MIT */
/* safe_process_communicate without what root may have: with the pipe quota used up, and with pipes that cannot be
   opened once more. */
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define NOBODY 65534
#define SIZE ((size_t)2 << 20)
#define MOST_PIPES 4096

/* In a process of its own, as a user without privileges: 0, or the line that failed. */
static void as_nobody(int (*run)(int fd), int fd) {
  pid_t pid = fork();
  int status;

  assert_true(pid >= 0);
  if (pid == 0) {
    if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) _exit(1);
    _exit(run(fd));
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

/* What the copies of this process have when they end; not on their stacks, where Valgrind does not find it any more. */
static safe_output output = SAFE_OUTPUT_INIT;
static safe_process *process;
static char input[SIZE];

static int start_cat(void) {
  static const char *const argv[] = {"/bin/cat", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

  options.argv = argv;
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  return safe_spawn(&process, &options, NULL);
}

/* Until the kernel refuses a larger pipe, and gives a new one a page or two. */
static bool use_up_the_quota(void) {
  int count, ends[2];

  for (count = 0; count < MOST_PIPES; count++) {
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    if (fcntl(ends[0], F_SETPIPE_SZ, 1 << 20) < 0) break;
  }
  return count < MOST_PIPES && errno == EPERM;
}

static int cat_with_small_pipes(int unused) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  int size;

  (void)unused;
  if (!use_up_the_quota()) return __LINE__ % 256;
  if (start_cat() != SAFE_OK) return __LINE__ % 256;
  options.input = input;
  options.input_length = SIZE;
  options.timeout_ms = 120000;
  options.err.kind = SAFE_SINK_DROP;
  if (safe_process_communicate(process, &options, &output, NULL) != SAFE_OK) return __LINE__ % 256;
  if (output.out_length != SIZE || memcmp(output.out, input, SIZE) != 0) return __LINE__ % 256;
  safe_output_free(&output);
  safe_process_free(process);
  if (start_cat() != SAFE_OK) return __LINE__ % 256;
  size = fcntl(safe_process_take_pipe(process, 1), F_GETPIPE_SZ);
  return size < 65536 ? 0 : __LINE__ % 256; /* else the quota was not used up */
}

static void a_quota_that_is_used_up_is_no_error(void **state) {
  (void)state;
  as_nobody(cat_with_small_pipes, -1);
}

/* A pipe of another user's: polled, and written to and read from a little at a time. */
static int cat_into(int fd) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  char path[64];

  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  if (open(path, O_WRONLY | O_NONBLOCK) >= 0) return __LINE__ % 256; /* it could be opened once more */
  if (start_cat() != SAFE_OK) return __LINE__ % 256;
  options.input = input;
  options.input_length = SIZE;
  options.timeout_ms = 120000;
  options.out.kind = SAFE_SINK_HANDLE;
  options.out.handle = fd;
  if (safe_process_communicate(process, &options, &output, NULL) != SAFE_OK) return __LINE__ % 256;
  return output.out_total == SIZE && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0 ? 0 : __LINE__ % 256;
}

/* And nobody reads it: the deadline holds. */
static int cat_into_full(int fd) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  int64_t began = now_ms();

  if (start_cat() != SAFE_OK) return __LINE__ % 256;
  options.input = input;
  options.input_length = SIZE;
  options.timeout_ms = 200;
  options.out.kind = SAFE_SINK_HANDLE;
  options.out.handle = fd;
  if (safe_process_communicate(process, &options, NULL, NULL) != SAFE_ETIMEDOUT) return __LINE__ % 256;
  if (now_ms() - began > 200 + 1000 * slowness()) return __LINE__ % 256;
  return safe_process_stop(process, NULL, NULL, NULL) == SAFE_OK ? 0 : __LINE__ % 256;
}

static int cat_from(int fd) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;

  if (start_cat() != SAFE_OK) return __LINE__ % 256;
  options.input_handle = fd;
  options.timeout_ms = 120000;
  if (safe_process_communicate(process, &options, &output, NULL) != SAFE_OK) return __LINE__ % 256;
  return output.out_length == SIZE && output.input_used == SIZE ? 0 : __LINE__ % 256;
}

static pid_t other_end(int ends[2], bool reads) {
  static char bytes[65536];
  size_t total = 0;
  ssize_t length;
  pid_t pid = fork();

  if (pid != 0) return pid;
  close(ends[reads ? 1 : 0]);
  sleep_ms(50);
  if (reads)
    while ((length = read(ends[0], bytes, sizeof(bytes))) > 0) total += (size_t)length;
  else
    while (total < SIZE && (length = write(ends[1], bytes, sizeof(bytes))) > 0) total += (size_t)length;
  _exit(total == SIZE ? 0 : 1);
}

static void pipes_that_cannot_be_opened_again_do(void **state) {
  int ends[2], reads, status;
  pid_t other;

  (void)state;
  if (geteuid() != 0) {
    print_message("only root can make a pipe that this user may not open\n");
    skip();
  }
  for (reads = 0; reads < 2; reads++) {
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    other = other_end(ends, reads != 0);
    close(ends[reads ? 0 : 1]);
    as_nobody(reads ? cat_into : cat_from, ends[reads ? 1 : 0]);
    close(ends[reads ? 1 : 0]);
    assert_int_equal(waitpid(other, &status, 0), other);
    assert_int_equal(status, 0);
  }
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  as_nobody(cat_into_full, ends[1]);
  close(ends[0]);
  close(ends[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_quota_that_is_used_up_is_no_error),
    cmocka_unit_test(pipes_that_cannot_be_opened_again_do),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
