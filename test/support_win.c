/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <windows.h>

void make_folder(const char *path) { assert_true(CreateDirectoryA(path, NULL)); }

bool on_wine(void) { return GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != NULL; }

int count_handles(void) {
  DWORD count = 0;

  assert_true(GetProcessHandleCount(GetCurrentProcess(), &count));
  return (int)count;
}
