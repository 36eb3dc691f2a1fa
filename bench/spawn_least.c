/* SPDX-License-Identifier: MIT */
#include "spawn_least.h"

#include <poll.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "measure.h"

#define STACK_BYTES 16384
#define FLAGS (CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CHILD_CLEARTID)

/* Of each thread: the stack of a child, and the word that its exec clears. */
static _Thread_local char stack[STACK_BYTES] __attribute__((aligned(16)));
static _Thread_local int word;
static const uint64_t no_action[8]; /* SIG_DFL, no flags, no mask */

static int load(void *path) {
  char *const argv[] = {path, NULL}, *const env[] = {NULL};

  safe__raw6(SYS_close_range, 3, ~0u, SAFE__CLOSE_RANGE_UNSHARE, 0, 0, 0);
  safe__restore_signals(0);
  safe__raw6(SYS_execve, (long)path, (long)argv, (long)env, 0, 0, 0);
  return 127;
}

static int reset_and_load(void *path) {
  int number;

  for (number = 1; number <= 64; number++)
    safe__raw6(SYS_rt_sigaction, number, (long)no_action, 0, sizeof(uint64_t), 0, 0);
  return load(path);
}

int bench_spawn_least(const char *path, bool keep, int64_t *returned) {
  int pidfd = -1;
  uint64_t mask;
  long pid;

  word = 1;
  mask = safe__block_signals();
  pid = keep
          ? safe__kernel.clone3(FLAGS | CLONE_CLEAR_SIGHAND, stack + STACK_BYTES, &pidfd, &word, load, (void *)path, -1)
          : safe__raw_clone(FLAGS, stack + STACK_BYTES, &pidfd, &word, reset_and_load, (void *)path);
  safe__restore_signals(mask);
  bench_need(pid > 0, "clone");
  while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) != 0) safe__futex_wait(&word, 1, INT64_MAX);
  *returned = bench_now();
  return pidfd;
}

void bench_least_reap(int pidfd) {
  struct pollfd ready = {pidfd, POLLIN, 0};
  siginfo_t info;

  bench_need(poll(&ready, 1, -1) == 1 && safe__waitid(pidfd, -1, &info, WEXITED, NULL) == 0, "waitid");
  close(pidfd);
}
