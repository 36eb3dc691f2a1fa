/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_WAIT_QUEUED_H
#define SAFEHOLD_WAIT_QUEUED_H

#include "os.h"

/* safe__os_lock_wait in the kernel's queue; SAFE_EBUSY when there is no such queue for the method, when no helper could
   be made, or when it was killed. */
int safe__wait_queued(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                      struct safe__notice *notice, int *kind, safe_error *error);

#endif
