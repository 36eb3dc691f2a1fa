/* SPDX-License-Identifier: MIT */
/* safe_reserve_descriptors: low numbers for the pipes of children, in a host with thousands of descriptors (Linux). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel.h"
#include "support_unix.h"

#define CROWD 2000
static int crowd[CROWD];

/* A host with its lower numbers in use, all but those that were reserved before. */
static void open_crowd(void) {
  struct rlimit limit;
  int at;

  assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
  if (limit.rlim_cur < CROWD + 200) {
    limit.rlim_cur = CROWD + 200;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
      print_message("skipped: no more than %ld descriptors may be opened here\n", (long)limit.rlim_max);
      skip();
    }
  }
  for (at = 0; at < CROWD; at++) {
    crowd[at] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(crowd[at] >= 0);
  }
}

static void close_crowd(void) {
  int at;

  for (at = 0; at < CROWD; at++) close(crowd[at]);
}

/* How many places the descriptor table of a child has that was given these. */
static int table_of(safe_stdio in, const safe_child_handle *handles, size_t count) {
  const char *const argv[] = {"grep", "FDSize", "/proc/self/status", NULL};
  safe_spawn_options options = of_helper(argv);
  char *text;
  int size;

  options.file = NULL;
  options.in = in;
  options.handles = handles;
  options.handle_count = count;
  text = output_of(&options);
  assert_int_equal(sscanf(text, "FDSize: %d", &size), 1);
  free(text);
  return size;
}

static void a_crowded_host_gives_its_children_a_small_table(void **state) {
  safe_stdio in = SAFE_STDIO_INIT;
  safe_child_handle list[2];
  struct host *before;
  int empty = count_handles(), large, small;

  (void)state;
  if (!safe__clone_works()) {
    print_message("skipped: children are forked here, and have a copy of the whole table first\n");
    skip();
  }
  in.kind = SAFE_STDIO_PIPE;
  assert_int_equal(safe_reserve_descriptors(8), 8);
  open_crowd();
  list[0] = (safe_child_handle){crowd[CROWD - 1], 5};
  list[1] = (safe_child_handle){crowd[CROWD - 1], 6};
  before = host_now();
  small = table_of(in, list, 2);
  expect_host(before);
  assert_int_equal(safe_reserve_descriptors(0), 0);
  large = table_of(in, list, 2);
  print_message("the child's table: %d places, without reserved numbers %d\n", small, large);
  assert_true(small <= 64);
  assert_true(large >= CROWD);
  close_crowd();
  assert_int_equal(count_handles(), empty);
  free(before);
}

static void numbers_are_kept_and_given_back(void **state) {
  int before = count_handles(), lowest = dup(0), again;

  (void)state;
  close(lowest);
  assert_int_equal(safe_reserve_descriptors(-1), SAFE_EINVAL);
  assert_int_equal(safe_reserve_descriptors(257), SAFE_EINVAL);
  assert_int_equal(safe_reserve_descriptors(256), 256);
  assert_int_equal(count_handles(), before + 256);
  assert_int_equal(fcntl(lowest, F_GETFD), FD_CLOEXEC);
  assert_int_equal(safe_reserve_descriptors(256), 256); /* the same ones */
  assert_int_equal(count_handles(), before + 256);
  assert_int_equal(safe_reserve_descriptors(3), 3);
  assert_int_equal(count_handles(), before + 3);
  assert_int_equal(safe_reserve_descriptors(0), 0);
  assert_int_equal(count_handles(), before);
  again = dup(0);
  assert_int_equal(again, lowest);
  close(again);
}

static void too_few_descriptors_are_said(void **state) {
  int before = count_handles();
  struct rlimit old, low;

  (void)state;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  low = old;
  low.rlim_cur = 32;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  assert_int_equal(safe_reserve_descriptors(100), SAFE_EMFILE);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
  assert_int_equal(safe_reserve_descriptors(0), 0);
  assert_int_equal(count_handles(), before);
}

/* The child's number for a stream or handle may be one that the host has reserved, and is in use for this very child:
   it must come back, and the pipe's end with it. */
static void a_reserved_number_that_is_also_a_target_comes_back(void **state) {
  const char *const argv[] = {"helper", "handles", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_child_handle list[8];
  struct host *before;
  int at, first, round;

  (void)state;
  first = dup(0);
  close(first);
  assert_int_equal(safe_reserve_descriptors(4), 4);
  open_crowd();
  for (at = 0; at < 8; at++) list[at] = (safe_child_handle){crowd[CROWD - 1 - at], first + at};
  options.handles = list;
  options.handle_count = 8;
  before = host_now();
  for (round = 0; round < 8; round++) {
    free(output_of(&options));
    expect_host(before);
  }
  close_crowd();
  assert_int_equal(safe_reserve_descriptors(0), 0);
  free(before);
}

static long hanging_exec(const char *path, char *const *argv, char *const *envp) {
  (void)path, (void)argv, (void)envp;
  while (safe__raw6(SYS_ppoll, 0, 0, 0, 0, 0, 0) <= 0) continue;
  return -EINTR;
}

static int64_t spared;

static long deaf_kill(int pidfd, int64_t pid, int number) {
  (void)pidfd, (void)number;
  spared = pid;
  return 0;
}

/* A child that cannot be ended keeps its plan, but not the numbers. */
static void a_parked_child_keeps_no_reserved_number(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  struct safe__kernel real = safe__kernel;
  safe_spawn_options options = of_helper(argv);
  struct host *before;
  safe_process *process;

  (void)state;
  options.timeout_ms = 50;
  assert_int_equal(safe_reserve_descriptors(4), 4);
  open_crowd();
  before = host_now();
  safe__kernel.exec = hanging_exec;
  safe__kernel.kill = deaf_kill;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_ESTUCK);
  safe__kernel = real;
  assert_int_equal(safe_parked_count(), 1);
  assert_int_equal(kill((pid_t)spared, SIGKILL), 0);
  assert_code(safe_shutdown(5000), SAFE_OK);
  expect_host(before);
  close_crowd();
  assert_int_equal(safe_reserve_descriptors(0), 0);
  free(before);
}

static void *spawn_often(void *argument) {
  const char *const argv[] = {"helper", "handles", NULL};
  int left;

  (void)argument;
  for (left = 25; left > 0; left--) {
    safe_spawn_options options = of_helper(argv);
    safe_output output = SAFE_OUTPUT_INIT;
    safe_process *process;
    int code = safe_spawn(&process, &options, NULL);
    if (code == SAFE_OK) code = safe_process_communicate(process, NULL, &output, NULL);
    if (code == SAFE_OK && strcmp(output.out, "0\n1\n2\n") != 0) code = SAFE_ESYSTEM;
    safe_output_free(&output);
    safe_process_free(process);
    if (code != SAFE_OK) break;
  }
  return left == 0 ? argument : NULL;
}

static void *reserve_often(void *argument) {
  int at;

  for (at = 0; at < 200; at++) safe_reserve_descriptors(at % 7);
  return argument;
}

/* Each of them gets some, or goes without; none gets another's. */
static void threads_do_not_mix_their_numbers_up(void **state) {
  pthread_t threads[5];
  struct host *before;
  void *done;
  int at;

  (void)state;
  assert_int_equal(safe_reserve_descriptors(6), 6);
  open_crowd();
  before = host_now();
  for (at = 0; at < 4; at++) pthread_create(&threads[at], NULL, spawn_often, threads);
  for (at = 0; at < 4; at++) {
    pthread_join(threads[at], &done);
    assert_ptr_equal(done, threads);
  }
  expect_host(before);
  for (at = 0; at < 4; at++) pthread_create(&threads[at], NULL, spawn_often, threads);
  pthread_create(&threads[4], NULL, reserve_often, threads);
  for (at = 0; at < 5; at++) {
    pthread_join(threads[at], &done);
    assert_ptr_equal(done, threads);
  }
  close_crowd();
  assert_int_equal(safe_reserve_descriptors(0), 0);
  free(before);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_are_kept_and_given_back),
    cmocka_unit_test(too_few_descriptors_are_said),
    cmocka_unit_test(a_crowded_host_gives_its_children_a_small_table),
    cmocka_unit_test(a_reserved_number_that_is_also_a_target_comes_back),
    cmocka_unit_test(a_parked_child_keeps_no_reserved_number),
    cmocka_unit_test(threads_do_not_mix_their_numbers_up),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
