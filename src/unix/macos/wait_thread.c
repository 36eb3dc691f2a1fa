/* SPDX-License-Identifier: MIT */
/*
 * A lock wait with a deadline, in the kernel's own queue: no polling, no signal, no handler.
 *
 * A thread blocks in the lock call, and is taken out of it by pthread_cancel, which interrupts the fcntl that it sleeps
 * in, or is about to (xnu, kern_sig.c: __pthread_markcancel). If the grant came first, one more call that does not
 * block tells.
 *
 * The call has a timeout of its own, F_OFD_SETLKWTIMEOUT. It cannot be the only one: lf_setlock in kern_lockf.c begins
 * the whole timeout anew each time the waiter is woken and finds that somebody else was quicker, so that it may never
 * expire; and it cannot be cancelled. It is there for the case that cancelling the thread does not work.
 *
 * OFD locks only. There is no timeout for flock, it is no cancellation point, and an OFD lock cannot be waited for in
 * its stead: in newer kernels the two exclude each other even on one open file (xnu, file_internal.h: ofd_to_id).
 */
#include <errno.h>
#include <unistd.h>

#include "helper.h"
#include "lock_calls.h"
#include "lock_ofd.h"
#include "timed_wait.h"
#include "wait_queued.h"

/* So much later than our deadline the kernel's comes; less than what the request is then given to settle. */
#define LATER (20 * SAFE__MS)

/* On the heap and not on the caller's stack, as the thread may outlive the call. */
struct request {
  struct safe__helper helper;
  int fd, mode;
  int64_t deadline;
  atomic_bool revoked;
  int result; /* the thread's: errno of the lock call */
};

static int lock_once(const struct request *request) {
  struct flock range = safe__ofd_range(request->mode == SAFE_LOCK_SHARED ? F_RDLCK : F_WRLCK);
  struct flocktimeout timed = {range, {0, 1}}; /* all zero would be no timeout */
  int64_t ns;

  if (request->deadline == SAFE__NEVER) return fcntl(request->fd, F_OFD_SETLKW, &range);
  ns = request->deadline + LATER - safe__os_now();
  if (ns > 0) {
    timed.timeout.tv_sec = (time_t)(ns / 1000000000);
    timed.timeout.tv_nsec = (long)(ns % 1000000000);
  }
  return fcntl(request->fd, F_OFD_SETLKWTIMEOUT, &timed);
}

static void run(struct safe__helper *helper) {
  struct request *request = (struct request *)helper;
  int os_code;

  do os_code = lock_once(request) == 0 ? 0 : errno;
  while (os_code == EINTR && !atomic_load(&request->revoked));
  request->result = os_code;
}

/* Left behind, with nobody to tell: the lock goes back at once. The file cannot be closed by the caller, as close waits
   for the calls that others have under way on the descriptor (kern_descrip.c: fileproc_drain). */
static void ended(struct safe__helper *helper) {
  struct request *request = (struct request *)helper;

  if (!safe__helper_take(helper)) close(request->fd);
}

static void free_request(struct safe__helper *helper) { safe__free(helper); }

static int start(void *argument, safe_error *error) {
  struct request *request = argument;

  request->result = EINTR; /* what a thread that is cancelled leaves behind */
  if (safe__helper_start(&request->helper) == 0) return SAFE_OK;
  return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_WAIT, -1, "No thread can be made to wait for the lock.");
}

static int await(void *argument, int64_t deadline, safe_cancel *cancel) {
  struct request *request = argument;

  return safe__helper_await(&request->helper, deadline, cancel);
}

static void take_back(void *argument) {
  struct request *request = argument;

  atomic_store(&request->revoked, true);
  pthread_cancel(request->helper.thread); /* not joined yet: it can be named, even if it has ended */
}

/* The thread goes first: a lock call that it may still be in could be granted after we have asked. */
static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct request *request = argument;
  int os_code;

  if (safe__helper_await(&request->helper, deadline, NULL) != SAFE_OK) return SAFE_ESTUCK;
  os_code = request->result;
  /* Cancelled, maybe between the grant and its word of it. On an open file that has the lock already, asking
     again changes nothing. */
  if (os_code == EINTR || os_code == ETIMEDOUT)
    os_code = safe__lock_call(request->fd, request->mode, SAFE_METHOD_OFD, false);
  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}

static void park(void *argument) {
  struct request *request = argument;

  if (!safe__helper_take(&request->helper)) close(request->fd); /* it has ended just now */
  safe__helper_park(&request->helper);
}

static const struct safe__wait_calls calls = {start, await, take_back, settle, park};

static struct request *make_request(const struct safe__file *file, const safe_lock_options *options, int64_t deadline) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return NULL;
  request->helper.run = run;
  request->helper.ended = ended;
  request->helper.free = free_request;
  request->helper.queue = -1;
  request->fd = file->fd;
  request->mode = options->mode;
  request->deadline = deadline;
  atomic_init(&request->revoked, false);
  return request;
}

static int wait_for(struct request *request, struct safe__file *file, const safe_lock_options *options,
                    struct safe__notice *notice, safe_error *error) {
  bool granted;
  int code = safe__timed_wait(&calls, request, request->deadline, notice, options->cancel, &granted, error);

  if (code == SAFE_ESTUCK) {
    file->fd = -1; /* parked with the request */
    return code;
  }
  if (request->helper.queue >= 0) safe__helper_join(&request->helper);
  safe__free(request);
  /* A grant that came too late for a cancelled caller goes back at once, not only when the file is closed. */
  if (granted && code != SAFE_OK) safe__os_unlock(file, options);
  return code;
}

int safe__wait_queued(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                      struct safe__notice *notice, int *kind, safe_error *error) {
  struct request *request;

  if (options->method != SAFE_METHOD_OFD) return SAFE_EBUSY;
  request = make_request(file, options, deadline);
  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  *kind = SAFE_WAIT_QUEUED;
  return wait_for(request, file, options, notice, error);
}
