/* SPDX-License-Identifier: MIT */
#include "support.h"

#include <windows.h>

void make_folder(const char *path) { assert_true(CreateDirectoryA(path, NULL)); }

int count_handles(void) {
  DWORD count = 0;

  assert_true(GetProcessHandleCount(GetCurrentProcess(), &count));
  return (int)count;
}
