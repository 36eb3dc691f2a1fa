/* SPDX-License-Identifier: MIT */
/* The lock_at_once.h of a system where nothing may be left out on the way to the kernel. */
#ifndef SAFEHOLD_LOCK_AT_ONCE_NONE_H
#define SAFEHOLD_LOCK_AT_ONCE_NONE_H

#include "os.h"

static inline int safe__os_lock_at_once(const struct safe__file *file, const struct safe__claim *claim) {
  (void)file, (void)claim;
  return SAFE__AGAIN;
}

static inline int safe__os_unlock_at_once(const struct safe__file *file, const struct safe__claim *claim) {
  (void)file, (void)claim;
  return SAFE__AGAIN;
}

#endif
