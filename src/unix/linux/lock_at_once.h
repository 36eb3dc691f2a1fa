/* SPDX-License-Identifier: MIT */
/*
 * One question to the kernel, and nothing around it, in the code of who asks: a function that is returned from after a
 * system call costs several times what it does elsewhere, as with the mitigations of some processors the kernel does
 * not leave the predictions of our returns as they were. Functions around both calls of a pair made a tenth of it
 * (tools/bench.sh --only=lock.pair).
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
