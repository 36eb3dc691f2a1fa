/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include <unistd.h>

#include "kernel.h"
#include "shared_stack.h"

/* How long a killed child may take to go before it is parked. */
#define GOING_MS 100

struct stuck_child {
  struct safe__parked parked;
  struct safe__plan *plan;
  struct safe__shared_stack *stack;
  int pidfd;
  int64_t pid;
};

static bool collect(struct safe__parked *item) {
  struct stuck_child *stuck = (struct stuck_child *)item;

  if (!safe__reap(stuck->pidfd, stuck->pid, 0)) return false;
  if (stuck->pidfd >= 0) close(stuck->pidfd);
  safe__shared_stack_put(stuck->stack);
  safe__free(stuck->plan);
  safe__free(stuck);
  return true;
}

int safe__launch_abandon(struct safe__plan **plan, struct safe__shared_stack *stack, int pidfd, int64_t pid, int code,
                         safe_error *error) {
  struct stuck_child *stuck;

  safe__kernel.kill(pidfd, pid, SIGKILL);
  if (safe__reap(pidfd, pid, safe__deadline(GOING_MS))) {
    if (pidfd >= 0) close(pidfd);
    safe__shared_stack_put(stack);
    if (code != SAFE_ETIMEDOUT) return code; /* the child said why, and the error has it already */
    return safe__fail(error, code, SAFE_STAGE_EXEC, -1,
                      "%s had not been started when the time was over; the child was killed.", (*plan)->candidates[0]);
  }
  safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_EXEC, -1,
             "%s had not been started when the time was over, and the child (process %lld) cannot be killed.",
             (*plan)->candidates[0], (long long)pid);
  stuck = safe__alloc(sizeof(*stuck));
  /* Without memory to note it down the child's plan and stack are given up: it may still use them. */
  if (stuck != NULL) {
    stuck->parked.collect = collect;
    stuck->plan = *plan;
    stuck->stack = stack;
    stuck->pidfd = pidfd;
    stuck->pid = pid;
    safe__park(&stuck->parked);
  }
  *plan = NULL;
  return SAFE_ESTUCK;
}

int safe__launch(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error) {
  int code = SAFE__REFUSED;

  if (!(*plan)->changes_user && safe__clone_works()) code = safe__launch_clone(plan, deadline, child, error);
  if (code == SAFE__REFUSED) code = safe__launch_fork(plan, deadline, child, error);
  return code;
}
