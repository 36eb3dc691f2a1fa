/* SPDX-License-Identifier: MIT */
/*
 * One attempt to get a lock, from opening the file to being sure of it, as a machine that can stop at every wait and
 * be driven on: safe_lock_file drives it to its end, safe_lock_begin only as far as it goes without blocking.
 */
#ifndef SAFEHOLD_ATTEMPT_H
#define SAFEHOLD_ATTEMPT_H

#include "held.h"
#include "os.h"
#include "timed_wait.h"

enum safe__attempt_state {
  SAFE__ATTEMPT_OPEN,
  SAFE__ATTEMPT_ASK,   /* for what is not yet got, without blocking */
  SAFE__ATTEMPT_QUEUE, /* for what was found locked */
  SAFE__ATTEMPT_WAIT,
  SAFE__ATTEMPT_TAKE_BACK, /* what was waited for too long, or is not wanted any more */
  SAFE__ATTEMPT_VERIFY
};

struct safe__step {
  struct safe__claim claim;
  bool got;
};

struct safe_lock_wait {
  safe_lock_options options;
  struct safe_lock *lock;
  const char *path;           /* NULL: the caller's file, or a conversion */
  safe_handle handle;         /* the caller's */
  int64_t started;            /* when the clock began, where that was before; 0: it does with the first wait */
  int64_t retry_at;           /* when the file is to be opened again */
  int64_t began, deadline;    /* 0: not asked for yet, as nothing had to be waited for */
  struct safe__notice notice; /* look for the holder */
  safe_error holder;          /* what was found, as a sentence */
  struct safe__wait wait;
  enum safe__attempt_state state;
  struct safe__step steps[3];
  int step_count;
  int blocked; /* the step that somebody else stood in the way of */
  int replaced, requeued;
  int verdict;       /* SAFE_ETIMEDOUT or SAFE_ECANCELED: why it is taken back */
  int64_t settle_by; /* until when that may take */
  bool opened;       /* the file is */
  bool converts;     /* the lock is held in the other mode */
  bool waited;       /* for somebody else; who listens has been told */
  bool looked;       /* for the holder */
  bool gate;         /* the first step is the turnstile of SAFE_LOCK_FAIR: given back once the rest is got */
  bool swap;         /* what is got must not be held while another step is waited for */
  bool async;        /* must not block, and may wait for its own thread */
  bool unwanted;     /* the caller of begin has taken it back */
};

/* Prepares everything but lock, path, handle, started, opened, options, waited, converts and async, which are the
 * caller's.
 */
void safe__attempt_init(struct safe_lock_wait *attempt);

/*
 * Drives the attempt on until it is over, or until the time given. 0: the lock is held and verified. SAFE__AGAIN: not
 * over. SAFE_EINTR: not over, and a signal handler has run. Anything else: over, nothing is held and the file is
 * closed, except that a conversion leaves what safe_lock_convert promises.
 */
int safe__attempt_drive(struct safe_lock_wait *attempt, int64_t until, safe_error *error);

/*
 * The wait of one who found the lock taken, and needs no more than the lock, in time: if the host has lent a signal,
 * the thread itself blocks, and as soon as the lock is granted it is the caller's. SAFE_EBUSY: drive the attempt on,
 * whose file is open and whose clock runs.
 */
int safe__attempt_wait_at_once(struct safe_lock_wait *attempt, const struct safe__claim *claim, safe_error *error);

/* Which locks the options mean (attempt_plan.c). */
void safe__attempt_plan(struct safe_lock_wait *attempt);

/* How long to look for the holder, if that has not been done yet. */
void safe__attempt_set_query(struct safe_lock_wait *attempt, uint32_t holder_query_ms);

/* Takes back what is queued, gives back what was got and closes the file. 0, or SAFE_ESTUCK: what was queued is parked.
 */
int safe__attempt_abandon(struct safe_lock_wait *attempt);

/* Ends the message of an attempt that failed: with the file, and for a lock that is held, with the holder. */
void safe__attempt_explain(struct safe_lock_wait *attempt, safe_error *error);

/* ---- lock.c: what all who get a lock share. */

/* Reads the options for attempt->path, or without one for attempt->handle. caller is the caller's error. */
int safe__attempt_prepare(struct safe_lock_wait *attempt, const safe_lock_options *options, const safe_error *caller,
                          safe_error *error);
/* Makes the lock, unless there is one already, and gets the attempt ready to be driven. */
int safe__attempt_start(struct safe_lock_wait *attempt, safe_error *error);
/* Of an attempt that is over with this code: hands the lock out, or explains and frees. */
int safe__attempt_end(struct safe_lock_wait *attempt, int code, struct safe_lock **out, safe_error *error);

/* Closes the file (never the caller's own) and frees the lock. */
void safe__lock_free(struct safe_lock *lock);
/* What an attempt got becomes the lock's. */
int safe__lock_complete(struct safe_lock_wait *attempt, safe_error *error);
/* Gives back all that is held; the first error, or 0. */
int safe__lock_release(struct safe_lock *lock);

#endif
