/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_CALLS_H
#define SAFEHOLD_LOCK_CALLS_H

#include "os.h"

/* One call to the kernel, waiting (for ever) or not: 0 or errno. */
int safe__lock_call(int fd, int mode, int method, bool wait);

/* The error of a call that was refused, with what it means for a lock. */
int safe__lock_failed(int os_code, safe_error *error);

#endif
