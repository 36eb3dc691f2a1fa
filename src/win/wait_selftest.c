/* SPDX-License-Identifier: MIT */
/*
 * Whether the kernel's lock queue can be waited in. On Windows it can. Wine 8 answers ERROR_IO_PENDING to a
 * contended overlapped LockFileEx, and then forgets the request: it is never granted, and CancelIoEx does not find
 * it. Later versions may differ, so under Wine the question is put to the test, once per process.
 */
#include "wait_overlapped.h"

#define GRANT_MS 50

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;

static HANDLE open_probe(const wchar_t *path) {
  return CreateFileW(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                     OPEN_EXISTING, FILE_FLAG_OVERLAPPED | FILE_FLAG_DELETE_ON_CLOSE, NULL);
}

static void prepare(OVERLAPPED *overlapped, HANDLE event) {
  overlapped->Internal = SAFE__STATUS_PENDING;
  overlapped->hEvent = event;
}

/* Queues a lock on second behind one on first; lets go of first; is second granted? */
static bool granted(HANDLE first, HANDLE second, OVERLAPPED *request) {
  OVERLAPPED held = {0};
  DWORD bytes;

  prepare(&held, NULL);
  if (!LockFileEx(first, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &held)) return false;
  if (LockFileEx(second, LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, request) || GetLastError() != ERROR_IO_PENDING) return false;
  held.hEvent = NULL;
  if (!UnlockFileEx(first, 0, 1, 0, &held)) return false;
  return safe__win_wait(&request->hEvent, 1, safe__deadline(GRANT_MS)) == WAIT_OBJECT_0 &&
         GetOverlappedResult(second, request, &bytes, FALSE);
}

static bool queue_works(const wchar_t *path) {
  HANDLE first = open_probe(path), second = open_probe(path), event = CreateEventW(NULL, TRUE, FALSE, NULL);
  OVERLAPPED *request = safe__alloc(sizeof(*request));
  bool works = false;
  DWORD bytes;

  if (request != NULL && event != NULL && first != INVALID_HANDLE_VALUE && second != INVALID_HANDLE_VALUE) {
    prepare(request, event);
    works = granted(first, second, request);
    if (!works) CancelIoEx(second, request);
  }
  safe__win_close(&second);
  safe__win_close(&first);
  /* A request that was never answered may be answered yet: its memory is given up for good, once per process. */
  if (request != NULL &&
      (works || GetOverlappedResult(NULL, request, &bytes, FALSE) || GetLastError() != ERROR_IO_INCOMPLETE))
    safe__free(request);
  safe__win_close(&event);
  return works;
}

static BOOL CALLBACK look(PINIT_ONCE unused, PVOID parameter, PVOID *answer) {
  wchar_t folder[MAX_PATH + 1], path[MAX_PATH + 1];
  bool works = true;

  (void)unused;
  (void)parameter;
  if (safe__win_find(L"ntdll.dll", "wine_get_version") != NULL) {
    works = false;
    if (GetTempPathW(MAX_PATH + 1, folder) != 0 && GetTempFileNameW(folder, L"shl", 0, path) != 0) {
      works = queue_works(path);
      DeleteFileW(path);
    }
  }
  *answer = (PVOID)(ULONG_PTR)(works ? 4 : 0); /* the two lowest bits are InitOnce's own */
  return TRUE;
}

bool safe__win_queue_works(void) {
  void *answer = NULL;

  InitOnceExecuteOnce(&once, look, NULL, &answer);
  return answer != NULL;
}
