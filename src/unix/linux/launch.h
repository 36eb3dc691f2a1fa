/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LAUNCH_H
#define SAFEHOLD_LAUNCH_H

#include "plan.h"

/* What a mechanism answers when the kernel, or whoever guards it, refuses it here: try the next one. Never seen by a
 * caller. */
#define SAFE__REFUSED (-1001)

int safe__launch_clone(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error);
int safe__launch_fork(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error);

/* Ends a child that did not get to its program: reaps it, or parks it with its plan and stack. Fills the error
   with what came of it; code is what is to be said if it could be reaped. */
struct safe__shared_stack;
int safe__launch_abandon(struct safe__plan **plan, struct safe__shared_stack *stack, int pidfd, int64_t pid, int code,
                         safe_error *error);

#endif
