/* SPDX-License-Identifier: MIT */
/*
 * What child.c may call between posix_spawn and exec, on macOS: anything, as it runs in a program of its own there, the
 * trampoline. Each answers 0 or more, or a negative errno.
 */
#ifndef SAFEHOLD_CHILD_CALLS_H
#define SAFEHOLD_CHILD_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "safehold/process.h"

#define CHILD_LAST_DESCRIPTOR (~0u)

static inline long child_answer(long result) { return result < 0 ? -(long)errno : result; }

static inline long child_dup2(int from, int to) { return child_answer(dup2(from, to)); }

static inline long child_dup_above(int from, int least) { return child_answer(fcntl(from, F_DUPFD_CLOEXEC, least)); }

static inline long child_keep_on_exec(int fd) { return child_answer(fcntl(fd, F_SETFD, 0)); }

/* POSIX_SPAWN_CLOEXEC_DEFAULT has closed everything that is not listed, and what was opened since closes on exec. */
static inline long child_close_range(unsigned first, unsigned last) {
  (void)first, (void)last;
  return 0;
}

static inline long child_own_table(int first) { return child_close_range((unsigned)first, CHILD_LAST_DESCRIPTOR); }

/* posix_spawn has seen to it. */
static inline void child_default_signals(bool keep_ignored) { (void)keep_ignored; }

static inline void child_unblock_signals(void) {
  sigset_t none;

  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

static inline long child_new_group(void) { return child_answer(setpgid(0, 0)); }

static inline long child_new_session(void) { return child_answer(setsid()); }

static inline long child_change_folder(const char *path) { return child_answer(chdir(path)); }

static inline long child_open(const char *path, int flags, unsigned mode) {
  return child_answer(open(path, flags, (mode_t)mode));
}

static inline void child_umask(int mask) { umask((mode_t)mask); }

static inline long child_take_terminal(int fd) { return child_answer(ioctl(fd, TIOCSCTTY, NULL)); }

/* A niceness of -1 is no error: errno tells. */
static inline long child_nice(int add) {
  int found;

  errno = 0;
  found = getpriority(PRIO_PROCESS, 0);
  if (found == -1 && errno != 0) return -(long)errno;
  return child_answer(setpriority(PRIO_PROCESS, 0, found + add));
}

static inline long child_limit(int kind, int64_t value) {
  static const int resources[] = {RLIMIT_AS, RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_CORE, RLIMIT_FSIZE};
  struct rlimit limit;

  limit.rlim_cur = limit.rlim_max = value < 0 ? RLIM_INFINITY : (rlim_t)value;
  /* One second from SIGXCPU, which the program can see, to SIGKILL. */
  if (kind == SAFE_LIMIT_CPU_TIME && value >= 0) limit.rlim_max++;
  /* The soft limit of open files cannot be infinite, setrlimit(2). */
  if (kind == SAFE_LIMIT_OPEN_FILES && value < 0) limit.rlim_cur = OPEN_MAX;
  return child_answer(setrlimit(resources[kind], &limit));
}

#define CHILD_MOST_GROUPS 16 /* NGROUPS_MAX of macOS */

/* The first place of the list is the effective group, which is set after this. No list at all would be that of group 0
   (kern_prot.c: setgroups_internal). */
static inline long child_set_groups(size_t count, const uint32_t *groups, int64_t gid) {
  gid_t list[CHILD_MOST_GROUPS];
  size_t at;

  if (count >= CHILD_MOST_GROUPS) return -EINVAL;
  list[0] = gid >= 0 ? (gid_t)gid : getegid();
  for (at = 0; at < count; at++) list[at + 1] = groups[at];
  return child_answer(setgroups((int)count + 1, list));
}

/* By a privileged process these set the saved one too; by any other they may set less than was asked for. */
static inline long child_set_gid(int64_t gid) {
  if (setgid((gid_t)gid) != 0) return -(long)errno;
  return getgid() == (gid_t)gid && getegid() == (gid_t)gid ? 0 : -EPERM;
}

static inline long child_set_uid(int64_t uid) {
  if (setuid((uid_t)uid) != 0) return -(long)errno;
  return getuid() == (uid_t)uid && geteuid() == (uid_t)uid ? 0 : -EPERM;
}

static inline long child_no_new_privileges(void) { return -ENOTSUP; }

static inline long child_exec(const char *path, char *const *argv, char *const *envp) {
  return child_answer(execve(path, argv, envp));
}

static inline void child_pause_ms(void) {
  const struct timespec pause = {0, 1000000};

  nanosleep(&pause, NULL);
}

static inline void child_send(int fd, const void *bytes, size_t length) {
  ssize_t sent = write(fd, bytes, length);

  (void)sent; /* nobody else could be told */
}

#endif
