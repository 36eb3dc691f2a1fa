/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_RAW_H
#define SAFEHOLD_LOCK_RAW_H

#include <fcntl.h>

#include "os.h"

/* The claim as fcntl wants it; type is F_RDLCK, F_WRLCK or F_UNLCK. l_pid is 0, as it must be for an OFD lock. */
static inline struct flock safe__record_range(const struct safe__claim *claim, short type) {
  struct flock range = {
    .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)claim->offset, .l_len = (off_t)claim->length};

  return range;
}

/* Whether the type of a file system (statfs, statmount) is one whose locks are another machine's, or a process's. */
bool safe__is_distant(unsigned int magic);

#endif
