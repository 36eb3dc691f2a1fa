/* SPDX-License-Identifier: MIT */
/* Shared to exclusive and back, on a lock that is held. */
#include <string.h>

#include "attempt.h"
#include "trace.h"

/* Whether the lock is as it was, after a conversion that came to nothing. What was converted was converted back. */
static bool kept(const struct safe_lock_wait *attempt, int code) {
  const struct safe_lock *lock = attempt->lock;
  const struct safe__claim *wanted = &attempt->steps[attempt->blocked].claim;
  const struct safe__claim *held = &lock->claims[lock->claims[0].method == wanted->method ? 0 : 1];

  return code != SAFE_ESTUCK && safe__os_convert_keeps(held, wanted, attempt->waited);
}

static int lose(struct safe_lock *lock, safe_error *error) {
  char why[sizeof(error->message)];

  memcpy(why, error->message, sizeof(why));
  safe__lock_release(lock);
  return safe__fail(error, SAFE_ELOST, SAFE_STAGE_LOCK, -1,
                    "The lock was given up to be converted, and is lost: %.400s", why);
}

static int convert(struct safe_lock_wait *attempt, safe_error *error) {
  int code;

  safe__attempt_init(attempt);
  code = safe__attempt_drive(attempt, SAFE__NEVER, error);
  if (code == SAFE_EINTR) {
    if (safe__attempt_abandon(attempt) == SAFE_ESTUCK) code = SAFE_ESTUCK;
    safe__fail(error, code, SAFE_STAGE_WAIT, -1, "A signal came during the wait for the lock.");
  }
  if (code == SAFE_OK) {
    code = safe__lock_complete(attempt, error);
  } else {
    safe__attempt_explain(attempt, error);
    if (!kept(attempt, code)) code = lose(attempt->lock, error);
  }
  safe__trace_lock(attempt, code, error);
  return code;
}

static void inherit(struct safe_lock_wait *attempt, struct safe_lock *lock) {
  safe_lock_options *options = &attempt->options;

  options->flags &= SAFE_LOCK_RETURN_ON_EINTR;
  options->method = lock->method;
  options->offset = lock->claims[0].offset;
  options->length = lock->claims[0].length;
  options->label = NULL;
  attempt->lock = lock;
  attempt->path = lock->path;
  attempt->handle = SAFE_INVALID_HANDLE;
  attempt->started = 0;
  attempt->opened = true;
  attempt->waited = false;
  attempt->converts = true;
  attempt->async = false;
}

static int convert_checked(struct safe_lock *lock, const safe_lock_options *options, const safe_error *caller,
                           safe_error *error) {
  struct safe_lock_wait attempt;
  int code, held;

  if (lock == NULL) return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The lock is NULL.");
  if (lock->owner != safe__os_self())
    return safe__fail(error, SAFE_EOWNER, SAFE_STAGE_LOCK, -1, "The lock is the parent process's.");
  if (lock->claim_count == 0)
    return safe__fail(error, SAFE_ELOST, SAFE_STAGE_LOCK, -1, "The lock was lost in an earlier conversion.");
  if ((lock->flags & SAFE_LOCK_ISOLATE) != 0)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_LOCK, -1, "A lock got with SAFE_LOCK_ISOLATE is not converted.");
  code = safe__read_lock_options(&attempt.options, options, false, error);
  if (code != SAFE_OK || attempt.options.mode == lock->claims[0].mode) return code;
  if (caller == NULL) attempt.options.holder_query_ms = 0;
  inherit(&attempt, lock);
  held = safe__os_hold_cancellation();
  safe__parked_collect();
  code = convert(&attempt, error);
  safe__os_allow_cancellation(held);
  return code;
}

int safe_lock_convert(safe_lock *lock, const safe_lock_options *options, safe_error *caller) {
  safe_error error;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  return safe__deliver(caller, &error, convert_checked(lock, options, caller, &error));
}
