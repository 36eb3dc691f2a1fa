/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include <errno.h>
#include <unistd.h>

#include "kernel.h"
#include "shared_stack.h"

struct stuck_child {
  struct safe__parked parked;
  struct safe__plan *plan;
  struct safe__shared_stack *stack;
  struct safe__tree *tree;
  int pidfd;
  int64_t pid;
};

static bool collect(struct safe__parked *item) {
  struct stuck_child *stuck = (struct stuck_child *)item;

  if (!safe__reap(stuck->pidfd, stuck->pid, 0)) return false;
  if (stuck->pidfd >= 0) close(stuck->pidfd);
  safe__shared_stack_put(stuck->stack);
  safe__tree_release(stuck->tree, true);
  safe__free(stuck->plan);
  safe__free(stuck);
  return true;
}

int safe__launch_late(const struct safe__plan *plan, safe_error *error) {
  return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_EXEC, -1,
                    "%s had not been started when the time was over; the child was killed.", plan->candidates[0]);
}

int safe__launch_stuck(const struct safe__plan *plan, int64_t pid, safe_error *error) {
  return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_EXEC, -1,
                    "%s had not been started when the time was over, and the child (process %lld) cannot be killed.",
                    plan->candidates[0], (long long)pid);
}

int safe__launch_abandon(struct safe__plan **plan, struct safe__tree *tree, struct safe__shared_stack *stack, int pidfd,
                         int64_t pid, int code, safe_error *error) {
  struct stuck_child *stuck;

  safe__kernel.kill(pidfd, pid, SIGKILL);
  if (safe__reap(pidfd, pid, safe__deadline(SAFE__GOING_MS))) {
    if (pidfd >= 0) close(pidfd);
    safe__shared_stack_put(stack);
    return code != SAFE_ETIMEDOUT ? code /* the child said why, and the error has it already */
                                  : safe__launch_late(*plan, error);
  }
  safe__launch_stuck(*plan, pid, error);
  stuck = safe__alloc(sizeof(*stuck));
  /* Without memory to note it down the child's plan and stack are given up: it may still use them. */
  if (stuck != NULL) {
    stuck->parked.collect = collect;
    stuck->plan = *plan;
    stuck->stack = stack;
    stuck->tree = tree;
    stuck->pidfd = pidfd;
    stuck->pid = pid;
    safe__park(&stuck->parked);
  }
  *plan = NULL;
  return SAFE_ESTUCK;
}

int safe__launch_refused(long result, int stage, safe_error *error) {
  switch (-result) {
  case EAGAIN:
  case ENOMEM:
  case EMFILE:
  case ENFILE: /* limits: another mechanism would meet them too */
    return safe__fail_os(error, -result, stage, -1, "No process can be made");
  default:
    return SAFE__REFUSED;
  }
}

int safe__launch_either(struct safe__plan **plan, struct safe__tree *tree, int64_t deadline, struct safe__child *child,
                        safe_error *error) {
  int code = SAFE__REFUSED;

  if (!(*plan)->changes_user && safe__clone_works()) code = safe__launch_clone(plan, tree, deadline, child, error);
  if (code == SAFE__REFUSED) code = safe__launch_fork(plan, tree, deadline, child, error);
  return code;
}

/* Those that were asked for, and would hold for the tree as a whole if they could. */
static uint32_t limits_of_trees(const safe_spawn_options *asked) {
  uint32_t limits = 0;
  size_t at;

  for (at = 0; at < asked->limit_count; at++)
    if (asked->limits[at].kind == SAFE_LIMIT_MEMORY || asked->limits[at].kind == SAFE_LIMIT_PROCESSES)
      limits |= UINT32_C(1) << asked->limits[at].kind;
  return limits;
}

int safe__launch(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error) {
  const safe_spawn_options *asked = (*plan)->asked;
  bool guard = (asked->flags & (SAFE_SPAWN_DIE_WITH_HOST | SAFE_SPAWN_GUARD)) != 0;
  int code;

  child->keeping = asked->tree;
  child->limits_lacking = limits_of_trees(asked);
  if (asked->tree < SAFE_TREE_WHOLE && !guard)
    code = safe__launch_either(plan, NULL, deadline, child, error);
  else
    code = safe__launch_tree(plan, deadline, child, error);
  if (code == SAFE_OK) child->limits_lacking &= ~(*plan)->tree_limits;
  return code;
}
