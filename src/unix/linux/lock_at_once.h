/* SPDX-License-Identifier: MIT */
/*
 * One question to the kernel, and nothing around it. In the code of who asks: the kernel's own returns push the
 * processor's memory of ours out (the mitigations fill it anew), so that each function to return from after a system
 * call is a branch predicted wrongly, of some 10 ns. Five on either side of a pair made a sixth of it.
 */
#ifndef SAFEHOLD_LOCK_AT_ONCE_H
#define SAFEHOLD_LOCK_AT_ONCE_H

#include <errno.h>

#include "lock_raw.h"

static inline int safe__os_lock_at_once(const struct safe__file *file, const struct safe__claim *claim) {
  struct flock range;
  long result;

  if (claim->method == SAFE_METHOD_POSIX) return SAFE__AGAIN;
  range = safe__record_range(claim, safe__record_type(claim));
  do result = safe__raw_lock(file->fd, claim, &range, false);
  while (result == -EINTR);
  return result == 0 ? SAFE_OK : result == -EAGAIN ? SAFE_EBUSY : SAFE__AGAIN;
}

static inline int safe__os_unlock_at_once(const struct safe__file *file, const struct safe__claim *claim) {
  if (claim->method == SAFE_METHOD_POSIX || safe__raw_unlock(file->fd, claim) != 0) return SAFE__AGAIN;
  return SAFE_OK;
}

#endif
