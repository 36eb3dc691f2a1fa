/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_CATCH_H
#define SAFEHOLD_LOCK_CATCH_H

#include "os.h"

/* How often this thread gave up its processor so far. */
long safe__switches(void);

/* What the wake-ups in vain of one blocking call tell, that began at so many switches and was left after a time. */
enum safe__woken {
  SAFE__WOKEN_SELDOM, /* whoever has the lock keeps it */
  SAFE__WOKEN_AMONG,  /* by a queue in motion, in which everybody is woken up to find his place anew */
  SAFE__WOKEN_IN_VAIN /* somebody lets go of the lock and takes it again before a processor that sleeps has woken up */
};
enum safe__woken safe__woken(long switches, int64_t time);

/* Asks without pause for a few holds, as the lock comes by for less than a microsecond; only while nobody else wants
   the processor: EBUSY. Else 0, or EAGAIN. */
int safe__catch_lock(int fd, const struct safe__claim *claim, int64_t deadline);

#endif
