/* SPDX-License-Identifier: MIT */
/*
 * A lock wait with a deadline, in the kernel's own queue: no polling, no signal, no handler, no thread.
 *
 * A helper blocks in the lock call on our open file description; when it is granted, it is ours. The request is taken
 * back by interrupting the call, or else by killing the helper: either way it leaves the queue. If the grant came
 * first, one more call that does not block tells.
 */
#include <errno.h>
#include <fcntl.h>

#include "lock_calls.h"
#include "lock_raw.h"
#include "timed_wait.h"
#include "wait_helper.h"

/* On the heap and not on the caller's stack, as the helper may outlive the call. */
struct request {
  struct safe__job job;
  struct safe__helper *helper;
  struct safe__file *file;
  struct safe__claim claim;
  struct flock range;
  struct safe__file_id id; /* of the caller's own file */
  bool known;
};

static int lock_and_block(struct safe__job *job, int fd, int *reply) {
  struct request *request = (struct request *)job;
  long result;

  (void)reply;
  do result = safe__raw_lock_wait(fd, &request->claim, &request->range);
  while (result == -EINTR && !__atomic_load_n(&job->withdrawn, __ATOMIC_ACQUIRE));
  return (int)-result;
}

static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  return safe__helper_await(((struct request *)argument)->helper, deadline, cancel, interruptible);
}

static void take_back(void *argument) {
  struct request *request = argument;

  if (!safe__helper_answered(request->helper)) safe__helper_withdraw(request->helper);
}

/* Whether the number is still the same file's: a caller may have closed his own while we waited, though he must not. A
   copy of it would settle that too, but closing a copy drops the record locks that the host itself has on the file. */
static bool is_still_it(const struct request *request) {
  struct safe__file_id now;

  if (!request->file->borrowed) return true;
  return request->known && safe__os_file_id(request->file, &now) && now.volume == request->id.volume &&
         now.low == request->id.low;
}

/* The helper goes first: a lock call that it may still be in could be granted after we have asked. */
static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct request *request = argument;
  struct safe__helper *helper = request->helper;
  int os_code;

  if (helper->rings && !helper->killed) safe__helper_reply(helper);
  /* One that has answered does not hold up the answer, however long it takes to go. */
  if (helper->killed ? !safe__helper_put(helper, deadline) : !safe__helper_put(helper, 0)) {
    if (helper->killed) return SAFE_ESTUCK;
    safe__helper_park(helper, NULL, NULL);
  }
  request->helper = NULL;
  os_code = request->job.result;
  /* Interrupted, or killed, maybe between the grant and its word of it. On a description that has the lock already,
     asking again changes nothing. */
  if (os_code == EINTR)
    os_code = is_still_it(request) ? safe__lock_call(request->file->fd, &request->claim, false) : EBADF;
  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}

static void release(void *argument) { safe__free(argument); }

static void free_parked(struct safe__helper *helper) { safe__free(helper->parked_data); }

/* The file is closed: a grant that still comes is on a description that only the helper's call refers to (and a forked
   child of the host's, if there is one without exec), and is gone with it. A caller's own file he may close. */
static void park(void *argument) {
  struct request *request = argument;

  /* A lock that was to be converted goes first, as the description lives on in the helper. */
  if (!request->file->borrowed) {
    safe__unlock_call(request->file->fd, &request->claim);
    safe__os_file_close(request->file);
  }
  safe__helper_park(request->helper, free_parked, request);
}

static safe_handle handle(void *argument) { return safe__helper_ready_fd(((struct request *)argument)->helper); }

static const struct safe__wait_calls calls = {await, take_back, settle, park, release, handle, NULL};

static struct request *make_request(struct safe__file *file, const struct safe__claim *claim) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return NULL;
  request->job.run = lock_and_block;
  request->file = file;
  request->claim = *claim;
  request->range = safe__record_range(claim, claim->mode == SAFE_LOCK_SHARED ? F_RDLCK : F_WRLCK);
  request->known = file->borrowed && safe__os_file_id(file, &request->id);
  return request;
}

int safe__os_lock_queue(struct safe__file *file, const struct safe__claim *claim, bool polled, int64_t deadline,
                        struct safe__wait *wait, safe_error *error) {
  struct request *request;

  (void)deadline;
  if (claim->method == SAFE_METHOD_POSIX) return SAFE_EBUSY; /* the lock would be the helper's */
  request = make_request(file, claim);
  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  request->helper = safe__helper_get(false, SAFE__HELPER_START_MS, NULL);
  if (request->helper == NULL) {
    safe__free(request);
    return SAFE_EBUSY;
  }
  if (!safe__helper_post(request->helper, &request->job, file->fd, polled)) {
    safe__helper_dismiss(request->helper);
    safe__free(request);
    return SAFE_EBUSY;
  }
  wait->calls = &calls;
  wait->request = request;
  wait->kind = SAFE_WAIT_QUEUED;
  return SAFE_OK;
}
