/* SPDX-License-Identifier: MIT */
/* A wait in the kernel's queue, on a handle of our own: the seam's side of wait_overlapped.c. */
#include "timed_wait.h"
#include "wait_overlapped.h"

static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct safe__win_request *request = argument;
  int code;

  (void)interruptible; /* there are no signals */
  safe__win_own_lock_block(&request->own, deadline);
  code = safe__win_request_await(request, deadline, cancel);
  safe__win_own_lock_unblock(&request->own);
  return code;
}

static void revoke(void *argument) { safe__win_request_revoke(argument); }

static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct safe__win_request *request = argument;
  int code = safe__win_request_settle(request, deadline, error);

  if (code == SAFE_OK)
    safe__win_own_lock_note(&request->own, &request->claim, SAFE_HOLDER_HOLDS);
  else if (code != SAFE_ESTUCK)
    safe__win_own_lock_forget(&request->own);
  return code;
}

static void park(void *argument) {
  struct safe__win_request *request = argument;

  request->owner->request = NULL;
  safe__win_request_park(request);
}

static void release(void *argument) { (void)argument; } /* it is the file's, which may have another one to make */

static safe_handle handle(void *argument) { return ((struct safe__win_request *)argument)->event; }

int safe__win_request_queue(struct safe__file *file, const struct safe__claim *claim, struct safe__wait *wait,
                            safe_error *error) {
  static const struct safe__wait_calls life = {await, revoke, settle, park, release, handle, NULL};
  struct safe__win_request *request = file->request;
  struct safe__win_range range = safe__win_range_of(claim);
  int code;

  request->claim = *claim;
  request->owner = file;
  safe__win_own_lock_note(&request->own, claim, SAFE_HOLDER_WAITS);
  code = safe__win_request_ask(request, &range, safe__win_mode_flag(claim), error);
  if (code != SAFE_OK) {
    safe__win_own_lock_forget(&request->own);
    return code; /* SAFE_EBUSY: a file system without a queue refuses at once what it cannot grant */
  }
  wait->calls = &life;
  wait->request = request;
  wait->kind = SAFE_WAIT_QUEUED;
  return SAFE_OK;
}

int safe__os_lock_queue(struct safe__file *file, const struct safe__claim *claim, bool polled, int64_t deadline,
                        struct safe__wait *wait, safe_error *error) {
  (void)polled, (void)deadline;
  if (!safe__win_queue_works()) return SAFE_EBUSY;
  if (file->request->borrowed) return safe__win_sensor_queue(file, claim, wait, error);
  return safe__win_request_queue(file, claim, wait, error);
}

/* A request without a deadline is queued as any other, and so can be told of if it does not come back. */
int safe__os_lock_plain(struct safe__file *file, const struct safe__claim *claim, safe_error *error) {
  (void)file, (void)claim, (void)error;
  return SAFE_EBUSY;
}
