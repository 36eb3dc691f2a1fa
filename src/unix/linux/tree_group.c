/* SPDX-License-Identifier: MIT */
/*
 * Ending the child and its tree. From Linux 6.9 on the group is signalled through the leader's pidfd, which cannot mean
 * a stranger's. Before, it is signalled by number, which the leader's zombie, kept until safe_process_free, reserves;
 * if the host reaped the leader nobody is signalled, and who is left is named. Whoever has left the group is signalled
 * one by one; a cgroup is ended by one call.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child_ended.h"
#include "child_signal.h"
#include "in_exec.h"
#include "look.h"
#include "poll_wait.h"
#include "tree.h"

#define NO_PIDFD_MS 5 /* Linux before 5.3 */
#define TRACED_MS 5   /* a pidfd that is readable though nobody may wait for the child yet is one that a debugger has */

static bool has_group(const struct safe__child *child) { return child->group != SAFE_GROUP_HOST; }

static const struct safe__cgroup *cgroup_of(const struct safe__child *child) {
  return child->tree != NULL && child->tree->cgroup.folder >= 0 ? &child->tree->cgroup : NULL;
}

static bool under_guard(const struct safe__child *child) {
  const struct safe__guard *guard = safe__guard_of(child);

  return guard != NULL && guard->record->adopts != 0;
}

static void signal_group(const struct safe__child *child, int signal) {
  const struct safe__members *seen = child->tree == NULL ? NULL : &child->tree->seen;
  size_t at;

  safe__kernel.kill_group(child->exit_fd, child->pid, child->stolen, signal);
  /* One that was in the group when it was seen may have left it just before the group was signalled. */
  for (at = 0; seen != NULL && at < seen->count; at++)
    if (signal == SIGKILL || seen->items[at].group != child->pid) safe__member_signal(&seen->items[at], signal);
}

static void signal_tree(const struct safe__child *child, bool ended, int signal) {
  const struct safe__cgroup *cgroup = cgroup_of(child);

  bool reached = cgroup != NULL && signal == SIGKILL && safe__kernel.kill_cgroup(cgroup->folder) == 0;

  if (cgroup != NULL && !reached) reached = safe__cgroup_signal(cgroup, signal);
  if (reached) return;
  /* Without a cgroup, or without the descriptor that it takes to signal one. */
  if (has_group(child)) signal_group(child, signal);
  if (!ended && (cgroup != NULL || !has_group(child))) safe__kernel.kill(child->exit_fd, child->pid, signal);
}

/* Links lead to the tree as long as the child lives: who is in it has to be seen before it is signalled. */
static void see_tree(struct safe__child *child) {
  struct safe__members found;

  if (child->listed || cgroup_of(child) != NULL || !has_group(child) || child->keeping == SAFE_TREE_GROUP) return;
  safe__members_find(child, SAFE__GROUP_OURS, &found);
  safe__free(found.items);
  child->unlisted = child->unlisted || (!child->listed && !under_guard(child));
}

bool safe__os_child_end(struct safe__child *child, bool force) {
  bool ended = safe__child_ended(child);

  if (!ended) see_tree(child);
  child->killed = child->killed || force;
  signal_tree(child, ended, force ? SIGKILL : SIGTERM);
  if (!force) signal_tree(child, ended, SIGCONT); /* a stopped process takes no SIGTERM */
  return true;
}

/* ---- Who is left. */

static void add_left(struct safe__child *child, safe_stop_report *report, int64_t pid) {
  struct safe__actor actor = {.pid = pid};

  if (report->left_count < SAFE_STOP_MAX_PIDS) report->left[report->left_count] = pid;
  if (report->left_count++ > 0) return;
  child->watched = pid;
  if (pid <= 0 || !safe__look_actor(&actor)) return; /* there is no /proc, or it has just gone */
  report->state = actor.state;
  memcpy(report->wait_channel, actor.channel, sizeof(report->wait_channel));
}

static char state_of(int64_t pid) {
  struct safe__proc_stat stat;

  return safe__calm_stat(pid, &stat) ? stat.state : 0;
}

static void list_cgroup(struct safe__child *child, int folder, safe_stop_report *report) {
  int64_t pids[SAFE_STOP_MAX_PIDS];
  int at, count;

  if (safe__cgroup_empty(folder)) return;
  count = safe__cgroup_list(folder, pids, SAFE_STOP_MAX_PIDS);
  for (at = 0; at < count && at < SAFE_STOP_MAX_PIDS; at++) add_left(child, report, pids[at]);
  report->left_count = count;
  if (count == 0 && !safe__cgroup_empty(folder)) add_left(child, report, 0); /* of another pid namespace */
}

/* False if there may be more. */
static bool list_members(struct safe__child *child, enum safe__group group, safe_stop_report *report) {
  struct safe__members found;
  bool complete = safe__members_find(child, group, &found);
  size_t at;

  for (at = 0; at < found.count; at++) add_left(child, report, found.items[at].pid);
  safe__free(found.items);
  return complete;
}

/* Without a /proc to look at, a group counts as there until it was killed: better one signal too many. */
static bool proc_is_missing(void) { return state_of(getpid()) == 0; }

/* Its number is the session's, and its zombie keeps it so. */
static bool has_session(const struct safe__child *child) {
  return child->group == SAFE_GROUP_SESSION && !child->stolen && child->keeping != SAFE_TREE_GROUP;
}

/* Of a child that has ended nothing but its group leads to anybody, unless it had a session, a guard, or somebody was
   seen before: then looking through all processes can be spared. */
static bool may_be_found(const struct safe__child *child) {
  return under_guard(child) || has_session(child) || (child->tree != NULL && child->tree->seen.count > 0);
}

static enum safe__group group_of(const struct safe__child *child, bool ended) {
  long result = ended ? safe__kernel.kill_group(child->exit_fd, child->pid, child->stolen, 0) : 0;

  return result == -ESRCH ? SAFE__GROUP_GONE : result == -ENOSYS ? SAFE__GROUP_IN_DOUBT : SAFE__GROUP_OURS;
}

/* False if there may be more. */
static bool look_for_group(struct safe__child *child, bool ended, safe_stop_report *report) {
  enum safe__group group = group_of(child, ended);
  bool gone = group == SAFE__GROUP_GONE, complete;

  if (gone && !may_be_found(child)) return !child->unlisted;
  complete = list_members(child, gone && has_session(child) ? SAFE__GROUP_OURS : group, report);
  if (complete && ended && !gone && report->left_count == 0 && !child->killed && proc_is_missing())
    add_left(child, report, child->pid);
  return complete && !child->unlisted;
}

bool safe__os_child_left(struct safe__child *child, safe_stop_report *report) {
  const struct safe__cgroup *cgroup = cgroup_of(child);
  bool ended = safe__child_ended(child), complete = true;

  child->watched = 0;
  report->left_count = 0;
  report->state = 0;
  report->wait_channel[0] = '\0';
  if (cgroup != NULL)
    list_cgroup(child, cgroup->folder, report);
  else if (has_group(child))
    complete = look_for_group(child, ended, report);
  if (!ended && report->left_count == 0) {
    add_left(child, report, child->pid);
    if (report->state == 'Z' && safe__child_ended(child)) report->left_count = 0; /* just now */
  }
  if (!complete && report->left_count == 0) add_left(child, report, 0);
  return report->left_count > 0;
}

static void pause_until(int64_t deadline, int64_t most_ms) {
  safe__os_sleep(safe__deadline_min(deadline, safe__deadline(most_ms)), NULL, false);
}

/* The first of those that are left, once the child has ended. */
static bool settle_watched(int64_t pid, int64_t deadline) {
  struct pollfd gone = {safe__pidfd_open(pid), POLLIN, 0};
  bool changed = true;

  if (gone.fd >= 0) {
    changed = safe__poll(&gone, 1, deadline) > 0;
    close(gone.fd);
  } else if (kill((pid_t)pid, 0) == 0 || errno != ESRCH) {
    pause_until(deadline, NO_PIDFD_MS);
  }
  return changed;
}

bool safe__os_child_settle(struct safe__child *child, int64_t deadline) {
  struct pollfd ready = {child->exit_fd, POLLIN, 0};

  if (child->ended && cgroup_of(child) != NULL) {
    safe__cgroup_wait(child->tree->cgroup.folder, deadline);
    return safe__cgroup_empty(child->tree->cgroup.folder);
  }
  if (child->ended && child->watched > 0) return settle_watched(child->watched, deadline);
  if (ready.fd < 0 || child->ended) { /* ended: somebody is left whom no number is known of */
    pause_until(deadline, NO_PIDFD_MS);
    return true;
  }
  if (safe__poll(&ready, 1, deadline) <= 0) return false;
  if (!child->ended && !safe__child_ended(child)) pause_until(deadline, TRACED_MS);
  return true;
}

/* ---- A signal of the caller's. */

/* A group of zombies takes signals, too. */
static bool group_lives(struct safe__child *child) {
  struct safe__members found;
  bool lives = !safe__members_find(child, group_of(child, true), &found);
  size_t at;

  for (at = 0; at < found.count; at++) lives = lives || found.items[at].group == child->pid;
  safe__free(found.items);
  return lives || proc_is_missing();
}

long safe__child_kill(struct safe__child *child, int signal, bool group) {
  bool ended = safe__child_ended(child);
  long result;

  if (!group) return ended ? -ESRCH : safe__kernel.kill(child->exit_fd, child->pid, signal);
  /* To look whether somebody is left takes longer than many a child lives, and is not needed to be rid of them. */
  if (ended && signal != SIGKILL && !group_lives(child)) return -ESRCH;
  result = safe__kernel.kill_group(child->exit_fd, child->pid, child->stolen, signal);
  return result == -ENOSYS ? -ENOTSUP : result;
}

/* ---- How it is kept together. */

static int32_t kind_of(const struct safe__child *child) {
  if (cgroup_of(child) != NULL) return SAFE_TREE_BY_CGROUP;
  if (under_guard(child)) return SAFE_TREE_BY_GUARD;
  if (!has_group(child)) return SAFE_TREE_BY_CHILD;
  return child->keeping == SAFE_TREE_GROUP ? SAFE_TREE_BY_GROUP : SAFE_TREE_BY_WALK;
}

void safe__os_child_tree(const struct safe__child *child, safe_tree_info *info) {
  const struct safe__guard *guard = safe__guard_of(child);
  const struct safe__cgroup *cgroup = cgroup_of(child);

  info->kind = kind_of(child);
  info->guard = guard == NULL ? 0 : guard->pid;
  info->limits_lacking = child->limits_lacking;
  if (cgroup != NULL) snprintf(info->cgroup, sizeof(info->cgroup), "%s", cgroup->path);
}
