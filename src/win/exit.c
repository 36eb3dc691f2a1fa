/* SPDX-License-Identifier: MIT */
/* A process handle is signalled once the process has ended, and keeps its exit code and its number until closed. */
#define PSAPI_VERSION 2 /* GetProcessMemoryInfo is kernel32's: no other library is needed */
#include "job.h"
#include "pty.h"

#include <psapi.h>

static int64_t microseconds(const FILETIME *time) {
  return (int64_t)((((uint64_t)time->dwHighDateTime << 32) | time->dwLowDateTime) / 10);
}

/* Of the child itself: Windows adds up nobody else's to it. */
static void note_usage(HANDLE process, safe_exit *status) {
  PROCESS_MEMORY_COUNTERS memory;
  FILETIME created, ended, kernel, user;

  if (GetProcessTimes(process, &created, &ended, &kernel, &user)) {
    status->user_us = microseconds(&user);
    status->system_us = microseconds(&kernel);
  }
  /* Wine knows nothing any more of a process that has ended, and says 0. */
  if (GetProcessMemoryInfo(process, &memory, sizeof(memory)) && memory.PeakWorkingSetSize > 0)
    status->peak_memory = (int64_t)memory.PeakWorkingSetSize;
}

int safe__os_child_wait(struct safe__child *child, int64_t deadline, safe_cancel *cancel, safe_exit *status,
                        safe_error *error) {
  static const safe_exit none = SAFE_EXIT_INIT;
  HANDLE handles[2];
  DWORD answer, code;

  handles[0] = child->process; /* first: an end that came with the cancel is told as an end */
  handles[1] = cancel != NULL ? safe__win_cancel_event(cancel) : NULL;
  answer = safe__win_wait(handles, cancel != NULL ? 2 : 1, deadline);
  if (answer == WAIT_OBJECT_0 + 1)
    return safe__fail(error, SAFE_ECANCELED, SAFE_STAGE_WAIT, -1, "Waiting for the child was cancelled.");
  if (answer == WAIT_TIMEOUT)
    return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1, "Process %lld still runs.", (long long)child->pid);
  if (answer != WAIT_OBJECT_0 || !GetExitCodeProcess(child->process, &code))
    return safe__fail_os(error, GetLastError(), SAFE_STAGE_WAIT, -1, "Process %lld cannot be waited for",
                         (long long)child->pid);
  *status = none;
  status->kind = SAFE_EXIT_CODE;
  status->code = code;
  note_usage(child->process, status);
  if (child->pty != NULL) safe__win_pty_hang_up(child->pty); /* else its reader would wait for more */
  return SAFE_OK;
}

safe_handle safe__os_child_exit_handle(struct safe__child *child) { return child->process; }

int64_t safe__os_child_pid(const struct safe__child *child) { return child->pid; }

/* Nobody has to collect an ended process here, and a child that still runs goes on without us; but not on a console
   that is gone, as on any system. */
void safe__os_child_free(struct safe__child *child, bool own) {
  HANDLE job = child->job;

  (void)own;
  safe__win_pty_free(child->pty);
  CloseHandle(child->process);
  if (child->leash != NULL)
    safe__win_leash_keep(child->leash, job);
  else
    CloseHandle(job);
  safe__free(child->seen);
}
