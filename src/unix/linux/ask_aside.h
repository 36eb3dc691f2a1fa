/* SPDX-License-Identifier: MIT */
/* A question that a file system may never answer: a helper asks it, and can be left behind. */
#ifndef SAFEHOLD_ASK_ASIDE_H
#define SAFEHOLD_ASK_ASIDE_H

#include "wait_helper.h"

/* What is asked, and answered, in memory of its own: until it is answered all of it is the helper's, who makes raw
   calls only. */
struct safe__errand {
  struct safe__job job; /* its run and, once answered, its result */
  void (*release)(struct safe__errand *errand);
};

/* 0: it is answered. SAFE_ESTUCK: not in time, and it is not the caller's any more. Any other error: it still is. */
int safe__ask_aside(struct safe__errand *errand, int64_t deadline, safe_error *error);

#endif
