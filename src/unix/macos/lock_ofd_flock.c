/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "lock_calls.h"
#include "lock_ofd.h"
#include "own_locks.h"

int safe__os_lock_method(int32_t *method) {
  if (*method == SAFE_METHOD_DEFAULT) *method = SAFE_METHOD_OFD;
  return *method == SAFE_METHOD_OFD || *method == SAFE_METHOD_FLOCK ? SAFE_OK : SAFE_ENOTSUP;
}

struct flock safe__ofd_range(short type) {
  struct flock range;

  memset(&range, 0, sizeof(range)); /* start 0 and length 0 are the whole file */
  range.l_type = type;
  range.l_whence = SEEK_SET;
  return range;
}

static int ofd_call(int fd, short type, bool wait) {
  struct flock range = safe__ofd_range(type);

  return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
}

int safe__lock_call(int fd, int mode, int method, bool wait) {
  bool shared = mode == SAFE_LOCK_SHARED;
  int result;

  do
    result = method == SAFE_METHOD_FLOCK ? flock(fd, (shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB))
                                         : ofd_call(fd, shared ? F_RDLCK : F_WRLCK, wait);
  while (result != 0 && errno == EINTR);
  if (result != 0) return errno;
  safe__own_lock_note(fd, SAFE_HOLDER_HOLDS, mode, method);
  return 0;
}

int safe__os_unlock(struct safe__file *file, const safe_lock_options *options) {
  int result;

  safe__own_lock_forget(file->fd);
  result = options->method == SAFE_METHOD_FLOCK ? flock(file->fd, LOCK_UN) : ofd_call(file->fd, F_UNLCK, false);
  return result == 0 ? SAFE_OK : safe__os_translate(errno);
}
