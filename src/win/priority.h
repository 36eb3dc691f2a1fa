/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_WIN_PRIORITY_H
#define SAFEHOLD_WIN_PRIORITY_H

#include "win.h"

/* The priority class of a child, from that of the host and what is added to its niceness. */
DWORD safe__win_priority(DWORD host, int32_t nice);

#endif
