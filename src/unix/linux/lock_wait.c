/* SPDX-License-Identifier: MIT */
/* Which way of waiting for a lock is taken. */
#include "kernel.h"
#include "lock_calls.h"
#include "wait_backoff.h"
#include "wait_queued.h"

static int wait_plain(struct safe__file *file, const safe_lock_options *options, int *kind, safe_error *error) {
  int os_code = safe__lock_call(file->fd, options->mode, options->method, true);

  *kind = SAFE_WAIT_PLAIN;
  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}

static int say(int code, safe_error *error) {
  if (code == SAFE_ETIMEDOUT) safe__fail(error, code, SAFE_STAGE_WAIT, -1, "The lock was not given in time.");
  if (code == SAFE_ECANCELED) safe__fail(error, code, SAFE_STAGE_WAIT, -1, "The wait for the lock was cancelled.");
  return code;
}

int safe__os_lock_wait(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                       struct safe__notice *notice, int *kind, safe_error *error) {
  int code = SAFE_EBUSY;

  if (deadline == SAFE__NEVER && options->cancel == NULL) return wait_plain(file, options, kind, error);
  if (safe__clone_works()) code = safe__wait_queued(file, options, deadline, notice, kind, error);
  /* No helper could be made, or it was killed from outside. */
  if (code == SAFE_EBUSY) code = safe__wait_backoff(file, options, deadline, notice, kind, error);
  return say(code, error);
}
