/* SPDX-License-Identifier: MIT */
/*
 * Taking the name of a locked file away. The right to do so (DELETE) is asked for only now: a handle that had it while
 * the lock is held would keep everybody out who opens the file without sharing that.
 */
#include "wait_overlapped.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* Not in every SDK's or MinGW's headers: FileDispositionInfoEx, since Windows 10 1607. */
#define DISPOSITION_INFO_EX ((FILE_INFO_BY_HANDLE_CLASS)21)
#define DISPOSITION_DELETE 0x1
#define DISPOSITION_POSIX_SEMANTICS 0x2 /* the name goes at once, whoever has the file open */

static bool mark(HANDLE file) {
  DWORD flags = DISPOSITION_DELETE | DISPOSITION_POSIX_SEMANTICS;
  FILE_DISPOSITION_INFO plain = {TRUE};

  if (SetFileInformationByHandle(file, DISPOSITION_INFO_EX, &flags, sizeof(flags))) return true;
  /* The name stays until the last handle is closed; meanwhile who gets the lock sees that it is going. */
  return SetFileInformationByHandle(file, FileDispositionInfo, &plain, sizeof(plain));
}

/* Whatever took the path's place meanwhile, a handle made of ours is this file's. */
static bool remove_by_handle(const struct safe__win_request *request) {
  HANDLE file = ReOpenFile(request->file, DELETE, SHARE_ALL, FILE_FLAG_OPEN_REPARSE_POINT);
  bool removed = file != INVALID_HANDLE_VALUE && mark(file);

  safe__win_close(&file);
  return removed;
}

static void remove_by_path(const struct safe__win_request *request, const wchar_t *path) {
  HANDLE file = CreateFileW(path, DELETE | FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING,
                            FILE_FLAG_OPEN_REPARSE_POINT, NULL);
  struct safe__file_id id;

  if (file == INVALID_HANDLE_VALUE) return;
  if (safe__win_file_id(file, &id) && safe__win_same_file(&request->own.id, &id)) mark(file);
  CloseHandle(file);
}

/* Verified before: a file that was moved away keeps the name that it has now. */
void safe__os_file_remove(const struct safe__file *file, const char *path, const safe_lock_options *options) {
  safe_error ignored;
  wchar_t *wide;

  if (file->request == NULL || safe__os_file_verify(file, path, options, &ignored) != SAFE_OK) return;
  if (remove_by_handle(file->request) || safe__win_path(path, &wide) != SAFE_OK) return;
  remove_by_path(file->request, wide);
  safe__free(wide);
}
