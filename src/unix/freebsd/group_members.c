/* SPDX-License-Identifier: MIT */
#include "group_members.h"

#include <sys/param.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/user.h>

#include <errno.h>
#include <string.h>

#include "internal.h"

/* As ps(1) tells it, print.c. */
static char state_of(const struct kinfo_proc *process) {
  switch (process->ki_stat) {
  case SRUN:
  case SIDL:
    return 'R';
  case SSLEEP:
    return (process->ki_tdflags & TDF_SINTR) != 0 ? 'S' : 'D';
  case SSTOP:
    return 'T';
  case SZOMB:
    return 'Z';
  case SWAIT:
    return 'W';
  case SLOCK:
    return 'L';
  default:
    return 0;
  }
}

static void describe(const struct kinfo_proc *process, struct safe__member *member) {
  member->pid = process->ki_pid;
  member->state = (process->ki_flag & P_WEXIT) != 0 ? 'E' : state_of(process);
  memset(member->wait_channel, 0, sizeof(member->wait_channel));
  memcpy(member->wait_channel, process->ki_wmesg, strnlen(process->ki_wmesg, sizeof(process->ki_wmesg)));
}

#define TRIES 4 /* the group may grow between the two calls */

void safe__group_members(int64_t group, void (*add)(void *context, const struct safe__member *member), void *context) {
  int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PGRP, (int)group};
  struct kinfo_proc *list = NULL, *longer;
  struct safe__member member;
  size_t size = 0, at;
  int tries, result = -1;

  for (tries = 0; result != 0 && tries < TRIES; tries++) {
    if (sysctl(name, 4, NULL, &size, NULL, 0) != 0) break;
    size += 8 * sizeof(*list);
    longer = safe__realloc(list, size);
    if (longer == NULL) break;
    list = longer;
    result = sysctl(name, 4, list, &size, NULL, 0);
    if (result != 0 && errno != ENOMEM) break;
  }
  for (at = 0; result == 0 && at < size / sizeof(*list); at++) {
    if (list[at].ki_stat == SZOMB) continue;
    describe(&list[at], &member);
    add(context, &member);
  }
  safe__free(list);
}

void safe__member_look(int64_t pid, struct safe__member *member) {
  int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
  struct kinfo_proc process;
  size_t size = sizeof(process);

  memset(member, 0, sizeof(*member));
  if (sysctl(name, 4, &process, &size, NULL, 0) == 0 && size == sizeof(process)) describe(&process, member);
  member->pid = pid;
}
