/* SPDX-License-Identifier: MIT */
/*
 * A lock wait with a deadline, in the kernel's own queue: no polling, no signal, no handler, no thread.
 *
 * A helper process that shares our memory and our descriptor table blocks in the lock call on our description;
 * when it is granted, it is ours. We wait for a word that the helper changes, and take the request back by
 * killing the helper: a killed process leaves the queue. If the grant came first, one more call that does not
 * block tells.
 *
 * The helper has no exit signal, so neither the host's SIGCHLD nor its waitpid(-1) sees it. It shares the
 * calling thread's thread-local storage: hence raw calls only, all signals blocked, and neither
 * sanitizer nor stack protector in its code.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "above_stdio.h"
#include "kernel.h"
#include "lock_calls.h"
#include "poll_wait.h"
#include "shared_stack.h"
#include "timed_wait.h"
#include "wait_queued.h"

/* Of the word. The kernel clears it when the helper is gone (CLONE_CHILD_CLEARTID), so that a helper which somebody
   kills from outside is noticed too. */
enum { GONE = 0, WAITING = 1, ANSWERED = 2 };

#define FLAGS (CLONE_VM | CLONE_FILES | CLONE_PIDFD | CLONE_CHILD_CLEARTID)

/* On the heap and not on the caller's stack, as the helper may outlive the call. */
struct request {
  struct safe__parked parked;
  struct safe__shared_stack *stack;
  int fd, mode, method;
  int64_t host, pid;
  int pidfd;
  int result; /* the helper's: errno of the lock call */
  struct flock range;
};

static long lock_and_block(const struct request *request) {
  int shared = request->mode == SAFE_LOCK_SHARED;

  if (request->method == SAFE_METHOD_FLOCK)
    return safe__raw6(SYS_flock, request->fd, shared ? LOCK_SH : LOCK_EX, 0, 0, 0, 0);
  return safe__raw6(SYS_fcntl, request->fd, F_OFD_SETLKW, (long)&request->range, 0, 0, 0);
}

static int help(void *argument) {
  struct request *request = argument;
  int *word = &request->stack->word;

  /* Killed with its maker: otherwise a killed host's descriptors, all of them, would stay open in here. Asked
     after, as the maker may have died before. */
  safe__raw6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
  if (safe__raw6(SYS_getppid, 0, 0, 0, 0, 0, 0) != request->host) return 0;
  request->result = (int)-lock_and_block(request);
  __atomic_store_n(word, ANSWERED, __ATOMIC_RELEASE);
  /* Before our exit, which costs the waiter as much again as the grant. */
  safe__raw6(SYS_futex, (long)word, FUTEX_WAKE, 1, 0, 0, 0);
  return 0;
}

static int start(void *argument, safe_error *error) {
  struct request *request = argument;
  uint64_t mask;

  request->stack->word = WAITING;
  request->result = EINTR; /* what a helper that is killed leaves behind */
  mask = safe__block_signals();
  request->pid = safe__kernel.clone(FLAGS, request->stack->top, &request->pidfd, &request->stack->word, help, request);
  safe__restore_signals(mask);
  request->pidfd = safe__above_stdio(request->pidfd);
  if (request->pid >= 0) return SAFE_OK;
  return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_WAIT, -1, "No helper can be made to wait for the lock.");
}

#define STEP_MS 5

static bool answered(const struct request *request) {
  return __atomic_load_n(&request->stack->word, __ATOMIC_ACQUIRE) != WAITING;
}

/* With a cancel two things are waited for, and the helper's exit is what can be polled. */
static int await_either(struct request *request, int64_t deadline, safe_cancel *cancel) {
  struct pollfd ready[2] = {{request->pidfd, POLLIN, 0}, {safe__cancel_fd(cancel), POLLIN, 0}};

  for (;;) {
    /* A pidfd that had to be moved, and could not for want of descriptors, is looked after in steps. */
    safe__poll(ready, 2, request->pidfd >= 0 ? deadline : safe__deadline_min(deadline, safe__deadline(STEP_MS)));
    if (ready[0].revents != 0 || answered(request)) return SAFE_OK;
    if (ready[1].revents != 0) return SAFE_ECANCELED;
    if (safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
  }
}

static int await(void *argument, int64_t deadline, safe_cancel *cancel) {
  struct request *request = argument;

  if (cancel != NULL) return await_either(request, deadline, cancel);
  while (!answered(request)) {
    if (safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
    safe__futex_wait(&request->stack->word, WAITING, deadline);
  }
  return SAFE_OK;
}

static void take_back(void *argument) {
  struct request *request = argument;

  safe__kernel.kill(request->pidfd, request->pid, SIGKILL);
}

/* The helper goes first: a lock call that it may still be in could be granted after we have asked. */
static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct request *request = argument;
  int os_code;

  if (!safe__reap(request->pidfd, request->pid, deadline)) return SAFE_ESTUCK;
  os_code = request->result;
  /* Killed, maybe between the grant and its word of it. On a description that has the lock already, asking
     again changes nothing. */
  if (os_code == EINTR) os_code = safe__lock_call(request->fd, request->mode, request->method, false);
  if (os_code == 0) return SAFE_OK;
  return safe__lock_failed(os_code, error);
}

static void release(struct request *request) {
  if (request->pidfd >= 0) close(request->pidfd);
  safe__shared_stack_put(request->stack);
  safe__free(request);
}

static bool collect(struct safe__parked *item) {
  struct request *request = (struct request *)item;

  if (!safe__reap(request->pidfd, request->pid, 0)) return false;
  release(request);
  return true;
}

/* The file is closed: a grant that still comes is on a description that only the helper's call refers to (and a forked
   child of the host's, if there is one without exec), and is gone with it. */
static void park(void *argument) {
  struct request *request = argument;

  close(request->fd);
  request->parked.collect = collect;
  safe__park(&request->parked);
}

static const struct safe__wait_calls calls = {start, await, take_back, settle, park};

static struct request *make_request(const struct safe__file *file, const safe_lock_options *options) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return NULL;
  request->stack = safe__shared_stack_get();
  if (request->stack == NULL) {
    safe__free(request);
    return NULL;
  }
  request->fd = file->fd;
  request->mode = options->mode;
  request->method = options->method;
  request->host = safe__os_self();
  request->pidfd = -1;
  request->range.l_type = options->mode == SAFE_LOCK_SHARED ? F_RDLCK : F_WRLCK;
  request->range.l_whence = SEEK_SET;
  return request;
}

int safe__wait_queued(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                      struct safe__notice *notice, int *kind, safe_error *error) {
  struct request *request = make_request(file, options);
  bool granted;
  int code;

  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  *kind = SAFE_WAIT_QUEUED;
  code = safe__timed_wait(&calls, request, deadline, notice, options->cancel, &granted, error);
  if (code == SAFE_ESTUCK) {
    file->fd = -1; /* parked with the request */
    return code;
  }
  release(request);
  /* A grant that came too late for a cancelled caller goes back at once, not only when the file is closed. */
  if (granted && code != SAFE_OK) safe__os_unlock(file, options);
  return code;
}
