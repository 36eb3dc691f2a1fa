/* SPDX-License-Identifier: MIT */
/* begin, wait handle, poll, finish, cancel: the same attempt, driven by an event loop. */
#include <string.h>

#include "attempt.h"

/* Its first member is what the public name stands for. */
struct pending {
  struct safe_lock_wait attempt;
  struct safe__poller poller;
  bool polled; /* the wait handle was asked for, and has to be kept true */
  bool over;
  int code;         /* once it is over */
  safe_error error; /* for any other but 0 */
  char *path;
  char label[SAFE__LABEL_BYTES + 1];
};

/* When poll is to be called, at the latest. */
static int64_t look_again_at(struct pending *pending) {
  struct safe_lock_wait *attempt = &pending->attempt;
  int64_t at = safe__deadline_min(attempt->deadline, attempt->notice.at);

  if (pending->over) return 0;
  if (attempt->state == SAFE__ATTEMPT_OPEN) return safe__deadline_min(at, attempt->retry_at);
  if (attempt->wait.calls == NULL) return 0;
  if (attempt->state == SAFE__ATTEMPT_TAKE_BACK) return attempt->settle_by; /* or when the request has gone */
  if (attempt->wait.calls->retry_at != NULL)
    at = safe__deadline_min(at, attempt->wait.calls->retry_at(attempt->wait.request));
  return at;
}

static safe_handle ready_handle(struct pending *pending) {
  const struct safe__wait *wait = &pending->attempt.wait;

  if (pending->over || wait->calls == NULL || wait->calls->handle == NULL) return SAFE_INVALID_HANDLE;
  return wait->calls->handle(wait->request);
}

static int arm(struct pending *pending) {
  return safe__os_poller_arm(&pending->poller, ready_handle(pending), pending->attempt.options.cancel,
                             look_again_at(pending));
}

static void drive(struct pending *pending, int64_t until, bool *interrupted) {
  int code;

  *interrupted = false;
  if (pending->over) return;
  /* What is ready is not looked at while it may be closed: its number could be somebody else's at once. */
  if (pending->polled) safe__os_poller_arm(&pending->poller, SAFE_INVALID_HANDLE, pending->attempt.options.cancel, 0);
  code = safe__attempt_drive(&pending->attempt, until, &pending->error);
  *interrupted = code == SAFE_EINTR;
  if (code != SAFE__AGAIN && code != SAFE_EINTR) {
    pending->over = true;
    pending->code = code;
  }
  /* What is waited for may be another request now, or none. */
  if (pending->polled && arm(pending) != SAFE_OK && !pending->over) {
    /* A wait handle that could stay silent for ever is worse than none. */
    safe__attempt_abandon(&pending->attempt);
    pending->over = true;
    pending->code = safe__fail_memory(&pending->error, SAFE_STAGE_WAIT);
  }
}

static void free_pending(struct pending *pending) {
  safe__os_poller_close(&pending->poller);
  safe__free(pending->path);
  safe__free(pending);
}

static bool copy_strings(struct pending *pending, const char *path) {
  struct safe_lock_wait *attempt = &pending->attempt;

  if (attempt->options.label != NULL) {
    strncpy(pending->label, attempt->options.label, SAFE__LABEL_BYTES);
    attempt->options.label = pending->label;
  }
  if (path == NULL) return true;
  attempt->path = pending->path = safe__copy_text(path);
  return pending->path != NULL;
}

static int begin(struct pending *pending, const char *path, safe_lock_wait **out, safe_error *error) {
  bool interrupted;
  int code;

  if (!copy_strings(pending, path)) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  pending->attempt.async = true;
  code = safe__attempt_start(&pending->attempt, error);
  if (code != SAFE_OK) return code;
  drive(pending, 0, &interrupted);
  if (pending->over && pending->code != SAFE_OK) {
    *error = pending->error;
    return safe__attempt_end(&pending->attempt, pending->code, NULL, error);
  }
  *out = &pending->attempt;
  return SAFE_OK;
}

static int begin_checked(safe_lock_wait **wait, const char *path, safe_handle file, const safe_lock_options *options,
                         safe_error *caller, safe_error *error) {
  struct pending *pending;
  int code, held;

  if (wait == NULL) return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the wait is NULL.");
  *wait = NULL;
  pending = safe__alloc(sizeof(*pending));
  if (pending == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  safe__os_poller_none(&pending->poller);
  pending->attempt.path = path;
  pending->attempt.handle = file;
  code = safe__attempt_prepare(&pending->attempt, options, caller, error);
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    safe__parked_collect();
    code = begin(pending, path, wait, error);
    safe__os_allow_cancellation(held);
  }
  if (code != SAFE_OK) free_pending(pending);
  return code;
}

int safe_lock_begin(safe_lock_wait **wait, const char *path, const safe_lock_options *options, safe_error *caller) {
  safe_error error;
  int code;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  if (wait != NULL) *wait = NULL;
  code = safe__check_path(path, &error);
  if (code == SAFE_OK) code = begin_checked(wait, path, SAFE_INVALID_HANDLE, options, caller, &error);
  return safe__deliver(caller, &error, code);
}

int safe_lock_begin_handle(safe_lock_wait **wait, safe_handle file, const safe_lock_options *options,
                           safe_error *caller) {
  safe_error error;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  return safe__deliver(caller, &error, begin_checked(wait, NULL, file, options, caller, &error));
}

static bool own(const struct pending *pending) { return pending->attempt.lock->owner == safe__os_self(); }

safe_handle safe_lock_wait_handle(safe_lock_wait *wait) {
  struct pending *pending = (struct pending *)wait;
  int held;

  if (wait == NULL || !own(pending)) return SAFE_INVALID_HANDLE;
  if (!pending->polled) {
    held = safe__os_hold_cancellation();
    pending->polled = arm(pending) == SAFE_OK;
    safe__os_allow_cancellation(held);
  }
  return pending->polled ? safe__os_poller_handle(&pending->poller) : SAFE_INVALID_HANDLE;
}

int safe_lock_wait_poll(safe_lock_wait *wait) {
  struct pending *pending = (struct pending *)wait;
  bool interrupted;
  int held;

  if (wait == NULL) return SAFE_EINVAL;
  if (!own(pending)) return SAFE_EOWNER;
  held = safe__os_hold_cancellation();
  drive(pending, 0, &interrupted);
  safe__os_allow_cancellation(held);
  return pending->over ? SAFE_OK : SAFE_EAGAIN;
}

int safe_lock_wait_set_query(safe_lock_wait *wait, uint32_t holder_query_ms) {
  struct pending *pending = (struct pending *)wait;
  int held, code = SAFE_OK;

  if (wait == NULL) return SAFE_EINVAL;
  if (!own(pending)) return SAFE_EOWNER;
  safe__attempt_set_query(&pending->attempt, holder_query_ms);
  if (!pending->polled) return SAFE_OK;
  held = safe__os_hold_cancellation();
  code = arm(pending); /* at another time; if that fails it wakes at the former one */
  safe__os_allow_cancellation(held);
  return code;
}

static void revoke(struct pending *pending) {
  bool interrupted;
  int code;

  if (!pending->over) {
    pending->attempt.unwanted = true;
    drive(pending, 0, &interrupted);
    return;
  }
  if (pending->code != SAFE_OK) return;
  code = safe__attempt_abandon(&pending->attempt); /* it was got, and nobody has been told */
  pending->code = safe__fail(&pending->error, code == SAFE_OK ? SAFE_ECANCELED : code, SAFE_STAGE_WAIT, -1,
                             "The wait was cancelled.");
}

int safe_lock_wait_revoke(safe_lock_wait *wait) {
  struct pending *pending = (struct pending *)wait;
  int held;

  if (wait == NULL) return SAFE_EINVAL;
  if (!own(pending)) return SAFE_EOWNER;
  held = safe__os_hold_cancellation();
  revoke(pending);
  safe__os_allow_cancellation(held);
  return SAFE_OK;
}

/* In a forked child: the parent's request is not to be touched, and what there is of it here is only closed. */
static void disown(struct pending *pending) {
  struct safe__wait *wait = &pending->attempt.wait;

  /* A request that is somebody's, a helper's or a thread's, is given up with what it refers to; one that merely asks
     again now and then is all ours. */
  if (wait->calls != NULL && wait->calls->handle == NULL) wait->calls->release(wait->request);
  safe__lock_free(pending->attempt.lock);
  free_pending(pending);
}

static int finish(struct pending *pending, safe_lock **lock, safe_error *error) {
  bool interrupted;
  int code;

  do {
    drive(pending, SAFE__NEVER, &interrupted);
    if (interrupted)
      return safe__fail(error, SAFE_EINTR, SAFE_STAGE_WAIT, -1, "A signal came during the wait for the lock.");
  } while (!pending->over);
  *error = pending->error;
  code = safe__attempt_end(&pending->attempt, pending->code, lock, error);
  free_pending(pending);
  return code;
}

int safe_lock_finish(safe_lock_wait *wait, safe_lock **lock, safe_error *caller) {
  struct pending *pending = (struct pending *)wait;
  safe_error error;
  int held, code;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  if (wait == NULL || lock == NULL)
    return safe__deliver(caller, &error,
                         safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The wait or the lock is NULL."));
  *lock = NULL;
  if (!own(pending)) {
    disown(pending);
    return safe__deliver(caller, &error,
                         safe__fail(&error, SAFE_EOWNER, SAFE_STAGE_WAIT, -1, "The wait is the parent process's."));
  }
  held = safe__os_hold_cancellation();
  code = finish(pending, lock, &error);
  safe__os_allow_cancellation(held);
  return safe__deliver(caller, &error, code);
}

void safe_lock_wait_cancel(safe_lock_wait *wait) {
  struct pending *pending = (struct pending *)wait;
  int held;

  if (wait == NULL) return;
  held = safe__os_hold_cancellation();
  if (own(pending)) {
    safe__os_poller_close(&pending->poller);
    safe__attempt_abandon(&pending->attempt);
    safe__lock_free(pending->attempt.lock);
    free_pending(pending);
  } else {
    disown(pending);
  }
  safe__os_allow_cancellation(held);
}
