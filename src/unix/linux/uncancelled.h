/* SPDX-License-Identifier: MIT */
#ifdef __SANITIZE_THREAD__ /* sees no raw call: it would take the number's next file for the one that was closed */
#include "../bsd/uncancelled.h"
#endif
#ifndef SAFEHOLD_UNCANCELLED_H
#define SAFEHOLD_UNCANCELLED_H

/*
 * open and close that are no cancellation points (pthreads(7)). Holding cancellation off around them would do as well,
 * but on the way to a free lock that is a thirtieth of the whole. Why they are inline: lock_at_once.h.
 */
#include <errno.h>
#include <fcntl.h>

#include "kernel.h"

static inline int safe__open_uncancelled(const char *path, int flags, mode_t mode) {
  long result = safe__raw6(SYS_openat, AT_FDCWD, (long)path, flags | O_LARGEFILE, mode, 0, 0);

  if (result >= 0) return (int)result;
  errno = (int)-result;
  return -1;
}

static inline void safe__close_uncancelled(int fd) { safe__raw6(SYS_close, fd, 0, 0, 0, 0, 0); }

#endif
