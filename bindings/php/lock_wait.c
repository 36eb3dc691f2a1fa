/* SPDX-License-Identifier: MIT */
#include "lock_wait.h"

#include "lock_block.h"
#include "lock_itself.h"

#define PAUSE_MS 10 /* a lock that is given sooner costs no look at who has it */
#define LOOKS 2
#define HEARTBEAT_MS 1000 /* a child that a handler has forked is told by nothing that the request is not its own */

static int begin(const struct safehold_lock_ask *ask, const struct safehold_wait *wait, safe_lock_wait **pending,
                 safe_error *error) {
  safe_lock_options options = ask->options;

  options.timeout_ms = safehold_wait_left_ms(wait);
  if (ask->path != NULL) return safe_lock_begin(pending, ask->path, &options, error);
  return safe_lock_begin_handle(pending, ask->file, &options, error);
}

static int fail_own(safe_error *error) {
  error->code = SAFE_EDEADLK;
  error->holder_pid = getpid();
  snprintf(error->message, sizeof(error->message),
           "This script has a lock on the file already, and would wait for itself.");
  return SAFE_EDEADLK;
}

/* A lock that is found may be the request's own, granted since the pause: hence the second pause, and see attempt(). */
static int wait_for_grant(const struct safehold_lock_ask *ask, struct safehold_wait *wait, safe_lock_wait *pending,
                          int *looks) {
  safe_handle handle = safe_lock_wait_handle(pending);
  int code;

  code = safehold_wait_a_while(wait, handle, ask->stop_on_signal, *looks == 0 ? HEARTBEAT_MS : PAUSE_MS);
  if (code == SAFE_EAGAIN && *looks == 0) return SAFE_OK;
  if (code != SAFE_EAGAIN) return code;
  if (!safehold_lock_may_wait_for_itself(ask, true) || !safehold_lock_waits_for_itself(ask)) {
    *looks = 0;
    return SAFE_OK;
  }
  return --*looks == 0 ? SAFE_EDEADLK : SAFE_OK;
}

/* SAFE_EAGAIN: to be asked for anew. */
static int attempt(const struct safehold_lock_ask *ask, struct safehold_wait *wait, safe_lock **lock,
                   safe_error *error) {
  double until = wait->until;
  safe_lock_wait *pending;
  int looks = LOOKS;
  int code = begin(ask, wait, &pending, error);

  if (code != SAFE_OK) return code;
  while ((code = safe_lock_wait_poll(pending)) == SAFE_EAGAIN) {
    code = wait_for_grant(ask, wait, pending, &looks);
    if (code == SAFE_OK) continue;
    if (code == SAFE_ETIMEDOUT && wait->until == until) break;
    safe_lock_wait_cancel(pending);
    /* Now that nothing is asked for, what this process has is what it had before. */
    if (code == SAFE_EDEADLK && safehold_lock_waits_for_itself(ask)) return fail_own(error);
    return code == SAFE_ETIMEDOUT || code == SAFE_EDEADLK ? SAFE_EAGAIN : code;
  }
  if (code != SAFE_EOWNER) return safe_lock_finish(pending, lock, error);
  safe_lock_wait_cancel(pending); /* a handler has forked, and the request is the parent's */
  return SAFE_EAGAIN;
}

int safehold_lock_wait(const struct safehold_lock_ask *ask, struct safehold_wait *wait, safe_lock **lock,
                       safe_error *error) {
  int code;

  *lock = NULL;
  if (!safehold_lock_may_wait_for_itself(ask, false)) {
    code = safehold_lock_block(ask, wait, lock, error);
    if (code != SAFE_EAGAIN) return code;
  }
  /* A handler may have changed how long there is to wait (set_time_limit). */
  do code = attempt(ask, wait, lock, error);
  while (code == SAFE_EAGAIN || (code == SAFE_ETIMEDOUT && safehold_wait_left_ms(wait) != 0));
  return code;
}
