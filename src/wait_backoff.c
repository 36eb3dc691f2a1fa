/* SPDX-License-Identifier: MIT */
#include "wait_backoff.h"

#define FIRST_PAUSE SAFE__MS
#define LAST_PAUSE (16 * SAFE__MS)

/* Two waiters that began together would go on asking together; a quarter up or down parts them. */
static int64_t jitter(int64_t pause, uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's MMIX generator */
  return pause * 3 / 4 + (int64_t)(*state >> 33) % (pause / 2);
}

int safe__wait_backoff(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                       struct safe__notice *notice, int *kind, safe_error *error) {
  int64_t now, pause = FIRST_PAUSE;
  uint64_t state = (uint64_t)safe__os_now() ^ (uint64_t)safe__os_self() ^ (uint64_t)(uintptr_t)file;
  int code;

  *kind = SAFE_WAIT_BACKOFF;
  for (;;) {
    safe__notice_next(notice, deadline);
    now = safe__os_now();
    if (safe__os_cancel_triggered(options->cancel))
      return safe__fail(error, SAFE_ECANCELED, SAFE_STAGE_WAIT, -1, "The wait for the lock was cancelled.");
    if (now >= deadline)
      return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1, "The lock was not given in time.");
    safe__os_sleep(safe__deadline_min(deadline, now + jitter(pause, &state)), options->cancel);
    code = safe__os_lock_try(file, options, error);
    if (code != SAFE_EBUSY) return code;
    if (pause < LAST_PAUSE) pause = pause * 3 / 2;
  }
}
