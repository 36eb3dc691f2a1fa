/* SPDX-License-Identifier: MIT */
/* safe_lock_file: open, lock, and make sure that what was locked is what is at the path. */
#include <string.h>

#include "os.h"

/* A file that is replaced so often while it is being locked is replaced on purpose. */
#define MAX_REPLACED 32

struct safe_lock {
  struct safe__file file;
  safe_lock_options options;
  int64_t owner; /* the process that locked: a forked copy must not unlock */
  int wait_kind;
};

/* One call of safe_lock_file. */
struct attempt {
  struct safe_lock *lock;
  const char *path;
  int64_t began, deadline;
  struct safe__notice notice; /* look for the holder */
  safe_error holder;          /* what was found, as a sentence */
};

static void look(void *context) {
  struct attempt *attempt = context;
  int64_t until = safe__deadline(attempt->lock->options.holder_query_ms);

  safe__error_clear(&attempt->holder);
  if (attempt->lock->options.timeout_ms != SAFE_NO_WAIT) until = safe__deadline_min(until, attempt->deadline);
  safe__name_holder(attempt->path, &attempt->lock->file, attempt->lock->options.method, until, &attempt->holder);
}

static int take(struct attempt *attempt, safe_error *error) {
  struct safe_lock *lock = attempt->lock;
  int code = safe__os_lock_try(&lock->file, &lock->options, error);

  if (code != SAFE_EBUSY || lock->options.timeout_ms == SAFE_NO_WAIT) return code;
  return safe__os_lock_wait(&lock->file, &lock->options, attempt->deadline, &attempt->notice, &lock->wait_kind, error);
}

static int open_and_take(struct attempt *attempt, safe_error *error) {
  struct safe_lock *lock = attempt->lock;
  int code = safe__os_file_open(&lock->file, attempt->path, &lock->options, error);

  if (code != SAFE_OK) return code;
  code = take(attempt, error);
  if (code == SAFE_ESTUCK) return code; /* the file was parked with the request */
  if (code == SAFE_OK) {
    code = safe__os_file_verify(&lock->file, attempt->path, &lock->options, error);
    if (code != SAFE_OK) safe__os_unlock(&lock->file, &lock->options);
  }
  if (code != SAFE_OK) safe__os_file_close(&lock->file);
  return code;
}

static int take_current(struct attempt *attempt, safe_error *error) {
  const safe_lock_options *options = &attempt->lock->options;
  int replaced, code = SAFE_EREPLACED;

  for (replaced = 0; code == SAFE_EREPLACED && replaced < MAX_REPLACED; replaced++) {
    if (replaced > 0 && options->timeout_ms != SAFE_NO_WAIT && safe__os_now() >= attempt->deadline) break;
    if (safe__os_cancel_triggered(options->cancel))
      return safe__fail(error, SAFE_ECANCELED, SAFE_STAGE_WAIT, -1, "The wait was cancelled.");
    code = open_and_take(attempt, error);
  }
  if (code == SAFE_EREPLACED)
    return safe__fail(error, code, SAFE_STAGE_VERIFY, -1,
                      "The file was removed or replaced %d times while it was being locked.", replaced);
  return code;
}

#define SHOWN 200 /* bytes of a path: the message has to have room for the holder too */

/* The end of a path tells more than its beginning. */
static const char *shown(const char *path) {
  size_t length = strlen(path);

  return length > SHOWN ? path + length - SHOWN : path;
}

/* Ends the message with the file, and for a lock that somebody else holds, with the holder. */
static void explain(struct attempt *attempt, safe_error *error) {
  const safe_lock_options *options = &attempt->lock->options;
  const char *mode = options->mode == SAFE_LOCK_SHARED ? "shared" : "exclusive";

  switch (error->code) {
  case SAFE_EBUSY:
    safe__fail(error, SAFE_EBUSY, SAFE_STAGE_LOCK, -1, "%s is locked by somebody else (asked: %s, no wait).",
               shown(attempt->path), mode);
    if (options->holder_query_ms > 0) look(attempt);
    break;
  case SAFE_ETIMEDOUT:
    safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1,
               "%s is still locked by somebody else after %lld ms (asked: %s).", shown(attempt->path),
               (long long)((safe__os_now() - attempt->began) / SAFE__MS), mode);
    break;
  default:
    safe__add(error, " File: %s.", shown(attempt->path));
    return;
  }
  safe__add(error, "%s", attempt->holder.message);
  error->holder_pid = attempt->holder.holder_pid;
}

/* The look takes the last part of the wait, at most half of it. */
static void plan_notice(struct attempt *attempt) {
  const safe_lock_options *options = &attempt->lock->options;
  int64_t look_ms = options->holder_query_ms;

  attempt->notice.at = SAFE__NEVER;
  attempt->notice.act = look;
  attempt->notice.context = attempt;
  if (look_ms > options->timeout_ms / 2) look_ms = options->timeout_ms / 2;
  if (look_ms > 0 && attempt->deadline != SAFE__NEVER) attempt->notice.at = attempt->deadline - look_ms * SAFE__MS;
}

static int lock_file(safe_lock **out, const char *path, const safe_lock_options *options, safe_error *error) {
  struct attempt attempt; /* not cleared: the error in it is large, and rarely used */
  int code;

  attempt.lock = safe__alloc(sizeof(*attempt.lock));
  if (attempt.lock == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  attempt.lock->options = *options;
  attempt.lock->owner = safe__os_self();
  attempt.path = path;
  attempt.began = safe__os_now();
  attempt.deadline = safe__deadline_after(attempt.began, options->timeout_ms);
  safe__error_clear(&attempt.holder);
  plan_notice(&attempt);
  code = take_current(&attempt, error);
  if (code == SAFE_OK) {
    *out = attempt.lock;
    return SAFE_OK;
  }
  explain(&attempt, error);
  safe__free(attempt.lock);
  return code;
}

int safe_lock_file(safe_lock **lock, const char *path, const safe_lock_options *options, safe_error *caller) {
  safe_lock_options copy;
  safe_error error;
  int code, held;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  if (lock == NULL)
    return safe__deliver(caller, &error,
                         safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the lock is NULL."));
  *lock = NULL;
  code = safe__check_path(path, &error);
  if (code == SAFE_OK) code = safe__read_lock_options(&copy, options, &error);
  if (code == SAFE_OK && safe__os_lock_method(&copy.method) != SAFE_OK)
    code = safe__fail(&error, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1, "This system has no lock method %d.",
                      (int)copy.method);
  if (caller == NULL) copy.holder_query_ms = 0; /* nobody to tell */
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    safe__parked_collect();
    code = lock_file(lock, path, &copy, &error);
    safe__os_allow_cancellation(held);
  }
  return safe__deliver(caller, &error, code);
}

int safe_unlock(safe_lock *lock) {
  int held, code = SAFE_EOWNER;

  if (lock == NULL) return SAFE_EINVAL;
  held = safe__os_hold_cancellation();
  /* Unlock, then close: a forked child that has not called exec keeps the description open, and a mere close
     would leave the lock with it. The child for its part must not unlock what is the parent's. */
  if (lock->owner == safe__os_self()) code = safe__os_unlock(&lock->file, &lock->options);
  safe__os_file_close(&lock->file);
  safe__free(lock);
  safe__os_allow_cancellation(held);
  return code;
}

safe_handle safe_lock_get_handle(const safe_lock *lock) {
  if (lock == NULL || lock->owner != safe__os_self()) return SAFE_INVALID_HANDLE;
  return safe__os_file_handle(&lock->file);
}

int safe_lock_wait_kind(const safe_lock *lock) { return lock == NULL ? SAFE_EINVAL : lock->wait_kind; }
