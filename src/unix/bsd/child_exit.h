/* SPDX-License-Identifier: MIT */
/* What tree.c needs to know of a child, and cannot know without the system's way of watching it. */
#ifndef SAFEHOLD_CHILD_EXIT_H
#define SAFEHOLD_CHILD_EXIT_H

#include "os.h"

/* Whether the child has ended; looks, and does not wait. */
bool safe__child_ended(struct safe__child *child);

/* To the child alone, which has not ended. 0 or a negative errno. */
long safe__child_signal(struct safe__child *child, int signal);

#endif
