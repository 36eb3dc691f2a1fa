/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_OFD_H
#define SAFEHOLD_LOCK_OFD_H

#include <fcntl.h>

#include "internal.h"

/* Public only since the SDK of macOS 14; the kernel and its libc have known them by these numbers for much longer. */
#ifndef F_OFD_SETLK
#define F_OFD_SETLK 90
#define F_OFD_SETLKW 91
#define F_OFD_SETLKWTIMEOUT 93
#endif

/* What the claim asks for; type: F_UNLCK, or 0 for that of its mode. */
struct flock safe__ofd_range(const struct safe__claim *claim, short type);

#endif
