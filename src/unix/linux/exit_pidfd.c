/* SPDX-License-Identifier: MIT */
/* How a child's end is waited for, its status read, and its number given back. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_ended.h"
#include "child_release.h"
#include "kernel.h"
#include "poll_wait.h"
#include "tree.h"

#define STEP_MS 5 /* between two looks where there is no pidfd: Linux before 5.3 */

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
  int tries, status;
  long code;

  for (tries = 0; pidfd >= 0 && tries < 2; tries++) {
    code = safe__kernel.pidfd_exit(pidfd, &status);
    if (code == 0) from_wait_status(status, exit);
    if (code != -EAGAIN) return;
    safe__poll(&gone, 1, safe__deadline(STATUS_MS));
  }
}

/* What waitid(2) tells: of a child of ours, or the guard of its own. */
static void from_wait(int code, int status, const struct safe__usage *used, safe_exit *exit) {
  if (code == CLD_EXITED) {
    exit->kind = SAFE_EXIT_CODE;
    exit->code = status;
  } else {
    exit->kind = SAFE_EXIT_SIGNAL;
    exit->signal = status;
    exit->core = code == CLD_DUMPED;
  }
  exit->user_us = (int64_t)used->user_s * 1000000 + used->user_us;
  exit->system_us = (int64_t)used->system_s * 1000000 + used->system_us;
  exit->peak_memory = (int64_t)used->peak_kib * 1024;
}

enum { RUNNING = 0, ENDED = 1 };

/* Under a guard the child is not ours to wait for: the guard has told, or it has gone and only the pidfd knows. */
static long look_under_guard(struct safe__child *child, safe_exit *status) {
  const struct safe__guard_record *record = child->tree->guard->record;
  struct pollfd gone = {child->exit_fd, POLLIN, 0};

  if (__atomic_load_n(&record->ended, __ATOMIC_ACQUIRE) != 0) {
    from_wait(record->code, record->status, &record->used, status);
  } else if (safe__guard_lives(child->tree->guard)) {
    return RUNNING;
  } else if (__atomic_load_n(&record->ended, __ATOMIC_ACQUIRE) != 0) {
    from_wait(record->code, record->status, &record->used, status); /* its last word */
  } else {
    if (child->exit_fd >= 0 ? poll(&gone, 1, 0) <= 0 : safe__kernel.kill(-1, child->pid, 0) != -ESRCH) return RUNNING;
    ask_pidfd(child->exit_fd, status);
  }
  return ENDED;
}

/* ENDED, RUNNING, or a negative errno. It is not reaped: as a zombie it keeps its number, and its group's, from being
   given away. */
static long look(struct safe__child *child, safe_exit *status) {
  struct safe__usage used;
  siginfo_t info;
  long code;

  if (safe__guard_of(child) != NULL) {
    code = look_under_guard(child, status);
    if (!safe__guard_lives(child->tree->guard)) child->stolen = code == ENDED; /* it was init's to reap */
    child->ended = code == ENDED;
    return code;
  }
  code = safe__waitid(child->exit_fd, child->pid, &info, WEXITED | WNOHANG | WNOWAIT, &used);
  if (code == 0 && info.si_pid == 0) return RUNNING;
  if (code != 0 && code != -ECHILD) return code;
  if (code == 0) {
    from_wait(info.si_code, info.si_status, &used, status);
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
    if (in_steps && safe__guard_of(child) != NULL && safe__guard_tells(child->tree->guard, step))
      safe__poll(&ready[1], 1, 0);
    else
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

/* True: it was noted down, with its pidfd. */
static bool park_running(const struct safe__child *child) {
  struct running_child *running = safe__alloc(sizeof(*running));

  if (running == NULL) return false;
  running->parked.collect = collect;
  running->pidfd = child->exit_fd;
  running->pid = child->pid;
  safe__park(&running->parked);
  return true;
}

void safe__os_child_free(struct safe__child *child, bool own) {
  bool ours = own && safe__guard_of(child) == NULL;

  safe__child_release(child);
  if (!ours || child->stolen || safe__reap(child->exit_fd, child->pid, 0) || !park_running(child))
    if (child->exit_fd >= 0) close(child->exit_fd);
  safe__tree_release(child->tree, own);
  child->tree = NULL;
}
