/* SPDX-License-Identifier: MIT */
#include "quiet_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Blocking SIGPIPE in this thread would not do here: for a pipe, the kernel raises it for the process, and any thread
 * of the host that has it unblocked gets it (xnu, sys_generic.c: psignal). But it can be told not to, per open file;
 * which is put back, as the open file may be the caller's.
 */
static bool silence(int fd, bool *was_silent) {
  int setting = fcntl(fd, F_GETNOSIGPIPE);

  *was_silent = setting > 0;
  return setting > 0 || (setting == 0 && fcntl(fd, F_SETNOSIGPIPE, 1) == 0);
}

static void restore(int fd, bool was_silent) {
  int saved = errno;

  if (!was_silent) fcntl(fd, F_SETNOSIGPIPE, 0);
  errno = saved;
}

ssize_t safe__quiet_write(int fd, const void *bytes, size_t length) {
  bool was_silent;
  ssize_t moved;

  if (!silence(fd, &was_silent)) return -1;
  do moved = write(fd, bytes, length);
  while (moved < 0 && errno == EINTR);
  restore(fd, was_silent);
  return moved;
}

ssize_t safe__quiet_send(int fd, const void *bytes, size_t length) {
  bool was_silent;
  ssize_t moved;

  if (!silence(fd, &was_silent)) return -1;
  do moved = send(fd, bytes, length, MSG_DONTWAIT);
  while (moved < 0 && errno == EINTR);
  restore(fd, was_silent);
  return moved;
}
