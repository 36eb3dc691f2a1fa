/* SPDX-License-Identifier: MIT */
/*
 * The usual way: a child on our memory, as vfork makes it, but without CLONE_VFORK, which would hold the
 * caller in the kernel for as long as the child is stuck, beyond the reach of any signal. The caller waits, with
 * a deadline, for the word that CLONE_CHILD_CLEARTID clears when the child leaves our memory: by exec or by exit.
 *
 * CLONE_FILES: the child begins with our descriptor table itself, not a copy whose cost grows with it, and makes
 * its own, small one as its first act. Otherwise every descriptor of the host would be referenced by
 * the child until exec, and a file that another thread has just written could not be run (ETXTBSY).
 */
#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>

#include "above_stdio.h"
#include "kernel.h"
#include "launch.h"
#include "shared_stack.h"

#define FLAGS (CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CHILD_CLEARTID)

/* The exit signal is 0: until exec, which sets SIGCHLD, the host's SIGCHLD handler and waitpid(-1) do not see the
   child, so a failed start is nobody's business but ours. */
static long make_child(struct safe__plan *plan, struct safe__tree *tree, struct safe__shared_stack *stack, int *pidfd) {
  uint64_t mask;
  long pid;

  /* A handler of the host must not run in the child, on the host's memory and thread-local storage. */
  mask = safe__block_signals();
  pid = safe__start_child(FLAGS, stack->top, pidfd, &stack->word, plan, tree, tree == NULL ? -1 : tree->cgroup.folder);
  safe__restore_signals(mask);
  /* Without it the child is known by its number. A clone that fails late has written one that is not open. */
  *pidfd = pid < 0 ? -1 : safe__above_stdio(*pidfd);
  return pid;
}

bool safe__launch_left(int *word, int64_t deadline) {
  while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != 0) {
    if (safe__os_now() >= deadline) return false;
    safe__futex_wait(word, 1, deadline);
  }
  return true;
}

int safe__launch_reported(struct safe__plan *plan, safe_error *error) {
  struct safe__child_report report;

  report.stage = plan->report.stage;
  if (report.stage == 0) return SAFE_OK;
  report.index = plan->report.index;
  report.os_code = plan->report.os_code;
  plan->report.stage = 0;
  if (report.stage == SAFE_STAGE_DESCRIPTORS &&
      (report.os_code == ENOSYS || report.os_code == EINVAL || report.os_code == EPERM))
    return SAFE__REFUSED; /* no close_range, or none with UNSHARE: Linux before 5.9, or a policy */
  return safe__plan_failure(plan, &report, error);
}

int safe__launch_clone(struct safe__plan **plan, struct safe__tree *tree, int64_t deadline, struct safe__child *child,
                       safe_error *error) {
  struct safe__shared_stack *stack = safe__shared_stack_get();
  int code, pidfd = -1;
  long pid;

  if (stack == NULL) return safe__fail_memory(error, SAFE_STAGE_CREATE);
  stack->word = 1;
  (*plan)->shared = true;
  pid = make_child(*plan, tree, stack, &pidfd);
  if (pid < 0) {
    safe__shared_stack_put(stack);
    return safe__launch_refused(pid, SAFE_STAGE_CREATE, error);
  }
  if (!safe__launch_left(&stack->word, deadline))
    return safe__launch_abandon(plan, tree, stack, pidfd, pid, SAFE_ETIMEDOUT, error);
  code = safe__launch_reported(*plan, error);
  if (code != SAFE_OK) return safe__launch_abandon(plan, tree, stack, pidfd, pid, code, error);
  safe__shared_stack_put(stack);
  child->pid = pid;
  child->exit_fd = pidfd;
  return SAFE_OK;
}
