/* SPDX-License-Identifier: MIT */
#include "helper.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

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

int helper_system(int count, char **args) {
  char folder[4096];

  if (strcmp(args[0], "cwd") == 0) return getcwd(folder, sizeof(folder)) != NULL && puts(folder) >= 0 ? 0 : 1;
  if (strcmp(args[0], "handles") == 0) return say_handles();
  if (strcmp(args[0], "signals") == 0) return say_signals();
  if (strcmp(args[0], "nonblock") == 0) return printf("%s %s\n", blocks(0), blocks(1)) < 0;
  if (strcmp(args[0], "leave") == 0 && count == 2) return leave(atol(args[1]));
  if (strcmp(args[0], "crash") == 0) return raise(SIGSEGV);
  return 99;
}
