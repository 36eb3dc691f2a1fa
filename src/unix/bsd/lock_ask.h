/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LOCK_ASK_H
#define SAFEHOLD_LOCK_ASK_H

#include "internal.h"

/* What safe__lock_call and safe__unlock_call (lock_calls.h) do, without a note of it in own_locks.h: 0 or errno. */
int safe__lock_ask(int fd, const struct safe__claim *claim, bool wait);
int safe__lock_drop(int fd, const struct safe__claim *claim);

#endif
