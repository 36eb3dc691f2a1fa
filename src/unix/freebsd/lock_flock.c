/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/file.h>

#include "lock_calls.h"
#include "own_locks.h"

int safe__os_lock_method(int32_t *method) {
  if (*method == SAFE_METHOD_DEFAULT) *method = SAFE_METHOD_FLOCK;
  return *method == SAFE_METHOD_FLOCK ? SAFE_OK : SAFE_ENOTSUP;
}

int safe__lock_call(int fd, int mode, int method, bool wait) {
  int result;

  do result = flock(fd, (mode == SAFE_LOCK_SHARED ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB));
  while (result != 0 && errno == EINTR);
  if (result != 0) return errno;
  safe__own_lock_note(fd, SAFE_HOLDER_HOLDS, mode, method);
  return 0;
}

int safe__os_unlock(struct safe__file *file, const safe_lock_options *options) {
  (void)options;
  safe__own_lock_forget(file->fd);
  return flock(file->fd, LOCK_UN) == 0 ? SAFE_OK : safe__os_translate(errno);
}
