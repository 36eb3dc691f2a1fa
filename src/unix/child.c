/* SPDX-License-Identifier: MIT */
/*
 * What runs between clone (or fork) and exec. On Linux it shares the host's memory: it must not call libc, take
 * a lock, allocate, or write anything but its plan and its own stack; it is compiled without sanitizers and
 * stack protector. Until it has a descriptor table of its own it must not touch a descriptor either, as
 * the table is the host's.
 */
#include "plan.h"

#include "child_calls.h"

static int report(struct safe__plan *plan, int stage, int index, long result) {
  if (plan->error_fd >= 0) {
    const int words[3] = {stage, index, (int)-result};
    child_send(plan->error_fd, words, sizeof(words));
  } else {
    plan->report.index = index;
    plan->report.os_code = (int)-result;
    plan->report.stage = stage;
  }
  return 127;
}

/* Nothing unlisted above the largest listed number is ever referenced. What lies between follows in close_gaps. */
static long own_table(const struct safe__plan *plan) {
  unsigned first = (unsigned)plan->highest + 1;

  return plan->shared ? child_own_table((int)first) : child_close_range(first, CHILD_LAST_DESCRIPTOR);
}

/* A source that is another move's target would be overwritten before its turn: all of those go up first. */
static long lift(int *fd, int least) {
  long copy;

  if (*fd < 0 || *fd >= least) return 0;
  copy = child_dup_above(*fd, least);
  if (copy >= 0) *fd = (int)copy;
  return copy;
}

static int place(struct safe__plan *plan) {
  int least = plan->moves[plan->move_count - 1].target + 1;
  struct safe__move *move;
  long result;
  int at;

  for (at = 0; at < plan->move_count; at++) {
    move = &plan->moves[at];
    result = move->source == move->target ? 0 : lift(&move->source, least);
    if (result < 0) return report(plan, move->stage, move->index, result);
  }
  result = lift(&plan->error_fd, least);
  if (result < 0) return report(plan, SAFE_STAGE_DESCRIPTORS, -1, result);
  for (at = 0; at < plan->move_count; at++) {
    move = &plan->moves[at];
    result = move->source == move->target ? child_keep_on_exec(move->target) : child_dup2(move->source, move->target);
    if (result < 0) return report(plan, move->stage, move->index, result);
  }
  return 0;
}

static long close_between(int after, int before) {
  return before - after < 2 ? 0 : child_close_range((unsigned)after + 1, (unsigned)before - 1);
}

/* Everything but the targets, and the pipe that reports a failed exec, which closes itself otherwise. */
static long close_gaps(const struct safe__plan *plan) {
  int at, last = -1;
  long result = 0;

  for (at = 0; at < plan->move_count && result >= 0; at++) {
    result = close_between(last, plan->moves[at].target);
    last = plan->moves[at].target;
  }
  if (plan->error_fd >= 0 && result >= 0) {
    result = close_between(last, plan->error_fd);
    last = plan->error_fd;
  }
  return result < 0 ? result : child_close_range((unsigned)last + 1, CHILD_LAST_DESCRIPTOR);
}

/* The first candidate that exists decides, but for one that may not be executed: PATH may have a better one. */
static int exec_candidates(struct safe__plan *plan) {
  int at, refused = -1;
  long result = -ENOENT;

  for (at = 0; plan->candidates[at] != NULL; at++) {
    result = child_exec(plan->candidates[at], plan->argv, plan->envp);
    if (result == -EACCES && refused < 0) refused = at;
    if (result != -ENOENT && result != -ENOTDIR && result != -EACCES) return report(plan, SAFE_STAGE_EXEC, at, result);
  }
  if (refused >= 0) return report(plan, SAFE_STAGE_EXEC, refused, -EACCES);
  return report(plan, SAFE_STAGE_EXEC, at - 1, result);
}

int safe__child_run(void *argument) {
  struct safe__plan *plan = argument;
  long result = own_table(plan);
  int failed;

  if (result < 0) return report(plan, SAFE_STAGE_DESCRIPTORS, -1, result);
  child_default_signals();
  if (plan->group == SAFE_GROUP_NEW) result = child_new_group();
  if (plan->group == SAFE_GROUP_SESSION) result = child_new_session();
  if (result < 0) return report(plan, SAFE_STAGE_GROUP, -1, result);
  if (plan->cwd != NULL) result = child_change_folder(plan->cwd);
  if (result < 0) return report(plan, SAFE_STAGE_CWD, -1, result);
  failed = place(plan);
  if (failed != 0) return failed;
  result = close_gaps(plan);
  if (result < 0) return report(plan, SAFE_STAGE_DESCRIPTORS, -1, result);
  child_unblock_signals();
  return exec_candidates(plan);
}
