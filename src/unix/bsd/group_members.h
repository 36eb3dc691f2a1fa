/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_GROUP_MEMBERS_H
#define SAFEHOLD_GROUP_MEMBERS_H

#include <stdint.h>

struct safe__member {
  int64_t pid;
  char state;            /* as in proc(5) of Linux: R, S, D, T; and E for one that has begun its exit */
  char wait_channel[64]; /* or "" */
};

/* Calls add for every process of the group that is no zombie. Never blocks. */
void safe__group_members(int64_t group, void (*add)(void *context, const struct safe__member *member), void *context);

/* The same for one process; the state stays 0 where it cannot be seen. */
void safe__member_look(int64_t pid, struct safe__member *member);

#endif
