/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <wchar.h>

#include "win.h"

/* The longest path without the prefix: MAX_PATH less the room for an 8.3 name that a folder's path must have. */
#define PLAIN_LIMIT (MAX_PATH - 12)

static bool starts(const wchar_t *path, const wchar_t *with) { return wcsncmp(path, with, wcslen(with)) == 0; }

static int prefixed(const wchar_t *prefix, const wchar_t *path, wchar_t **out) {
  size_t first = wcslen(prefix), second = wcslen(path);

  *out = safe__alloc((first + second + 1) * sizeof(**out));
  if (*out == NULL) return SAFE_ENOMEM;
  wmemcpy(*out, prefix, first);
  wmemcpy(*out + first, path, second);
  return SAFE_OK;
}

int safe__win_full_path(const wchar_t *path, wchar_t **full) {
  DWORD room = 0, length;

  *full = NULL;
  /* Twice, and again when another thread has changed the current directory in between. */
  while ((length = GetFullPathNameW(path, room, *full, NULL)) >= room && length != 0) {
    safe__free(*full);
    room = length + 1;
    *full = safe__alloc(room * sizeof(**full));
    if (*full == NULL) return SAFE_ENOMEM;
  }
  if (length != 0) return SAFE_OK;
  safe__free(*full);
  *full = NULL;
  return SAFE_EINVAL;
}

static int lengthen(wchar_t *full, wchar_t **wide) {
  int code;

  if (wcslen(full) < PLAIN_LIMIT || starts(full, L"\\\\?\\")) {
    *wide = full;
    return SAFE_OK;
  }
  code = starts(full, L"\\\\") ? prefixed(L"\\\\?\\UNC\\", full + 2, wide) : prefixed(L"\\\\?\\", full, wide);
  safe__free(full);
  return code;
}

int safe__win_path(const char *path, wchar_t **wide) {
  wchar_t *given, *full;
  int code = safe__win_wide(path, &given);

  *wide = NULL;
  if (code != SAFE_OK) return code;
  if (starts(given, L"\\\\?\\")) {
    *wide = given; /* verbatim, as the caller asked */
    return SAFE_OK;
  }
  code = safe__win_full_path(given, &full);
  safe__free(given);
  if (code != SAFE_OK) return code;
  if (starts(full, L"\\\\.\\")) {
    safe__free(full);
    return SAFE_ENOTREG;
  }
  return lengthen(full, wide);
}

int safe__win_path_failed(int code, int stage, safe_error *error) {
  if (code == SAFE_ENOMEM) return safe__fail_memory(error, stage);
  if (code == SAFE_ENOTREG) return safe__fail(error, code, stage, -1, "The path names a device, not a file.");
  return safe__fail(error, code, stage, -1, "The path is not valid, or not UTF-8.");
}

/* The answer begins with \\?\, or \\?\UNC\ for a server's share, which people do not write. */
static wchar_t *without_prefix(wchar_t *path) {
  size_t skip = starts(path, L"\\\\?\\UNC\\") ? 6 : starts(path, L"\\\\?\\") ? 4 : 0;

  if (skip == 0) return path;
  memmove(path, path + skip, (wcslen(path + skip) + 1) * sizeof(*path));
  if (skip == 6) path[0] = L'\\';
  return path;
}

wchar_t *safe__win_path_of(HANDLE file) {
  DWORD room = MAX_PATH, length;
  wchar_t *path;

  for (;;) {
    path = safe__alloc(room * sizeof(*path));
    if (path == NULL) return NULL;
    length = GetFinalPathNameByHandleW(file, path, room, FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
    if (length > 0 && length < room) return without_prefix(path);
    safe__free(path);
    if (length == 0) return NULL;
    room = length + 1;
  }
}
