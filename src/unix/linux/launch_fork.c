/* SPDX-License-Identifier: MIT */
/*
 * Where no process may share our memory: a copy of it, and a pipe that tells of a failed exec and closes itself at
 * a successful one. A fork in another thread of the host, at this very moment and without exec, keeps that pipe
 * open: the deadline still holds, but the child is then killed for nothing.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "above_stdio.h"
#include "kernel.h"
#include "launch.h"
#include "pipe.h"

static long make_child(struct safe__plan *plan, struct safe__tree *tree, int *pidfd) {
  uint64_t mask;
  long pid;

  mask = safe__block_signals();
  pid =
    safe__start_child(CLONE_PIDFD | SIGCHLD, NULL, pidfd, NULL, plan, tree, tree == NULL ? -1 : tree->cgroup.folder);
  if (pid < 0) *pidfd = -1; /* a clone that fails late has written one that is not open */
  if (pid == -EINVAL || pid == -ENOSYS || pid == -EPERM) {
    /* An older kernel, qemu-user, Valgrind, or a processor without a clone of our own. */
    pid = fork();
    if (pid == 0) _exit(tree == NULL ? safe__child_run(plan) : safe__child_start(&tree->start));
    if (pid < 0) pid = -errno;
  }
  safe__restore_signals(mask);
  if (pid > 0 && *pidfd < 0) {
    *pidfd = safe__pidfd_open(pid); /* our child cannot vanish before it is reaped */
  }
  *pidfd = safe__above_stdio(*pidfd);
  return pid;
}

int safe__launch_hear(int fd, struct safe__child_report *report, int64_t deadline) {
  struct pollfd ready = {fd, POLLIN, 0};
  int words[3];
  ssize_t length;

  for (;;) {
    if (poll(&ready, 1, (int)safe__left_ms(deadline, 1000)) > 0) {
      length = read(fd, words, sizeof(words)); /* 12 bytes, less than PIPE_BUF: all or nothing */
      if (length < 0 && errno == EINTR) continue;
      if (length < (ssize_t)sizeof(words)) return 0;
      report->stage = words[0];
      report->index = words[1];
      report->os_code = words[2];
      return 1;
    }
    if (safe__os_now() >= deadline) return -1;
  }
}

int safe__launch_fork(struct safe__plan **plan, struct safe__tree *tree, int64_t deadline, struct safe__child *child,
                      safe_error *error) {
  struct safe__child_report report = {0, 0, 0};
  int fds[2], heard, pidfd = -1;
  long pid;

  if (safe__pipe(fds) != 0) return safe__fail_os(error, errno, SAFE_STAGE_CREATE, -1, "A pipe cannot be made");
  (*plan)->shared = false;
  (*plan)->error_fd = fds[1];
  if (fds[1] > (*plan)->highest) (*plan)->highest = fds[1];
  pid = make_child(*plan, tree, &pidfd);
  close(fds[1]);
  (*plan)->error_fd = -1; /* not for the next way to make a child, after which the number may be the host's */
  if (pid < 0) {
    close(fds[0]);
    return safe__fail_os(error, -pid, SAFE_STAGE_CREATE, -1, "No process can be made");
  }
  heard = safe__launch_hear(fds[0], &report, deadline);
  close(fds[0]);
  if (heard == 0) {
    child->pid = pid;
    child->exit_fd = pidfd;
    return SAFE_OK;
  }
  return safe__launch_abandon(plan, tree, NULL, pidfd, pid,
                              heard < 0 ? SAFE_ETIMEDOUT : safe__plan_failure(*plan, &report, error), error);
}
