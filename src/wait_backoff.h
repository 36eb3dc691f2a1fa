/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_WAIT_BACKOFF_H
#define SAFEHOLD_WAIT_BACKOFF_H

#include "os.h"
#include "timed_wait.h"

/* safe__os_lock_queue for systems, emulators and file systems whose kernel does not queue: asks again after
   pauses that grow from 1 to 16 ms. SAFE_ENOMEM, or 0. */
int safe__wait_backoff(struct safe__file *file, const struct safe__claim *claim, struct safe__wait *wait,
                       safe_error *error);

#endif
