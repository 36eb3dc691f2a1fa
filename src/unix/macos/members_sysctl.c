/* SPDX-License-Identifier: MIT */
#include "members.h"

#include <errno.h>
#include <libproc.h>
#include <string.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/proc_info.h>
#include <sys/sysctl.h>
#include <unistd.h>

/* ---- All of them. */

#define TRIES 4 /* there may be more of them at the second call */
#define MORE 32

static struct kinfo_proc *list_all(size_t *count) {
  int name[3] = {CTL_KERN, KERN_PROC, KERN_PROC_ALL}, tries, result = -1;
  struct kinfo_proc *list = NULL, *longer;
  size_t size = 0;

  for (tries = 0; result != 0 && tries < TRIES; tries++) {
    if (sysctl(name, 3, NULL, &size, NULL, 0) != 0) break;
    size += MORE * sizeof(*list);
    longer = safe__realloc(list, size);
    if (longer == NULL) break;
    list = longer;
    result = sysctl(name, 3, list, &size, NULL, 0);
    if (result != 0 && errno != ENOMEM) break;
  }
  *count = size / sizeof(*list);
  if (result == 0) return list;
  safe__free(list);
  return NULL;
}

/* e_sess is an address in the kernel, which it does not tell: the session has to be asked for. */
bool safe__members_all(struct safe__members *all, bool sessions) {
  struct kinfo_proc *list = list_all(&all->count);
  const struct timeval *start;
  struct safe__member *member;
  size_t at;

  if (list == NULL) return false;
  all->items = safe__alloc((all->count + 1) * sizeof(*all->items));
  for (at = 0; all->items != NULL && at < all->count; at++) {
    member = &all->items[at];
    start = &list[at].kp_proc.p_starttime;
    member->pid = list[at].kp_proc.p_pid;
    member->start = (uint64_t)start->tv_sec * 1000000 + (uint64_t)start->tv_usec;
    member->parent = list[at].kp_eproc.e_ppid;
    member->group = list[at].kp_eproc.e_pgid;
    member->session = sessions ? getsid((pid_t)member->pid) : -1;
    member->zombie = list[at].kp_proc.p_stat == SZOMB;
  }
  safe__free(list);
  return all->items != NULL;
}

/* ---- One of them. */

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

/* Its wait channel the kernel no longer tells anybody. */
void safe__member_state(int64_t pid, struct safe__member_state *state) {
  struct proc_bsdinfo info;

  memset(state, 0, sizeof(*state));
  /* One that is listed but not found here has begun its exit: proc_find does not see it any more. */
  if (proc_pidinfo((int)pid, PROC_PIDTBSDINFO, 1, &info, sizeof(info)) < (int)sizeof(info))
    state->letter = 'E';
  else if (info.pbi_status == SSTOP)
    state->letter = 'T';
  else
    state->letter = (info.pbi_flags & PROC_FLAG_INEXIT) != 0 ? 'E' : thread_state((pid_t)pid);
}
