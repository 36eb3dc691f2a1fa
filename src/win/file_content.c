/* SPDX-License-Identifier: MIT */
/* Reading and writing at a place, through a handle that may be overlapped (ours always is) or synchronous. */
#include "wait_overlapped.h"

#define MOST ((size_t)1 << 30) /* in one call, whose count is a DWORD */

static void prepare(struct safe__win_request *request, OVERLAPPED *overlapped, int64_t offset) {
  static const OVERLAPPED empty;

  *overlapped = empty;
  overlapped->Offset = (DWORD)offset;
  overlapped->OffsetHigh = (DWORD)(offset >> 32);
  /* The request's event is idle: its lock was granted. The lowest bit: see wait_overlapped.c. */
  overlapped->hEvent = (HANDLE)((ULONG_PTR)request->event | (request->borrowed ? 1 : 0));
}

/* One piece: the number of bytes, or a SAFE_E*. The OVERLAPPED may lie on the stack, as nothing but its end is waited
   for. */
static int64_t move(struct safe__win_request *request, void *into, const void *from, DWORD length, int64_t offset) {
  OVERLAPPED overlapped;
  DWORD moved = 0, failure = ERROR_SUCCESS;
  BOOL done;

  prepare(request, &overlapped, offset);
  if (into != NULL)
    done = ReadFile(request->file, into, length, NULL, &overlapped);
  else
    done = WriteFile(request->file, from, length, NULL, &overlapped);
  if (!done) failure = GetLastError();
  if (failure == ERROR_IO_PENDING) WaitForSingleObject(request->event, INFINITE);
  if (done || failure == ERROR_IO_PENDING)
    failure = GetOverlappedResult(request->file, &overlapped, &moved, FALSE) ? ERROR_SUCCESS : GetLastError();
  if (failure == ERROR_HANDLE_EOF) return 0;
  return failure == ERROR_SUCCESS ? (int64_t)moved : safe__os_translate(failure);
}

static int64_t move_all(const struct safe__file *file, char *into, const char *from, size_t length, int64_t offset) {
  size_t done = 0;
  int64_t one;

  if (file->request == NULL) return SAFE_EBADF;
  while (done < length) {
    size_t piece = length - done < MOST ? length - done : MOST;
    one = move(file->request, into != NULL ? into + done : NULL, from != NULL ? from + done : NULL, (DWORD)piece,
               offset + (int64_t)done);
    if (one < 0) return one;
    if (one == 0) break;
    done += (size_t)one;
  }
  return (int64_t)done;
}

int64_t safe__os_file_read(const struct safe__file *file, void *buffer, size_t length, int64_t offset) {
  return move_all(file, buffer, NULL, length, offset);
}

int64_t safe__os_file_write(const struct safe__file *file, const void *bytes, size_t length, int64_t offset) {
  return move_all(file, NULL, bytes, length, offset);
}
