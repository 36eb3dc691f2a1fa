/* SPDX-License-Identifier: MIT */
#include "win.h"

DWORD safe__win_left(int64_t deadline) {
  return deadline == SAFE__NEVER ? INFINITE : (DWORD)safe__left_ms(deadline, INT32_MAX);
}

DWORD safe__win_wait(const HANDLE *handles, DWORD count, int64_t deadline) {
  DWORD result;

  do result = WaitForMultipleObjects(count, handles, FALSE, safe__win_left(deadline));
  while (result == WAIT_TIMEOUT && safe__os_now() < deadline);
  return result;
}

bool safe__win_signalled(HANDLE handle) { return WaitForSingleObject(handle, 0) == WAIT_OBJECT_0; }

safe__win_function safe__win_find(const wchar_t *module, const char *name) {
  HMODULE library = GetModuleHandleW(module);

  return library == NULL ? NULL : (safe__win_function)GetProcAddress(library, name);
}

void safe__win_close(HANDLE *handle) {
  if (*handle != NULL && *handle != INVALID_HANDLE_VALUE) CloseHandle(*handle);
  *handle = NULL;
}
