/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_CHILD_SIGNAL_H
#define SAFEHOLD_CHILD_SIGNAL_H

#include "os.h"

/* To the child, or to its whole group, and to nobody else. 0 or a negative errno: -ESRCH when all of them have ended,
   -ENOTSUP when it cannot be known any more whose the group's number is. */
long safe__child_kill(struct safe__child *child, int signal, bool group);

#endif
