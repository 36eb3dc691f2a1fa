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

static bool is_target(const struct safe__plan *plan, int fd) {
  int low = 0, high = plan->move_count;

  while (low < high) {
    int middle = low + (high - low) / 2;
    if (plan->moves[middle].target == fd) return true;
    if (plan->moves[middle].target < fd)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

/* A source that is another move's target would be overwritten before its turn: it goes to a number that is none. What
   lands on one on the way there is overwritten, as it should be. */
static long lift(const struct safe__plan *plan, int *fd) {
  long copy = 2;

  if (*fd < 0 || !is_target(plan, *fd)) return 0;
  do copy = child_dup_above(*fd, (int)copy + 1);
  while (copy >= 0 && is_target(plan, (int)copy));
  if (copy >= 0) *fd = (int)copy;
  return copy;
}

static int place(struct safe__plan *plan) {
  struct safe__move *move;
  long result;
  int at;

  for (at = 0; at < plan->move_count; at++) {
    move = &plan->moves[at];
    result = move->source == move->target ? 0 : lift(plan, &move->source);
    if (result < 0) return report(plan, move->stage, move->index, result);
  }
  result = lift(plan, &plan->error_fd);
  if (result < 0) return report(plan, SAFE_STAGE_DESCRIPTORS, -1, result);
  for (at = 0; at < plan->move_count; at++) {
    move = &plan->moves[at];
    if (move->cleared) continue;
    result = move->source == move->target ? child_keep_on_exec(move->target) : child_dup2(move->source, move->target);
    if (result < 0) return report(plan, move->stage, move->index, result);
  }
  return 0;
}

/* With the host's rights and from its folder, whatever the child gets later. */
static int open_paths(struct safe__plan *plan) {
  struct safe__move *move;
  long result;
  int at;

  for (at = 0; at < 3; at++) {
    move = &plan->moves[at];
    if (move->path != NULL) {
      result = child_open(move->path, move->open_flags, move->mode);
      if (result < 0) return report(plan, move->stage, move->index, result);
      move->source = (int)result;
    } else if (move->open_flags == SAFE__LIKE_OUT) {
      move->source = plan->moves[1].source;
    }
  }
  return 0;
}

static long close_between(int after, int before) {
  return before - after < 2 ? 0 : child_close_range((unsigned)after + 1, (unsigned)before - 1);
}

/* Everything but the targets, and the pipe that reports a failed exec, which closes itself otherwise. */
static long close_gaps(const struct safe__plan *plan) {
  int at, last = -1, error_fd = plan->error_fd;
  long result = 0;

  for (at = 0; at < plan->move_count && result >= 0; at++) {
    if (error_fd >= 0 && error_fd < plan->moves[at].target) {
      result = close_between(last, error_fd);
      last = error_fd;
      error_fd = -1;
    }
    if (result >= 0) result = close_between(last, plan->moves[at].target);
    last = plan->moves[at].target;
  }
  if (error_fd >= 0 && result >= 0) {
    result = close_between(last, error_fd);
    last = error_fd;
  }
  return result < 0 ? result : child_close_range((unsigned)last + 1, CHILD_LAST_DESCRIPTOR);
}

/*
 * ETXTBSY is often a matter of microseconds: the host wrote the program and closed it, and at that moment another child
 * of it, ours or not, was between its clone and its exec. Ours too: close_range copies the first 64 descriptors
 * whatever it is told (fs/file.c, sane_fdtable_size, rounds up to a word), and lets go of them only then.
 */
#define BUSY_TRIES 50

static long exec_patiently(const struct safe__plan *plan, const char *path) {
  long result;
  int tries;

  for (tries = 0; tries < BUSY_TRIES; tries++) {
    result = child_exec(path, plan->argv, plan->envp);
    if (result != -ETXTBSY) break;
    child_pause_ms();
  }
  return result;
}

/* The first candidate that can be executed; what stands in the way of one on PATH may not stand in the way of the next.
 */
static int exec_candidates(struct safe__plan *plan) {
  int at, refused = -1;
  long result = -ENOENT;

  for (at = 0; plan->candidates[at] != NULL; at++) {
    result = exec_patiently(plan, plan->candidates[at]);
    if (result == -EACCES && refused < 0) refused = at;
    if (result != -ENOENT && result != -ENOTDIR && result != -EACCES) return report(plan, SAFE_STAGE_EXEC, at, result);
  }
  if (refused >= 0) return report(plan, SAFE_STAGE_EXEC, refused, -EACCES);
  return report(plan, SAFE_STAGE_EXEC, at - 1, result);
}

static int set_limits(struct safe__plan *plan) {
  long result;
  int at;

  for (at = 0; at < plan->limit_count; at++) {
    if (plan->limits[at].kind == SAFE_LIMIT_PROCESSES && (plan->tree_limits & 1u << SAFE_LIMIT_PROCESSES) != 0)
      continue;
    result = child_limit(plan->limits[at].kind, plan->limits[at].value);
    if (result < 0) return report(plan, SAFE_STAGE_LIMIT, at, result);
  }
  return 0;
}

/* The user last: with it go the rights to do the rest. */
static int change_user(struct safe__plan *plan) {
  long result = 0;

  if (plan->sets_groups) result = child_set_groups(plan->group_count, plan->groups, plan->gid);
  if (result < 0) return report(plan, SAFE_STAGE_GROUPS, -1, result);
  if (plan->gid >= 0) result = child_set_gid(plan->gid);
  if (result < 0) return report(plan, SAFE_STAGE_GID, -1, result);
  if (plan->uid >= 0) result = child_set_uid(plan->uid);
  return result < 0 ? report(plan, SAFE_STAGE_UID, -1, result) : 0;
}

/* A new group or session, and what goes with it. */
static int leave_the_group(struct safe__plan *plan) {
  long result = 0;

  if (plan->group == SAFE_GROUP_NEW) result = child_new_group();
  if (plan->group == SAFE_GROUP_SESSION) result = child_new_session();
  return result < 0 ? report(plan, SAFE_STAGE_GROUP, -1, result) : 0;
}

/* What the descriptors no longer stand in the way of. */
static int change_surroundings(struct safe__plan *plan) {
  long result = 0;
  int failed;

  if (plan->terminal >= 0) result = child_take_terminal(plan->terminal);
  if (result < 0) return report(plan, SAFE_STAGE_TERMINAL, plan->terminal, result);
  if (plan->cwd != NULL) result = child_change_folder(plan->cwd);
  if (result < 0) return report(plan, SAFE_STAGE_CWD, -1, result);
  if (plan->nice != 0) result = child_nice(plan->nice);
  if (result < 0) return report(plan, SAFE_STAGE_NICE, -1, result);
  failed = set_limits(plan);
  if (failed == 0 && plan->changes_user) failed = change_user(plan);
  if (failed != 0) return failed;
  if ((plan->flags & SAFE_SPAWN_NO_NEW_PRIVILEGES) != 0) result = child_no_new_privileges();
  return result < 0 ? report(plan, SAFE_STAGE_PRIVILEGES, -1, result) : 0;
}

int safe__child_run(void *argument) {
  struct safe__plan *plan = argument;
  long result = own_table(plan);
  int failed;

  if (result < 0) return report(plan, SAFE_STAGE_DESCRIPTORS, -1, result);
  if (!plan->handlers_cleared) child_default_signals((plan->flags & SAFE_SPAWN_KEEP_IGNORED) != 0);
  failed = leave_the_group(plan);
  if (plan->umask >= 0) child_umask(plan->umask);
  if (failed == 0) failed = open_paths(plan);
  if (failed == 0) failed = place(plan);
  if (failed != 0) return failed;
  result = close_gaps(plan);
  if (result < 0) return report(plan, SAFE_STAGE_DESCRIPTORS, -1, result);
  failed = change_surroundings(plan);
  if (failed != 0) return failed;
  child_unblock_signals();
  return exec_candidates(plan);
}
