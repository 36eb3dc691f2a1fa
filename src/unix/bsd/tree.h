/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_TREE_H
#define SAFEHOLD_TREE_H

#include "guard.h"
#include "members.h"

struct safe__tree {
  struct safe__members seen; /* by which a process is known again whose parent has ended */
  struct safe__guard *guard; /* or NULL */
};

/* The number of the group, and of the session, is the child's own as long as nobody else has reaped the child. */
static inline bool safe__group_is_ours(const struct safe__child *child) {
  return child->group != SAFE_GROUP_HOST && !child->stolen;
}

/* Whether more than the group or session belongs to it. */
static inline bool safe__tree_has_descendants(const struct safe__child *child) {
  return child->group != SAFE_GROUP_HOST && child->keeping != SAFE_TREE_GROUP;
}

/* For a child that is about to be made: notes what is asked for, and gives it a tree. */
int safe__tree_begin(struct safe__child *child, const safe_spawn_options *asked, safe_error *error);
/* In a forked copy (own false) only closes. */
void safe__tree_end(struct safe__child *child, bool own);

#endif
