/* SPDX-License-Identifier: MIT */
#include <spawn.h>
#include <sys/wait.h>

#include "peer.h"

static int64_t spawn(const char *child) {
  char *const argv[] = {(char *)child, NULL}, *const env[] = {NULL};
  int64_t started;
  pid_t pid;

  bench_need(posix_spawn(&pid, child, NULL, NULL, argv, env) == 0, "posix_spawn");
  started = bench_now();
  bench_need(waitpid(pid, NULL, 0) == pid, "waitpid");
  return started;
}

int main(int argc, char **argv) {
  static const struct peer peer = {"posix_spawn", spawn, NULL, 0};

  return peer_main(argc, argv, &peer);
}
