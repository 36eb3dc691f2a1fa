/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_RING_H
#define SAFEHOLD_LOCK_RING_H

/* Gives back the calling thread's ring; the others go with their threads. */
void safe__lock_ring_release(void);

#endif
