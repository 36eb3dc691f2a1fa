/* SPDX-License-Identifier: MIT */
#include "helper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "safehold.h"

void helper_setup(void) {}

int helper_sleep(long ms) {
  struct timespec pause = {ms / 1000, ms % 1000 * 1000000};

  while (nanosleep(&pause, &pause) != 0) continue;
  return 0;
}

void helper_refuse_to_end(void) { signal(SIGTERM, SIG_IGN); }

/* Every number up to the limit, asked one by one: a list of /proc would have to be opened. */
static int say_handles(void) {
  struct rlimit limit;
  int fd;

  getrlimit(RLIMIT_NOFILE, &limit);
  for (fd = 0; fd < (int)limit.rlim_cur; fd++)
    if (fcntl(fd, F_GETFD) >= 0) printf("%d\n", fd);
  return 0;
}

static int say_signals(void) {
  struct sigaction action;
  sigset_t blocked;
  int number;

  sigprocmask(SIG_SETMASK, NULL, &blocked);
  for (number = 1; number < NSIG; number++) {
    if (sigismember(&blocked, number) == 1) printf("blocked %d\n", number);
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler != SIG_DFL) printf("not default %d\n", number);
  }
  puts("done");
  return 0;
}

static const char *blocks(int fd) { return (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 ? "non-blocking" : "blocking"; }

static int leave(long ms) {
  pid_t child = fork();

  if (child == 0) {
    helper_sleep(ms);
    _exit(0);
  }
  printf("%d\n", (int)child);
  return child < 0;
}

/* Each in a session of its own: nothing but the number of its parent leads to it, and with orphans not even that. */
static int bomb(int count, bool orphans, long ms) {
  pid_t child, inner;
  int at;

  for (at = 0; at < count; at++) {
    child = fork();
    if (child < 0) return 1;
    if (child == 0) {
      setsid();
      signal(SIGTERM, SIG_IGN);
      inner = orphans ? fork() : 0;
      if (inner == 0) helper_sleep(ms);
      _exit(inner < 0);
    }
    if (orphans) waitpid(child, NULL, 0);
  }
  puts("ready");
  fflush(stdout);
  return helper_sleep(ms);
}

/* Keeps a processor busy for so long, and touches so much memory. */
static int work(long ms, size_t mib) {
  size_t bytes = mib << 20, at;
  char *memory = malloc(bytes);

  if (memory == NULL) return 1;
  for (at = 0; at < bytes; at += 512) memory[at] = 1;
  for (at = 0; clock() < ms * (CLOCKS_PER_SEC / 1000); at = (at + 1) % bytes) memory[at]++;
  free(memory);
  return 0;
}

/* A host that starts a helper with those options, says its number and that of its guard, and goes on. */
static int be_host(char **args, char **rest) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_tree_info info = SAFE_TREE_INFO_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options.flags = (uint32_t)strtoul(args[0], NULL, 10);
  options.tree = atoi(args[1]);
  options.cgroup = strcmp(args[2], "-") == 0 ? NULL : args[2];
  options.file = getenv("SAFEHOLD_TEST_HELPER");
  options.argv = (const char *const *)rest;
  if (safe_spawn(&process, &options, &error) != SAFE_OK || safe_process_tree(process, &info, &error) != SAFE_OK) {
    puts(error.message);
    return 1;
  }
  printf("started %lld %lld %s\n", (long long)safe_process_pid(process), (long long)info.guard, info.cgroup);
  fflush(stdout);
  return helper_sleep(60000);
}

int helper_system(int count, char **args) {
  char folder[4096];

  if (strcmp(args[0], "cwd") == 0) return getcwd(folder, sizeof(folder)) != NULL && puts(folder) >= 0 ? 0 : 1;
  if (strcmp(args[0], "handles") == 0) return say_handles();
  if (strcmp(args[0], "signals") == 0) return say_signals();
  if (strcmp(args[0], "nonblock") == 0) return printf("%s %s\n", blocks(0), blocks(1)) < 0;
  if (strcmp(args[0], "leave") == 0 && count == 2) return leave(atol(args[1]));
  if (strcmp(args[0], "bomb") == 0 && count >= 4) return bomb(atoi(args[1]), atoi(args[2]) != 0, atol(args[3]));
  if (strcmp(args[0], "work") == 0 && count == 3) return work(atol(args[1]), strtoul(args[2], NULL, 10));
  if (strcmp(args[0], "host") == 0 && count >= 5) return be_host(args + 1, args + 4);
  if (strcmp(args[0], "crash") == 0) return raise(SIGSEGV);
  return 99;
}
