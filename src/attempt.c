/* SPDX-License-Identifier: MIT */
#include "attempt.h"

#include <string.h>

#include "trace.h"
#include "wait_backoff.h"

/* A file that is replaced so often while it is being locked is replaced on purpose. */
#define MAX_REPLACED 32

/* So often a request is queued again after its helper was killed from outside, before another way is taken. */
#define MAX_REQUEUED 3

/* ---- The clock is asked when it is needed: a lock that is free needs none. */

static void look(void *context) {
  struct safe_lock_wait *attempt = context;
  int64_t until = safe__deadline(attempt->options.holder_query_ms);

  attempt->looked = true;
  safe__error_clear(&attempt->holder);
  if (attempt->options.timeout_ms != SAFE_NO_WAIT) until = safe__deadline_min(until, attempt->deadline);
  safe__name_holder(attempt->path, &attempt->lock->file, attempt->options.method, until, &attempt->holder);
}

/* The look takes the last part of the wait, at most half of it. */
static void plan_notice(struct safe_lock_wait *attempt) {
  const safe_lock_options *options = &attempt->options;
  int64_t look_ms = options->holder_query_ms;

  if (look_ms > options->timeout_ms / 2) look_ms = options->timeout_ms / 2;
  attempt->notice.at = SAFE__NEVER;
  if (look_ms > 0 && attempt->deadline != SAFE__NEVER && !attempt->looked)
    attempt->notice.at = attempt->deadline - look_ms * SAFE__MS;
}

void safe__attempt_set_query(struct safe_lock_wait *attempt, uint32_t holder_query_ms) {
  attempt->options.holder_query_ms = holder_query_ms;
  if (attempt->began != 0) plan_notice(attempt);
}

static bool isolated(const struct safe_lock_wait *attempt) { return (attempt->options.flags & SAFE_LOCK_ISOLATE) != 0; }

static void start_clock(struct safe_lock_wait *attempt) {
  int64_t timeout_ms = attempt->options.timeout_ms;

  if (attempt->began != 0) return;
  if (isolated(attempt) && timeout_ms == SAFE_NO_WAIT) timeout_ms = SAFE__SETTLE_MS; /* for the file system */
  attempt->began = attempt->started != 0 ? attempt->started : safe__os_now();
  attempt->deadline = safe__deadline_after(attempt->began, timeout_ms);
  plan_notice(attempt);
}

void safe__attempt_init(struct safe_lock_wait *attempt) {
  attempt->began = 0;
  attempt->deadline = SAFE__NEVER;
  attempt->notice.at = SAFE__NEVER;
  attempt->notice.act = look;
  attempt->notice.context = attempt;
  attempt->wait.calls = NULL;
  attempt->state = attempt->converts || attempt->opened ? SAFE__ATTEMPT_ASK : SAFE__ATTEMPT_OPEN;
  memset(attempt->steps, 0, sizeof(attempt->steps));
  attempt->blocked = attempt->replaced = attempt->requeued = 0;
  attempt->gate = attempt->swap = attempt->looked = attempt->unwanted = false;
  attempt->retry_at = SAFE__NEVER;
  safe__error_clear(&attempt->holder);
  safe__attempt_plan(attempt);
  if (attempt->path != NULL) start_clock(attempt); /* opening takes time too */
}

/* ---- The steps. */

static struct safe__claim *held_claim(const struct safe_lock_wait *attempt, const struct safe__claim *wanted) {
  struct safe_lock *lock = attempt->lock;

  return &lock->claims[lock->claims[0].method == wanted->method ? 0 : 1];
}

static void give_back(struct safe_lock_wait *attempt) {
  struct safe__file *file = &attempt->lock->file;
  safe_error ignored;
  int at;

  for (at = 0; at < attempt->step_count; at++) {
    struct safe__step *step = &attempt->steps[at];
    if (!step->got) continue;
    if (attempt->converts) /* back to what it was: what was got by the conversion is at least that */
      safe__os_lock_convert(file, &step->claim, held_claim(attempt, &step->claim), &ignored);
    else
      safe__os_unlock(file, &step->claim);
    step->got = false;
  }
}

static void close_file(struct safe_lock_wait *attempt) {
  if (isolated(attempt) && attempt->steps[0].got) {
    safe__os_unlock_isolated(&attempt->lock->file, &attempt->steps[0].claim, safe__deadline(SAFE__SETTLE_MS));
    attempt->steps[0].got = false;
  }
  give_back(attempt);
  if (!attempt->converts) safe__os_file_close(&attempt->lock->file);
}

#define LEASE_PAUSE (10 * SAFE__MS)

/* A file server has a lease on the file, and was told to give it up (fcntl(2), F_SETLEASE): it is opened again. */
static int wait_for_the_lease(struct safe_lock_wait *attempt, int64_t until, safe_error *error) {
  if (attempt->options.timeout_ms == SAFE_NO_WAIT)
    return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_OPEN, -1, "A file server has a lease on the file.");
  if (safe__os_now() >= attempt->deadline)
    return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_OPEN, -1, "A file server did not give up its lease in time.");
  attempt->retry_at = safe__deadline_min(attempt->deadline, safe__os_now() + LEASE_PAUSE);
  if (until < attempt->retry_at) return SAFE__AGAIN;
  safe__os_sleep(attempt->retry_at, attempt->options.cancel, false);
  return SAFE_OK; /* and so to the same state again */
}

static int open_file(struct safe_lock_wait *attempt, int64_t until, safe_error *error) {
  const safe_lock_options *options = &attempt->options;
  struct safe_lock *lock = attempt->lock;
  int code;

  if (attempt->path == NULL)
    code = safe__os_file_borrow(&lock->file, attempt->handle, options, error);
  else
    code = safe__os_file_open(&lock->file, attempt->path, options, error);
  if (code == SAFE_EAGAIN) return wait_for_the_lease(attempt, until, error);
  if (code != SAFE_OK) return code;
  code = safe__os_lock_fits(&lock->file, options, error);
  if (code != SAFE_OK) safe__os_file_close(&lock->file);
  attempt->state = SAFE__ATTEMPT_ASK;
  return code;
}

/* A reader that has the file already must not stop at the turnstile, where a writer may wait for just that. */
static bool passes(const struct safe_lock_wait *attempt, int at) {
  return attempt->gate && at == 0 && attempt->options.mode == SAFE_LOCK_SHARED &&
         safe__held_conflicts(&attempt->lock->file, &attempt->steps[1].claim, attempt->lock, true);
}

#define GATE_TRIES 20
#define GATE_PAUSE (SAFE__MS / 10)

/* Who does not want to wait for the lock has to pass the turnstile all the same, where others are for a moment. */
static int pass_the_gate(struct safe_lock_wait *attempt, safe_error *error) {
  int tries, code = SAFE_EBUSY;

  for (tries = 0; code == SAFE_EBUSY && tries < GATE_TRIES; tries++) {
    if (tries > 0) safe__os_sleep(safe__os_now() + GATE_PAUSE, attempt->options.cancel, false);
    code = safe__os_lock_try(&attempt->lock->file, &attempt->steps[0].claim, error);
  }
  return code;
}

static int ask_for(struct safe_lock_wait *attempt, int at, safe_error *error) {
  struct safe__step *step = &attempt->steps[at];
  struct safe__file *file = &attempt->lock->file;
  int code;

  if (passes(attempt, at)) return SAFE_OK;
  if (attempt->gate && at == 0 && attempt->options.timeout_ms == SAFE_NO_WAIT) {
    code = pass_the_gate(attempt, error);
    step->got = code == SAFE_OK;
    return code;
  }
  if (attempt->converts)
    code = safe__os_lock_convert(file, held_claim(attempt, &step->claim), &step->claim, error);
  else
    code = safe__os_lock_try(file, &step->claim, error);
  if (code == SAFE_OK) step->got = true;
  return code;
}

static int ask(struct safe_lock_wait *attempt, safe_error *error) {
  int at, code;

  for (at = 0; at < attempt->step_count; at++) {
    if (attempt->steps[at].got) continue;
    code = ask_for(attempt, at, error);
    if (code == SAFE_OK) continue;
    attempt->blocked = at; /* of a conversion: what may have been lost */
    if (code != SAFE_EBUSY || attempt->options.timeout_ms == SAFE_NO_WAIT) return code;
    if (attempt->swap) give_back(attempt); /* two that hold one each and wait for the other would wait for ever */
    attempt->state = SAFE__ATTEMPT_QUEUE;
    return SAFE_OK;
  }
  attempt->state = SAFE__ATTEMPT_VERIFY;
  return SAFE_OK;
}

static bool would_wait_for_itself(const struct safe_lock_wait *attempt) {
  const struct safe__claim *claim = &attempt->steps[attempt->blocked].claim;

  if (attempt->async) return false;
  /* In the turnstile it is the lock behind it that counts. */
  if (attempt->gate) claim = &attempt->steps[1].claim;
  return safe__held_conflicts(&attempt->lock->file, claim, attempt->lock, false);
}

static void tell_of_wait(struct safe_lock_wait *attempt) {
  if (!attempt->waited) safe__trace_wait(attempt);
  attempt->waited = true;
}

static void step_is_got(struct safe_lock_wait *attempt) {
  attempt->steps[attempt->blocked].got = true;
  attempt->state = SAFE__ATTEMPT_ASK;
}

/* One look at whether, and how, the thread itself can block until then. */
static int block_until(struct safe_lock_wait *attempt, int64_t until, safe_error *error) {
  struct safe__claim *claim = &attempt->steps[attempt->blocked].claim;
  safe_cancel *cancel = attempt->options.cancel;
  struct safe_lock *lock = attempt->lock;
  int code = cancel == NULL ? safe__os_lock_signalled(&lock->file, claim, until, error) : SAFE_EBUSY;

  if (code != SAFE_EBUSY) {
    lock->wait_kind = SAFE_WAIT_SIGNAL;
    return code;
  }
  code = safe__os_lock_ring(&lock->file, claim, until, cancel, error);
  if (code != SAFE_EBUSY) lock->wait_kind = SAFE_WAIT_RING;
  return code;
}

/* A call in which the thread itself blocks: for who has no deadline to keep, or where something takes it out in time.
 */
static int block(struct safe_lock_wait *attempt, safe_error *error) {
  const safe_lock_options *options = &attempt->options;
  struct safe_lock *lock = attempt->lock;
  int64_t until;
  int code;

  /* A handler that has the interrupted call restarted (SA_RESTART) would not be told of. */
  if (attempt->async || (options->flags & SAFE_LOCK_RETURN_ON_EINTR) != 0) return SAFE_EBUSY;
  if (attempt->deadline == SAFE__NEVER && options->cancel == NULL) {
    lock->wait_kind = SAFE_WAIT_PLAIN;
    return safe__os_lock_plain(&lock->file, &attempt->steps[attempt->blocked].claim, error);
  }
  do {
    until = safe__notice_next(&attempt->notice, attempt->deadline);
    code = block_until(attempt, until, error);
  } while (code == SAFE_ETIMEDOUT && safe__os_now() < attempt->deadline);
  if (code == SAFE_ETIMEDOUT) safe__fail(error, code, SAFE_STAGE_WAIT, -1, "The lock was not given in time.");
  if (code == SAFE_ECANCELED) safe__fail(error, code, SAFE_STAGE_WAIT, -1, "The wait was cancelled.");
  return code;
}

static int queue(struct safe_lock_wait *attempt, safe_error *error) {
  const safe_lock_options *options = &attempt->options;
  const struct safe__claim *claim = &attempt->steps[attempt->blocked].claim;
  struct safe_lock *lock = attempt->lock;
  int code;

  start_clock(attempt);
  if (would_wait_for_itself(attempt))
    return safe__fail(error, SAFE_EDEADLK, SAFE_STAGE_LOCK, -1,
                      "This thread holds a lock on the file already, and would wait for itself.");
  tell_of_wait(attempt);
  code = block(attempt, error);
  if (code == SAFE_OK) step_is_got(attempt);
  if (code != SAFE_EBUSY) return code;
  attempt->wait.undisturbed = attempt->async || (options->flags & SAFE_LOCK_RETURN_ON_EINTR) != 0;
  if (attempt->requeued++ < MAX_REQUEUED)
    code = safe__os_lock_queue(&lock->file, claim, attempt->async || options->cancel != NULL, attempt->deadline,
                               &attempt->wait, error);
  if (code == SAFE_EBUSY) code = safe__wait_backoff(&lock->file, claim, &attempt->wait, error);
  if (code != SAFE_OK) return code;
  lock->wait_kind = attempt->wait.kind;
  attempt->state = SAFE__ATTEMPT_WAIT;
  return SAFE_OK;
}

static int take_back(struct safe_lock_wait *attempt, int64_t until, safe_error *error) {
  int code = safe__wait_take_back(&attempt->wait, until, attempt->settle_by, error);

  if (attempt->unwanted) attempt->verdict = SAFE_ECANCELED;
  if (code == SAFE_OK) {
    /* The grant won. For an expired wait that is what the caller wanted; a cancelled one no longer wants it. */
    step_is_got(attempt);
    if (attempt->verdict == SAFE_ETIMEDOUT) return SAFE_OK;
  } else if (code != SAFE_EBUSY) {
    return code;
  }
  return safe__fail(error, attempt->verdict, SAFE_STAGE_WAIT, -1,
                    attempt->verdict == SAFE_ETIMEDOUT ? "The lock was not given in time." : "The wait was cancelled.");
}

static int revoke(struct safe_lock_wait *attempt, int verdict) {
  attempt->verdict = verdict;
  attempt->settle_by = safe__wait_revoke(&attempt->wait);
  attempt->state = SAFE__ATTEMPT_TAKE_BACK;
  return SAFE_OK;
}

static int wait_on(struct safe_lock_wait *attempt, int64_t until, safe_error *error) {
  const safe_lock_options *options = &attempt->options;
  bool interruptible = (options->flags & SAFE_LOCK_RETURN_ON_EINTR) != 0;
  int code;

  if (attempt->unwanted) return revoke(attempt, SAFE_ECANCELED);
  code = safe__wait_until(&attempt->wait, safe__deadline_min(until, attempt->deadline), &attempt->notice,
                          options->cancel, interruptible, error);

  switch (code) {
  case SAFE_OK:
    step_is_got(attempt);
    return SAFE_OK;
  case SAFE_ETIMEDOUT:
    if (safe__os_now() < attempt->deadline) return SAFE__AGAIN;
    return revoke(attempt, code);
  case SAFE_ECANCELED:
    return revoke(attempt, code);
  case SAFE_EBUSY:
    if (isolated(attempt) && options->timeout_ms == SAFE_NO_WAIT) return code;
    /* The helper was killed by somebody: another one. */
    attempt->state = isolated(attempt) ? SAFE__ATTEMPT_OPEN : SAFE__ATTEMPT_QUEUE;
    return SAFE_OK;
  default:
    return code;
  }
}

static int start_over(struct safe_lock_wait *attempt, safe_error *error) {
  const safe_lock_options *options = &attempt->options;
  bool expired = options->timeout_ms != SAFE_NO_WAIT && safe__os_now() >= attempt->deadline;

  close_file(attempt);
  if (++attempt->replaced == MAX_REPLACED || expired)
    return safe__fail(error, SAFE_EREPLACED, SAFE_STAGE_VERIFY, -1,
                      "The file was removed or replaced %d times while it was being locked.", attempt->replaced);
  attempt->requeued = 0; /* that helper answered */
  attempt->state = SAFE__ATTEMPT_OPEN;
  return SAFE_OK;
}

/* ---- The machine. */

/* The whole of it is one request: opening, asking, waiting and verifying are a helper's. */
static int open_isolated(struct safe_lock_wait *attempt, safe_error *error) {
  int code;

  if (attempt->requeued++ == MAX_REQUEUED)
    return safe__fail(error, SAFE_ESYSTEM, SAFE_STAGE_WAIT, -1,
                      "The process that locks for this one was killed, %d times.", MAX_REQUEUED);
  attempt->blocked = 0;
  code = safe__os_lock_isolated(&attempt->lock->file, attempt->path, &attempt->options, &attempt->steps[0].claim,
                                &attempt->wait, error);
  if (code != SAFE_OK) return code;
  attempt->lock->wait_kind = attempt->wait.kind;
  attempt->state = SAFE__ATTEMPT_WAIT;
  return SAFE_OK;
}

static int step(struct safe_lock_wait *attempt, int64_t until, bool *over, safe_error *error) {
  switch (attempt->state) {
  case SAFE__ATTEMPT_OPEN:
    if (attempt->unwanted || safe__os_cancel_triggered(attempt->options.cancel))
      return safe__fail(error, SAFE_ECANCELED, SAFE_STAGE_WAIT, -1, "The wait was cancelled.");
    return isolated(attempt) ? open_isolated(attempt, error) : open_file(attempt, until, error);
  case SAFE__ATTEMPT_ASK:
    *over = isolated(attempt) && attempt->steps[0].got;
    return *over ? SAFE_OK : ask(attempt, error);
  case SAFE__ATTEMPT_QUEUE:
    return queue(attempt, error);
  case SAFE__ATTEMPT_WAIT:
    return wait_on(attempt, until, error);
  case SAFE__ATTEMPT_TAKE_BACK:
    return take_back(attempt, until, error);
  default:
    *over = true;
    if (attempt->path == NULL) return SAFE_OK;
    return safe__os_file_verify(&attempt->lock->file, attempt->path, &attempt->options, error);
  }
}

SAFE__ON_GRANT int safe__attempt_wait_at_once(struct safe_lock_wait *attempt, const struct safe__claim *claim,
                                              safe_error *error) {
  const safe_lock_options *options = &attempt->options;
  struct safe_lock *lock = attempt->lock;
  int code;

  if (options->timeout_ms <= 0 || (options->flags & SAFE_LOCK_RETURN_ON_EINTR) != 0 || !safe__os_signal_is_lent())
    return SAFE_EBUSY;
  attempt->began = 0;
  attempt->looked = false;
  start_clock(attempt);
  attempt->started = attempt->began;
  if (safe__held_conflicts(&lock->file, claim, lock, false)) return SAFE_EBUSY; /* and is told so there */
  tell_of_wait(attempt);
  code = safe__os_lock_signalled(&lock->file, claim, safe__deadline_min(attempt->notice.at, attempt->deadline), error);
  if (code == SAFE_OK) lock->wait_kind = SAFE_WAIT_SIGNAL;
  return code == SAFE_ETIMEDOUT ? SAFE_EBUSY : code;
}

int safe__attempt_drive(struct safe_lock_wait *attempt, int64_t until, safe_error *error) {
  bool over = false;
  int code;

  do {
    code = step(attempt, until, &over, error);
    if (code == SAFE_EREPLACED) {
      over = false;
      code = start_over(attempt, error);
    }
  } while (code == SAFE_OK && !over);
  if (code == SAFE_OK || code == SAFE__AGAIN || code == SAFE_EINTR) return code;
  if (!isolated(attempt)) give_back(attempt);
  if (code == SAFE_EBUSY && attempt->options.holder_query_ms > 0) look(attempt); /* while the file is open */
  close_file(attempt); /* also after SAFE_ESTUCK: what was parked with the request is not there any more */
  return code;
}

int safe__attempt_abandon(struct safe_lock_wait *attempt) {
  safe_error ignored;
  int code = SAFE_EBUSY;

  if (attempt->wait.calls != NULL && attempt->state == SAFE__ATTEMPT_TAKE_BACK)
    code = safe__wait_take_back(&attempt->wait, SAFE__NEVER, attempt->settle_by, &ignored);
  else if (attempt->wait.calls != NULL)
    code = safe__wait_give_up(&attempt->wait, &ignored);
  if (code == SAFE_OK) attempt->steps[attempt->blocked].got = true;
  close_file(attempt);
  return code == SAFE_ESTUCK ? code : SAFE_OK;
}
