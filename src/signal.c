/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "process.h"

int safe_process_signal(safe_process *process, int signal_number, uint32_t flags, safe_error *caller) {
  bool group = (flags & SAFE_SIGNAL_GROUP) != 0;
  safe_error error;
  int code, held;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  code = safe__check_process(process, &error);
  if (code == SAFE_OK) code = safe__check_flags(flags, SAFE_SIGNAL_GROUP, "safe_process_signal", &error);
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    code = safe__os_child_signal(&process->child, signal_number, group, &error);
    safe__os_allow_cancellation(held);
  }
  return safe__deliver(caller, &error, code);
}
