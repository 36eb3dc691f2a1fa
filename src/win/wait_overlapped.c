/* SPDX-License-Identifier: MIT */
/*
 * A lock request in the kernel's own queue: an overlapped LockFileEx, awaited together with a cancel, taken back
 * with CancelIoEx (never CancelIo, which is about the calling thread and the whole handle), and always drained: the
 * request may be granted until the very moment at which the kernel confirms its end.
 */
#include "wait_overlapped.h"

#define calls safe__win_lock_calls

static DWORD wait_by(const HANDLE *handles, DWORD count, int64_t deadline) {
  DWORD answer;

  do answer = calls.wait(count, handles, FALSE, safe__win_left(deadline));
  while (answer == WAIT_TIMEOUT && safe__os_now() < deadline);
  return answer;
}

static void set_range(OVERLAPPED *overlapped, const struct safe__win_range *range) {
  overlapped->Offset = (DWORD)range->start;
  overlapped->OffsetHigh = (DWORD)(range->start >> 32);
}

static void prepare(struct safe__win_request *request) {
  static const OVERLAPPED empty;

  ResetEvent(request->event);
  request->overlapped = empty;
  /* Windows sets this itself. Wine up to 8 leaves it alone, and then takes a 0 here for a grant. */
  request->overlapped.Internal = SAFE__STATUS_PENDING;
  set_range(&request->overlapped, &request->range);
  request->overlapped.hEvent = request->event;
  /* The lowest bit keeps the completion from the port that a caller may have bound his handle to: he would find a
     packet there that he knows nothing of (GetQueuedCompletionStatus). */
  if (request->borrowed) request->overlapped.hEvent = (HANDLE)((ULONG_PTR)request->event | 1);
}

int safe__win_request_ask(struct safe__win_request *request, const struct safe__win_range *range, DWORD flags,
                          safe_error *error) {
  DWORD failure;

  request->range = *range;
  request->failure = 0;
  prepare(request);
  request->granted =
    calls.lock(request->file, flags, 0, (DWORD)range->length, (DWORD)(range->length >> 32), &request->overlapped);
  if (request->granted) return SAFE_OK;
  failure = GetLastError();
  if (failure == ERROR_IO_PENDING) return SAFE_OK;
  if (failure == ERROR_LOCK_VIOLATION)
    return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_LOCK, -1, "Somebody else holds the lock.");
  return safe__fail_os(error, failure, SAFE_STAGE_LOCK, -1, "The kernel refused the lock request");
}

int safe__win_request_await(struct safe__win_request *request, int64_t deadline, safe_cancel *cancel) {
  HANDLE handles[2];
  DWORD answer;

  if (request->granted || request->failure != 0) return SAFE_OK;
  handles[0] = request->event; /* first: of two that are signalled the lower one is reported */
  handles[1] = cancel != NULL ? safe__win_cancel_event(cancel) : NULL;
  answer = wait_by(handles, cancel != NULL ? 2 : 1, deadline);
  if (answer == WAIT_OBJECT_0) return SAFE_OK;
  if (answer == WAIT_OBJECT_0 + 1) return SAFE_ECANCELED;
  if (answer == WAIT_TIMEOUT) return SAFE_ETIMEDOUT;
  request->failure = GetLastError();
  safe__win_request_revoke(request);
  return SAFE_OK;
}

/* ERROR_NOT_FOUND is no failure: the kernel has nothing to cancel any more, and settling finds the answer. */
void safe__win_request_revoke(struct safe__win_request *request) {
  if (!request->granted) calls.cancel(request->file, &request->overlapped);
}

/* SAFE_OK, or why the request was not granted; ERROR_IO_INCOMPLETE while it is still queued. */
static DWORD outcome(struct safe__win_request *request) {
  DWORD bytes;

  if (request->granted) return ERROR_SUCCESS;
  return calls.result(request->file, &request->overlapped, &bytes, FALSE) ? ERROR_SUCCESS : GetLastError();
}

/* Never GetOverlappedResult with bWait TRUE: where nothing is queued, nobody ever sets the event. */
int safe__win_request_settle(struct safe__win_request *request, int64_t deadline, safe_error *error) {
  DWORD found = outcome(request);

  if (found == ERROR_IO_INCOMPLETE) {
    wait_by(&request->event, 1, deadline);
    found = outcome(request);
  }
  switch (found) {
  case ERROR_SUCCESS:
    return SAFE_OK;
  case ERROR_IO_INCOMPLETE:
    return SAFE_ESTUCK;
  case ERROR_OPERATION_ABORTED:
    if (request->failure != 0)
      return safe__fail_os(error, request->failure, SAFE_STAGE_WAIT, -1, "Waiting for the lock failed");
    return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_WAIT, -1, "The lock request was taken back.");
  case ERROR_LOCK_VIOLATION: /* a file server's answer to LOCKFILE_FAIL_IMMEDIATELY */
    return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_LOCK, -1, "Somebody else holds the lock.");
  default:
    return safe__fail_os(error, found, SAFE_STAGE_LOCK, -1, "The kernel refused the lock request");
  }
}

static bool collect(struct safe__parked *item) {
  struct safe__win_request *request = (struct safe__win_request *)item;
  DWORD found = outcome(request);

  if (found == ERROR_IO_INCOMPLETE) return false;
  if (found == ERROR_SUCCESS) safe__win_request_unlock(request, &request->range); /* long after anybody wanted it */
  safe__win_request_free(request);
  return true;
}

void safe__win_request_park(struct safe__win_request *request) {
  request->parked.collect = collect;
  safe__park(&request->parked);
}

int safe__win_request_unlock(struct safe__win_request *request, const struct safe__win_range *range) {
  OVERLAPPED at = {0};

  set_range(&at, range);
  if (calls.unlock(request->file, 0, (DWORD)range->length, (DWORD)(range->length >> 32), &at)) return SAFE_OK;
  return safe__os_translate(GetLastError());
}

int safe__win_request_make(HANDLE file, bool borrowed, struct safe__win_request **request, safe_error *error) {
  struct safe__win_request *made = safe__alloc(sizeof(*made));

  if (made == NULL) {
    if (!borrowed) CloseHandle(file);
    return safe__fail_memory(error, SAFE_STAGE_OPEN);
  }
  made->file = made->own.file = file;
  made->borrowed = borrowed;
  made->event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (made->event != NULL) {
    *request = made;
    return SAFE_OK;
  }
  safe__fail_os(error, GetLastError(), SAFE_STAGE_OPEN, -1, "No event could be made for the lock");
  safe__win_request_free(made);
  return error->code;
}

void safe__win_request_free(struct safe__win_request *request) {
  if (request == NULL) return;
  safe__win_own_lock_forget(&request->own);
  if (!request->borrowed) safe__win_close(&request->file);
  safe__win_close(&request->event);
  safe__free(request);
}
