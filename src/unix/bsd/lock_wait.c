/* SPDX-License-Identifier: MIT */
/* Which way of waiting for a lock is taken. */
#include "lock_calls.h"
#include "own_locks.h"
#include "wait_backoff.h"
#include "wait_queued.h"

static int wait_plain(struct safe__file *file, const safe_lock_options *options, int *kind, safe_error *error) {
  int os_code = safe__lock_call(file->fd, options->mode, options->method, true);

  *kind = SAFE_WAIT_PLAIN;
  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}

static int wait_bounded(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                        struct safe__notice *notice, int *kind, safe_error *error) {
  int code = safe__wait_queued(file, options, deadline, notice, kind, error);

  return code == SAFE_EBUSY ? safe__wait_backoff(file, options, deadline, notice, kind, error) : code;
}

static int say(int code, safe_error *error) {
  if (code == SAFE_ETIMEDOUT) safe__fail(error, code, SAFE_STAGE_WAIT, -1, "The lock was not given in time.");
  if (code == SAFE_ECANCELED) safe__fail(error, code, SAFE_STAGE_WAIT, -1, "The wait for the lock was cancelled.");
  return code;
}

int safe__os_lock_wait(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                       struct safe__notice *notice, int *kind, safe_error *error) {
  int code, fd = file->fd;

  safe__own_lock_note(fd, SAFE_HOLDER_WAITS, options->mode, options->method);
  if (deadline == SAFE__NEVER && options->cancel == NULL)
    code = wait_plain(file, options, kind, error);
  else
    code = wait_bounded(file, options, deadline, notice, kind, error);
  if (code == SAFE_OK)
    safe__own_lock_note(fd, SAFE_HOLDER_HOLDS, options->mode, options->method);
  else
    safe__own_lock_forget(fd);
  return say(code, error);
}
