/* SPDX-License-Identifier: MIT */
/* The calls that get a lock and give it back. How it is got is in attempt.c. */
#include "attempt.h"
#include "lock_at_once.h"
#include "owner_record.h"
#include "trace.h"

/* ---- The object. */

static struct safe_lock *make_lock(const char *path, const safe_lock_options *options) {
  bool keep_path = (options->flags & (SAFE_LOCK_REMOVE_ON_UNLOCK | SAFE_LOCK_RECORD_OWNER)) != 0;
  struct safe_lock *lock = safe__held_claim();
  int *fds = NULL, count = 0;

  if (lock == NULL) return NULL;
  lock->owner = safe__os_self();
  lock->method = options->method;
  lock->flags = options->flags;
  lock->borrowed = path == NULL;
  if (path != NULL) fds = safe__os_file_descriptors(&lock->file, &count);
  if (fds != NULL) safe__held_note(lock, fds, count);
  if (keep_path) lock->path = safe__copy_text(path);
  if (lock->path != NULL || !keep_path) return lock;
  safe__lock_free(lock);
  return NULL;
}

void safe__lock_free(struct safe_lock *lock) {
  safe__os_file_close(&lock->file);
  if (lock->path != NULL) safe__free(lock->path);
  safe__held_release(lock);
}

int safe__lock_complete(struct safe_lock_wait *attempt, safe_error *error) {
  struct safe_lock *lock = attempt->lock;
  int at, first = attempt->gate ? 1 : 0;

  if (attempt->gate && attempt->steps[0].got) safe__os_unlock(&lock->file, &attempt->steps[0].claim);
  lock->claim_count = attempt->step_count - first;
  for (at = 0; at < lock->claim_count; at++) lock->claims[at] = attempt->steps[first + at].claim;
  atomic_store_explicit(&lock->thread, safe__thread(), memory_order_release); /* finish may be another one than begin */
  if ((lock->flags & SAFE_LOCK_RECORD_OWNER) == 0 || attempt->converts) return SAFE_OK;
  return safe__owner_record_write(lock, attempt->options.label, error);
}

static int release_one(struct safe_lock *lock, const struct safe__claim *claim) {
  if ((lock->flags & SAFE_LOCK_ISOLATE) != 0)
    return safe__os_unlock_isolated(&lock->file, claim, safe__deadline(SAFE__SETTLE_MS));
  return safe__os_unlock(&lock->file, claim);
}

int safe__lock_release(struct safe_lock *lock) {
  int at, one, code = SAFE_OK;

  for (at = 0; at < lock->claim_count; at++) {
    one = release_one(lock, &lock->claims[at]);
    if (code == SAFE_OK) code = one;
  }
  lock->claim_count = 0;
  return code;
}

/* ---- Getting it. */

int safe__attempt_prepare(struct safe_lock_wait *attempt, const safe_lock_options *options, const safe_error *caller,
                          safe_error *error) {
  int code = safe__read_lock_options(&attempt->options, options, attempt->path == NULL, error);

  if (code == SAFE_OK) code = safe__os_lock_supported(&attempt->options, error);
  if (code == SAFE_OK && caller == NULL) attempt->options.holder_query_ms = 0; /* nobody to tell */
  return code;
}

int safe__attempt_start(struct safe_lock_wait *attempt, safe_error *error) {
  attempt->converts = false;
  if (attempt->lock == NULL) attempt->lock = make_lock(attempt->path, &attempt->options);
  if (attempt->lock == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  safe__attempt_init(attempt);
  return SAFE_OK;
}

int safe__attempt_end(struct safe_lock_wait *attempt, int code, struct safe_lock **out, safe_error *error) {
  if (code == SAFE_OK) code = safe__lock_complete(attempt, error);
  if (code == SAFE_OK) {
    safe__trace_lock(attempt, code, error);
    *out = attempt->lock;
    return SAFE_OK;
  }
  safe__attempt_explain(attempt, error);
  safe__trace_lock(attempt, code, error);
  safe__lock_release(attempt->lock); /* of a lock that could not be completed */
  safe__lock_free(attempt->lock);
  return code;
}

static int get(struct safe_lock_wait *attempt, struct safe_lock **out, safe_error *error) {
  int code = safe__attempt_start(attempt, error);

  if (code != SAFE_OK) return code;
  code = safe__attempt_drive(attempt, SAFE__NEVER, error);
  if (code == SAFE_EINTR) {
    safe__attempt_abandon(attempt);
    safe__fail(error, code, SAFE_STAGE_WAIT, -1, "A signal came during the wait for the lock.");
  }
  return safe__attempt_end(attempt, code, out, error);
}

static int get_checked(struct safe_lock_wait *attempt, struct safe_lock **lock, safe_error *error) {
  int code, held;

  if (lock == NULL) return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the lock is NULL.");
  held = safe__os_hold_cancellation();
  safe__parked_collect();
  attempt->async = false;
  code = get(attempt, lock, error);
  safe__os_allow_cancellation(held);
  return code;
}

#define AT_ONCE \
  (uint32_t)(SAFE_LOCK_CREATE | SAFE_LOCK_FOLLOW_SYMLINKS | SAFE_LOCK_RETURN_ON_EINTR | SAFE_LOCK_CHECK_OWNER)

static bool may_be_had_at_once(const struct safe_lock_wait *attempt) {
  const safe_lock_options *options = &attempt->options;

  return (options->flags & ~AT_ONCE) == 0 && options->method != SAFE_METHOD_BOTH && options->cancel == NULL &&
         !safe__parked_any();
}

static int open_at_once(struct safe_lock_wait *attempt, safe_error *error) {
  struct safe__file *file = &attempt->lock->file;
  int code;

  if (attempt->path == NULL) {
    code = safe__os_file_borrow(file, attempt->handle, &attempt->options, error);
  } else {
    attempt->started = safe__os_now(); /* opening takes time too */
    code = safe__os_file_open(file, attempt->path, &attempt->options, error);
  }
  attempt->opened = code == SAFE_OK;
  return code;
}

/* What is asked for on the way to a lock that is free: who locks and unlocks all the time does so at the price of the
   system calls. None of them is a cancellation point. SAFE_EBUSY: the rest of the way has to be gone, with the lock in
   the attempt, and its file open. SAFE_EREPLACED: all of it, with the lock. */
SAFE__ON_GRANT static int get_at_once(struct safe_lock_wait *attempt, struct safe_lock **out, safe_error *error) {
  const safe_lock_options *options = &attempt->options;
  const struct safe__claim claim = {options->mode, options->method, options->offset, options->length};
  struct safe_lock *lock = attempt->lock = make_lock(attempt->path, options);
  int code;

  if (lock == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  code = open_at_once(attempt, error);
  if (code == SAFE_EAGAIN) code = SAFE_EREPLACED; /* somebody has a lease on it, which is waited for */
  if (code == SAFE_OK) {
    code = safe__os_lock_at_once(&lock->file, &claim);
    if (code == SAFE__AGAIN) code = safe__os_lock_try(&lock->file, &claim, error);
  }
  if (code == SAFE_EBUSY) code = safe__attempt_wait_at_once(attempt, &claim, error);
  if (code == SAFE_EBUSY) return code;
  if (code == SAFE_OK && attempt->path != NULL) {
    code = safe__os_file_verify(&lock->file, attempt->path, options, error);
    if (code != SAFE_OK) safe__os_unlock(&lock->file, &claim);
  }
  if (code == SAFE_OK) {
    lock->claims[0] = claim;
    lock->claim_count = 1;
    *out = lock;
    safe__trace_lock(attempt, code, error);
    return code;
  }
  if (code == SAFE_EREPLACED) {
    safe__os_file_close(&lock->file);
    attempt->opened = false;
    return code;
  }
  safe__attempt_explain(attempt, error);
  safe__trace_lock(attempt, code, error);
  safe__lock_free(lock);
  return code;
}

SAFE__ON_GRANT static int get_any_way(struct safe_lock_wait *attempt, safe_lock **lock, safe_error *error) {
  int code;

  attempt->lock = NULL;
  attempt->started = 0;
  attempt->opened = attempt->waited = false;
  if (lock == NULL || !may_be_had_at_once(attempt)) return get_checked(attempt, lock, error);
  code = get_at_once(attempt, lock, error);
  return code == SAFE_EBUSY || code == SAFE_EREPLACED ? get_checked(attempt, lock, error) : code;
}

/* Both calls end here, by a jump: see lock_at_once.h about functions to return from. */
SAFE__ON_GRANT static int lock_either(safe_lock **lock, bool named, const char *path, safe_handle file,
                                      const safe_lock_options *options, safe_error *caller) {
  struct safe_lock_wait attempt; /* not cleared: the error in it is large, and rarely used */
  safe_error error;
  int code = SAFE_OK;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  if (lock != NULL) *lock = NULL;
  if (named) code = safe__check_path(path, &error);
  attempt.path = path;
  attempt.handle = file;
  if (code == SAFE_OK) code = safe__attempt_prepare(&attempt, options, caller, &error);
  if (code == SAFE_OK) code = get_any_way(&attempt, lock, &error);
  return safe__deliver(caller, &error, code);
}

SAFE__ON_GRANT int safe_lock_file(safe_lock **lock, const char *path, const safe_lock_options *options,
                                  safe_error *caller) {
  return lock_either(lock, true, path, SAFE_INVALID_HANDLE, options, caller);
}

SAFE__ON_GRANT int safe_lock_handle(safe_lock **lock, safe_handle file, const safe_lock_options *options,
                                    safe_error *caller) {
  return lock_either(lock, false, NULL, file, options, caller);
}

int safe_use_signal(int signal_number) { return safe__os_use_signal(signal_number); }

/* ---- Giving it back. */

/* Before the unlock: whoever is granted the lock next finds out that this is no longer the file at the path. */
static void remove_file(struct safe_lock *lock) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.flags = lock->flags;
  if (lock->claim_count > 0) safe__os_file_remove(&lock->file, lock->path, &options);
}

static int give_back(struct safe_lock *lock) {
  if (lock->recorded) safe__owner_record_clear(lock);
  if ((lock->flags & SAFE_LOCK_REMOVE_ON_UNLOCK) != 0) remove_file(lock);
  return safe__lock_release(lock);
}

/* Those that are given back by more than two calls, in which no thread can be cancelled. */
#define MORE_TO_DO (uint32_t)(SAFE_LOCK_ISOLATE | SAFE_LOCK_RECORD_OWNER | SAFE_LOCK_REMOVE_ON_UNLOCK)

int safe_unlock(safe_lock *lock) {
  int held = 0, code = SAFE_EOWNER;
  bool holds;

  if (lock == NULL || atomic_load_explicit(&lock->thread, memory_order_relaxed) == 0) return SAFE_EINVAL;
  holds = (lock->flags & MORE_TO_DO) != 0;
  if (holds) held = safe__os_hold_cancellation();
  /* Unlock, then close: a forked child that has not called exec keeps the description open, and a mere close
     would leave the lock with it. The child for its part must not unlock what is the parent's. */
  if (lock->owner == safe__os_self()) {
    code = holds || lock->claim_count != 1 ? SAFE__AGAIN : safe__os_unlock_at_once(&lock->file, &lock->claims[0]);
    if (code == SAFE__AGAIN) code = give_back(lock);
  }
  safe__lock_free(lock);
  if (holds) safe__os_allow_cancellation(held);
  return code;
}

int safe_lock_detach(safe_lock *lock) {
  int code = SAFE_OK;

  if (lock == NULL || atomic_load_explicit(&lock->thread, memory_order_relaxed) == 0) return SAFE_EINVAL;
  if (lock->owner != safe__os_self())
    code = SAFE_EOWNER;
  else if (!lock->borrowed)
    return SAFE_EINVAL;
  else if (lock->method == SAFE_METHOD_POSIX)
    return SAFE_ENOTSUP;
  lock->claim_count = 0;
  safe__lock_free(lock); /* which closes no file that is the caller's */
  return code;
}

/* ---- Questions. */

int safe_lock_adopt(safe_lock *lock) {
  if (lock == NULL) return SAFE_EINVAL;
  if (lock->owner != safe__os_self()) return SAFE_EOWNER;
  atomic_store(&lock->thread, safe__thread());
  return SAFE_OK;
}

safe_handle safe_lock_get_handle(const safe_lock *lock) {
  if (lock == NULL || lock->owner != safe__os_self()) return SAFE_INVALID_HANDLE;
  return safe__os_file_handle(&lock->file);
}

int64_t safe_lock_read_at(safe_lock *lock, void *buffer, size_t length, int64_t offset) {
  if (lock == NULL || (buffer == NULL && length > 0) || offset < 0) return SAFE_EINVAL;
  if (lock->owner != safe__os_self()) return SAFE_EOWNER;
  return safe__os_file_read(&lock->file, buffer, length, offset);
}

int64_t safe_lock_write_at(safe_lock *lock, const void *bytes, size_t length, int64_t offset) {
  if (lock == NULL || (bytes == NULL && length > 0) || offset < 0) return SAFE_EINVAL;
  if (lock->owner != safe__os_self()) return SAFE_EOWNER;
  return safe__os_file_write(&lock->file, bytes, length, offset);
}

int safe_lock_wait_kind(const safe_lock *lock) { return lock == NULL ? SAFE_EINVAL : lock->wait_kind; }
