/* SPDX-License-Identifier: MIT */
/* What every Unix has in common about asking for a lock and giving it back. */
#include "lock_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

int safe__lock_failed(int os_code, safe_error *error) {
  switch (os_code) {
  case EAGAIN: /* never EACCES, which POSIX allows for F_SETLK too: here it is a security module's refusal */
    return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_LOCK, -1, "The lock is held by somebody else.");
  case ENOLCK:
    return safe__fail_os(error, os_code, SAFE_STAGE_LOCK, -1,
                         "The kernel, or the server of this network file system, has no lock to give");
  case EBADF:
    return safe__fail_os(error, os_code, SAFE_STAGE_LOCK, -1,
                         "The file is not open for writing, which this lock, or this network file system, needs");
  default:
    return safe__fail_os(error, os_code, SAFE_STAGE_LOCK, -1, "The file system refuses the lock");
  }
}

int safe__os_lock_try(struct safe__file *file, const safe_lock_options *options, safe_error *error) {
  int os_code = safe__lock_call(file->fd, options->mode, options->method, false);

  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}
