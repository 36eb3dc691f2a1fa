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
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "kernel.h"
#include "os.h"

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

static inline uint64_t child_signal_handler(int signal) {
  uint64_t action[8] = {0}; /* struct kernel_sigaction, which begins with the handler */

  safe__raw6(SYS_rt_sigaction, signal, 0, (long)action, 8, 0, 0);
  return action[0];
}

static inline bool child_is_ignored(int signal) { return child_signal_handler(signal) == (uint64_t)(uintptr_t)SIG_IGN; }

static inline bool child_is_handled(int signal) {
  uint64_t handler = child_signal_handler(signal);

  return handler != (uint64_t)(uintptr_t)SIG_IGN && handler != (uint64_t)(uintptr_t)SIG_DFL;
}

/* Handled and ignored alike; libc's 32 and 33 too. KILL and STOP answer EINVAL, which is as good. Where ignored ones
   stay, those that have their default already are left alone: it is half of the calls. */
static inline void child_default_signals(bool keep_ignored) {
  static const uint64_t no_action[8]; /* SIG_DFL, no flags, no mask */
  int signal;

  for (signal = 1; signal <= 64; signal++)
    if (!keep_ignored || child_is_handled(signal)) safe__raw6(SYS_rt_sigaction, signal, (long)no_action, 0, 8, 0, 0);
}

static inline void child_unblock_signals(void) { safe__restore_signals(0); }

static inline long child_new_group(void) { return safe__raw6(SYS_setpgid, 0, 0, 0, 0, 0, 0); }

static inline long child_new_session(void) { return safe__raw6(SYS_setsid, 0, 0, 0, 0, 0, 0); }

static inline long child_change_folder(const char *path) { return safe__raw6(SYS_chdir, (long)path, 0, 0, 0, 0, 0); }

static inline long child_open(const char *path, int flags, unsigned mode) {
  return safe__raw6(SYS_openat, AT_FDCWD, (long)path, flags, mode, 0, 0);
}

static inline void child_umask(int mask) { safe__raw6(SYS_umask, mask, 0, 0, 0, 0, 0); }

static inline long child_take_terminal(int fd) { return safe__raw6(SYS_ioctl, fd, TIOCSCTTY, 0, 0, 0, 0); }

static inline long child_nice(int add) {
  long found = safe__raw6(SYS_getpriority, PRIO_PROCESS, 0, 0, 0, 0, 0); /* 20 minus the niceness */

  return found < 0 ? found : safe__raw6(SYS_setpriority, PRIO_PROCESS, 0, 20 - found + add, 0, 0, 0);
}

/* Not libc's setrlimit, which in musl signals every thread of the host. */
static inline long child_limit(int kind, int64_t value) {
  static const int resources[] = {RLIMIT_AS, RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_CORE, RLIMIT_FSIZE};
  uint64_t limit[2];
  long result = -EPERM;

  limit[0] = limit[1] = value < 0 ? ~UINT64_C(0) : (uint64_t)value;
  /* One second from SIGXCPU, which the program can see, to SIGKILL; unless that is one more than the host may give. */
  if (kind == SAFE_LIMIT_CPU_TIME && value >= 0) {
    limit[1]++;
    result = safe__raw6(SYS_prlimit64, 0, resources[kind], (long)limit, 0, 0, 0);
    limit[1]--;
  }
  return result != -EPERM ? result : safe__raw6(SYS_prlimit64, 0, resources[kind], (long)limit, 0, 0, 0);
}

/* The supplementary groups alone; gid, the effective group, is not one of them here. */
static inline long child_set_groups(size_t count, const uint32_t *groups, int64_t gid) {
  (void)gid;
  return safe__raw6(SYS_setgroups, (long)count, (long)groups, 0, 0, 0, 0);
}

/* Real, effective and saved. With the old one the kernel takes the signal of the parent's death away (prctl(2)), which
   a child under a guard has. */
static inline long child_set_id(long call, int64_t id) {
  long result, parent = safe__raw6(SYS_getppid, 0, 0, 0, 0, 0, 0);
  int signal = 0;

  result = safe__raw6(SYS_prctl, PR_GET_PDEATHSIG, (long)&signal, 0, 0, 0, 0);
  if (result < 0) return result; /* or the signal would be lost without a word */
  result = safe__raw6(call, (long)id, (long)id, (long)id, 0, 0, 0);
  if (result < 0 || signal == 0) return result;
  result = safe__raw6(SYS_prctl, PR_SET_PDEATHSIG, signal, 0, 0, 0, 0);
  return result < 0 ? result : safe__raw6(SYS_getppid, 0, 0, 0, 0, 0, 0) == parent ? 0 : -ESRCH;
}

static inline long child_set_gid(int64_t gid) { return child_set_id(SYS_setresgid, gid); }

static inline long child_set_uid(int64_t uid) { return child_set_id(SYS_setresuid, uid); }

static inline long child_no_new_privileges(void) { return safe__raw6(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); }

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
