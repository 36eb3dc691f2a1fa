/* SPDX-License-Identifier: MIT */
/* Where nothing but a helper, or a signal, takes a thread out of a lock call. */
#include "os.h"

int safe__os_lock_ring(struct safe__file *file, const struct safe__claim *claim, int64_t deadline, safe_cancel *cancel,
                       safe_error *error) {
  (void)file, (void)claim, (void)deadline, (void)cancel, (void)error;
  return SAFE_EBUSY;
}
