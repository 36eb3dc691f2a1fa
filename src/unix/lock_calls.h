/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_CALLS_H
#define SAFEHOLD_LOCK_CALLS_H

#include "os.h"

/* One call to the kernel, waiting (for ever) or not: 0 or errno. */
int safe__lock_call(int fd, const struct safe__claim *claim, bool wait);
int safe__unlock_call(int fd, const struct safe__claim *claim);

/* Whether the number of a caller's own file is still that file's: he may have closed it while we waited, though he must
   not. Always true of a file that we opened. */
bool safe__is_still(const struct safe__file *file, const struct safe__file_id *id);

/* The error of a call that was refused, with what it means for a lock. */
int safe__lock_failed(int os_code, safe_error *error);

/* POSIX locks (lock_posix.c) are the process's: they are counted here, and asked for and given back by these. */
int safe__posix_try(struct safe__file *file, const struct safe__claim *claim, safe_error *error);
int safe__posix_unlock(struct safe__file *file, const struct safe__claim *claim);
/* Closes a lock file; not before the last POSIX lock on it is gone, which the close would drop. */
void safe__close_locked(int fd, const struct safe__file *file);

#endif
