/* SPDX-License-Identifier: MIT */
/*
 * Ending the child and its tree. The leader's zombie, which is kept until safe_process_free, reserves the number of the
 * group, so that a signal to the group cannot reach a stranger's.
 */
#include "tree.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>

#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "child_exit.h"
#include "child_signal.h"
#include "poll_wait.h"

#define NO_DESCRIPTOR_MS 5
#define EXITING_MS 1 /* from the notice of an exit to the zombie */

/* ---- Its life. */

/* Those that were asked for and would hold for the tree as a whole on a system with cgroups. */
static uint32_t limits_of_trees(const safe_spawn_options *asked) {
  uint32_t limits = 0;
  size_t at;

  for (at = 0; at < asked->limit_count; at++)
    if (asked->limits[at].kind == SAFE_LIMIT_MEMORY || asked->limits[at].kind == SAFE_LIMIT_PROCESSES)
      limits |= UINT32_C(1) << asked->limits[at].kind;
  return limits;
}

int safe__tree_begin(struct safe__child *child, const safe_spawn_options *asked, safe_error *error) {
  if (asked->tree == SAFE_TREE_CGROUP || asked->cgroup != NULL)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_CGROUP, -1, "There are no cgroups here: Linux has them.");
  child->keeping = asked->tree;
  child->limits_lacking = limits_of_trees(asked);
  child->tree = safe__alloc(sizeof(*child->tree));
  return child->tree != NULL ? SAFE_OK : safe__fail_memory(error, SAFE_STAGE_PREPARE);
}

void safe__tree_end(struct safe__child *child, bool own) {
  if (child->tree == NULL) return;
  safe__guard_release(child->tree->guard, own);
  safe__free(child->tree->seen.items);
  safe__free(child->tree);
  child->tree = NULL;
}

/* ---- Signals. */

/* To the group by one call, which reaches those that are being forked too, and to the others one by one: the child may
   be one of these, if it has joined another group. */
static void signal_all(struct safe__child *child, const struct safe__members *found, int signal) {
  bool group = safe__group_is_ours(child);
  size_t at;

  if (group) kill(-(pid_t)child->pid, signal);
  for (at = 0; at < found->count; at++) {
    if (group && found->items[at].group == child->pid) continue;
    if (found->items[at].pid != child->pid)
      safe__member_signal(&found->items[at], signal);
    else if (!child->ended)
      safe__child_signal(child, signal);
  }
  if (found->count == 0 && !group && !child->ended) safe__child_signal(child, signal); /* there is no telling */
}

bool safe__os_child_end(struct safe__child *child, bool force) {
  struct safe__members found;

  safe__child_ended(child);
  safe__members_find(child, &found);
  signal_all(child, &found, force ? SIGKILL : SIGTERM);
  if (!force) signal_all(child, &found, SIGCONT); /* a stopped process takes no SIGTERM */
  if (force && safe__tree_has_descendants(child)) safe__guard_signal_children(child->tree->guard, SIGKILL);
  child->killed = child->killed || force;
  safe__free(found.items);
  return true;
}

/* ---- Who is left. */

static void describe_first(struct safe__child *child, safe_stop_report *report) {
  struct safe__member_state state;

  safe__member_state(report->left[0], &state);
  child->watched = report->left[0];
  report->state = state.letter;
  memcpy(report->wait_channel, state.wait_channel, sizeof(report->wait_channel));
}
_Static_assert(sizeof(((safe_stop_report *)0)->wait_channel) == sizeof(((struct safe__member_state *)0)->wait_channel),
               "a wait channel fits the report");

static void add_left(safe_stop_report *report, int64_t pid) {
  if (report->left_count < SAFE_STOP_MAX_PIDS) report->left[report->left_count] = pid;
  report->left_count++;
}

bool safe__os_child_left(struct safe__child *child, safe_stop_report *report) {
  bool ended = safe__child_ended(child), listed = false, told;
  struct safe__members found;
  size_t at;

  report->left_count = 0;
  report->state = 0;
  report->wait_channel[0] = '\0';
  /* Not asked by kill(-group, 0): what it answers for a group of zombies differs between the systems. */
  told = safe__members_find(child, &found);
  for (at = 0; at < found.count; at++) {
    listed = listed || found.items[at].pid == child->pid;
    /* A zombie by now, after the list was made. */
    if (found.items[at].pid != child->pid || !ended) add_left(report, found.items[at].pid);
  }
  if (!ended && !listed) add_left(report, child->pid);
  /* A list that could not be read shows nobody gone. */
  if (ended && !told && child->group != SAFE_GROUP_HOST) add_left(report, 0);
  safe__free(found.items);
  if (report->left_count > 0 && report->left[0] != 0) describe_first(child, report);
  return report->left_count > 0;
}

static void pause_until(int64_t deadline, int64_t most_ms) {
  safe__os_sleep(safe__deadline_min(deadline, safe__deadline(most_ms)), NULL, false);
}

/* Any process, not only a child; returns at once when there is none of that number. */
static bool wait_for_exit(int64_t pid, int64_t deadline) {
  struct kevent event;
  struct timespec left;
  int64_t ns = deadline - safe__os_now();
  int queue = kqueue(), count;

  if (queue < 0) {
    pause_until(deadline, NO_DESCRIPTOR_MS);
    return true;
  }
  if (ns < 0) ns = 0;
  left.tv_sec = (time_t)(ns / 1000000000);
  left.tv_nsec = (long)(ns % 1000000000);
  EV_SET(&event, (uintptr_t)pid, EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, NULL);
  count = kevent(queue, &event, 1, &event, 1, &left);
  close(queue);
  return count != 0;
}

bool safe__os_child_settle(struct safe__child *child, int64_t deadline) {
  struct pollfd ready = {child->exit_fd, POLLIN, 0};

  if (child->ended && child->watched > 0) return wait_for_exit(child->watched, deadline);
  if (ready.fd < 0) {
    pause_until(deadline, NO_DESCRIPTOR_MS);
    return true;
  }
  if (safe__poll(&ready, 1, deadline) <= 0) return false;
  if (!safe__child_ended(child)) pause_until(deadline, EXITING_MS);
  return true;
}

/* ---- A signal of the caller's. */

/* What kill answers for a group of zombies differs between the systems. Also where there is no telling. */
static bool group_lives(struct safe__child *child) {
  struct safe__members found;
  bool lives = !safe__members_find(child, &found);
  size_t at;

  for (at = 0; at < found.count; at++) lives = lives || found.items[at].group == child->pid;
  safe__free(found.items);
  return lives;
}

long safe__child_kill(struct safe__child *child, int signal, bool group) {
  bool ended = safe__child_ended(child);

  if (!group) return ended ? -ESRCH : safe__child_signal(child, signal);
  if (!safe__group_is_ours(child)) return -ENOTSUP;
  if (ended && !group_lives(child)) return -ESRCH;
  return kill(-(pid_t)child->pid, signal) == 0 ? 0 : -errno;
}

void safe__os_child_tree(const struct safe__child *child, safe_tree_info *info) {
  const struct safe__guard *guard = child->tree->guard;

  info->limits_lacking = child->limits_lacking;
  if (safe__guard_lives(guard)) info->guard = safe__guard_pid(guard);
  if (child->group == SAFE_GROUP_HOST)
    info->kind = SAFE_TREE_BY_CHILD;
  else if (child->keeping == SAFE_TREE_GROUP)
    info->kind = SAFE_TREE_BY_GROUP;
  else
    info->kind = info->guard != 0 ? SAFE_TREE_BY_GUARD : SAFE_TREE_BY_WALK;
}
