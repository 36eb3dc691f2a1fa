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
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

/* Handled and ignored alike. KILL and STOP answer EINVAL, which is as good. */
static inline void child_default_signals(void) {
  struct sigaction action;
  int signal;

  memset(&action, 0, sizeof(action));
  action.sa_handler = SIG_DFL;
  for (signal = 1; signal <= _SIG_MAXSIG; signal++) syscall(SYS_sigaction, signal, &action, NULL);
}

static inline void child_unblock_signals(void) {
  sigset_t none;

  memset(&none, 0, sizeof(none));
  syscall(SYS_sigprocmask, SIG_SETMASK, &none, NULL);
}

static inline long child_new_group(void) { return child_answer(setpgid(0, 0)); }

static inline long child_new_session(void) { return child_answer(setsid()); }

static inline long child_change_folder(const char *path) { return child_answer(chdir(path)); }

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
