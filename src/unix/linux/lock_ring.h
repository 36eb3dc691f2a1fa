/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_RING_H
#define SAFEHOLD_LOCK_RING_H

#include <stdint.h>

/* Behind the struct flock that a thread waits with, for whoever looks at the process from outside, who would not see
   that the wait ends by itself. */
struct safe__ring_note {
  uint64_t magic[2];
  int64_t deadline; /* as of safe__os_now; SAFE__NEVER: none */
};
#define SAFE__RING_MAGIC \
  { UINT64_C(0x6c6f686566617361), UINT64_C(0x6574696d65642e31) }

/* Gives back the calling thread's ring; the others go with their threads. */
void safe__lock_ring_release(void);

#endif
