/* SPDX-License-Identifier: MIT */
#include <stdatomic.h>

#include "os.h"

/*
 * A stack without a lock: a thread that collects takes all of it, looks at each thing once, and puts back what
 * is left. No lock means that a fork in another thread cannot leave one held in the child.
 */
static _Atomic(struct safe__parked *) parked;
static atomic_int count;
static _Atomic int64_t owner; /* the process that parked all of it */

static void push(struct safe__parked *item) {
  item->next = atomic_load(&parked);
  while (!atomic_compare_exchange_weak(&parked, &item->next, item)) continue;
}

void safe__park(struct safe__parked *item) {
  int64_t self = safe__os_self();
  int64_t before = atomic_exchange(&owner, self);

  if (before != self && before != 0) { /* 0: nobody has parked anything yet */
    atomic_store(&parked, NULL);       /* a forked child's first: the list that it was born with is its parent's */
    atomic_store(&count, 0);
  }
  atomic_fetch_add(&count, 1);
  push(item);
}

bool safe__parked_any(void) { return atomic_load_explicit(&count, memory_order_relaxed) != 0; }

int safe__parked_collect(void) {
  struct safe__parked *item, *next;

  if (!safe__parked_any()) return 0;
  if (atomic_load(&owner) != safe__os_self()) {
    /* What the parent of a fork parked is the parent's to collect; here it is only a copy, given up. */
    atomic_store(&parked, NULL);
    atomic_store(&count, 0);
    return 0;
  }
  for (item = atomic_exchange(&parked, NULL); item != NULL; item = next) {
    next = item->next;
    if (item->collect(item))
      atomic_fetch_sub(&count, 1);
    else
      push(item);
  }
  return atomic_load(&count);
}

int safe_parked_count(void) {
  int held = safe__os_hold_cancellation(), left = safe__parked_collect();

  safe__os_allow_cancellation(held);
  return left;
}

static int collect_until(int64_t deadline) {
  int64_t pause = SAFE__MS;

  while (safe__parked_collect() > 0) {
    if (safe__os_now() >= deadline) return SAFE_ESTUCK;
    safe__os_sleep(safe__deadline_min(deadline, safe__os_now() + pause), NULL, false);
    if (pause < 64 * SAFE__MS) pause *= 2;
  }
  return SAFE_OK;
}

int safe_shutdown(int64_t timeout_ms) {
  int held, code;

  if (timeout_ms < SAFE_FOREVER) return SAFE_EINVAL;
  held = safe__os_hold_cancellation();
  code = collect_until(safe__deadline(timeout_ms));
  if (code == SAFE_OK) safe__os_release_spares();
  safe__os_allow_cancellation(held);
  return code;
}
