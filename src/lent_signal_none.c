/* SPDX-License-Identifier: MIT */
/* For systems on which no signal is of use to a lock wait. */
#include "os.h"

int safe__os_use_signal(int number) {
  (void)number;
  return SAFE_ENOTSUP;
}

bool safe__os_signal_is_lent(void) { return false; }

int safe__os_lock_signalled(struct safe__file *file, const struct safe__claim *claim, int64_t deadline,
                            safe_error *error) {
  (void)file, (void)claim, (void)deadline, (void)error;
  return SAFE_EBUSY;
}
