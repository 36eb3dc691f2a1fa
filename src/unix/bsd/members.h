/* SPDX-License-Identifier: MIT */
/* Who belongs to a child's tree. */
#ifndef SAFEHOLD_MEMBERS_H
#define SAFEHOLD_MEMBERS_H

#include "os.h"

struct safe__member {
  int64_t pid;
  uint64_t start; /* as of safe__process_start: with the number it is the process itself */
  int64_t parent, group, session;
  bool zombie;
  bool in; /* the tree */
};

struct safe__members {
  struct safe__member *items;
  size_t count;
};

struct safe__member_state {
  char letter;           /* as in proc(5) of Linux: R, S, D, T; E for one that has begun its exit; 0: not to be seen */
  char wait_channel[64]; /* or "" */
};

/* ---- What each system has for it. Neither blocks. */

/* Every process that this user may see; items is to be freed. False: there is no telling. The session is known where it
   is asked for. */
bool safe__members_all(struct safe__members *all, bool sessions);
void safe__member_state(int64_t pid, struct safe__member_state *state);

/* ---- members.c */

/* Finds those of the child's tree that are no zombies; what is found is remembered in child->tree. items is to be
   freed. False: there is no telling, and nobody was found. */
bool safe__members_find(struct safe__child *child, struct safe__members *found);
/* To the process that was seen, or to nobody. */
void safe__member_signal(const struct safe__member *member, int signal);

#endif
