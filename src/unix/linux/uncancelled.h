/* SPDX-License-Identifier: MIT */
#ifdef __SANITIZE_THREAD__ /* sees no raw call: it would take the number's next file for the one that was closed */
#include "../bsd/uncancelled.h"
#endif
#ifndef SAFEHOLD_UNCANCELLED_H
#define SAFEHOLD_UNCANCELLED_H

/*
 * open and close that are no cancellation points (pthreads(7)). Holding cancellation off around them would do as well,
 * but on the way to a free lock that is a thirtieth of the whole. syscall(2) is none in glibc and musl.
 */
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int safe__open_uncancelled(const char *path, int flags, mode_t mode) {
  return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

static inline void safe__close_uncancelled(int fd) { syscall(SYS_close, fd); }

#endif
