/* SPDX-License-Identifier: MIT */
/* Who can be seen from here at all, of those that may have a lock on a file. */
#ifndef SAFEHOLD_LOCK_SIGHT_H
#define SAFEHOLD_LOCK_SIGHT_H

#include <stdbool.h>

/* Whether this is the first pid namespace. In another one /proc/locks does not have the flocks and record locks of
   processes that are not in it; an flock whose taker has ended is not there either, though somebody inside may have it
   open. */
bool safe__sees_all_processes(void);

/* Whether whoever has a lock has it by a descriptor that /proc shows to this process, and that names its file. */
bool safe__descriptors_tell_all(void);

#endif
