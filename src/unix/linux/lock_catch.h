/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_CATCH_H
#define SAFEHOLD_LOCK_CATCH_H

#include "os.h"

/* A wait in the kernel's queue, which is left now and then to see whether the lock passes by. */
struct safe__turns {
  int fd;
  const struct safe__claim *claim;
  int64_t began, deadline;
  int64_t *look;         /* how long the thread's next wait keeps from looking; see safe__first_look */
  const bool *withdrawn; /* or NULL. Set by whoever does not want the lock any more */
  /* Waits until the lock is granted: 0. Until that time: SAFE_ETIMEDOUT. Any other answer ends the wait. */
  int (*wait)(void *context, int64_t until);
  void *context;
};

/* When a wait that begins now looks first; look begins as 0. */
int64_t safe__first_look(int64_t began, int64_t look);

/* When to look instead, if the processor is wanted by others, so that the lock could not be caught: asked by who can
   before the queue is left. SAFE__NEVER: not in this wait, if it was put off before. Else 0. */
int64_t safe__put_off_look(int64_t *look, bool *put_off);

/* 0, SAFE_ETIMEDOUT at the deadline, or what else wait answered. Raw calls only, as it also runs in a helper. */
int safe__wait_in_turns(const struct safe__turns *turns);

#endif
