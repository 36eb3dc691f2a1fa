/* SPDX-License-Identifier: MIT */
/* A process handle is signalled once the process has ended, and keeps its exit code and its number until closed. */
#include "win.h"

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
  return SAFE_OK;
}

safe_handle safe__os_child_exit_handle(struct safe__child *child) { return child->process; }

int64_t safe__os_child_pid(const struct safe__child *child) { return child->pid; }

/* Nobody has to collect an ended process here, and a child that still runs goes on without us. */
void safe__os_child_free(struct safe__child *child, bool own) {
  (void)own;
  CloseHandle(child->process);
  CloseHandle(child->job);
}
