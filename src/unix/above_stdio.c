/* SPDX-License-Identifier: MIT */
#include "above_stdio.h"

#include <errno.h>
#include <fcntl.h>

#include "uncancelled.h"

int safe__above_stdio(int fd) {
  int copy, saved;

  if (fd < 0 || fd > 2) return fd;
  copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  saved = errno;
  safe__close_uncancelled(fd);
  errno = saved;
  return copy;
}
