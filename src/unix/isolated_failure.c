/* SPDX-License-Identifier: MIT */
#include "isolated_failure.h"

#include "lock_calls.h"

static const char *sentence(int code) {
  switch (code) {
  case SAFE_EISDIR:
    return "A folder cannot be locked.";
  case SAFE_ENOTREG:
    return "Only a regular file can be locked.";
  case SAFE_EREPLACED:
    return "The file was removed or replaced.";
  default:
    return "The file belongs to another user.";
  }
}

int safe__isolated_failed(int code, int stage, int os_code, safe_error *error) {
  if (code != 0) return safe__fail(error, code, stage, -1, "%s", sentence(code));
  if (stage == SAFE_STAGE_LOCK) return safe__lock_failed(os_code, error);
  return safe__fail_os(error, os_code, stage, -1,
                       stage == SAFE_STAGE_OPEN ? "The lock file cannot be opened" : "The path cannot be examined");
}
