/* SPDX-License-Identifier: MIT */
/*
 * What child.c may call between clone and exec, on Linux: raw calls, which are safe on the host's memory and
 * thread-local storage. Each answers 0 or more, or a negative errno.
 */
#ifndef SAFEHOLD_CHILD_CALLS_H
#define SAFEHOLD_CHILD_CALLS_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>

#include "kernel.h"

#define CHILD_LAST_DESCRIPTOR (~0u)

static inline long child_dup2(int from, int to) { return safe__raw6(SYS_dup3, from, to, 0, 0, 0, 0); }

static inline long child_dup_above(int from, int least) {
  return safe__raw6(SYS_fcntl, from, F_DUPFD_CLOEXEC, least, 0, 0, 0);
}

static inline long child_keep_on_exec(int fd) { return safe__raw6(SYS_fcntl, fd, F_SETFD, 0, 0, 0, 0); }

static inline long child_close_one(int fd) { return safe__raw6(SYS_close, fd, 0, 0, 0, 0, 0); }

/* A descriptor table of the child's own, without anything from first on: not even a moment's reference. */
static inline long child_own_table(int first) {
  return safe__raw6(SYS_close_range, first, (long)CHILD_LAST_DESCRIPTOR, SAFE__CLOSE_RANGE_UNSHARE, 0, 0, 0);
}

struct child_directory_entry { /* struct linux_dirent64 of getdents64(2) */
  uint64_t inode, offset;
  uint16_t length;
  uint8_t type;
  char name[];
};

static inline long child_number(const char *digits) {
  long number = 0;

  if (*digits < '0' || *digits > '9') return -1;
  for (; *digits >= '0' && *digits <= '9'; digits++) number = number * 10 + (*digits - '0');
  return number;
}

/* Before Linux 5.9: what /proc/self/fd lists, and without /proc every number up to the limit. */
static inline long child_close_listed(unsigned first, unsigned last) {
  char buffer[2048] __attribute__((aligned(8)));
  struct rlimit limit = {0, 0};
  long at, length, number,
    folder = safe__raw6(SYS_openat, AT_FDCWD, (long)"/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0);

  if (folder < 0) {
    safe__raw6(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit, 0, 0);
    for (number = first; number <= (long)last && number < (long)limit.rlim_cur; number++) child_close_one((int)number);
    return 0;
  }
  while ((length = safe__raw6(SYS_getdents64, folder, (long)buffer, sizeof(buffer), 0, 0, 0)) > 0) {
    for (at = 0; at < length;) {
      const struct child_directory_entry *entry = (const struct child_directory_entry *)(buffer + at);
      number = child_number(entry->name);
      if (number >= (long)first && number <= (long)last && number != folder) child_close_one((int)number);
      at += entry->length;
    }
  }
  child_close_one((int)folder);
  return length;
}

static inline long child_close_range(unsigned first, unsigned last) {
  long code = safe__raw6(SYS_close_range, first, last, 0, 0, 0, 0);

  return code == -ENOSYS || code == -EPERM ? child_close_listed(first, last) : code;
}

/* Handled and ignored alike; libc's 32 and 33 too. KILL and STOP answer EINVAL, which is as good. */
static inline void child_default_signals(void) {
  static const uint64_t no_action[8]; /* struct kernel_sigaction: SIG_DFL, no flags, no mask */
  int signal;

  for (signal = 1; signal <= 64; signal++) safe__raw6(SYS_rt_sigaction, signal, (long)no_action, 0, 8, 0, 0);
}

static inline void child_unblock_signals(void) { safe__restore_signals(0); }

static inline long child_new_group(void) { return safe__raw6(SYS_setpgid, 0, 0, 0, 0, 0, 0); }

static inline long child_new_session(void) { return safe__raw6(SYS_setsid, 0, 0, 0, 0, 0, 0); }

static inline long child_change_folder(const char *path) { return safe__raw6(SYS_chdir, (long)path, 0, 0, 0, 0, 0); }

static inline long child_exec(const char *path, char *const *argv, char *const *envp) {
  return safe__kernel.exec(path, argv, envp);
}

static inline void child_pause_ms(void) {
  const int64_t pause[2] = {0, 1000000}; /* struct timespec of a 64-bit kernel */

  safe__raw6(SYS_nanosleep, (long)pause, 0, 0, 0, 0, 0);
}

static inline void child_send(int fd, const void *bytes, size_t length) {
  safe__raw6(SYS_write, fd, (long)bytes, (long)length, 0, 0, 0);
}

#endif
