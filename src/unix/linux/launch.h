/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LAUNCH_H
#define SAFEHOLD_LAUNCH_H

#include "tree.h"

/* What a mechanism answers when the kernel, or whoever guards it, refuses it here: try the next one. Never seen by a
 * caller. */
#define SAFE__REFUSED (-1001)

/* tree may be NULL. With a cgroup the child is made in it. */
int safe__launch_clone(struct safe__plan **plan, struct safe__tree *tree, int64_t deadline, struct safe__child *child,
                       safe_error *error);
int safe__launch_fork(struct safe__plan **plan, struct safe__tree *tree, int64_t deadline, struct safe__child *child,
                      safe_error *error);
/* The one that can be had here. */
int safe__launch_either(struct safe__plan **plan, struct safe__tree *tree, int64_t deadline, struct safe__child *child,
                        safe_error *error);
/* Under a guard, which the tree gets. */
int safe__launch_guarded(struct safe__plan **plan, struct safe__tree *tree, int64_t deadline, struct safe__child *child,
                         safe_error *error);
/* Whatever the options ask for that takes more than a child. */
int safe__launch_tree(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error);

/* Ends a child that did not get to its program: reaps it, or parks it with its plan, tree and stack (*plan becomes
   NULL, and the tree is no more the caller's). Fills the error with what came of it; code is what is to be said if it
   could be reaped. */
int safe__launch_abandon(struct safe__plan **plan, struct safe__tree *tree, struct safe__shared_stack *stack, int pidfd,
                         int64_t pid, int code, safe_error *error);
/* What is to be said then, with *plan still there. */
int safe__launch_late(const struct safe__plan *plan, safe_error *error);
int safe__launch_stuck(const struct safe__plan *plan, int64_t pid, safe_error *error);

/* How long a killed child may take to go before it is parked. */
#define SAFE__GOING_MS 100

/* Waits for the child on our memory: true once it has left it. */
bool safe__launch_left(int *word, int64_t deadline);
/* What it reported: SAFE_OK, SAFE__REFUSED, or its failure. */
int safe__launch_reported(struct safe__plan *plan, safe_error *error);
/* Of a child on memory of its own: 1: it reported. 0: the pipe closed itself. -1: neither by the deadline. */
int safe__launch_hear(int fd, struct safe__child_report *report, int64_t deadline);
/* What clone answered that made no process: SAFE__REFUSED, or the failure. */
int safe__launch_refused(long result, int stage, safe_error *error);

#endif
