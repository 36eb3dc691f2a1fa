/* SPDX-License-Identifier: MIT */
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "above_stdio.h"

static int open_ours(void) {
  int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

  /* Not every system takes O_CLOEXEC here. Without it a child that another thread makes by other means at this moment
     has the terminal too, and keeps it open. */
  if (fd < 0 && errno == EINVAL) {
    fd = posix_openpt(O_RDWR | O_NOCTTY);
    if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  return safe__above_stdio(fd);
}

static bool make_non_blocking(int fd) {
  int flags = fcntl(fd, F_GETFL);

  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

int safe__pty_open(int fds[2], int columns, int rows) {
  struct winsize size = {(unsigned short)(rows > 0 ? rows : 24), (unsigned short)(columns > 0 ? columns : 80), 0, 0};
  int saved;

  fds[1] = -1;
  fds[0] = open_ours();
  if (fds[0] < 0) return -1;
  if (make_non_blocking(fds[0]) && grantpt(fds[0]) == 0 && unlockpt(fds[0]) == 0)
    fds[1] = safe__above_stdio(safe__pty_peer(fds[0]));
  if (fds[1] >= 0 && ioctl(fds[1], TIOCSWINSZ, &size) == 0) return 0;
  saved = errno;
  if (fds[1] >= 0) close(fds[1]);
  close(fds[0]);
  fds[0] = fds[1] = -1;
  errno = saved;
  return -1;
}
