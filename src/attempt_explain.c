/* SPDX-License-Identifier: MIT */
/* The sentence that an attempt ends with when it has failed. */
#include "attempt.h"

#define SHOWN 200 /* bytes of a path: the message has to have room for the holder too */

static const char *shown(const char *path) { return path == NULL ? "The file" : safe__tail(path, SHOWN); }

void safe__attempt_explain(struct safe_lock_wait *attempt, safe_error *error) {
  const safe_lock_options *options = &attempt->options;
  const char *mode = options->mode == SAFE_LOCK_SHARED ? "shared" : "exclusive";

  switch (error->code) {
  case SAFE_EBUSY:
    safe__fail(error, SAFE_EBUSY, SAFE_STAGE_LOCK, -1, "%s is locked by somebody else (asked: %s, no wait).",
               shown(attempt->path), mode);
    break;
  case SAFE_ETIMEDOUT:
    safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1,
               "%s is still locked by somebody else after %lld ms (asked: %s).", shown(attempt->path),
               (long long)((safe__os_now() - attempt->began) / SAFE__MS), mode);
    break;
  default:
    if (attempt->path != NULL) safe__add(error, " File: %s.", shown(attempt->path));
    return;
  }
  safe__add(error, "%s", attempt->holder.message);
  error->holder_pid = attempt->holder.holder_pid;
}
