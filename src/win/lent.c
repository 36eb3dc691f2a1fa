/* SPDX-License-Identifier: MIT */
#include "lent.h"

#include <string.h>

#define CHUNK 65536
#define SETTLE_MS 100 /* for a thread that has nothing to do to end, and for the kernel to take a request back */
#define NUDGE_MS 10   /* a request to cancel that comes just before the call is lost */

struct safe__win_lent {
  struct safe__win_task task;
  HANDLE handle;                    /* a copy: the caller may close its own while a thread was left behind with it */
  HANDLE wanted, done, moved_event; /* something is to be done, or it is over; it is done; overlapped I/O is done */
  bool writes, overlapped, busy;
  volatile LONG over;
  uint64_t place; /* where an overlapped file is read next */
  DWORD length, moved, failure;
  char chunk[CHUNK];
};

/* ---- In the thread. */

/* The lowest bit of the event's handle keeps the answer from a completion port of the caller's. */
static void move_overlapped(struct safe__win_lent *lent) {
  HANDLE either[2] = {lent->moved_event, lent->wanted};
  uint64_t place = lent->writes ? UINT64_MAX : lent->place; /* UINT64_MAX: the end of the file */
  OVERLAPPED overlapped = {0};
  BOOL done;

  overlapped.Offset = (DWORD)place;
  overlapped.OffsetHigh = (DWORD)(place >> 32);
  overlapped.hEvent = (HANDLE)((uintptr_t)lent->moved_event | 1);
  ResetEvent(lent->moved_event);
  if (lent->writes)
    done = WriteFile(lent->handle, lent->chunk, lent->length, NULL, &overlapped);
  else
    done = ReadFile(lent->handle, lent->chunk, lent->length, NULL, &overlapped);
  if (!done && GetLastError() != ERROR_IO_PENDING) {
    lent->failure = GetLastError();
    return;
  }
  if (WaitForMultipleObjects(2, either, FALSE, INFINITE) != WAIT_OBJECT_0) {
    CancelIoEx(lent->handle, &overlapped);
    SetEvent(lent->wanted); /* still to be seen by the thread */
  }
  if (!GetOverlappedResult(lent->handle, &overlapped, &lent->moved, TRUE)) lent->failure = GetLastError();
  lent->place += lent->moved;
}

static void move(struct safe__win_lent *lent) {
  BOOL done;

  lent->moved = 0;
  lent->failure = ERROR_SUCCESS;
  if (lent->overlapped) {
    move_overlapped(lent);
    return;
  }
  if (lent->writes)
    done = WriteFile(lent->handle, lent->chunk, lent->length, &lent->moved, NULL);
  else
    done = ReadFile(lent->handle, lent->chunk, lent->length, &lent->moved, NULL);
  if (!done) lent->failure = GetLastError();
}

static void run(struct safe__win_task *task) {
  struct safe__win_lent *lent = (struct safe__win_lent *)task;

  for (;;) {
    WaitForSingleObject(lent->wanted, INFINITE);
    if (lent->over) return;
    move(lent);
    SetEvent(lent->done);
  }
}

/* ---- In the caller's thread. */

static void discard(struct safe__win_task *task) {
  struct safe__win_lent *lent = (struct safe__win_lent *)task;

  safe__win_close(&lent->handle);
  safe__win_close(&lent->wanted);
  safe__win_close(&lent->done);
  safe__win_close(&lent->moved_event);
  safe__free(lent);
}

/* Of the Windows driver kit: FileModeInformation, and FILE_SYNCHRONOUS_IO_ALERT and _NONALERT. Where the question is
   not known (Wine 8), a plain call waits also on a handle for overlapped I/O. */
#define FILE_MODE_INFORMATION 16
#define SYNCHRONOUS 0x30u

typedef LONG(NTAPI *query_file)(HANDLE file, void *status, void *into, ULONG size, int what);

static bool is_overlapped(HANDLE handle) {
  query_file ask = (query_file)safe__win_find(L"ntdll.dll", "NtQueryInformationFile");
  ULONG_PTR status[2];
  ULONG mode = SYNCHRONOUS;

  return ask != NULL && ask(handle, status, &mode, sizeof(mode), FILE_MODE_INFORMATION) >= 0 &&
         (mode & SYNCHRONOUS) == 0;
}

static int start(struct safe__win_lent *lent, safe_handle handle, int index, safe_error *error) {
  HANDLE self = GetCurrentProcess();

  if (!DuplicateHandle(self, handle, self, &lent->handle, 0, FALSE, DUPLICATE_SAME_ACCESS))
    return safe__fail_os(error, GetLastError(), SAFE_STAGE_ARGUMENTS, index,
                         "The handle given for stream %d cannot be used", index);
  lent->wanted = CreateEventW(NULL, FALSE, FALSE, NULL);
  lent->done = CreateEventW(NULL, TRUE, FALSE, NULL);
  lent->moved_event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (lent->wanted == NULL || lent->done == NULL || lent->moved_event == NULL)
    return safe__fail_os(error, GetLastError(), SAFE_STAGE_PREPARE, index, "No event could be made for stream %d",
                         index);
  lent->overlapped = is_overlapped(lent->handle);
  return safe__win_task_start(&lent->task, SAFE_STAGE_PREPARE, error);
}

int safe__os_stream_borrow(struct safe__stream *stream, safe_handle handle, bool writes, int index, safe_error *error) {
  struct safe__win_lent *lent;
  int code;

  /* The pseudo handles of this process and thread would be copied as real ones. */
  if (handle == NULL || (intptr_t)handle < 0)
    return safe__fail(error, SAFE_EBADF, SAFE_STAGE_ARGUMENTS, index, "The handle given for stream %d is none.", index);
  lent = safe__alloc(sizeof(*lent));
  if (lent == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  lent->writes = writes;
  lent->task.run = run;
  lent->task.free = discard;
  code = start(lent, handle, index, error);
  if (code == SAFE_OK)
    stream->lent = lent;
  else
    discard(&lent->task);
  return code;
}

HANDLE safe__win_lent_event(const struct safe__win_lent *lent) { return lent->busy ? lent->done : NULL; }

bool safe__win_lent_ready(const struct safe__win_lent *lent) { return !lent->busy || safe__win_signalled(lent->done); }

static int64_t begin(struct safe__win_lent *lent, size_t length) {
  if (lent->over) return SAFE__AGAIN;
  lent->length = (DWORD)length;
  ResetEvent(lent->done);
  lent->busy = true;
  SetEvent(lent->wanted);
  return SAFE__AGAIN;
}

static bool is_end(DWORD failure) {
  return failure == ERROR_BROKEN_PIPE || failure == ERROR_NO_DATA || failure == ERROR_PIPE_NOT_CONNECTED ||
         failure == ERROR_HANDLE_EOF;
}

/* What came of it; SAFE__AGAIN while it is under way. */
static int64_t outcome(struct safe__win_lent *lent) {
  if (!safe__win_signalled(lent->done)) return SAFE__AGAIN;
  lent->busy = false;
  if (lent->moved > 0 || lent->failure == ERROR_SUCCESS) return lent->moved;
  if (lent->failure == ERROR_OPERATION_ABORTED) return lent->over ? SAFE__AGAIN : SAFE_ECANCELED;
  return is_end(lent->failure) ? 0 : safe__os_translate(lent->failure);
}

int64_t safe__win_lent_read(struct safe__win_lent *lent, void *buffer, size_t length) {
  int64_t moved;

  if (!lent->busy) return begin(lent, length < CHUNK ? length : CHUNK);
  moved = outcome(lent);
  if (moved > 0) memcpy(buffer, lent->chunk, (size_t)moved);
  return moved;
}

int64_t safe__win_lent_write(struct safe__win_lent *lent, const void *bytes, size_t length) {
  if (lent->busy) return outcome(lent);
  if (length > CHUNK) length = CHUNK;
  memcpy(lent->chunk, bytes, length);
  return begin(lent, length);
}

bool safe__win_lent_settle(struct safe__win_lent *lent) {
  int64_t deadline = safe__deadline(SETTLE_MS);

  if (!lent->busy) return false;
  InterlockedExchange(&lent->over, 1);
  while (!safe__win_signalled(lent->done) && safe__os_now() < deadline) {
    SetEvent(lent->wanted);
    CancelSynchronousIo(lent->task.thread);
    safe__win_wait(&lent->done, 1, safe__deadline(NUDGE_MS));
  }
  return safe__win_signalled(lent->done);
}

void safe__win_lent_close(struct safe__win_lent *lent) {
  int code;

  InterlockedExchange(&lent->over, 1);
  SetEvent(lent->wanted);
  code = safe__win_task_wait(&lent->task, safe__win_lent_ready(lent) ? safe__deadline(SETTLE_MS) : 0, SETTLE_MS);
  if (code == SAFE_OK) discard(&lent->task);
}
