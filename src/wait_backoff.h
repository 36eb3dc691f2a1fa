/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_WAIT_BACKOFF_H
#define SAFEHOLD_WAIT_BACKOFF_H

#include "os.h"

/* safe__os_lock_wait for systems, emulators and file systems whose kernel does not queue: asks again after
   pauses that grow from 1 to 16 ms. Same answers, without SAFE_ESTUCK. */
int safe__wait_backoff(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                       struct safe__notice *notice, int *kind, safe_error *error);

#endif
