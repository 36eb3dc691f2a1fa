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

bool becomes_ready(safe_handle handle, int64_t ms) { return WaitForSingleObject(handle, (DWORD)ms) == WAIT_OBJECT_0; }

struct work {
  void (*run)(void *);
  void *argument;
};

static DWORD WINAPI do_work(void *argument) {
  struct work *work = argument;

  work->run(work->argument);
  return 0;
}

void in_another_thread(void (*run)(void *), void *argument) {
  struct work work = {run, argument};
  HANDLE thread = CreateThread(NULL, 0, do_work, &work, 0, NULL);

  assert_non_null(thread);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}
