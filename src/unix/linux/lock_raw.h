/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_RAW_H
#define SAFEHOLD_LOCK_RAW_H

#include <fcntl.h>

#include "os.h"

/* The claim as fcntl wants it; type is F_RDLCK, F_WRLCK or F_UNLCK. */
struct flock safe__record_range(const struct safe__claim *claim, short type);

#endif
