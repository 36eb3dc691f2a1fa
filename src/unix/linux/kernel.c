/* SPDX-License-Identifier: MIT */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

#include "os.h"
#include "shared_stack.h"

#define SIGSET_BYTES 8 /* what the kernel's own sigset_t has on every architecture but MIPS */

static long exec_call(const char *path, char *const *argv, char *const *envp) {
  return safe__raw6(SYS_execve, (long)path, (long)argv, (long)envp, 0, 0, 0);
}

static long kill_call(int pidfd, int64_t pid, int signal) {
  long result = pidfd < 0 ? -ENOSYS : safe__raw6(SYS_pidfd_send_signal, pidfd, signal, 0, 0, 0, 0);

  /* Valgrind has pidfds but not this call. By number is as good for a child that only we reap. */
  if (result != -ENOSYS && result != -EPERM) return result; /* EPERM: a policy about the call, or about the process */
  return safe__raw6(SYS_kill, (long)pid, signal, 0, 0, 0, 0);
}

static long signal_call(int pidfd, int signal) { return safe__raw6(SYS_pidfd_send_signal, pidfd, signal, 0, 0, 0, 0); }

#define SIGNAL_PROCESS_GROUP 4 /* PIDFD_SIGNAL_PROCESS_GROUP of linux/pidfd.h, 6.9 */

static long kill_group_call(int pidfd, int64_t pid, bool reaped, int signal) {
  long result = pidfd < 0 ? -ENOSYS : safe__raw6(SYS_pidfd_send_signal, pidfd, signal, 0, SIGNAL_PROCESS_GROUP, 0, 0);

  if (result != -EINVAL && result != -ENOSYS) return result;
  return reaped ? -ENOSYS : safe__raw6(SYS_kill, (long)-pid, signal, 0, 0, 0, 0);
}

struct clone_arguments { /* struct clone_args of linux/sched.h, as of 5.7 */
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

#define STACK_FOOT 4096 /* clone3 is told a stack's lower end, and starts at its upper one */

static long clone3_call(uint64_t flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *), void *argument,
                        int cgroup) {
  struct clone_arguments arguments;

  arguments.flags = (flags & ~(uint64_t)CSIGNAL) | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0);
  arguments.pidfd = (uint64_t)(uintptr_t)pid_out;
  arguments.child_tid = (uint64_t)(uintptr_t)tid_word;
  arguments.exit_signal = flags & CSIGNAL;
  arguments.stack = stack == NULL ? 0 : (uint64_t)(uintptr_t)stack - STACK_FOOT;
  arguments.stack_size = stack == NULL ? 0 : STACK_FOOT;
  arguments.parent_tid = arguments.tls = arguments.set_tid = arguments.set_tid_size = 0;
  arguments.cgroup = cgroup >= 0 ? (uint64_t)cgroup : 0;
  return safe__raw_clone3(&arguments, sizeof(arguments), run, argument);
}

static long kill_cgroup_call(int folder) {
  long fd = safe__raw6(SYS_openat, folder, (long)"cgroup.kill", O_WRONLY | O_CLOEXEC, 0, 0, 0);
  long result;

  if (fd < 0) return fd;
  result = safe__raw6(SYS_write, fd, (long)"1", 1, 0, 0, 0);
  safe__raw6(SYS_close, fd, 0, 0, 0, 0, 0);
  return result < 0 ? result : 0;
}

/* linux/pidfd.h of 6.15, which few libc headers have yet: what PIDFD_GET_INFO fills in. */
struct pidfd_info_exit {
  uint64_t mask, cgroup;
  uint32_t ids[11];  /* pid, tgid, ppid, and the user and group ids */
  int32_t exit_code; /* as wait(2) has it */
};
/* A wrong place would read as a clean exit. */
_Static_assert(offsetof(struct pidfd_info_exit, exit_code) == 60, "as in linux/pidfd.h");
#define INFO_EXIT (UINT64_C(1) << 3)
#define GET_INFO _IOWR(0xFF, 11, struct pidfd_info_exit)

static long pidfd_exit_call(int pidfd, int *wait_status) {
  struct pidfd_info_exit info;
  long result;
  int at;

  info.mask = INFO_EXIT;
  info.cgroup = 0;
  for (at = 0; at < 11; at++) info.ids[at] = 0;
  info.exit_code = 0;
  result = safe__raw6(SYS_ioctl, pidfd, (long)GET_INFO, (long)&info, 0, 0, 0);
  if (result < 0) return result;
  if ((info.mask & INFO_EXIT) == 0) return -EAGAIN;
  *wait_status = info.exit_code;
  return 0;
}

struct safe__kernel safe__kernel = {safe__raw_clone, exec_call,   kill_group_call,  kill_call,
                                    signal_call,     clone3_call, kill_cgroup_call, pidfd_exit_call};

uint64_t safe__block_signals(void) {
  uint64_t all = ~UINT64_C(0), old = 0;

  safe__raw6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&all, (long)&old, SIGSET_BYTES, 0, 0);
  return old;
}

void safe__restore_signals(uint64_t mask) {
  safe__raw6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, SIGSET_BYTES, 0, 0);
}

int64_t safe__raw_now(void) {
  long time[2] = {0, 0}; /* struct timespec as the kernel has it */

  safe__raw6(SYS_clock_gettime, CLOCK_MONOTONIC, (long)time, 0, 0, 0, 0);
  return (int64_t)time[0] * 1000000000 + time[1];
}

long safe__futex_wait(int *word, int value, int64_t deadline) {
  struct timespec left, *timeout = NULL;
  int64_t ns;

  if (deadline != SAFE__NEVER) {
    ns = deadline - safe__os_now();
    if (ns <= 0) return -ETIMEDOUT;
    left.tv_sec = (time_t)(ns / 1000000000);
    left.tv_nsec = (long)(ns % 1000000000);
    timeout = &left;
  }
  /* Not FUTEX_PRIVATE: CLONE_CHILD_CLEARTID wakes without that flag (kernel/fork.c, mm_release). */
  return safe__raw6(SYS_futex, (long)word, FUTEX_WAIT, value, (long)timeout, 0, 0);
}

long safe__waitid(int pidfd, int64_t pid, siginfo_t *info, int options, struct safe__usage *used) {
  long result = -EINVAL;

  info->si_pid = 0;
  /* __WALL, as our helpers have no exit signal and are not waited for without it. */
  if (pidfd >= 0) result = safe__raw6(SYS_waitid, SAFE__P_PIDFD, pidfd, (long)info, options | __WALL, (long)used, 0);
  if (result != -EINVAL) return result; /* Linux 5.2 and 5.3 have pidfds, but cannot wait for one */
  return safe__raw6(SYS_waitid, P_PID, (long)pid, (long)info, options | __WALL, (long)used, 0);
}

int safe__pidfd_open(int64_t pid) {
  long fd = safe__raw6(SYS_pidfd_open, (long)pid, 0, 0, 0, 0, 0);

  return fd < 0 ? -1 : (int)fd;
}

bool safe__reap(int pidfd, int64_t pid, int64_t deadline) {
  struct pollfd ready = {pidfd, POLLIN, 0};
  bool readable = pidfd < 0;
  siginfo_t info;
  long code;

  for (;;) {
    code = safe__waitid(pidfd, pid, &info, WEXITED | WNOHANG, NULL);
    if (code == -ECHILD || (code == 0 && info.si_pid != 0)) return true; /* ECHILD: somebody else was quicker */
    if (safe__os_now() >= deadline) return false;
    /* Readable, yet not to be waited for: a debugger has it. Then, and without a pidfd, in steps. */
    if (readable)
      safe__os_sleep(safe__deadline_min(deadline, safe__os_now() + SAFE__MS), NULL, false);
    else
      readable = poll(&ready, 1, (int)safe__left_ms(deadline, 1000)) > 0;
  }
}

static int write_seven(void *word) {
  *(volatile int *)word = 7;
  return 0;
}

#define PROBE_MS 2000

/* An emulator may turn the clone into a fork, which "works" but shares nothing: ask the memory, not the call.
   1: it works. -1: it never will. 0: not now, for want of memory or processes. */
static int probe(void) {
  struct safe__shared_stack *stack;
  int *word, pidfd = -1;
  bool shared;
  uint64_t mask;
  long pid;

  if (!SAFE__RAW_CLONE || safe__raw_on_valgrind() != 0) return -1;
  stack = safe__shared_stack_get();
  if (stack == NULL) return 0;
  word = &stack->word;
  *word = 0;
  mask = safe__block_signals();
  pid = safe__raw_clone(CLONE_VM | CLONE_FILES | CLONE_PIDFD, stack->top, &pidfd, NULL, write_seven, word);
  safe__restore_signals(mask);
  if (pid < 0) pidfd = -1; /* a clone that fails late has written a number that is not open */
  if (pid > 0 && !safe__reap(pidfd, pid, safe__deadline(PROBE_MS))) return -1; /* its stack is given up with it */
  if (pidfd >= 0) safe__raw6(SYS_close, pidfd, 0, 0, 0, 0, 0);
  shared = __atomic_load_n(word, __ATOMIC_ACQUIRE) == 7;
  safe__shared_stack_put(stack);
  if (pid == -EAGAIN || pid == -ENOMEM || pid == -EMFILE || pid == -ENFILE) return 0;
  return pid > 0 && pidfd >= 0 && shared ? 1 : -1;
}

bool safe__clone_works(void) {
  static atomic_int known; /* two threads may ask at once, and get the same answer */
  int answer = atomic_load_explicit(&known, memory_order_relaxed);

  if (answer == 0) {
    answer = probe();
    atomic_store_explicit(&known, answer, memory_order_relaxed);
  }
  return answer > 0;
}
