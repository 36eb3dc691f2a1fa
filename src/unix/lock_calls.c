/* SPDX-License-Identifier: MIT */
/* What every Unix has in common about asking for a lock and giving it back. */
#include "lock_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

int safe__lock_failed(int os_code, safe_error *error) {
  switch (os_code) {
  case EAGAIN: /* never EACCES, which POSIX allows for F_SETLK too: here it is a security module's refusal */
    /* No sentence: nobody reads it, and a waiter among many comes by here often. */
    safe__error_clear(error);
    return error->code = SAFE_EBUSY;
  case ENOLCK:
    return safe__fail_os(error, os_code, SAFE_STAGE_LOCK, -1,
                         "The kernel, or the server of this network file system, has no lock to give");
  case EBADF:
    return safe__fail_os(
      error, os_code, SAFE_STAGE_LOCK, -1,
      "The file is not open, or not for writing, which this lock, or this network file system, needs");
  case ENOSYS:
  case EOPNOTSUPP:
    return safe__fail_os(error, os_code, SAFE_STAGE_LOCK, -1, "The file system does not lock");
  default:
    return safe__fail_os(error, os_code, SAFE_STAGE_LOCK, -1, "The file system refuses the lock");
  }
}

bool safe__is_still(const struct safe__file *file, const struct safe__file_id *id) {
  struct safe__file_id now;

  return !file->borrowed || (safe__os_file_id(file, &now) && now.volume == id->volume && now.low == id->low);
}

int safe__os_lock_try(struct safe__file *file, const struct safe__claim *claim, safe_error *error) {
  int os_code;

  if (claim->method == SAFE_METHOD_POSIX) return safe__posix_try(file, claim, error);
  os_code = safe__lock_call(file->fd, claim, false);
  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}

/* To ask for the other mode is to convert. */
int safe__os_lock_convert(struct safe__file *file, const struct safe__claim *held, const struct safe__claim *wanted,
                          safe_error *error) {
  (void)held;
  return safe__os_lock_try(file, wanted, error);
}

int safe__os_lock_plain(struct safe__file *file, const struct safe__claim *claim, safe_error *error) {
  int os_code;

  if (claim->method == SAFE_METHOD_POSIX) return SAFE_EBUSY; /* threads have to be waited for too */
  os_code = safe__lock_call(file->fd, claim, true);
  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}

int safe__os_unlock(struct safe__file *file, const struct safe__claim *claim) {
  int os_code;

  if (claim->method == SAFE_METHOD_POSIX) return safe__posix_unlock(file, claim);
  os_code = safe__unlock_call(file->fd, claim);
  return os_code == 0 ? SAFE_OK : safe__os_translate(os_code);
}
