/* SPDX-License-Identifier: MIT */
#include "members.h"

#include <sys/param.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/user.h>

#include <errno.h>
#include <string.h>

#include "process_state.h"
#include "start_time.h"

/* ---- All of them. */

#define TRIES 4 /* there may be more of them at the second call */
#define MORE 32

/* KERN_PROC_PROC: a process once, and not once for each thread. */
static struct kinfo_proc *list_all(size_t *count) {
  int name[3] = {CTL_KERN, KERN_PROC, KERN_PROC_PROC}, tries, result = -1;
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

static struct kinfo_proc *list_timed(size_t *count, int64_t *boot) {
  struct kinfo_proc *list;
  int64_t again;

  for (;;) {
    if (!safe__boot_time(boot)) return NULL;
    list = list_all(count);
    if (list == NULL || (safe__boot_time(&again) && again == *boot)) return list;
    safe__free(list);
  }
}

bool safe__members_all(struct safe__members *all, bool sessions) {
  struct safe__member *member;
  struct kinfo_proc *list;
  int64_t boot;
  size_t at;

  (void)sessions; /* they come with the rest */
  list = list_timed(&all->count, &boot);
  if (list == NULL) return false;
  all->items = safe__alloc((all->count + 1) * sizeof(*all->items));
  for (at = 0; all->items != NULL && at < all->count; at++) {
    member = &all->items[at];
    member->pid = list[at].ki_pid;
    member->start = safe__start_since(&list[at].ki_start, boot);
    member->parent = list[at].ki_ppid;
    member->group = list[at].ki_pgid;
    member->session = list[at].ki_sid;
    member->zombie = list[at].ki_stat == SZOMB;
  }
  safe__free(list);
  return all->items != NULL;
}

/* ---- One of them. */

void safe__member_state(int64_t pid, struct safe__member_state *state) {
  int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
  struct kinfo_proc process;
  size_t size = sizeof(process);

  memset(state, 0, sizeof(*state));
  if (sysctl(name, 4, &process, &size, NULL, 0) != 0 || size != sizeof(process)) return;
  state->letter = (process.ki_flag & P_WEXIT) != 0 ? 'E' : safe__process_state(&process);
  memcpy(state->wait_channel, process.ki_wmesg, strnlen(process.ki_wmesg, sizeof(process.ki_wmesg)));
}
