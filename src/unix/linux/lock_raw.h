/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_RAW_H
#define SAFEHOLD_LOCK_RAW_H

#include <fcntl.h>
#include <sys/file.h>

#include "kernel.h"
#include "os.h"

static inline short safe__record_type(const struct safe__claim *claim) {
  return claim->mode == SAFE_LOCK_SHARED ? F_RDLCK : F_WRLCK;
}

/* The claim as fcntl wants it; type is F_RDLCK, F_WRLCK or F_UNLCK. l_pid is 0, as it must be for an OFD lock. */
static inline struct flock safe__record_range(const struct safe__claim *claim, short type) {
  struct flock range = {
    .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)claim->offset, .l_len = (off_t)claim->length};

  return range;
}

/* On 32-bit machines fcntl(2) itself knows no OFD locks, and struct flock is fcntl64's. */
#ifdef SYS_fcntl64
#define SAFE__SYS_FCNTL SYS_fcntl64
#else
#define SAFE__SYS_FCNTL SYS_fcntl
#endif

/* Waits until it is granted, or interrupted; or asks once. 0 or a negative errno. No cancellation point, and it leaves
   errno alone. The range is of no account to an flock. */
static inline long safe__raw_lock(int fd, const struct safe__claim *claim, const struct flock *range, bool wait) {
  long how = claim->mode == SAFE_LOCK_SHARED ? LOCK_SH : LOCK_EX;

  if (claim->method == SAFE_METHOD_FLOCK) return safe__raw6(SYS_flock, fd, wait ? how : how | LOCK_NB, 0, 0, 0, 0);
  return safe__raw6(SAFE__SYS_FCNTL, fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, (long)range, 0, 0, 0);
}

static inline long safe__raw_unlock(int fd, const struct safe__claim *claim) {
  struct flock range;

  if (claim->method == SAFE_METHOD_FLOCK) return safe__raw6(SYS_flock, fd, LOCK_UN, 0, 0, 0, 0);
  range = safe__record_range(claim, F_UNLCK);
  return safe__raw6(SAFE__SYS_FCNTL, fd, F_OFD_SETLK, (long)&range, 0, 0, 0);
}

/* Whether the type of a file system (statfs, statmount) is one whose locks are another machine's, or a process's. */
bool safe__is_distant(unsigned int magic);
/* Whether a file is on one that is not; known, which begins as zeroes, is what was found out before. */
struct safe__known_mount {
  uint64_t mount; /* these numbers are not given twice */
  bool local;
};
bool safe__is_local(int fd, struct safe__known_mount *known);
/* The same, true or false, without asking the file system itself; -1 before Linux 6.8. */
int safe__mount_is_local(int fd, struct safe__known_mount *known);

#endif
