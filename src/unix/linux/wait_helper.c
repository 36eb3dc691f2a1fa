/* SPDX-License-Identifier: MIT */
#include "wait_helper.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "above_stdio.h"
#include "fork.h"
#include "helper_calls.h"
#include "poll_wait.h"
#include "timed_wait.h"

/* Of the word beside the stack. The kernel clears it when the helper is gone (CLONE_CHILD_CLEARTID), so that a helper
   which somebody kills from outside is noticed too. */
enum { GONE = 0, IDLE = 1, BUSY = 2, ANSWERED = 3 };

enum { OURS = 0, THEIRS = 1, PIDFD = 2 };

#define FLAGS (CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CHILD_CLEARTID)

/* ---- In the helper. */

/* Not even for a moment a reference to what is above the socket; and what is below it goes at once. */
static long get_own_table(int socket) {
  long code = safe__raw6(SYS_close_range, socket + 1, ~0u, SAFE__CLOSE_RANGE_UNSHARE, 0, 0, 0);

  if (code == 0 && socket > 0) safe__raw6(SYS_close_range, 0, socket - 1, 0, 0, 0, 0);
  return code;
}

static void answer(struct safe__helper *helper, int socket, int reply) {
  int *word = &helper->stack->word;
  bool rings = helper->rings; /* before the answer, after which another job may be on its way */

  __atomic_store_n(word, ANSWERED, __ATOMIC_RELEASE);
  if (rings || reply >= 0)
    helper_send(socket, reply);
  else
    safe__raw6(SYS_futex, (long)word, FUTEX_WAKE, 1, 0, 0, 0);
  if (reply >= 0) safe__raw6(SYS_close, reply, 0, 0, 0, 0, 0);
}

static int serve(void *argument) {
  struct safe__helper *helper = argument;
  int fd, reply, socket = helper->fds[THEIRS];

  /* Killed with the thread that made it, whose memory it is on. Asked after, as that may have died before. */
  safe__raw6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
  if (safe__raw6(SYS_getppid, 0, 0, 0, 0, 0, 0) != helper->host) return 0;
  if (get_own_table(socket) != 0) {
    helper->refused = true;
    return 0;
  }
  while (helper_receive(socket, &fd)) {
    reply = -1;
    helper->job->result = helper->job->run(helper->job, fd, &reply);
    /* First, so that nothing of ours has the file open once the call that waits has returned. */
    if (fd >= 0) safe__raw6(SYS_close, fd, 0, 0, 0, 0, 0);
    answer(helper, socket, reply);
  }
  return 0;
}

/* ---- Making and ending one. */

static void close_one(int *fd) {
  int number = *fd;

  *fd = -1; /* first, see safe__os_file_close */
  if (number >= 0) close(number);
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
  return helper->fds[OURS] >= 0;
}

static long start(struct safe__helper *helper) {
  uint64_t mask;
  long pid;

  helper->stack->word = IDLE;
  mask = safe__block_signals();
  pid = safe__kernel.clone(FLAGS, helper->stack->top, &helper->fds[PIDFD], &helper->stack->word, serve, helper);
  safe__restore_signals(mask);
  helper->fds[PIDFD] = safe__above_stdio(helper->fds[PIDFD]);
  return pid;
}

static struct safe__helper *make(void) {
  struct safe__helper *helper = safe__alloc(sizeof(*helper));

  if (helper == NULL) return NULL;
  helper->fds[OURS] = helper->fds[THEIRS] = helper->fds[PIDFD] = -1;
  helper->host = safe__os_self();
  helper->noted = safe__held_claim();
  helper->stack = safe__shared_stack_get();
  helper->pid = -1;
  if (helper->noted != NULL && helper->stack != NULL) {
    helper->noted->fds = helper->fds;
    helper->noted->fd_count = 3;
    safe__fork_hold();
    if (open_socket(helper)) helper->pid = start(helper);
    safe__fork_allow();
  }
  if (helper->pid > 0) return helper;
  free_helper(helper);
  return NULL;
}

/* One that waits for a job ends itself when the socket closes. */
static bool end(struct safe__helper *helper, int64_t deadline) {
  close_one(&helper->fds[THEIRS]);
  close_one(&helper->fds[OURS]);
  if (!safe__reap(helper->fds[PIDFD], helper->pid, deadline)) return false;
  free_helper(helper);
  return true;
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

static atomic_bool impossible; /* no close_range, or none with UNSHARE: Linux before 5.9, or a policy */

static void end_or_park(struct safe__helper *helper) {
  if (!end(helper, safe__deadline(SAFE__SETTLE_MS))) safe__helper_park(helper, NULL, NULL);
}

void safe__helper_dismiss(struct safe__helper *helper) {
  if (helper->refused) atomic_store(&impossible, true);
  end_or_park(helper);
}

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
}

/* ---- Using one. */

/* Alive, and still to be killed by us: not after the host has changed its user. */
static bool usable(struct safe__helper *helper) {
  return helper->host == safe__os_self() && safe__kernel.kill(helper->fds[PIDFD], helper->pid, 0) == 0;
}

struct safe__helper *safe__helper_get(bool fresh) {
  struct safe__helper *helper;

  if (atomic_load_explicit(&impossible, memory_order_relaxed) || !safe__clone_works()) return NULL;
  helper = fresh ? NULL : take_spare();
  if (helper == NULL) return make();
  if (usable(helper)) return helper;
  if (helper->host == safe__os_self())
    end_or_park(helper);
  else
    free_helper(helper); /* a copy, in a forked child */
  return make();
}

bool safe__helper_post(struct safe__helper *helper, struct safe__job *job, int fd, bool rings) {
  job->result = EINTR; /* what a helper that is killed leaves behind */
  helper->job = job;
  helper->rings = rings;
  if (__atomic_load_n(&helper->stack->word, __ATOMIC_ACQUIRE) == GONE) return false;
  __atomic_store_n(&helper->stack->word, BUSY, __ATOMIC_RELEASE);
  return helper_send(helper->fds[OURS], fd);
}

bool safe__helper_answered(const struct safe__helper *helper) {
  return __atomic_load_n(&helper->stack->word, __ATOMIC_ACQUIRE) != BUSY;
}

/* What can be polled is the socket: it also closes itself when the helper is gone. */
static int await_either(struct safe__helper *helper, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct pollfd ready[2] = {{helper->fds[OURS], POLLIN, 0}, {safe__cancel_fd(cancel), POLLIN, 0}};
  int count;

  for (;;) {
    count = safe__poll_once(ready, 2, deadline);
    if (count > 0 && (ready[0].revents != 0 || safe__helper_answered(helper))) return SAFE_OK;
    if (count > 0) return SAFE_ECANCELED;
    if (count < 0 && interruptible) return SAFE_EINTR;
    if (safe__os_now() >= deadline) return safe__helper_answered(helper) ? SAFE_OK : SAFE_ETIMEDOUT;
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
    code = safe__futex_wait(&helper->stack->word, BUSY, until);
    if (code == -EINTR && interruptible) return SAFE_EINTR;
  }
  return SAFE_OK;
}

void safe__helper_kill(struct safe__helper *helper) {
  helper->killed = true;
  safe__kernel.kill(helper->fds[PIDFD], helper->pid, SIGKILL);
}

int safe__helper_reply(struct safe__helper *helper) {
  struct pollfd ready = {helper->fds[OURS], POLLIN, 0};
  int fd = -1;

  /* It is on its way: the word came first. */
  if (safe__poll(&ready, 1, safe__deadline(SAFE__SETTLE_MS)) > 0) {
    safe__fork_hold();
    if (!helper_receive(helper->fds[OURS], &fd)) fd = -1;
    fd = safe__above_stdio(fd);
    safe__fork_allow();
  }
  return fd;
}

bool safe__helper_put(struct safe__helper *helper, int64_t deadline) {
  bool gone = __atomic_load_n(&helper->stack->word, __ATOMIC_ACQUIRE) == GONE;

  if (helper->refused) atomic_store(&impossible, true);
  if (!helper->killed && !gone) {
    close_one(&helper->fds[THEIRS]); /* it has its own by now */
    if (keep(helper)) return true;
  }
  return end(helper, deadline);
}

static bool collect(struct safe__parked *item) {
  struct safe__helper *helper = (struct safe__helper *)item;

  if (!safe__reap(helper->fds[PIDFD], helper->pid, 0)) return false;
  if (helper->parked_with != NULL) helper->parked_with(helper);
  free_helper(helper);
  return true;
}

void safe__helper_park(struct safe__helper *helper, void (*free_data)(struct safe__helper *helper), void *data) {
  close_one(&helper->fds[THEIRS]);
  close_one(&helper->fds[OURS]);
  helper->parked_with = free_data;
  helper->parked_data = data;
  helper->parked.collect = collect;
  safe__park(&helper->parked);
}
