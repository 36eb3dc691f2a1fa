/* SPDX-License-Identifier: MIT */
/*
 * How a child's end is waited for, its status read, and its number given back. The child stays a zombie, and keeps its
 * number, until somebody reaps it: we do so when it is freed.
 */
#include <sys/types.h>

#include <errno.h>
#include <sys/procdesc.h>
#include <unistd.h>

#include "child_exit.h"
#include "child_release.h"
#include "exit_status.h"
#include "poll_wait.h"
#include "procdesc.h"
#include "tree.h"
#include "usage.h"

bool safe__child_ended(struct safe__child *child) {
  if (!child->ended) child->ended = safe__procdesc_ended(child->exit_fd, 0);
  /* Asked again each time: the host may reap by number whenever it likes. */
  if (child->ended && !child->stolen) child->stolen = safe__procdesc_reaped(child->exit_fd);
  return child->ended;
}

long safe__child_signal(struct safe__child *child, int signal) {
  return pdkill(child->exit_fd, signal) == 0 ? 0 : -errno;
}

/* The child of a guard is the guard's to ask after. */
static void add_usage(const struct safe__child *child, safe_exit *status) {
  struct safe__usage usage;

  if (safe__guard_lives(child->tree->guard)) {
    safe__guard_ask_usage(child->tree->guard, status);
  } else if (!child->stolen && safe__usage_of((pid_t)child->pid, &usage)) {
    status->user_us = usage.user_us;
    status->system_us = usage.system_us;
    status->peak_memory = usage.peak_memory;
  }
}

int safe__os_child_wait(struct safe__child *child, int64_t deadline, safe_cancel *cancel, safe_exit *status,
                        safe_error *error) {
  struct pollfd ready[2] = {{child->exit_fd, POLLIN, 0}, {safe__cancel_fd(cancel), POLLIN, 0}};
  int wait_status;

  for (;;) {
    if (safe__child_ended(child)) {
      if (safe__procdesc_status(child->exit_fd, &wait_status)) safe__exit_from_status(wait_status, status);
      add_usage(child, status);
      return SAFE_OK;
    }
    if (ready[1].revents != 0 || safe__os_cancel_triggered(cancel))
      return safe__fail(error, SAFE_ECANCELED, SAFE_STAGE_WAIT, -1, "The wait for process %lld was cancelled.",
                        (long long)child->pid);
    if (safe__os_now() >= deadline)
      return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1, "Process %lld still runs.", (long long)child->pid);
    safe__poll(ready, 2, deadline);
  }
}

safe_handle safe__os_child_exit_handle(struct safe__child *child) { return child->exit_fd; }

int64_t safe__os_child_pid(const struct safe__child *child) { return child->pid; }

/* A child that still runs needs nobody to wait for it: when its descriptor is closed it becomes init's
   (procdesc_close), and PD_DAEMON lets it live. */
void safe__os_child_free(struct safe__child *child, bool own) {
  safe__child_release(child);
  safe__tree_end(child, own);
  if (own)
    safe__procdesc_close(child->exit_fd, (pid_t)child->pid);
  else
    close(child->exit_fd);
}
