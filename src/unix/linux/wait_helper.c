/* SPDX-License-Identifier: MIT */
#include "wait_helper.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "above_stdio.h"
#include "fork.h"
#include "helper_calls.h"
#include "lock_ring.h"
#include "poll_wait.h"
#include "proc_stat.h"
#include "reserve.h"
#include "timed_wait.h"

enum { OURS = 0, THEIRS = 1, PIDFD = 2 };

#define FLAGS (CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CHILD_CLEARTID)

/* ---- Making and ending one. */

static void close_one(int *fd) {
  int number = *fd;

  *fd = -1; /* first, see safe__os_file_close */
  if (number >= 0) close(number);
}

static int word_of(const struct safe__helper *helper) {
  return __atomic_load_n(&helper->stack->word, __ATOMIC_ACQUIRE);
}

static void drop_its_end(struct safe__helper *helper) {
  if (helper->fds[THEIRS] < 0) return;
  safe__reserve_return(helper);
  close_one(&helper->fds[THEIRS]);
}

/* Once it has its own, or has gone: only then does the socket close with the helper. */
static void close_its_end(struct safe__helper *helper) {
  if (__atomic_load_n(&helper->apart, __ATOMIC_ACQUIRE) || word_of(helper) == SAFE__HELPER_GONE) drop_its_end(helper);
}

static void free_helper(struct safe__helper *helper) {
  int at;

  for (at = 0; at < 3; at++) close_one(&helper->fds[at]);
  safe__held_release(helper->noted);
  safe__shared_stack_put(helper->stack);
  safe__free(helper);
}

static bool open_socket(struct safe__helper *helper) {
  int pair[2];

  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return false;
  helper->fds[OURS] = safe__above_stdio(pair[0]);
  helper->fds[THEIRS] = safe__above_stdio(pair[1]);
  if (helper->fds[OURS] > helper->fds[THEIRS]) { /* the helper closes all that is below its own */
    int swap = helper->fds[OURS];
    helper->fds[OURS] = helper->fds[THEIRS];
    helper->fds[THEIRS] = swap;
  }
  /* What the kernel copies for the helper, and the helper then closes, is all below its end. */
  helper->end = safe__reserve_copy(helper->fds[THEIRS], helper);
  return helper->fds[OURS] >= 0;
}

static long start(struct safe__helper *helper) {
  uint64_t mask;
  long pid;

  helper->stack->word = SAFE__HELPER_STARTING;
  mask = safe__block_signals();
  pid = safe__kernel.clone(FLAGS, helper->stack->top, &helper->fds[PIDFD], &helper->stack->word, safe__helper_serve,
                           helper);
  safe__restore_signals(mask);
  /* A clone that fails late has written a number that is not open, and may be somebody else's at once. */
  helper->fds[PIDFD] = pid < 0 ? -1 : safe__above_stdio(helper->fds[PIDFD]);
  return pid;
}

static struct safe__helper *try_to_make(bool fresh) {
  struct safe__helper *helper = safe__alloc(sizeof(*helper));

  if (helper == NULL) return NULL;
  helper->fresh = fresh;
  helper->fds[OURS] = helper->fds[THEIRS] = helper->fds[PIDFD] = -1;
  helper->host = safe__os_self();
  helper->noted = safe__held_claim();
  helper->stack = safe__shared_stack_get();
  helper->pid = -1;
  if (helper->noted != NULL && helper->stack != NULL) {
    safe__held_note(helper->noted, helper->fds, 3);
    safe__fork_hold();
    if (open_socket(helper)) helper->pid = start(helper);
    safe__fork_allow();
  }
  if (helper->pid > 0) return helper;
  drop_its_end(helper);
  free_helper(helper);
  return NULL;
}

/* One that waits for a job ends itself when the socket closes. */
static bool end(struct safe__helper *helper, int64_t deadline) {
  drop_its_end(helper);
  close_one(&helper->fds[OURS]);
  if (!safe__reap(helper->fds[PIDFD], helper->pid, deadline)) return false;
  free_helper(helper);
  return true;
}

#define PAUSE (1000 * SAFE__MS) /* before another one is tried, where that took longer */

static atomic_bool impossible;    /* no close_range, or none with UNSHARE: Linux before 5.9, or a policy */
static _Atomic int64_t not_until; /* the time of the next try */

/* Only then is it sent anything: what lay in the socket of one that hangs would be kept open by it. */
static bool becomes_ready(struct safe__helper *helper, int64_t ms) {
  int64_t deadline = safe__deadline(ms);

  while (word_of(helper) == SAFE__HELPER_STARTING && safe__os_now() < deadline)
    safe__futex_wait(&helper->stack->word, SAFE__HELPER_STARTING, deadline);
  return word_of(helper) == SAFE__HELPER_IDLE;
}

static uint64_t inode_of(int fd) {
  struct stat status;

  return fstat(fd, &status) == 0 ? (uint64_t)status.st_ino : 0;
}

/* One that hangs in closing what the host has open: so would the next one. Else it only lacks a processor. */
static void note_hang(const struct safe__helper *helper) {
  struct safe__proc_stat stat;

  if (!__atomic_load_n(&helper->apart, __ATOMIC_ACQUIRE) || __atomic_load_n(&helper->ready, __ATOMIC_ACQUIRE)) return;
  if (!safe__proc_stat(helper->pid, &stat) || stat.state != 'R') atomic_store(&not_until, safe__os_now() + PAUSE);
}

/* *stuck: it had not got far enough in time. */
static struct safe__helper *make(bool fresh, int64_t ms, bool late_too, bool *stuck) {
  struct safe__helper *helper = try_to_make(fresh);
  bool starting;

  if (helper == NULL) return NULL;
  starting = !becomes_ready(helper, ms) && word_of(helper) == SAFE__HELPER_STARTING;
  if (word_of(helper) == SAFE__HELPER_IDLE || (starting && late_too)) {
    close_its_end(helper);
    helper->socket = inode_of(helper->fds[OURS]);
    return helper;
  }
  *stuck = starting;
  if (starting) {
    note_hang(helper);
    safe__helper_kill(helper); /* the number of its end could be somebody else's when it gets there */
  }
  safe__helper_dismiss(helper);
  return NULL;
}

/* ---- The spare ones: at most one a thread, as a helper dies with the thread that made it. */

#define SPARES 64

static struct {
  _Atomic uint64_t thread;
  _Atomic(struct safe__helper *) helper;
} spares[SPARES];

static pthread_key_t at_exit; /* of a thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool keyed;

/* A host that closes all descriptors it does not know has closed ours, and may have others of these numbers by now. The
   helper has gone then, or goes. */
static bool has_its_socket(struct safe__helper *helper) {
  if (inode_of(helper->fds[OURS]) == helper->socket) return true;
  helper->fds[OURS] = helper->fds[PIDFD] = -1;
  safe__kernel.kill(-1, helper->pid, SIGKILL); /* by number: nobody else reaps it */
  return false;
}

static void end_within(struct safe__helper *helper, int64_t ms) {
  if (helper->refused) atomic_store(&impossible, true);
  if (helper->socket != 0) has_its_socket(helper);
  if (!end(helper, safe__deadline(ms))) safe__helper_park(helper, NULL, NULL);
}

static void end_or_park(struct safe__helper *helper) { end_within(helper, SAFE__SETTLE_MS); }

void safe__helper_dismiss(struct safe__helper *helper) { end_or_park(helper); }

#define GOING_MS 5 /* two hundred times what it takes */

void safe__helper_dismiss_soon(struct safe__helper *helper) { end_within(helper, GOING_MS); }

/* Only who takes the helper out frees the place: the place of an empty one may be somebody else's by now. */
static struct safe__helper *take_out(int at) {
  struct safe__helper *helper = atomic_exchange(&spares[at].helper, NULL);

  if (helper != NULL) atomic_store(&spares[at].thread, 0);
  return helper;
}

static struct safe__helper *take_spare(void) {
  uint64_t thread = safe__thread();
  struct safe__helper *helper;
  int at;

  for (at = 0; at < SPARES; at++) {
    if (atomic_load_explicit(&spares[at].thread, memory_order_relaxed) != thread) continue;
    helper = take_out(at);
    if (helper != NULL) return helper;
  }
  return NULL;
}

static void thread_ends(void *unused) {
  struct safe__helper *helper = take_spare();

  (void)unused;
  if (helper == NULL) return;
  if (helper->host == safe__os_self())
    end_or_park(helper);
  else
    free_helper(helper);
}

static void make_key(void) { keyed = pthread_key_create(&at_exit, thread_ends) == 0; }

static bool keep(struct safe__helper *helper) {
  uint64_t none, thread = safe__thread();
  int at;

  pthread_once(&once, make_key);
  if (!keyed || pthread_setspecific(at_exit, &spares) != 0) return false;
  for (at = 0; at < SPARES; at++)
    if (atomic_load_explicit(&spares[at].thread, memory_order_relaxed) == thread) return false;
  for (at = 0; at < SPARES; at++) {
    none = 0;
    if (atomic_load_explicit(&spares[at].thread, memory_order_relaxed) != 0 ||
        !atomic_compare_exchange_strong(&spares[at].thread, &none, thread))
      continue;
    atomic_store(&spares[at].helper, helper);
    return true;
  }
  return false;
}

void safe__os_release_spares(void) {
  struct safe__helper *helper;
  int at;

  for (at = 0; at < SPARES; at++) {
    helper = take_out(at);
    if (helper == NULL) continue;
    if (helper->host == safe__os_self())
      end_or_park(helper);
    else
      free_helper(helper);
  }
  safe__shared_stack_release_spare();
  safe__lock_ring_release();
}

/* ---- Using one. */

/* Alive, and still to be killed by us: not after the host has changed its user. */
static bool usable(struct safe__helper *helper) {
  return helper->host == safe__os_self() && has_its_socket(helper) &&
         safe__kernel.kill(helper->fds[PIDFD], helper->pid, 0) == 0;
}

static bool must_not_try(void) {
  int64_t until = atomic_load_explicit(&not_until, memory_order_relaxed);

  return until != 0 && safe__os_now() < until;
}

static bool can_be_made(void) {
  return !atomic_load_explicit(&impossible, memory_order_relaxed) && safe__clone_works();
}

struct safe__helper *safe__helper_get(bool fresh, int64_t ms, bool *stuck) {
  struct safe__helper *helper = NULL;
  bool late = false;

  if (can_be_made()) {
    helper = fresh ? NULL : take_spare();
    if (helper != NULL && !usable(helper)) {
      if (helper->host == safe__os_self())
        end_or_park(helper);
      else
        free_helper(helper); /* a copy, in a forked child */
      helper = NULL;
    }
    if (helper == NULL && !must_not_try()) helper = make(fresh, ms, false, &late);
  }
  if (stuck != NULL) *stuck = helper == NULL && (late || must_not_try());
  return helper;
}

#define SOON_MS 2 /* a hundred times what it takes on a machine that is not busy */

struct safe__helper *safe__helper_get_soon(bool *stuck) {
  struct safe__helper *helper = can_be_made() && !must_not_try() ? make(true, SOON_MS, true, stuck) : NULL;

  *stuck = helper == NULL && must_not_try();
  return helper;
}

bool safe__helper_is_late(struct safe__helper *helper) {
  close_its_end(helper);
  return helper->fds[THEIRS] >= 0;
}

/* SAFE__HELPER_BUSY, unless the kernel has cleared the word meanwhile. A late one may become ready just now. */
static bool engage(struct safe__helper *helper) {
  int word = word_of(helper);

  while (word != SAFE__HELPER_GONE && !__atomic_compare_exchange_n(&helper->stack->word, &word, SAFE__HELPER_BUSY,
                                                                   false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    continue;
  return word != SAFE__HELPER_GONE;
}

bool safe__helper_post(struct safe__helper *helper, struct safe__job *job, int fd, bool rings) {
  job->result = EINTR; /* what a helper that is killed leaves behind */
  job->withdrawn = false;
  helper->job = job;
  helper->rings = rings;
  return engage(helper) && helper_send(helper->fds[OURS], fd);
}

bool safe__helper_answered(const struct safe__helper *helper) {
  return __atomic_load_n(&helper->stack->word, __ATOMIC_ACQUIRE) != SAFE__HELPER_BUSY;
}

/* The descriptor in it, or -1. */
static int take_message(struct safe__helper *helper) {
  int fd;

  safe__fork_hold();
  if (!helper_receive(helper->fds[OURS], &fd)) fd = -1;
  fd = safe__above_stdio(fd);
  safe__fork_allow();
  return fd;
}

/* What can be polled is the socket: it also closes itself when the helper is gone. */
static int await_either(struct safe__helper *helper, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct pollfd ready[2] = {{helper->fds[OURS], POLLIN, 0}, {safe__cancel_fd(cancel), POLLIN, 0}};
  int64_t until;
  int count;

  for (;;) {
    until = safe__helper_is_late(helper) ? safe__deadline(SAFE__HELPER_LATE_MS) : SAFE__NEVER;
    count = safe__poll_once(ready, 2, safe__deadline_min(deadline, until));
    if (safe__helper_answered(helper)) return SAFE_OK;
    if (count > 0 && ready[1].revents != 0) return SAFE_ECANCELED;
    if (count > 0) take_message(helper); /* an earlier job's, which came too late for that */
    if (count < 0 && interruptible) return SAFE_EINTR;
    if (safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
  }
}

#define DAY_MS 86400000

int safe__helper_await(struct safe__helper *helper, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  int64_t until;
  long code;

  if (helper->rings) return await_either(helper, deadline, cancel, interruptible);
  while (!safe__helper_answered(helper)) {
    if (safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
    /* With a timeout the kernel does not restart the call behind a handler's back (futex(2), SA_RESTART). */
    until = interruptible ? safe__deadline_min(deadline, safe__deadline(DAY_MS)) : deadline;
    code = safe__futex_wait(&helper->stack->word, SAFE__HELPER_BUSY, until);
    if (code == -EINTR && interruptible) return SAFE_EINTR;
  }
  return SAFE_OK;
}

#define NUDGE_MS 20
#define NUDGE_LOOP_MS 1 /* of an event loop's time: then it costs a helper */

bool safe__helper_nudge(struct safe__helper *helper) {
  return safe__kernel.kill(helper->fds[PIDFD], helper->pid, SAFE__HELPER_NUDGE) == 0;
}

/* A nudge that comes just before the call finds nothing to interrupt: it is repeated. */
void safe__helper_withdraw(struct safe__helper *helper) {
  int64_t deadline = safe__deadline(helper->rings ? NUDGE_LOOP_MS : NUDGE_MS);

  __atomic_store_n(&helper->job->withdrawn, true, __ATOMIC_RELEASE);
  while (SAFE__RAW_HANDLERS && !safe__helper_answered(helper) && safe__os_now() < deadline) {
    if (!safe__helper_nudge(helper)) break;
    safe__helper_await(helper, safe__os_now() + SAFE__MS, NULL, false);
  }
  if (!safe__helper_answered(helper)) safe__helper_kill(helper);
}

void safe__helper_kill(struct safe__helper *helper) {
  helper->killed = true;
  safe__kernel.kill(helper->fds[PIDFD], helper->pid, SIGKILL);
}

int safe__helper_reply(struct safe__helper *helper) {
  struct pollfd ready = {helper->fds[OURS], POLLIN, 0};

  /* It is on its way: the word came first. */
  if (safe__poll(&ready, 1, safe__deadline(SAFE__SETTLE_MS)) > 0) return take_message(helper);
  helper->spoilt = true; /* it would come in the middle of another job */
  return -1;
}

bool safe__helper_put(struct safe__helper *helper, int64_t deadline) {
  return (!helper->killed && !helper->spoilt && word_of(helper) == SAFE__HELPER_ANSWERED && keep(helper)) ||
         end(helper, deadline);
}

/* The socket of one that was killed is closed before it is gone. */
int safe__helper_ready_fd(const struct safe__helper *helper) { return helper->fds[helper->killed ? PIDFD : OURS]; }

static bool collect(struct safe__parked *item) {
  struct safe__helper *helper = (struct safe__helper *)item;

  if (!safe__reap(helper->fds[PIDFD], helper->pid, 0)) return false;
  if (helper->parked_with != NULL) helper->parked_with(helper);
  free_helper(helper);
  return true;
}

void safe__helper_park(struct safe__helper *helper, void (*free_data)(struct safe__helper *helper), void *data) {
  note_hang(helper);
  drop_its_end(helper);
  close_one(&helper->fds[OURS]);
  helper->parked_with = free_data;
  helper->parked_data = data;
  helper->parked.collect = collect;
  safe__park(&helper->parked);
}
