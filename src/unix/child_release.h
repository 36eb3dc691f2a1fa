/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_CHILD_RELEASE_H
#define SAFEHOLD_CHILD_RELEASE_H

#include "os.h"

/* The part of safe__os_child_free that every Unix has: what spawn.c keeps for a child besides its streams. */
void safe__child_release(struct safe__child *child);

#endif
