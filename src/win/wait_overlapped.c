/* SPDX-License-Identifier: MIT */
/*
 * The timed wait in the kernel's own queue: an overlapped LockFileEx, awaited together with the cancel, taken back
 * with CancelIoEx (never CancelIo, which is about the calling thread and the whole handle), and always drained: the
 * request may be granted until the very moment at which the kernel confirms its end.
 */
#include "wait_overlapped.h"
#include "timed_wait.h"

/* Locks are mandatory on Windows, so the range lies where no file has bytes: [2^62, 2^63). */
#define FAR_HIGH ((DWORD)1 << 30)
#define calls safe__win_lock_calls

static DWORD wait_by(const HANDLE *handles, DWORD count, int64_t deadline) {
  DWORD answer;

  do answer = calls.wait(count, handles, FALSE, safe__win_left(deadline));
  while (answer == WAIT_TIMEOUT && safe__os_now() < deadline);
  return answer;
}

static void reset(struct safe__win_request *request) {
  static const OVERLAPPED empty;

  ResetEvent(request->event);
  request->overlapped = empty;
  /* Windows sets this itself. Wine up to 8 leaves it alone, and then takes a 0 here for a grant. */
  request->overlapped.Internal = SAFE__STATUS_PENDING;
  request->overlapped.OffsetHigh = FAR_HIGH;
  request->overlapped.hEvent = request->event;
}

static int start(void *data, safe_error *error) {
  struct safe__win_request *request = data;
  DWORD failure;

  reset(request);
  request->error = error;
  request->granted = calls.lock(request->file, request->flags, 0, 0, FAR_HIGH, &request->overlapped);
  if (request->granted) return SAFE_OK;
  failure = GetLastError();
  if (failure == ERROR_IO_PENDING) return SAFE_OK;
  if (failure == ERROR_LOCK_VIOLATION)
    return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_LOCK, -1, "Somebody else holds the lock.");
  return safe__fail_os(error, failure, SAFE_STAGE_LOCK, -1, "The kernel refused the lock request");
}

static int await(void *data, int64_t deadline, safe_cancel *cancel) {
  struct safe__win_request *request = data;
  HANDLE handles[2];
  DWORD answer;

  if (request->granted) return SAFE_OK;
  handles[0] = request->event; /* first: of two that are signalled the lower one is reported */
  handles[1] = cancel != NULL ? safe__win_cancel_event(cancel) : NULL;
  answer = wait_by(handles, cancel != NULL ? 2 : 1, deadline);
  if (answer == WAIT_OBJECT_0) return SAFE_OK;
  if (answer == WAIT_OBJECT_0 + 1) return SAFE_ECANCELED;
  if (answer == WAIT_TIMEOUT) return SAFE_ETIMEDOUT;
  safe__fail_os(request->error, GetLastError(), SAFE_STAGE_WAIT, -1, "Waiting for the lock failed");
  return SAFE_ESYSTEM;
}

/* ERROR_NOT_FOUND is no failure: the kernel has nothing to cancel any more, and settle finds the answer. */
static void revoke(void *data) {
  struct safe__win_request *request = data;

  if (!request->granted) calls.cancel(request->file, &request->overlapped);
}

/* SAFE_OK, or why the request was not granted; ERROR_IO_INCOMPLETE while it is still queued. */
static DWORD outcome(struct safe__win_request *request) {
  DWORD bytes;

  if (request->granted) return ERROR_SUCCESS;
  return calls.result(request->file, &request->overlapped, &bytes, FALSE) ? ERROR_SUCCESS : GetLastError();
}

/* Never GetOverlappedResult with bWait TRUE: where nothing is queued, nobody ever sets the event. */
static int settle(void *data, int64_t deadline, safe_error *error) {
  struct safe__win_request *request = data;
  DWORD found = outcome(request);

  if (found == ERROR_IO_INCOMPLETE) {
    wait_by(&request->event, 1, deadline);
    found = outcome(request);
  }
  switch (found) {
  case ERROR_SUCCESS:
    request->granted = true;
    return SAFE_OK;
  case ERROR_IO_INCOMPLETE:
    return SAFE_ESTUCK;
  case ERROR_OPERATION_ABORTED:
  case ERROR_LOCK_VIOLATION: /* a file server's answer to LOCKFILE_FAIL_IMMEDIATELY */
    return SAFE_EBUSY;
  default:
    return safe__fail_os(error, found, SAFE_STAGE_LOCK, -1, "The kernel refused the lock request");
  }
}

static bool collect(struct safe__parked *item) {
  struct safe__win_request *request = (struct safe__win_request *)item;
  DWORD found = outcome(request);

  if (found == ERROR_IO_INCOMPLETE) return false;
  if (found == ERROR_SUCCESS) safe__win_lock_release(request); /* granted, long after anybody wanted it */
  safe__win_request_free(request);
  return true;
}

static void park(void *data) {
  struct safe__win_request *request = data;

  request->parked.collect = collect;
  safe__park(&request->parked);
}

int safe__win_lock_release(struct safe__win_request *request) {
  OVERLAPPED range = {0};

  range.OffsetHigh = FAR_HIGH;
  request->granted = false;
  safe__win_own_lock_forget(&request->own);
  if (calls.unlock(request->file, 0, 0, FAR_HIGH, &range)) return SAFE_OK;
  return safe__os_translate(GetLastError());
}

int safe__win_lock_run(struct safe__file *file, DWORD flags, int64_t deadline, struct safe__notice *notice,
                       safe_cancel *cancel, safe_error *error) {
  static const struct safe__wait_calls life = {start, await, revoke, settle, park};
  struct safe__win_request *request = file->request;
  bool granted = false;
  int code;

  request->flags = flags;
  if ((flags & LOCKFILE_FAIL_IMMEDIATELY) == 0) safe__win_own_lock_note(&request->own, SAFE_HOLDER_WAITS);
  code = safe__timed_wait(&life, request, deadline, notice, cancel, &granted, error);
  if (code == SAFE_ESTUCK) {
    file->request = NULL;
    return code;
  }
  if (code == SAFE_OK)
    safe__win_own_lock_note(&request->own, SAFE_HOLDER_HOLDS);
  else if (granted)
    safe__win_lock_release(request);
  else
    safe__win_own_lock_forget(&request->own);
  if (code == SAFE_ETIMEDOUT) return safe__fail(error, code, SAFE_STAGE_WAIT, -1, "The lock was not given in time.");
  if (code == SAFE_ECANCELED)
    return safe__fail(error, code, SAFE_STAGE_WAIT, -1, "The wait for the lock was cancelled.");
  if (code == SAFE_EBUSY) return safe__fail(error, code, SAFE_STAGE_LOCK, -1, "Somebody else holds the lock.");
  return code;
}

int safe__win_request_make(HANDLE file, int32_t mode, struct safe__win_request **request, safe_error *error) {
  struct safe__win_request *made = safe__alloc(sizeof(*made));

  if (made == NULL) {
    CloseHandle(file);
    return safe__fail_memory(error, SAFE_STAGE_OPEN);
  }
  made->file = made->own.file = file;
  made->own.mode = mode;
  made->event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (made->event == NULL || !safe__win_file_id(file, &made->own.id)) {
    safe__fail_os(error, GetLastError(), SAFE_STAGE_OPEN, -1,
                  made->event == NULL ? "No event could be made for the lock" : "The file has no identity");
    safe__win_request_free(made);
    return error->code;
  }
  *request = made;
  return SAFE_OK;
}

void safe__win_request_free(struct safe__win_request *request) {
  if (request == NULL) return;
  safe__win_own_lock_forget(&request->own);
  safe__win_close(&request->file);
  safe__win_close(&request->event);
  safe__free(request);
}
