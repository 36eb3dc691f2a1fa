/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "safehold.h"
#include "spawn_least.h"

static const char *child_path;
static bool with_pipes; /* for ours */
static uint32_t flags;  /* likewise */

/* Until the call returns, and until the child is reaped. */
struct times {
  struct samples returned, reaped;
};

static void raw_spawn(struct times *times) {
  char *const argv[] = {(char *)child_path, NULL};
  int64_t began = bench_now();
  pid_t child = vfork();

  if (child == 0) {
    execve(child_path, argv, NULL);
    _exit(127);
  }
  samples_add(&times->returned, (double)(bench_now() - began));
  bench_need(waitpid(child, NULL, 0) == child, "waitpid");
  samples_add(&times->reaped, (double)(bench_now() - began));
}

static void our_spawn(struct times *times) {
  const char *const argv[] = {child_path, NULL};
  const char *const env[] = {NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int64_t began = bench_now();
  safe_process *process;

  options.argv = argv;
  options.env = env;
  options.flags = flags;
  if (with_pipes) options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  if (safe_spawn(&process, &options, &error) != 0) {
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
  samples_add(&times->returned, (double)(bench_now() - began));
  bench_need(safe_process_wait(process, NULL, NULL, NULL) == 0, "safe_process_wait");
  safe_process_free(process);
  samples_add(&times->reaped, (double)(bench_now() - began));
}

static void least_spawn(struct times *times) {
  int64_t began = bench_now(), returned;
  int pidfd = bench_spawn_least(child_path, flags == SAFE_SPAWN_KEEP_IGNORED, &returned);

  samples_add(&times->returned, (double)(returned - began));
  bench_least_reap(pidfd);
  samples_add(&times->reaped, (double)(bench_now() - began));
}

static void report(const char *kind, const char *suffix, struct samples *ours, struct samples *raw,
                   struct samples *least) {
  char name[48], extra[32];

  snprintf(name, sizeof(name), "spawn.%s%s", kind, suffix);
  snprintf(extra, sizeof(extra), "least=%.2f", samples_median(least) / 1000);
  bench_report(name, "us", 1000, ours, raw, extra);
  samples_free(least);
}

static void spawn(const char *suffix) {
  struct times ours = {{0}, {0}}, raw = {{0}, {0}}, least = {{0}, {0}};
  int round;

  for (round = 0; round < bench_rounds(2000); round++) {
    our_spawn(&ours);
    raw_spawn(&raw);
    least_spawn(&least);
  }
  report("return", suffix, &ours.returned, &raw.returned, &least.returned);
  report("wait", suffix, &ours.reaped, &raw.reaped, &least.reaped);
}

/* Like with like: vfork's child has the ignored signals too. */
static void spawn_that_keeps(void) {
  flags = SAFE_SPAWN_KEEP_IGNORED;
  spawn(".keep");
  flags = 0;
}

/* ---- spawn.return.dense15000: three pipes above 15,000 other descriptors, with low numbers in reserve. */

static void close_all(int (*pipes)[2]) {
  int at;

  for (at = 0; at < 3; at++) {
    close(pipes[at][0]);
    close(pipes[at][1]);
  }
}

static void raw_spawn_with_pipes(struct times *times) {
  char *const argv[] = {(char *)child_path, NULL};
  int64_t began = bench_now();
  int pipes[3][2], at;
  pid_t child;

  for (at = 0; at < 3; at++) bench_need(pipe2(pipes[at], O_CLOEXEC) == 0, "pipe2");
  child = vfork();
  if (child == 0) {
    dup2(pipes[0][0], 0);
    dup2(pipes[1][1], 1);
    dup2(pipes[2][1], 2);
    execve(child_path, argv, NULL);
    _exit(127);
  }
  samples_add(&times->returned, (double)(bench_now() - began));
  bench_need(waitpid(child, NULL, 0) == child, "waitpid");
  close_all(pipes);
  samples_add(&times->reaped, (double)(bench_now() - began));
}

static void spawn_dense(void) {
  struct times ours = {{0}, {0}}, raw = {{0}, {0}};
  int round;

  for (round = 0; round < bench_rounds(2000); round++) {
    with_pipes = true;
    our_spawn(&ours);
    with_pipes = false;
    raw_spawn_with_pipes(&raw);
  }
  bench_report("spawn.return.dense15000", "us", 1000, &ours.returned, &raw.returned, NULL);
  bench_report("spawn.wait.dense15000", "us", 1000, &ours.reaped, &raw.reaped, NULL);
}

/* An empty suffix: the dense rows. */
static void spawn_with_descriptors(const char *suffix, int count) {
  int *fds = calloc((size_t)count, sizeof(*fds)), at, opened = 0;
  struct rlimit limit;

  bench_need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  for (at = 0; at < count; at++) {
    fds[at] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    opened += fds[at] >= 0;
  }
  if (opened == count && suffix[0] != '\0')
    spawn(suffix);
  else if (opened == count)
    spawn_dense();
  else
    fprintf(stderr, "spawn%s: left out, only %d descriptors may be open\n", suffix, opened);
  for (at = 0; at < count; at++)
    if (fds[at] >= 0) close(fds[at]);
  free(fds);
}

/* ---- spawn.threads: wall time for each child, from so many threads at once. */

struct crowd {
  void (*start)(struct times *times);
  int rounds;
};

static void *spawn_in_a_crowd(void *argument) {
  const struct crowd *crowd = argument;
  struct times times = {{0}, {0}};
  int round;

  for (round = 0; round < crowd->rounds; round++) crowd->start(&times);
  samples_free(&times.returned);
  samples_free(&times.reaped);
  return NULL;
}

static double spawn_from_threads(int count, void (*start)(struct times *times)) {
  struct crowd crowd = {start, bench_rounds(1600) / count};
  pthread_t threads[8];
  int64_t began = bench_now();
  int at;

  for (at = 0; at < count; at++)
    bench_need(pthread_create(&threads[at], NULL, spawn_in_a_crowd, &crowd) == 0, "a thread");
  for (at = 0; at < count; at++) pthread_join(threads[at], NULL);
  return (double)(bench_now() - began) / (crowd.rounds * count);
}

static void spawn_threads(int count) {
  struct samples ours = {0}, raw = {0}, least = {0};
  char suffix[16] = "";
  int round;

  if (count > 1) snprintf(suffix, sizeof(suffix), ".%d", count);
  for (round = 0; round < 7; round++) {
    samples_add(&ours, spawn_from_threads(count, our_spawn));
    samples_add(&raw, spawn_from_threads(count, raw_spawn));
    samples_add(&least, spawn_from_threads(count, least_spawn));
  }
  report("threads", suffix, &ours, &raw, &least);
}

static void spawn_with_memory(const char *suffix, size_t size) {
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED) {
    fprintf(stderr, "spawn%s: left out, there is not enough memory\n", suffix);
    return;
  }
  memset(memory, 1, size);
  spawn(suffix);
  munmap(memory, size);
}

void bench_spawns(const char *child) {
  if (!bench_wanted("spawn")) return;
  child_path = child;
  spawn("");
  spawn_that_keeps();
  spawn_with_descriptors(".fds1000", 1000);
  spawn_with_descriptors(".fds15000", 15000);
  bench_need(safe_reserve_descriptors(16) == 16, "safe_reserve_descriptors");
  spawn_with_descriptors("", 15000);
  safe_reserve_descriptors(0);
  spawn_threads(1);
  spawn_threads(2);
  spawn_threads(4);
  spawn_threads(8);
  spawn_with_memory(".rss1g", (size_t)1 << 30);
  spawn_with_memory(".rss4g", (size_t)4 << 30);
}
