/* SPDX-License-Identifier: MIT */
/*
 * The few Linux calls whose refusals and races decide the design, behind a table that tests replace; and the
 * raw calls that code on shared memory may use. All of them answer a negative errno, and leave errno alone.
 */
#ifndef SAFEHOLD_LINUX_KERNEL_H
#define SAFEHOLD_LINUX_KERNEL_H

#include <linux/futex.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "raw.h"

/* Younger than some libc headers that this is built with; the same number on every architecture but Alpha. */
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL /* clone3, 5.5 */
#endif
#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL /* clone3, 5.7 */
#endif
#define SAFE__CLOSE_RANGE_UNSHARE 2 /* linux/close_range.h, 5.9 */
#define SAFE__P_PIDFD 3             /* of waitid(2), 5.4 */

/* struct rusage as the kernel has it, which libc's is only on some systems (musl adds to its end). */
struct safe__usage {
  long user_s, user_us, system_s, system_us;
  long peak_kib; /* ru_maxrss */
  long unused[11];
  long left, taken; /* how often the processor was (ru_nvcsw, ru_nivcsw) */
};

struct safe__kernel {
  long (*clone)(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *), void *argument);
  long (*exec)(const char *path, char *const *argv, char *const *envp); /* called on shared memory */
  /* To the process group that the process leads or led. By pidfd (Linux 6.9) a group that is gone is told from one of
     another process that got the number; by number only while the leader is not reaped, else -ENOSYS. */
  long (*kill_group)(int pidfd, int64_t pid, bool reaped, int signal);
  long (*kill)(int pidfd, int64_t pid, int signal); /* by pidfd, or by pid if that is -1 */
  long (*signal)(int pidfd, int signal);            /* by pidfd alone, to a process that may not be our child */
  /* The same as clone, with room for more flags; and the process is born in the cgroup whose folder is open, unless
     that is -1. */
  long (*clone3)(uint64_t flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *), void *argument,
                 int cgroup);
  long (*kill_cgroup)(int folder);                 /* cgroup.kill, 5.14 */
  long (*pidfd_exit)(int pidfd, int *wait_status); /* PIDFD_GET_INFO, 6.15; -EAGAIN: not yet */
};
extern struct safe__kernel safe__kernel;

/* Blocks every signal, those that libc keeps for itself (32, 33) too, and gives the mask back. */
uint64_t safe__block_signals(void);
void safe__restore_signals(uint64_t mask);

/* safe__os_now for code that must not ask libc. */
int64_t safe__raw_now(void);

/* Waits while *word has the value, at most until the deadline. May return early: -EINTR when a signal handler has run.
   Works between processes that share memory. */
long safe__futex_wait(int *word, int value, int64_t deadline);

/* Whether a process that shares our memory can be made here: not under Valgrind, which aborts at the attempt,
   and not under an emulator or a security policy that refuses it. Asks once. */
bool safe__clone_works(void);

/* Reaps a child of ours that has ended or ends before the deadline, whatever its exit signal. */
bool safe__reap(int pidfd, int64_t pid, int64_t deadline);

/* waitid on a pidfd, or on the pid where there is no pidfd. 0 or a negative errno. used may be NULL. */
long safe__waitid(int pidfd, int64_t pid, siginfo_t *info, int options, struct safe__usage *used);

/* A pidfd of a process that may not be our child; -1 where there is none, or no such call. */
int safe__pidfd_open(int64_t pid);

#endif
