/* SPDX-License-Identifier: MIT */
/* How a child's end is waited for, its status read, and its number given back. */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_ended.h"
#include "kernel.h"
#include "poll_wait.h"

#define STEP_MS 5 /* between two looks where there is no pidfd: Linux before 5.3 */

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

static void from_wait_status(int status, safe_exit *exit) {
  if (WIFEXITED(status)) {
    exit->kind = SAFE_EXIT_CODE;
    exit->code = WEXITSTATUS(status);
  } else if (WIFSIGNALED(status)) {
    exit->kind = SAFE_EXIT_SIGNAL;
    exit->signal = WTERMSIG(status);
    exit->core = WCOREDUMP(status) != 0;
  }
}

#define STATUS_MS 10 /* between a child's end and its status in the pidfd pass microseconds */

/* Somebody else reaped it, or SIGCHLD is ignored: the pidfd still knows, from Linux 6.15 on; else it stays unknown. */
static void ask_pidfd(int pidfd, safe_exit *exit) {
  struct pollfd gone = {pidfd, 0, 0}; /* POLLHUP, once it is reaped */
  struct pidfd_info_exit info;
  int tries;

  for (tries = 0; pidfd >= 0 && tries < 2; tries++) {
    memset(&info, 0, sizeof(info));
    info.mask = INFO_EXIT;
    if (safe__raw6(SYS_ioctl, pidfd, (long)GET_INFO, (long)&info, 0, 0, 0) != 0) return;
    if ((info.mask & INFO_EXIT) != 0) {
      from_wait_status(info.exit_code, exit);
      return;
    }
    safe__poll(&gone, 1, safe__deadline(STATUS_MS));
  }
}

static void from_siginfo(const siginfo_t *info, safe_exit *exit) {
  if (info->si_code == CLD_EXITED) {
    exit->kind = SAFE_EXIT_CODE;
    exit->code = info->si_status;
  } else {
    exit->kind = SAFE_EXIT_SIGNAL;
    exit->signal = info->si_status;
    exit->core = info->si_code == CLD_DUMPED;
  }
}

enum { RUNNING = 0, ENDED = 1 };

/* ENDED, RUNNING, or a negative errno. It is not reaped: as a zombie it keeps its number, and its group's, from being
   given away. */
static long look(struct safe__child *child, safe_exit *status) {
  siginfo_t info;
  long code = safe__waitid(child->exit_fd, child->pid, &info, WEXITED | WNOHANG | WNOWAIT);

  if (code == 0 && info.si_pid == 0) return RUNNING;
  if (code != 0 && code != -ECHILD) return code;
  if (code == 0) {
    from_siginfo(&info, status);
  } else {
    child->stolen = true;
    ask_pidfd(child->exit_fd, status);
  }
  child->ended = true;
  return ENDED;
}

bool safe__child_ended(struct safe__child *child) {
  safe_exit ignored = SAFE_EXIT_INIT;

  /* Asked again when it is known to have ended: the host may have reaped it since, and its number be a stranger's. */
  return child->stolen || look(child, &ignored) == ENDED;
}

int safe__os_child_wait(struct safe__child *child, int64_t deadline, safe_cancel *cancel, safe_exit *status,
                        safe_error *error) {
  struct pollfd ready[2] = {{child->exit_fd, POLLIN, 0}, {safe__cancel_fd(cancel), POLLIN, 0}};
  bool in_steps = child->exit_fd < 0;
  int64_t step;
  long found;

  for (;;) {
    /* With SIGCHLD ignored waitid answers ECHILD only once the child has ended: it is never taken for an end. */
    found = look(child, status);
    if (found == ENDED) return SAFE_OK;
    if (found < 0)
      return safe__fail_os(error, -found, SAFE_STAGE_WAIT, -1, "Process %lld cannot be waited for",
                           (long long)child->pid);
    if (ready[1].revents != 0 || safe__os_cancel_triggered(cancel))
      return safe__fail(error, SAFE_ECANCELED, SAFE_STAGE_WAIT, -1, "The wait for process %lld was cancelled.",
                        (long long)child->pid);
    if (safe__os_now() >= deadline)
      return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1, "Process %lld still runs.", (long long)child->pid);
    /* A pidfd that is readable though nobody may wait for the child yet is one that a debugger has. */
    in_steps = in_steps || ready[0].revents != 0;
    if (in_steps) ready[0].fd = -1;
    step = in_steps ? safe__deadline_min(deadline, safe__deadline(STEP_MS)) : deadline;
    safe__poll(ready, 2, step);
  }
}

safe_handle safe__os_child_exit_handle(struct safe__child *child) { return child->exit_fd; }

int64_t safe__os_child_pid(const struct safe__child *child) { return child->pid; }

/* A child that was let go of while it ran: nobody else will reap it. */
struct running_child {
  struct safe__parked parked;
  int pidfd;
  int64_t pid;
};

static bool collect(struct safe__parked *item) {
  struct running_child *running = (struct running_child *)item;

  if (!safe__reap(running->pidfd, running->pid, 0)) return false;
  if (running->pidfd >= 0) close(running->pidfd);
  safe__free(running);
  return true;
}

void safe__os_child_free(struct safe__child *child, bool own) {
  struct running_child *running;

  if (own && !child->stolen && !safe__reap(child->exit_fd, child->pid, 0)) {
    running = safe__alloc(sizeof(*running));
    if (running != NULL) {
      running->parked.collect = collect;
      running->pidfd = child->exit_fd;
      running->pid = child->pid;
      safe__park(&running->parked);
      return;
    }
  }
  if (child->exit_fd >= 0) close(child->exit_fd);
}
