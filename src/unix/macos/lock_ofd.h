/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_OFD_H
#define SAFEHOLD_LOCK_OFD_H

#include <fcntl.h>

/* Public only since the SDK of macOS 14; the kernel and its libc have known them by these numbers for much longer. */
#ifndef F_OFD_SETLK
#define F_OFD_SETLK 90
#define F_OFD_SETLKW 91
#define F_OFD_SETLKWTIMEOUT 93
#endif

/* The whole file. */
struct flock safe__ofd_range(short type);

#endif
