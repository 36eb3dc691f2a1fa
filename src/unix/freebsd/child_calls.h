/* SPDX-License-Identifier: MIT */
/*
 * What child.c may call between pdfork and exec, on FreeBSD. The memory is a copy, but one of a host that may have had
 * any number of threads, of which only this one goes on: what takes a lock may wait for a thread that is no more.
 * libc's plain system calls are safe; libthr's sigaction is not, as it locks a table, and unlike fork, the bare system
 * call that safe__procdesc_fork makes does not put that right. Each answers 0 or more, or a negative errno.
 */
#ifndef SAFEHOLD_CHILD_CALLS_H
#define SAFEHOLD_CHILD_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include <sys/ioctl.h>
#include <sys/procctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "safehold/process.h"

#define CHILD_LAST_DESCRIPTOR (~0u)

static inline long child_answer(long result) { return result < 0 ? -(long)errno : result; }

static inline long child_dup2(int from, int to) { return child_answer(dup2(from, to)); }

static inline long child_dup_above(int from, int least) { return child_answer(fcntl(from, F_DUPFD_CLOEXEC, least)); }

static inline long child_keep_on_exec(int fd) { return child_answer(fcntl(fd, F_SETFD, 0)); }

static inline long child_close_range(unsigned first, unsigned last) {
  return child_answer(close_range(first, last, 0));
}

/* The table is a copy already. */
static inline long child_own_table(int first) { return child_close_range((unsigned)first, CHILD_LAST_DESCRIPTOR); }

static inline bool child_is_ignored(int signal) {
  struct sigaction action;

  return syscall(SYS_sigaction, signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* Handled and ignored alike. KILL and STOP answer EINVAL, which is as good. */
static inline void child_default_signals(bool keep_ignored) {
  struct sigaction action;
  int signal;

  memset(&action, 0, sizeof(action));
  action.sa_handler = SIG_DFL;
  for (signal = 1; signal <= _SIG_MAXSIG; signal++)
    if (!keep_ignored || !child_is_ignored(signal)) syscall(SYS_sigaction, signal, &action, NULL);
}

static inline void child_unblock_signals(void) {
  sigset_t none;

  memset(&none, 0, sizeof(none));
  syscall(SYS_sigprocmask, SIG_SETMASK, &none, NULL);
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
  return child_answer(setrlimit(resources[kind], &limit));
}

/*
 * Until FreeBSD 14 the first place of the list is the effective group, which is set after this; from 15 on the list is
 * the supplementary groups alone. With the effective group-to-be in the first place both come to the same.
 */
#define CHILD_MOST_GROUPS 1024 /* NGROUPS_MAX + 1 */

static inline long child_set_groups(size_t count, const uint32_t *groups, int64_t gid) {
  gid_t list[CHILD_MOST_GROUPS];
  size_t at;

  if (count >= CHILD_MOST_GROUPS) return -EINVAL;
  list[0] = gid >= 0 ? (gid_t)gid : getegid();
  for (at = 0; at < count; at++) list[at + 1] = groups[at];
  return child_answer(setgroups((int)count + 1, list));
}

static inline long child_set_gid(int64_t gid) { return child_answer(setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid)); }

static inline long child_set_uid(int64_t uid) { return child_answer(setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid)); }

/* FreeBSD 13.1 and later; EINVAL before. */
static inline long child_no_new_privileges(void) {
  int how = PROC_NO_NEW_PRIVS_ENABLE;

  return child_answer(procctl(P_PID, 0, PROC_NO_NEW_PRIVS_CTL, &how));
}

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
