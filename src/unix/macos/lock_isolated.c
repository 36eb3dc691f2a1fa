/* SPDX-License-Identifier: MIT */
/* There is no SAFE_LOCK_ISOLATE here, see safe__os_lock_supported: these are never called with one. */
#include "os.h"

int safe__os_lock_isolated(struct safe__file *file, const char *path, const safe_lock_options *options,
                           const struct safe__claim *claim, struct safe__wait *wait, safe_error *error) {
  (void)file, (void)path, (void)options, (void)claim, (void)wait;
  return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_PREPARE, -1, "SAFE_LOCK_ISOLATE cannot be had on macOS.");
}

int safe__os_unlock_isolated(struct safe__file *file, const struct safe__claim *claim, int64_t deadline) {
  (void)deadline;
  return safe__os_unlock(file, claim);
}
