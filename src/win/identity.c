/* SPDX-License-Identifier: MIT */
#include "win.h"

#include <string.h>

static uint64_t number(FILETIME time) { return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime; }

int64_t safe__win_now_ms(void) {
  const uint64_t of_1970 = UINT64_C(116444736000000000);
  FILETIME now;

  GetSystemTimeAsFileTime(&now);
  return (int64_t)((number(now) - of_1970) / 10000);
}

/* The time at which it was made, in units of 100 ns; 0 where that is not told. */
static uint64_t start_of(HANDLE process) {
  FILETIME made, ended, kernel, user;

  return GetProcessTimes(process, &made, &ended, &kernel, &user) ? number(made) : 0;
}

void safe__os_identify(safe_owner *owner) {
  wchar_t name[256];
  DWORD room = sizeof(name) / sizeof(name[0]);

  owner->pid = safe__os_self();
  owner->thread = GetCurrentThreadId();
  owner->start = start_of(GetCurrentProcess());
  /* Windows has no documented number for a start of the machine. A time is not needed to tell one from the other:
     two processes are made at different ones. */
  strncpy(owner->boot, "-", sizeof(owner->boot));
  if (GetComputerNameExW(ComputerNameDnsHostname, name, &room))
    safe__win_narrow(name, owner->host, sizeof(owner->host));
  owner->since_ms = safe__win_now_ms();
}

bool safe__os_is_alive(const safe_owner *owner) {
  HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, (DWORD)owner->pid);
  bool alive;

  /* One that we may not look at exists; that it is another one is less likely than that it is this one. */
  if (process == NULL) return GetLastError() == ERROR_ACCESS_DENIED;
  alive = start_of(process) == owner->start && !safe__win_signalled(process);
  CloseHandle(process);
  return alive;
}
