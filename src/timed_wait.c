/* SPDX-License-Identifier: MIT */
#include "timed_wait.h"

#include "os.h"

/* The request is gone afterwards, unless it is SAFE__AGAIN: until has passed, and the deadline has not. */
int safe__wait_take_back(struct safe__wait *wait, int64_t until, int64_t deadline, safe_error *error) {
  int code = wait->calls->settle(wait->request, safe__deadline_min(until, deadline), error);

  if (code == SAFE_ESTUCK && until < deadline && safe__os_now() < deadline) return SAFE__AGAIN;
  if (code == SAFE_ESTUCK) {
    wait->calls->park(wait->request);
    safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_WAIT, -1,
               "The kernel did not take the lock request back within %d ms; it was parked.", SAFE__SETTLE_MS);
  } else {
    wait->calls->release(wait->request);
  }
  wait->calls = NULL;
  return code;
}

int64_t safe__wait_revoke(struct safe__wait *wait) {
  wait->calls->revoke(wait->request);
  return safe__deadline(SAFE__SETTLE_MS);
}

int safe__wait_give_up(struct safe__wait *wait, safe_error *error) {
  return safe__wait_take_back(wait, SAFE__NEVER, safe__wait_revoke(wait), error);
}

static int await(struct safe__wait *wait, int64_t deadline, struct safe__notice *notice, safe_cancel *cancel,
                 bool interruptible) {
  int code;

  do code = wait->calls->await(wait->request, safe__notice_next(notice, deadline), cancel, interruptible);
  while (code == SAFE_ETIMEDOUT && safe__os_now() < deadline);
  return code;
}

int safe__wait_until(struct safe__wait *wait, int64_t deadline, struct safe__notice *notice, safe_cancel *cancel,
                     bool interruptible, safe_error *error) {
  int code = await(wait, deadline, notice, cancel, interruptible);

  if (code != SAFE_OK) return code;
  return safe__wait_take_back(wait, SAFE__NEVER, safe__deadline(SAFE__SETTLE_MS), error);
}
