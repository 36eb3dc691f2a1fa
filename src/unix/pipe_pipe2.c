/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "above_stdio.h"
#include "pipe.h"

int safe__pipe(int fds[2]) {
  int saved;

  if (pipe2(fds, O_CLOEXEC) != 0) return -1;
  fds[0] = safe__above_stdio(fds[0]);
  fds[1] = safe__above_stdio(fds[1]);
  if (fds[0] >= 0 && fds[1] >= 0) return 0;
  saved = errno;
  if (fds[0] >= 0) close(fds[0]);
  if (fds[1] >= 0) close(fds[1]);
  errno = saved;
  return -1;
}
