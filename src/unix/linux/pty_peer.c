/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "pty.h"

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441 /* asm-generic/ioctls.h, Linux 4.13; _IO('T', 0x41) */
#endif

int safe__pty_peer(int ours) {
  int fd = ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  char name[64];

  /* By its name only where there is no other way: in another mount namespace that may be a stranger's terminal. */
  if (fd >= 0 || (errno != EINVAL && errno != ENOTTY)) return fd;
  return ptsname_r(ours, name, sizeof(name)) == 0 ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
}
