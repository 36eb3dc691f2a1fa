/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "lock_calls.h"

int safe__os_lock_method(int32_t *method) {
  if (*method == SAFE_METHOD_DEFAULT) *method = SAFE_METHOD_OFD;
  return *method == SAFE_METHOD_OFD || *method == SAFE_METHOD_FLOCK ? SAFE_OK : SAFE_ENOTSUP;
}

static int ofd_call(int fd, short type, bool wait) {
  struct flock range;

  memset(&range, 0, sizeof(range)); /* l_pid must be 0 for an OFD lock; start 0 and length 0 are the whole file */
  range.l_type = type;
  range.l_whence = SEEK_SET;
  return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
}

int safe__lock_call(int fd, int mode, int method, bool wait) {
  bool shared = mode == SAFE_LOCK_SHARED;
  int result;

  do
    result = method == SAFE_METHOD_FLOCK ? flock(fd, (shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB))
                                         : ofd_call(fd, shared ? F_RDLCK : F_WRLCK, wait);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

int safe__os_unlock(struct safe__file *file, const safe_lock_options *options) {
  int result = options->method == SAFE_METHOD_FLOCK ? flock(file->fd, LOCK_UN) : ofd_call(file->fd, F_UNLCK, false);

  return result == 0 ? SAFE_OK : safe__os_translate(errno);
}
