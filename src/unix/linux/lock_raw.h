/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_RAW_H
#define SAFEHOLD_LOCK_RAW_H

#include <fcntl.h>
#include <sys/file.h>

#include "kernel.h"
#include "os.h"

/* The claim as fcntl wants it; type is F_RDLCK, F_WRLCK or F_UNLCK. l_pid is 0, as it must be for an OFD lock. */
static inline struct flock safe__record_range(const struct safe__claim *claim, short type) {
  struct flock range = {
    .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)claim->offset, .l_len = (off_t)claim->length};

  return range;
}

/* Blocks until it is granted, or interrupted: 0 or a negative errno. No cancellation point, and it leaves errno alone.
   The range is of no account to an flock. */
static inline long safe__raw_lock_wait(int fd, const struct safe__claim *claim, const struct flock *range) {
  long how = claim->mode == SAFE_LOCK_SHARED ? LOCK_SH : LOCK_EX;

  if (claim->method == SAFE_METHOD_FLOCK) return safe__raw6(SYS_flock, fd, how, 0, 0, 0, 0);
  return safe__raw6(SYS_fcntl, fd, F_OFD_SETLKW, (long)range, 0, 0, 0);
}

/* Whether the type of a file system (statfs, statmount) is one whose locks are another machine's, or a process's. */
bool safe__is_distant(unsigned int magic);

#endif
