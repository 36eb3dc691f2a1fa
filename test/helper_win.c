/* SPDX-License-Identifier: MIT */
#include "helper.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

void helper_setup(void) {
  _setmode(0, _O_BINARY);
  _setmode(1, _O_BINARY);
  _setmode(2, _O_BINARY);
}

int helper_sleep(long ms) {
  Sleep((DWORD)ms);
  return 0;
}

static BOOL WINAPI ignore(DWORD event) {
  (void)event;
  return TRUE;
}

void helper_refuse_to_end(void) { SetConsoleCtrlHandler(ignore, TRUE); }

static int leave(const char *ms) {
  STARTUPINFOA startup = {0};
  PROCESS_INFORMATION made;
  char program[MAX_PATH], line[MAX_PATH + 64];

  GetModuleFileNameA(NULL, program, sizeof(program));
  snprintf(line, sizeof(line), "\"%s\" sleep %s", program, ms);
  startup.cb = sizeof(startup);
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
  /* Inherits everything: the careless grandchild of the story. */
  if (!CreateProcessA(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made)) return 1;
  printf("%lu\n", made.dwProcessId);
  CloseHandle(made.hThread);
  CloseHandle(made.hProcess);
  return 0;
}

/* Every value that is a handle of this process. Wine and Windows give them out in steps of four. */
static int say_handles(void) {
  UINT_PTR value;
  DWORD flags;

  for (value = 4; value < 0x4000; value += 4)
    if (GetHandleInformation((HANDLE)value, &flags))
      printf("%lu type %lu\n", (unsigned long)value, GetFileType((HANDLE)value));
  return 0;
}

int helper_system(int count, char **args) {
  char folder[4096];

  if (strcmp(args[0], "cwd") == 0) return GetCurrentDirectoryA(sizeof(folder), folder) > 0 && puts(folder) >= 0 ? 0 : 1;
  if (strcmp(args[0], "handles") == 0) return say_handles();
  if (strcmp(args[0], "leave") == 0 && count == 2) return leave(args[1]);
  if (strcmp(args[0], "crash") == 0) {
    TerminateProcess(GetCurrentProcess(), 0xC0000005);
    return 1;
  }
  return 99;
}
