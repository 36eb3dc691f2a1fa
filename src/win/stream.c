/* SPDX-License-Identifier: MIT */
/*
 * Overlapped I/O made to look like readiness.
 *
 * Reading: a read of no bytes stays pending until there is something to read, and takes nothing; the bytes
 * themselves are fetched only when somebody asks. So nothing is ever read ahead, and a pipe that is handed to the
 * caller (safe_process_take_pipe) has lost nothing.
 *
 * Writing: the bytes are copied, the write is started, and SAFE__AGAIN is the answer until it is done. Only then do
 * they count as written, when the same bytes are offered again. So a stream that is closed after its last byte was
 * accepted has nothing under way that a close could lose.
 */
#include <string.h>

#include "lent.h"
#include "pipe.h"

#define CHUNK ((DWORD)65536)

/* A fetch of bytes that PeekNamedPipe has just seen, and a cancel, are answered at once, but for the time that a
   thread may have to wait for a processor. */
#define PROMPT_MS 100

struct safe__win_stream {
  struct safe__parked parked;
  HANDLE pipe, event;
  OVERLAPPED overlapped;
  bool writes, pending;
  bool blocking; /* not opened for overlapped I/O: the caller's to take, and nothing else */
  char *chunk;   /* what the kernel reads from or writes to while something is pending */
};

int safe__win_stream_make(struct safe__stream *stream, HANDLE ours, bool writes, bool blocking, int index,
                          safe_error *error) {
  struct safe__win_stream *made = safe__alloc(sizeof(*made));

  if (made != NULL) made->chunk = safe__alloc(CHUNK);
  if (made == NULL || made->chunk == NULL) {
    safe__free(made);
    CloseHandle(ours);
    return safe__fail_memory(error, SAFE_STAGE_PIPE);
  }
  made->pipe = ours;
  made->writes = writes;
  made->blocking = blocking;
  made->event = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (made->event == NULL) {
    safe__fail_os(error, GetLastError(), SAFE_STAGE_PIPE, index, "No event could be made for stream %d", index);
    CloseHandle(ours);
    safe__free(made->chunk);
    safe__free(made);
    return error->code;
  }
  stream->open = made;
  return SAFE_OK;
}

static OVERLAPPED *begin(struct safe__win_stream *stream) {
  memset(&stream->overlapped, 0, sizeof(stream->overlapped));
  ResetEvent(stream->event);
  stream->overlapped.hEvent = stream->event;
  stream->pending = true;
  return &stream->overlapped;
}

/* The end of what begin has begun: 0 and the bytes moved, ERROR_IO_INCOMPLETE while it is pending, or why it failed. */
static DWORD outcome(struct safe__win_stream *stream, DWORD *moved) {
  DWORD failure = ERROR_SUCCESS;

  *moved = 0;
  if (!GetOverlappedResult(stream->pipe, &stream->overlapped, moved, FALSE)) failure = GetLastError();
  if (failure != ERROR_IO_INCOMPLETE) stream->pending = false;
  return failure;
}

/* What ReadFile or WriteFile answered. FALSE with ERROR_IO_PENDING may mean that it is done already, as on Wine. */
static DWORD started(struct safe__win_stream *stream, BOOL done, DWORD *moved) {
  DWORD failure = done ? ERROR_SUCCESS : GetLastError();

  *moved = 0;
  if (failure == ERROR_SUCCESS || failure == ERROR_IO_PENDING) return outcome(stream, moved);
  stream->pending = false;
  return failure;
}

/* Takes back what is pending. False if the kernel keeps it. */
static bool take_back(struct safe__win_stream *stream, DWORD *moved) {
  *moved = 0;
  if (!stream->pending) return true;
  CancelIoEx(stream->pipe, &stream->overlapped);
  safe__win_wait(&stream->event, 1, safe__deadline(PROMPT_MS));
  return outcome(stream, moved) != ERROR_IO_INCOMPLETE;
}

static bool is_end(DWORD failure) {
  return failure == ERROR_BROKEN_PIPE || failure == ERROR_NO_DATA || failure == ERROR_PIPE_NOT_CONNECTED;
}

static int64_t answer(DWORD failure) { return is_end(failure) ? 0 : safe__os_translate(failure); }

/* Reads bytes that are there. They may vanish all the same: a writer that is killed takes an unfinished write with
   it. Through the chunk, so that the caller's buffer is never the kernel's to write to. */
static int64_t fetch(struct safe__win_stream *stream, void *buffer, DWORD length) {
  DWORD moved, failure;

  if (length > CHUNK) length = CHUNK;
  failure = started(stream, ReadFile(stream->pipe, stream->chunk, length, NULL, begin(stream)), &moved);
  if (failure == ERROR_IO_INCOMPLETE) {
    safe__win_wait(&stream->event, 1, safe__deadline(PROMPT_MS));
    failure = outcome(stream, &moved);
  }
  if (failure == ERROR_IO_INCOMPLETE) {
    if (!take_back(stream, &moved)) return SAFE_ESTUCK;
    failure = moved > 0 ? ERROR_SUCCESS : ERROR_OPERATION_ABORTED;
  }
  if (failure == ERROR_OPERATION_ABORTED || (failure == ERROR_SUCCESS && moved == 0)) return SAFE__AGAIN;
  if (failure != ERROR_SUCCESS) return answer(failure);
  memcpy(buffer, stream->chunk, moved);
  return moved;
}

int64_t safe__os_stream_read(struct safe__stream *stream, void *buffer, size_t length) {
  struct safe__win_stream *open = stream->open;
  DWORD available = 0, moved, failure;

  if (stream->lent != NULL) return safe__win_lent_read(stream->lent, buffer, length);
  if (open == NULL || open->writes || open->blocking) return SAFE_EBADF;
  /* How the read of no bytes ended tells nothing: it is aborted when the thread that began it ends. */
  if (open->pending && outcome(open, &moved) == ERROR_IO_INCOMPLETE) return SAFE__AGAIN;
  if (!PeekNamedPipe(open->pipe, NULL, 0, NULL, &available, NULL)) return answer(GetLastError());
  if (available > 0) {
    int64_t fetched = fetch(open, buffer, available < length ? available : (DWORD)length);
    if (fetched != SAFE__AGAIN) return fetched;
  }
  failure = started(open, ReadFile(open->pipe, open->chunk, 0, NULL, begin(open)), &moved);
  if (failure != ERROR_SUCCESS && failure != ERROR_IO_INCOMPLETE) return answer(failure);
  /* Also where it has ended already, so that the next wait ends at once instead of waiting for nothing. */
  open->pending = true;
  return SAFE__AGAIN;
}

/* The bytes that were under way; they must be the ones that are offered now. */
static int64_t finish_write(struct safe__win_stream *stream, const void *bytes, size_t length) {
  DWORD moved, failure = outcome(stream, &moved);

  if (failure == ERROR_IO_INCOMPLETE) return SAFE__AGAIN;
  /* Aborted: the thread that had begun the write has ended since, and nobody knows how much of it was read. */
  if (failure == ERROR_OPERATION_ABORTED) return SAFE_ESYSTEM;
  if (failure != ERROR_SUCCESS) return answer(failure);
  if (moved > length || memcmp(bytes, stream->chunk, moved) != 0) return SAFE_EINVAL;
  return moved;
}

int64_t safe__os_stream_write(struct safe__stream *stream, const void *bytes, size_t length) {
  struct safe__win_stream *open = stream->open;
  DWORD moved, failure;

  if (stream->lent != NULL) return safe__win_lent_write(stream->lent, bytes, length);
  if (open == NULL || !open->writes || open->blocking) return SAFE_EBADF;
  if (open->pending) return finish_write(open, bytes, length);
  if (length > CHUNK) length = CHUNK;
  memcpy(open->chunk, bytes, length);
  failure = started(open, WriteFile(open->pipe, open->chunk, (DWORD)length, NULL, begin(open)), &moved);
  if (failure == ERROR_IO_INCOMPLETE) return SAFE__AGAIN;
  return failure == ERROR_SUCCESS ? (int64_t)moved : answer(failure);
}

static void discard(struct safe__win_stream *stream) {
  safe__win_close(&stream->pipe);
  safe__win_close(&stream->event);
  safe__free(stream->chunk);
  safe__free(stream);
}

static bool collect(struct safe__parked *item) {
  struct safe__win_stream *stream = (struct safe__win_stream *)item;
  DWORD moved;

  if (outcome(stream, &moved) == ERROR_IO_INCOMPLETE) return false;
  discard(stream);
  return true;
}

void safe__os_stream_close(struct safe__stream *stream) {
  struct safe__win_stream *open = stream->open;
  DWORD moved;

  if (stream->lent != NULL) safe__win_lent_close(stream->lent);
  stream->lent = NULL;
  stream->open = NULL;
  if (open == NULL) return;
  if (take_back(open, &moved)) {
    discard(open);
  } else {
    open->parked.collect = collect;
    safe__park(&open->parked);
  }
}

void safe__os_stream_none(struct safe__stream *stream) { memset(stream, 0, sizeof(*stream)); }

bool safe__os_stream_open(const struct safe__stream *stream) { return stream->open != NULL || stream->lent != NULL; }

bool safe__os_stream_ours(const struct safe__stream *stream) { return stream->open != NULL && !stream->open->blocking; }

/* Of a pipe the calls themselves tell, at little cost. */
bool safe__os_stream_ready(const struct safe__stream *stream) {
  return stream->lent == NULL || safe__win_lent_ready(stream->lent);
}

bool safe__os_stream_settle(struct safe__stream *stream) {
  return stream->lent != NULL && safe__win_lent_settle(stream->lent);
}

int64_t safe__os_stream_finish(struct safe__stream *stream) {
  safe__os_stream_close(stream);
  return SAFE_OK;
}

/* Of the Windows driver kit: FILE_PIPE_LOCAL_INFORMATION, and the state of a pipe that has both of its ends. */
#define FILE_PIPE_LOCAL_INFORMATION 24
#define PIPE_STATE 8
#define PIPE_CONNECTED 3

typedef LONG(NTAPI *query_file)(HANDLE file, void *status, void *into, ULONG size, int what);

/* A write of no bytes would tell too, but the child would read it: as the end. */
bool safe__os_stream_gone(struct safe__stream *stream) {
  query_file ask = (query_file)safe__win_find(L"ntdll.dll", "NtQueryInformationFile");
  ULONG_PTR status[2];
  ULONG facts[10];

  return stream->open != NULL && ask != NULL &&
         ask(stream->open->pipe, status, facts, sizeof(facts), FILE_PIPE_LOCAL_INFORMATION) >= 0 &&
         facts[PIPE_STATE] != PIPE_CONNECTED;
}

safe_handle safe__os_stream_take(struct safe__stream *stream) {
  struct safe__win_stream *open = stream->open;
  HANDLE pipe;
  DWORD moved;

  if (open == NULL || !take_back(open, &moved)) return SAFE_INVALID_HANDLE;
  pipe = open->pipe;
  open->pipe = NULL;
  stream->open = NULL;
  discard(open);
  return pipe;
}

/* A pipe's size is fixed when it is made. */
void safe__os_stream_widen(struct safe__stream *stream) { (void)stream; }

/* What becomes signalled once the stream can move; false: it may be able to now. */
static bool event_of(const struct safe__awaited *awaited, HANDLE *event) {
  const struct safe__stream *stream = awaited->stream;

  if (stream->lent != NULL)
    *event = safe__win_lent_event(stream->lent);
  else
    *event = stream->open->pending ? stream->open->event : NULL;
  return *event != NULL || awaited->gone; /* that nobody reads any more is seen when something else wakes us */
}

#define MOST_STREAMS 4

int safe__os_stream_wait(const struct safe__awaited *awaited, size_t count, struct safe__child *child,
                         safe_cancel *cancel, int64_t deadline) {
  HANDLE handles[MOST_STREAMS + 2], event;
  DWORD used = 0;
  size_t at;

  for (at = 0; at < count; at++) {
    if (!event_of(&awaited[at], &event)) deadline = 0;
    if (event != NULL) handles[used++] = event;
  }
  if (child != NULL) handles[used++] = child->process;
  if (cancel != NULL) handles[used++] = safe__win_cancel_event(cancel);
  if (used > 0)
    safe__win_wait(handles, used, deadline);
  else
    safe__os_sleep(deadline, NULL, false);
  return (child != NULL && safe__win_signalled(child->process) ? SAFE__WOKEN_BY_CHILD : 0) |
         (safe__os_cancel_triggered(cancel) ? SAFE__WOKEN_BY_CANCEL : 0);
}
