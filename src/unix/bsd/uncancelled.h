/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_UNCANCELLED_H
#define SAFEHOLD_UNCANCELLED_H

/* open and close in which a thread is not cancelled (pthread_setcancelstate(3)). */
#include <fcntl.h>
#include <unistd.h>

#include "os.h"

static inline int safe__open_uncancelled(const char *path, int flags, mode_t mode) {
  int held = safe__os_hold_cancellation(), fd = open(path, flags, mode);

  safe__os_allow_cancellation(held);
  return fd;
}

static inline void safe__close_uncancelled(int fd) {
  int held = safe__os_hold_cancellation();

  close(fd);
  safe__os_allow_cancellation(held);
}

#endif
