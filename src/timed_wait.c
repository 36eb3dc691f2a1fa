/* SPDX-License-Identifier: MIT */
#include "timed_wait.h"

#include "os.h"

/* Whatever the answer, the request is gone afterwards. */
static int settle(struct safe__wait *wait, safe_error *error) {
  int code = wait->calls->settle(wait->request, safe__deadline(SAFE__SETTLE_MS), error);

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

int safe__wait_give_up(struct safe__wait *wait, safe_error *error) {
  wait->calls->revoke(wait->request);
  return settle(wait, error);
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

  return code == SAFE_OK ? settle(wait, error) : code;
}
