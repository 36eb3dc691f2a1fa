/* SPDX-License-Identifier: MIT */
#include "group_members.h"

#include <errno.h>
#include <libproc.h>
#include <signal.h>
#include <string.h>
#include <sys/proc.h>
#include <sys/proc_info.h>

#define MOST_MEMBERS 1024 /* of a larger group, so many are seen at a time */

/* What the first thread does, as ps(1) tells it, but with the letters of Linux; 0 for another user's process. The state
   in the process itself is "runs" whenever it is not stopped. */
static char thread_state(pid_t pid) {
  struct proc_threadinfo info;
  uint64_t thread;

  if (proc_pidinfo(pid, PROC_PIDLISTTHREADS, 0, &thread, sizeof(thread)) < (int)sizeof(thread) ||
      proc_pidinfo(pid, PROC_PIDTHREADINFO, thread, &info, sizeof(info)) < (int)sizeof(info))
    return 0;
  switch (info.pth_run_state) {
  case TH_STATE_RUNNING:
    return 'R';
  case TH_STATE_UNINTERRUPTIBLE:
    return 'D';
  case TH_STATE_STOPPED:
  case TH_STATE_HALTED:
    return 'T';
  default:
    return 'S';
  }
}

/* False for a zombie, and when there is no such process. */
static bool examine(pid_t pid, struct safe__member *member) {
  struct proc_bsdinfo info;

  memset(member, 0, sizeof(*member));
  member->pid = pid;
  if (proc_pidinfo(pid, PROC_PIDTBSDINFO, 1, &info, sizeof(info)) < (int)sizeof(info)) {
    /* Listed, but not to be found (proc_find does not see a process that has begun its exit), and not a zombie yet. */
    member->state = 'E';
    return kill(pid, 0) == 0;
  }
  if (info.pbi_status == SZOMB) return false;
  if (info.pbi_status == SSTOP)
    member->state = 'T';
  else
    member->state = (info.pbi_flags & PROC_FLAG_INEXIT) != 0 ? 'E' : thread_state(pid);
  return true;
}

void safe__group_members(int64_t group, void (*add)(void *context, const struct safe__member *member), void *context) {
  pid_t list[MOST_MEMBERS];
  struct safe__member member;
  int at, bytes = proc_listpids(PROC_PGRP_ONLY, (uint32_t)group, list, sizeof(list));

  for (at = 0; at < bytes / (int)sizeof(list[0]); at++)
    if (list[at] > 0 && examine(list[at], &member)) add(context, &member);
}

void safe__member_look(int64_t pid, struct safe__member *member) { examine((pid_t)pid, member); }
