/* SPDX-License-Identifier: MIT */
/*
 * Ending the child and its process group. The leader's zombie, which is kept until safe_process_free, reserves the
 * number of the group, so that a signal to the group cannot reach a stranger's.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "child_exit.h"
#include "group_members.h"
#include "poll_wait.h"

/* The group is looked through again in this rhythm at the latest, as the process that is waited for may not be the
   last one, or its number may have been given to another one. */
#define LOOK_AGAIN_MS 100
#define NO_DESCRIPTOR_MS 5
#define EXITING_MS 1 /* from the notice of an exit to the zombie */

/* If somebody else reaped the leader, its number may be given to another process by now, and so may the group's. */
static bool group_is_ours(const struct safe__child *child) { return child->group != SAFE_GROUP_HOST && !child->stolen; }

static void signal_all(struct safe__child *child, bool ended, int signal) {
  if (group_is_ours(child))
    kill(-(pid_t)child->pid, signal);
  else if (!ended)
    safe__child_signal(child, signal);
}

bool safe__os_child_end(struct safe__child *child, bool force) {
  bool ended = safe__child_ended(child);

  signal_all(child, ended, force ? SIGKILL : SIGTERM);
  if (!force) signal_all(child, ended, SIGCONT); /* a stopped process takes no SIGTERM */
  return true;
}

struct survey {
  struct safe__child *child;
  safe_stop_report *report;
};

static void add_left(void *context, const struct safe__member *member) {
  struct survey *survey = context;
  safe_stop_report *report = survey->report;

  if (report->left_count < SAFE_STOP_MAX_PIDS) report->left[report->left_count] = member->pid;
  if (report->left_count == 0) {
    survey->child->watched = member->pid;
    report->state = member->state;
    memcpy(report->wait_channel, member->wait_channel, sizeof(report->wait_channel));
  }
  report->left_count++;
}
_Static_assert(sizeof(((safe_stop_report *)0)->wait_channel) == sizeof(((struct safe__member *)0)->wait_channel),
               "a wait channel fits the report");

bool safe__os_child_left(struct safe__child *child, safe_stop_report *report) {
  struct survey survey = {child, report};
  struct safe__member member;
  bool ended = safe__child_ended(child);

  report->left_count = 0;
  report->state = 0;
  report->wait_channel[0] = '\0';
  /* Not asked by kill(-group, 0): what it answers for a group of zombies differs between the systems. */
  if (group_is_ours(child)) safe__group_members(child->pid, add_left, &survey);
  if (!ended && report->left_count == 0) {
    safe__member_look(child->pid, &member);
    add_left(&survey, &member);
  }
  return report->left_count > 0;
}

/* Any process, not only a child; returns at once when there is none of that number. */
static void wait_for_exit(int64_t pid, int64_t deadline) {
  struct kevent event;
  struct timespec left;
  int64_t ns = deadline - safe__os_now();
  int queue = kqueue();

  if (queue < 0) {
    safe__os_sleep(safe__deadline_min(deadline, safe__deadline(NO_DESCRIPTOR_MS)), NULL, false);
    return;
  }
  if (ns < 0) ns = 0;
  left.tv_sec = (time_t)(ns / 1000000000);
  left.tv_nsec = (long)(ns % 1000000000);
  EV_SET(&event, (uintptr_t)pid, EVFILT_PROC, EV_ADD | EV_ONESHOT, NOTE_EXIT, 0, NULL);
  kevent(queue, &event, 1, &event, 1, &left);
  close(queue);
}

void safe__os_child_settle(struct safe__child *child, int64_t deadline) {
  struct pollfd ready = {child->exit_fd, POLLIN, 0};
  int64_t step = safe__deadline_min(deadline, safe__deadline(LOOK_AGAIN_MS));

  if (child->ended && child->watched > 0)
    wait_for_exit(child->watched, step);
  else if (ready.fd < 0)
    safe__os_sleep(safe__deadline_min(deadline, safe__deadline(NO_DESCRIPTOR_MS)), NULL, false);
  else if (safe__poll(&ready, 1, step) > 0 && !safe__child_ended(child))
    safe__os_sleep(safe__deadline_min(deadline, safe__deadline(EXITING_MS)), NULL, false);
}

void safe__os_child_tree(const struct safe__child *child, safe_tree_info *info) {
  info->kind = child->group == SAFE_GROUP_HOST ? SAFE_TREE_BY_CHILD : SAFE_TREE_BY_GROUP;
}
