/* SPDX-License-Identifier: MIT */
#include "win.h"

int safe__win_wide(const char *text, wchar_t **wide) {
  int length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);

  *wide = NULL;
  if (length <= 0) return SAFE_EINVAL;
  *wide = safe__alloc((size_t)length * sizeof(**wide));
  if (*wide == NULL) return SAFE_ENOMEM;
  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, *wide, length);
  return SAFE_OK;
}

void safe__win_narrow(const wchar_t *wide, char *text, size_t size) {
  int length = (int)wcslen(wide), room = (int)size - 1, used = 0;

  if (size == 0) return;
  /* Half a character must not be left behind, and WideCharToMultiByte writes all or nothing. */
  while (length > 0 && (used = WideCharToMultiByte(CP_UTF8, 0, wide, length, text, room, NULL, NULL)) == 0) length--;
  if (length == 0) used = 0;
  text[used] = '\0';
}
