/* SPDX-License-Identifier: MIT */
/* One line of /proc/locks, or of the "lock:" lines of /proc/PID/fdinfo, which are laid out alike (fs/locks.c). */
#ifndef SAFEHOLD_LOCK_LINE_H
#define SAFEHOLD_LOCK_LINE_H

#include "internal.h"

struct safe__lock_line {
  struct safe__file_id id; /* volume: the device's major number << 32 | minor; low: the inode */
  /* Who asked for it. Of an OFD lock -1. 0: nobody whom this pid namespace knows, or, for an flock outside of the first
     one, somebody who has ended; in the first one the number stays, and may be another process's by now. */
  int64_t pid;
  int32_t method, mode;
  int64_t offset, length; /* as in safe_holder */
  bool waits;
  int part; /* of the table: with which read it came */
};

/* "3: -> FLOCK  ADVISORY  WRITE 101 fe:00:1234 0 EOF", from the number on. False: it is no lock, but a lease. */
bool safe__lock_line_read(const char *text, struct safe__lock_line *line);

/* Of one file: whether they say the same. They may be two all the same, of two who have a shared lock each. */
bool safe__is_same_line(const struct safe__lock_line *one, const struct safe__lock_line *other);

/* The next "lock:" line of an fdinfo, or NULL; text is its beginning, or what was returned last. */
const char *safe__lock_line_next(const char *text, struct safe__lock_line *line);

/* All lines of /proc/locks, to be given back by safe__free; *count of them. NULL: it cannot be read, or there is no
   memory; then *os_code says why. *in_parts: it was too long for one read. Each part is what was so at one moment, but
   the kernel finds its place again by number: a lock that was released between two reads hides another one, and one
   that was made shows another one twice. */
struct safe__lock_line *safe__lock_table(size_t *count, bool *in_parts, int *os_code);

#endif
