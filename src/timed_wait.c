/* SPDX-License-Identifier: MIT */
#include "timed_wait.h"

#include "os.h"

static int give_up(const struct safe__wait_calls *calls, void *request, int verdict, bool *granted, safe_error *error) {
  int code;

  calls->revoke(request);
  code = calls->settle(request, safe__deadline(SAFE__SETTLE_MS), error);
  if (code == SAFE_ESTUCK) {
    calls->park(request);
    return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_WAIT, -1,
                      "The kernel did not take the lock request back within %d ms; it was parked.", SAFE__SETTLE_MS);
  }
  if (code == SAFE_OK) {
    /* The grant won. For an expired wait that is what the caller wanted; a cancelled one no longer wants it. */
    *granted = true;
    return verdict == SAFE_ETIMEDOUT ? SAFE_OK : verdict;
  }
  return code == SAFE_EBUSY ? verdict : code;
}

int safe__timed_wait(const struct safe__wait_calls *calls, void *request, int64_t deadline, struct safe__notice *notice,
                     safe_cancel *cancel, bool *granted, safe_error *error) {
  int code;

  *granted = false;
  code = calls->start(request, error);
  if (code != SAFE_OK) return code;
  do code = calls->await(request, safe__notice_next(notice, deadline), cancel);
  while (code == SAFE_ETIMEDOUT && safe__os_now() < deadline);
  if (code != SAFE_OK) return give_up(calls, request, code, granted, error);

  /* The kernel has answered; what is left of the request (a helper that exits) still has to go. */
  code = calls->settle(request, safe__deadline(SAFE__SETTLE_MS), error);
  if (code == SAFE_ESTUCK) return give_up(calls, request, SAFE_EBUSY, granted, error);
  *granted = code == SAFE_OK;
  return code;
}
