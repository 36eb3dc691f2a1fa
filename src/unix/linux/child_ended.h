/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_CHILD_ENDED_H
#define SAFEHOLD_CHILD_ENDED_H

#include "os.h"

/* Whether the child has ended; looks, and does not wait. */
bool safe__child_ended(struct safe__child *child);

#endif
