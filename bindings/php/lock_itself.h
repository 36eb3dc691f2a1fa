/* SPDX-License-Identifier: MIT */
/* Whether a script that waits for a lock has it itself. */
#ifndef SAFEHOLD_PHP_LOCK_ITSELF_H
#define SAFEHOLD_PHP_LOCK_ITSELF_H

#include "lock_wait.h"

/* Quick: whether this process has the file open besides the open file that is to be locked. `asked`: that one is there
   already also for a path, as the request is pending. */
bool safehold_lock_may_wait_for_itself(const struct safehold_lock_ask *ask, bool asked);

/* Takes milliseconds: whether all who have the lock are this process. Then nobody can give it back: the one thread
   there is waits. It is not certain where another process shares the locked open file, as after pcntl_fork(), as each
   of them can unlock it. Processes that may not be looked at are of other users, and could share it only through a
   child that unlocks for its parent. */
bool safehold_lock_waits_for_itself(const struct safehold_lock_ask *ask);

#endif
