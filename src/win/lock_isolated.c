/* SPDX-License-Identifier: MIT */
/*
 * SAFE_LOCK_ISOLATE: a thread opens the file, locks it and compares it with the path, while we wait no longer than we
 * want to. Each of these may block in a call to a server that is gone. The thread is then asked to stop, and parked if
 * that does not help; whatever it gets after that it gives back by itself.
 */

#include "task.h"
#include "timed_wait.h"
#include "wait_backoff.h"
#include "wait_overlapped.h"

#define NUDGE (10 * SAFE__MS) /* between two requests to the kernel to end the call that the thread is in */

/* Until the thread has ended all of it is the thread's. */
struct request {
  struct safe__win_task task;
  struct safe__file file, *into;
  safe_lock_options options;
  struct safe__claim claim;
  char *path;
  safe_cancel *stop;
  bool revoked;
  int code;
  safe_error error; /* for any other code but 0 */
};

/* ---- In the thread. */

static int queue(struct request *request, struct safe__wait *wait) {
  int code = safe__os_lock_queue(&request->file, &request->claim, true, SAFE__NEVER, wait, &request->error);

  return code == SAFE_EBUSY ? safe__wait_backoff(&request->file, &request->claim, wait, &request->error) : code;
}

static int lock(struct request *request) {
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  struct safe__wait wait;
  int code = safe__os_lock_try(&request->file, &request->claim, &request->error);

  if (code != SAFE_EBUSY || request->options.timeout_ms == SAFE_NO_WAIT) return code;
  code = queue(request, &wait);
  if (code != SAFE_OK) return code;
  code = safe__wait_until(&wait, SAFE__NEVER, &none, request->stop, false, &request->error);
  return code == SAFE_ECANCELED ? safe__wait_give_up(&wait, &request->error) : code;
}

static int open_and_lock(struct request *request) {
  int code = safe__os_file_open(&request->file, request->path, &request->options, &request->error);

  if (code != SAFE_OK) return code;
  code = safe__os_cancel_triggered(request->stop) ? SAFE_EBUSY : lock(request);
  if (code != SAFE_OK) return code;
  code = safe__os_file_verify(&request->file, request->path, &request->options, &request->error);
  if (code != SAFE_OK) safe__os_unlock(&request->file, &request->claim);
  return code;
}

static void give_back(struct request *request) {
  if (request->code == SAFE_OK) safe__os_unlock(&request->file, &request->claim);
  safe__os_file_close(&request->file);
}

static void run(struct safe__win_task *task) {
  struct request *request = (struct request *)task;

  request->code = open_and_lock(request);
  if (request->code != SAFE_OK) safe__os_file_close(&request->file);
  if (!safe__win_task_deliver(task)) give_back(request);
}

/* ---- In the caller's thread. */

static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct request *request = argument;
  HANDLE handles[2];
  DWORD answer;

  (void)interruptible;
  handles[0] = request->task.thread;
  handles[1] = cancel != NULL ? safe__win_cancel_event(cancel) : NULL;
  answer = safe__win_wait(handles, cancel != NULL ? 2 : 1, deadline);
  if (answer == WAIT_OBJECT_0) return SAFE_OK;
  return answer == WAIT_OBJECT_0 + 1 ? SAFE_ECANCELED : SAFE_ETIMEDOUT;
}

static void nudge(struct request *request) {
  if (request->revoked) CancelSynchronousIo(request->task.thread);
}

static void revoke(void *argument) {
  struct request *request = argument;

  request->revoked = true;
  safe__os_cancel_trigger(request->stop);
  nudge(request);
}

static int say(struct request *request, safe_error *error) {
  if (request->task.failure != 0)
    return safe__fail_os(error, request->task.failure, SAFE_STAGE_OPEN, -1, "The thread could not act in our name");
  if (request->code == SAFE_OK) {
    *request->into = request->file;
    return SAFE_OK;
  }
  *error = request->error;
  /* A call that was ended from outside: nobody has refused anything. */
  return request->revoked && request->code == SAFE_ECANCELED ? SAFE_EBUSY : request->code;
}

static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct request *request = argument;

  /* It may go on to the next call that blocks. */
  while (safe__win_wait(&request->task.thread, 1, safe__deadline_min(deadline, safe__os_now() + NUDGE)) !=
         WAIT_OBJECT_0) {
    if (safe__os_now() >= deadline) return SAFE_ESTUCK;
    nudge(request);
  }
  safe__win_task_wait(&request->task, SAFE__NEVER, 0);
  return say(request, error);
}

static void free_request(struct safe__win_task *task) {
  struct request *request = (struct request *)task;

  if (request->stop != NULL) safe__os_cancel_free(request->stop);
  safe__free(request->path);
  safe__free(request);
}

static void release(void *argument) { free_request(argument); }

static void park(void *argument) {
  struct request *request = argument;

  if (safe__win_task_wait(&request->task, 0, 0) != SAFE_OK) return;
  give_back(request); /* it has come to its end just now */
  free_request(&request->task);
}

static safe_handle handle(void *argument) { return ((struct request *)argument)->task.thread; }

static struct request *make(struct safe__file *file, const char *path, const safe_lock_options *options,
                            const struct safe__claim *claim) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return NULL;
  request->path = safe__copy_text(path);
  if (request->path == NULL || safe__os_cancel_create(&request->stop) != SAFE_OK) {
    free_request(&request->task);
    return NULL;
  }
  request->task.run = run;
  request->task.free = free_request;
  request->into = file;
  request->options = *options;
  request->options.cancel = request->stop;
  request->claim = *claim;
  safe__error_clear(&request->error);
  return request;
}

int safe__os_lock_isolated(struct safe__file *file, const char *path, const safe_lock_options *options,
                           const struct safe__claim *claim, struct safe__wait *wait, safe_error *error) {
  static const struct safe__wait_calls life = {await, revoke, settle, park, release, handle, NULL};
  struct request *request = make(file, path, options, claim);
  int code;

  file->request = NULL;
  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  code = safe__win_task_start(&request->task, SAFE_STAGE_WAIT, error);
  if (code != SAFE_OK) {
    free_request(&request->task);
    return code;
  }
  wait->calls = &life;
  wait->request = request;
  wait->kind = safe__win_queue_works() ? SAFE_WAIT_QUEUED : SAFE_WAIT_BACKOFF;
  return SAFE_OK;
}

/* ---- The end: the last close of a file may wait for a server, too. */

struct farewell {
  struct safe__win_task task;
  struct safe__file file;
  struct safe__claim claim;
  int code;
};

static void part(struct safe__win_task *task) {
  struct farewell *farewell = (struct farewell *)task;

  farewell->code = safe__os_unlock(&farewell->file, &farewell->claim);
  safe__os_file_close(&farewell->file);
  safe__win_task_deliver(task);
}

static void free_farewell(struct safe__win_task *task) { safe__free(task); }

/* Without a thread: rather a wait than a lock that is never given back. */
static int part_here(struct safe__file *file, const struct safe__claim *claim) {
  int code = safe__os_unlock(file, claim);

  safe__os_file_close(file);
  return code;
}

int safe__os_unlock_isolated(struct safe__file *file, const struct safe__claim *claim, int64_t deadline) {
  struct farewell *farewell = safe__alloc(sizeof(*farewell));
  safe_error ignored;
  int code;

  if (farewell == NULL) return part_here(file, claim);
  farewell->task.run = part;
  farewell->task.free = free_farewell;
  farewell->file = *file;
  farewell->claim = *claim;
  if (safe__win_task_start(&farewell->task, SAFE_STAGE_LOCK, &ignored) != SAFE_OK) {
    safe__free(farewell);
    return part_here(file, claim);
  }
  file->request = NULL;
  if (safe__win_task_wait(&farewell->task, deadline, 0) != SAFE_OK) return SAFE_ESTUCK;
  code = farewell->code;
  if (farewell->task.failure != 0) code = part_here(&farewell->file, claim);
  safe__free(farewell);
  return code;
}
