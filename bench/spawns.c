/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"
#include "safehold.h"

static const char *child_path;

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
  if (safe_spawn(&process, &options, &error) != 0) {
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
  samples_add(&times->returned, (double)(bench_now() - began));
  bench_need(safe_process_wait(process, NULL, NULL, NULL) == 0, "safe_process_wait");
  safe_process_free(process);
  samples_add(&times->reaped, (double)(bench_now() - began));
}

static void spawn(const char *suffix) {
  struct times ours = {{0}, {0}}, raw = {{0}, {0}};
  char name[48];
  int round;

  for (round = 0; round < bench_rounds(2000); round++) {
    our_spawn(&ours);
    raw_spawn(&raw);
  }
  snprintf(name, sizeof(name), "spawn.return%s", suffix);
  bench_report(name, "us", 1000, &ours.returned, &raw.returned, NULL);
  snprintf(name, sizeof(name), "spawn.wait%s", suffix);
  bench_report(name, "us", 1000, &ours.reaped, &raw.reaped, NULL);
}

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
  if (opened == count)
    spawn(suffix);
  else
    fprintf(stderr, "spawn%s: left out, only %d descriptors may be open\n", suffix, opened);
  for (at = 0; at < count; at++)
    if (fds[at] >= 0) close(fds[at]);
  free(fds);
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
  spawn_with_descriptors(".fds1000", 1000);
  spawn_with_descriptors(".fds15000", 15000);
  spawn_with_memory(".rss1g", (size_t)1 << 30);
  spawn_with_memory(".rss4g", (size_t)4 << 30);
}
