/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "os.h"

/*
 * A stack without a lock: a thread that collects takes all of it, looks at each thing once, and puts back what
 * is left. No lock means that a fork in another thread cannot leave one held in the child.
 */
static _Atomic(struct safe__parked *) parked;
static atomic_int count;

static void push(struct safe__parked *item) {
  item->next = atomic_load(&parked);
  while (!atomic_compare_exchange_weak(&parked, &item->next, item)) continue;
}

void safe__park(struct safe__parked *item) {
  item->owner = safe__os_self();
  atomic_fetch_add(&count, 1);
  push(item);
}

int safe__parked_collect(void) {
  struct safe__parked *item, *next;
  int64_t self;

  if (atomic_load_explicit(&count, memory_order_relaxed) == 0) return 0;
  self = safe__os_self();
  for (item = atomic_exchange(&parked, NULL); item != NULL; item = next) {
    next = item->next;
    /* What the parent of a fork parked is the parent's to collect; here it is only a copy, given up. */
    if (item->owner != self || item->collect(item))
      atomic_fetch_sub(&count, 1);
    else
      push(item);
  }
  return atomic_load(&count);
}

int safe_parked_count(void) { return safe__parked_collect(); }

int safe_shutdown(int64_t timeout_ms) {
  int64_t deadline, pause = SAFE__MS;

  if (timeout_ms < SAFE_FOREVER) return SAFE_EINVAL;
  deadline = safe__deadline(timeout_ms);
  while (safe__parked_collect() > 0) {
    if (safe__os_now() >= deadline) return SAFE_ESTUCK;
    safe__os_sleep(safe__deadline_min(deadline, safe__os_now() + pause), NULL);
    if (pause < 64 * SAFE__MS) pause *= 2;
  }
  return SAFE_OK;
}
