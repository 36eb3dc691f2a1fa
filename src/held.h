/* SPDX-License-Identifier: MIT */
/*
 * The locks of this process, in a table of their own: which thread has which, so that a thread is told before it waits
 * for itself; and, on POSIX, which descriptors are the library's, so that a forked child can close its copies of them.
 * Taking a place in it costs less than an allocation.
 *
 * Nothing here takes a lock: a fork in another thread leaves nothing held in its child, and a signal handler that
 * interrupts cannot find itself waiting for the code below it.
 */
#ifndef SAFEHOLD_HELD_H
#define SAFEHOLD_HELD_H

#include <stdatomic.h>

#include "os.h"

struct safe_lock {
  _Atomic uint64_t thread; /* 0: this place is free */
  int *fds;                /* so many descriptors, -1 for none: closed in a forked child. NULL on Windows */
  int fd_count;
  int claim_count;              /* 0: nothing is held, yet or any more, or it is a place for descriptors only */
  struct safe__claim claims[2]; /* two with SAFE_METHOD_BOTH */
  struct safe__file file;
  int64_t owner; /* the process that locked: a forked copy must not unlock */
  char *path;    /* a copy, where it is needed later; or NULL */
  uint32_t flags;
  int32_t method; /* as asked for */
  int wait_kind;
  bool borrowed;                  /* the file is the caller's */
  bool recorded, recorded_inside; /* an owner record was written, and where */
  uint64_t record;                /* its check, by which it is known again */
};

/* A number that no other thread of this process has, had or will have. */
uint64_t safe__thread(void);

/* A place, the calling thread's, for a file that is not open yet; NULL without memory. */
struct safe_lock *safe__held_claim(void);
/* Which descriptors a forked child has to close for this place. */
void safe__held_note(struct safe_lock *lock, int *fds, int count);
/* NULL does nothing. */
void safe__held_release(struct safe_lock *lock);

/*
 * Whether the calling thread has a lock that stands in the way of this one; except, which may be NULL, does not count.
 * With any, a lock that overlaps is enough, though both may be shared.
 */
bool safe__held_conflicts(const struct safe__file *file, const struct safe__claim *claim,
                          const struct safe_lock *except, bool any);

/* Calls back for every place that is taken, in a forked child that has no other thread. */
void safe__held_each(void (*visit)(struct safe_lock *lock));

#endif
