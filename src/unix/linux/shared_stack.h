/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_SHARED_STACK_H
#define SAFEHOLD_SHARED_STACK_H

#include "wait_note.h"

/* A small stack with a guard page below it, for a process that shares our memory. */
struct safe__shared_stack {
  void *top;
  int word;                    /* beside it, for the process on the stack and its maker to meet at; its use is theirs */
  struct safe__wait_note note; /* of the wait on it */
};

/* NULL without memory. Some of those given back are kept for the next callers. */
struct safe__shared_stack *safe__shared_stack_get(void);
/* Nothing may run on it any more. NULL is allowed. */
void safe__shared_stack_put(struct safe__shared_stack *stack);
void safe__shared_stack_release_spare(void);

#endif
