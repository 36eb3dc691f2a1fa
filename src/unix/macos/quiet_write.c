/* SPDX-License-Identifier: MIT */
#include "quiet_write.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * Blocking SIGPIPE in this thread would not do here: for a pipe, the kernel raises it for the process, and any thread
 * of the host that has it unblocked gets it (xnu, sys_generic.c: psignal). But it can be told not to, per open file.
 */
ssize_t safe__quiet_write(int fd, const void *bytes, size_t length) {
  ssize_t moved;

  if (fcntl(fd, F_SETNOSIGPIPE, 1) != 0) return -1;
  do moved = write(fd, bytes, length);
  while (moved < 0 && errno == EINTR);
  return moved;
}
