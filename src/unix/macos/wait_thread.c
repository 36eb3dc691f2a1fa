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

#include "held.h"
#include "helper.h"
#include "lock_ask.h"
#include "lock_calls.h"
#include "lock_ofd.h"
#include "own_locks.h"
#include "timed_wait.h"

/* So much later than our deadline the kernel's comes; less than what the request is then given to settle. */
#define LATER (20 * SAFE__MS)

/* On the heap and not on the caller's stack, as the thread may outlive the call. */
struct request {
  struct safe__helper helper;
  struct safe__file *file;
  struct safe_lock *noted; /* of a parked one: its descriptor */
  struct safe__claim claim;
  int fd; /* the file's, or a copy of the caller's own: a number that is closed and used again must not be locked */
  int64_t deadline;
  atomic_bool revoked;
  int result; /* the thread's: errno of the lock call */
};

static int lock_once(const struct request *request) {
  struct flock range = safe__ofd_range(&request->claim, 0);
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

/* The number is forgotten first, see safe__os_file_close. */
static void close_file(struct request *request) {
  int fd = request->fd;

  request->fd = -1;
  if (fd >= 0) close(fd);
}

/* Left behind, with nobody to tell: the lock goes back at once. The file cannot be closed by the caller, as close waits
   for the calls that others have under way on the descriptor (kern_descrip.c: fileproc_drain). */
static void ended(struct safe__helper *helper) {
  if (!safe__helper_take(helper)) close_file((struct request *)helper);
}

static void free_parked(struct safe__helper *helper) {
  safe__held_release(((struct request *)helper)->noted);
  safe__free(helper);
}

static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  return safe__helper_await(&((struct request *)argument)->helper, deadline, cancel, interruptible);
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

  if (safe__helper_await(&request->helper, deadline, NULL, false) != SAFE_OK) return SAFE_ESTUCK;
  os_code = request->result;
  /* Cancelled, maybe between the grant and its word of it. On an open file that has the lock already, asking
     again changes nothing. */
  if (os_code == EINTR || os_code == ETIMEDOUT) os_code = safe__lock_ask(request->fd, &request->claim, false);
  if (os_code != 0) return safe__lock_failed(os_code, error);
  safe__own_lock_note(request->file->fd, &request->claim, NULL);
  return SAFE_OK;
}

static void free_request(struct request *request) {
  if (request->fd != request->file->fd) close_file(request);
  safe__free(request);
}

static void release(void *argument) {
  struct request *request = argument;

  safe__own_wait_forget(request->file->fd);
  safe__helper_join(&request->helper);
  free_request(request);
}

/* The open file goes with the thread that is in a call on it; a caller's own he may close, as this is a copy. */
static void park(void *argument) {
  struct request *request = argument;

  safe__own_wait_forget(request->file->fd);
  request->noted = safe__held_claim();
  if (request->noted != NULL) {
    request->noted->fds = &request->fd;
    request->noted->fd_count = 1;
  }
  if (request->fd == request->file->fd) request->file->fd = -1;
  if (!safe__helper_take(&request->helper)) close_file(request); /* it has ended just now */
  safe__helper_park(&request->helper);
}

static safe_handle handle(void *argument) { return ((struct request *)argument)->helper.queue; }

static const struct safe__wait_calls calls = {await, take_back, settle, park, release, handle, NULL};

static struct request *make_request(struct safe__file *file, const struct safe__claim *claim, int64_t deadline) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return NULL;
  request->helper.run = run;
  request->helper.ended = ended;
  request->helper.free = free_parked;
  request->helper.queue = -1;
  request->file = file;
  request->claim = *claim;
  request->fd = file->borrowed ? fcntl(file->fd, F_DUPFD_CLOEXEC, 3) : file->fd;
  request->deadline = deadline;
  request->result = EINTR; /* what a thread that is cancelled leaves behind */
  atomic_init(&request->revoked, false);
  return request;
}

int safe__os_lock_queue(struct safe__file *file, const struct safe__claim *claim, bool polled, int64_t deadline,
                        struct safe__wait *wait, safe_error *error) {
  struct request *request;

  (void)polled; /* the thread's end can always be polled for */
  if (claim->method != SAFE_METHOD_OFD) return SAFE_EBUSY;
  request = make_request(file, claim, deadline);
  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  safe__own_wait_note(file->fd, claim);
  if (request->fd < 0 || safe__helper_start(&request->helper) != 0) {
    safe__own_wait_forget(file->fd);
    free_request(request);
    return SAFE_EBUSY;
  }
  wait->calls = &calls;
  wait->request = request;
  wait->kind = SAFE_WAIT_QUEUED;
  return SAFE_OK;
}
