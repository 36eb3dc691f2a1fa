/* SPDX-License-Identifier: MIT */
/*
 * macOS has no pipe2, so there is a moment in which both ends are inheritable: a child that another thread of the host
 * makes just then, by other means than ours, gets them. Our own children do not (POSIX_SPAWN_CLOEXEC_DEFAULT).
 *
 * A named FIFO, opened with O_CLOEXEC, would not have that moment, but on macOS neither poll nor kqueue wakes the
 * reader of a FIFO when the last writer closes it (golang/go issue 24164): the end of a child's output would go unseen.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "above_stdio.h"
#include "pipe.h"

int safe__pipe(int fds[2]) {
  int saved;

  if (pipe(fds) != 0) return -1;
  fds[0] = safe__above_stdio(fds[0]);
  fds[1] = safe__above_stdio(fds[1]);
  if (fcntl(fds[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(fds[1], F_SETFD, FD_CLOEXEC) == 0) return 0;
  saved = errno;
  close(fds[0]);
  close(fds[1]);
  errno = saved;
  return -1;
}
