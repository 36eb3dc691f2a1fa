/* SPDX-License-Identifier: MIT */
/*
 * What this process has: which thread has which lock, so that a thread is told before it waits for itself; and, on
 * POSIX, which descriptors are the library's, so that a forked child can close its copies of them.
 *
 * Nothing here takes a lock: a fork in another thread leaves nothing held in its child, and a signal handler that
 * interrupts cannot find itself waiting for the code below it.
 */
#ifndef SAFEHOLD_HELD_H
#define SAFEHOLD_HELD_H

#include <stdatomic.h>

#include "os.h"

struct safe__held {
  _Atomic uint64_t thread; /* 0: this place is free */
  int *fds;                /* so many descriptors, -1 for none: closed in a forked child. NULL on Windows */
  int fd_count;
  int claim_count; /* 0: no lock, only descriptors */
  struct safe__claim claims[2];
  struct safe__file_id id;
  bool known;         /* id is filled in; else it is asked for when it is wanted */
  safe_handle handle; /* of the file */
};

/* A number that no other thread of this process has, had or will have. */
uint64_t safe__thread(void);

/* A place, the calling thread's; NULL without memory. */
struct safe__held *safe__held_claim(int *fds, int fd_count);
/* NULL does nothing. */
void safe__held_release(struct safe__held *held);

/*
 * Whether the calling thread has a lock that stands in the way of this one; except, which may be NULL, does not count.
 * With any, a lock that overlaps is enough, though both may be shared.
 */
bool safe__held_conflicts(const struct safe__file *file, const struct safe__claim *claim,
                          const struct safe__held *except, bool any);

/* Calls back for every place that is taken, in a forked child that has no other thread. */
void safe__held_each(void (*visit)(struct safe__held *held));

#endif
