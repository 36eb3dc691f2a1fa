/* SPDX-License-Identifier: MIT */
/*
 * Ending the child and its process group. From Linux 6.9 on the group is signalled through the leader's pidfd, which
 * cannot mean a stranger's. Before, it is signalled by number, which the leader's zombie, kept until
 * safe_process_free, reserves; if the host reaped the leader nobody is signalled, and who is left is named.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "child_ended.h"
#include "kernel.h"
#include "poll_wait.h"
#include "proc_stat.h"

/* The group is looked through again in this rhythm at the latest, as the process that is waited for may not be the
   last one, or its number may have been given to another one. */
#define LOOK_AGAIN_MS 100
#define NO_PIDFD_MS 5 /* Linux before 5.3 */

static bool has_group(const struct safe__child *child) { return child->group != SAFE_GROUP_HOST; }

bool safe__os_child_end(struct safe__child *child, bool force) {
  int signal = force ? SIGKILL : SIGTERM;
  bool ended = safe__child_ended(child);

  child->killed = child->killed || force;
  if (has_group(child)) {
    safe__kernel.kill_group(child->exit_fd, child->pid, child->stolen, signal);
    /* A stopped process takes no SIGTERM. */
    if (!force) safe__kernel.kill_group(child->exit_fd, child->pid, child->stolen, SIGCONT);
  } else if (!ended) {
    safe__kernel.kill(child->exit_fd, child->pid, signal);
    if (!force) safe__kernel.kill(child->exit_fd, child->pid, SIGCONT);
  }
  return true;
}

static void add_left(struct safe__child *child, safe_stop_report *report, int64_t pid, char state) {
  if (report->left_count < SAFE_STOP_MAX_PIDS) report->left[report->left_count] = pid;
  if (report->left_count == 0) {
    child->watched = pid;
    report->state = state;
    safe__proc_line(pid, "wchan", report->wait_channel, sizeof(report->wait_channel));
    if (strcmp(report->wait_channel, "0") == 0) report->wait_channel[0] = '\0'; /* it runs, or we may not know */
  }
  report->left_count++;
}

/* A zombie with threads left is a process whose first thread alone has ended. */
static bool is_dead(const struct safe__proc_stat *stat) {
  return (stat->state == 'Z' || stat->state == 'X') && stat->threads <= 1;
}

static void scan_group(struct safe__child *child, safe_stop_report *report) {
  struct safe__proc_stat stat;
  DIR *folder = opendir("/proc");
  int64_t pid;

  if (folder == NULL) return;
  while ((pid = safe__proc_next(folder)) != 0)
    if (safe__proc_stat(pid, &stat) && stat.group == child->pid && !is_dead(&stat))
      add_left(child, report, pid, stat.state);
  closedir(folder);
}

/* Without a /proc to look at, a group counts as there until it was killed: better one signal too many. */
static bool proc_is_missing(void) {
  struct safe__proc_stat stat;

  return !safe__proc_stat(getpid(), &stat);
}

bool safe__os_child_left(struct safe__child *child, safe_stop_report *report) {
  struct safe__proc_stat stat;
  bool ended = safe__child_ended(child);

  report->left_count = 0;
  report->state = 0;
  report->wait_channel[0] = '\0';
  if (has_group(child)) {
    if (ended && safe__kernel.kill_group(child->exit_fd, child->pid, child->stolen, 0) == -ESRCH) return false;
    scan_group(child, report);
    if (ended && report->left_count == 0 && !child->killed && proc_is_missing()) add_left(child, report, child->pid, 0);
  }
  if (!ended && report->left_count == 0)
    add_left(child, report, child->pid, safe__proc_stat(child->pid, &stat) ? stat.state : 0);
  return report->left_count > 0;
}

void safe__os_child_settle(struct safe__child *child, int64_t deadline) {
  struct pollfd ready = {child->exit_fd, POLLIN, 0};
  int64_t step = safe__deadline_min(deadline, safe__deadline(LOOK_AGAIN_MS));
  int pidfd = -1;

  if (child->ended && child->watched > 0) {
    pidfd = (int)safe__raw6(SYS_pidfd_open, (long)child->watched, 0, 0, 0, 0, 0);
    if (pidfd == -ESRCH) return;
    ready.fd = pidfd;
  }
  if (ready.fd >= 0)
    safe__poll(&ready, 1, step);
  else
    safe__os_sleep(safe__deadline_min(deadline, safe__deadline(NO_PIDFD_MS)), NULL, false);
  if (pidfd >= 0) close(pidfd);
}

void safe__os_child_tree(const struct safe__child *child, safe_tree_info *info) {
  info->kind = has_group(child) ? SAFE_TREE_BY_GROUP : SAFE_TREE_BY_CHILD;
}
