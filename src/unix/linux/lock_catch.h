/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_CATCH_H
#define SAFEHOLD_LOCK_CATCH_H

#include "os.h"

/* How often this thread gave up its processor so far. */
long safe__switches(void);

/* Whether, in one blocking call that began at so many switches, the thread was woken for a lock that it then did not
   get: somebody lets go of it and takes it again before a processor that sleeps has woken up. */
bool safe__passes_by(long switches);

/* Asks without pause for a few holds, as the lock comes by for less than a microsecond; only while nobody else wants
   the processor: EBUSY. Else 0, or EAGAIN. */
int safe__catch_lock(int fd, const struct safe__claim *claim, int64_t deadline);

#endif
