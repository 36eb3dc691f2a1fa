/* SPDX-License-Identifier: MIT */
/* A wait in which the thread itself blocks in the kernel, so that a hand-over is one hop, as with PHP's own flock(). */
#ifndef SAFEHOLD_PHP_LOCK_BLOCK_H
#define SAFEHOLD_PHP_LOCK_BLOCK_H

#include "lock_wait.h"

/* As safehold_lock_wait. SAFE_EAGAIN: it has to be waited for otherwise, as handlers of signals could have to run
   meanwhile, or as nothing would end the wait in time. */
int safehold_lock_block(const struct safehold_lock_ask *ask, const struct safehold_wait *wait, safe_lock **lock,
                        safe_error *error);

#endif
