/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/vfs.h>

#include "lock_calls.h"
#include "lock_raw.h"

int safe__os_lock_supported(safe_lock_options *options, safe_error *error) {
  if (options->method == SAFE_METHOD_DEFAULT) options->method = SAFE_METHOD_OFD;
  if (options->method == SAFE_METHOD_FAR || options->method == SAFE_METHOD_COMPAT)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1, "Linux has no lock method %d.",
                      (int)options->method);
  if ((options->flags & SAFE_LOCK_FAIR) != 0 && options->method != SAFE_METHOD_OFD)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1, "SAFE_LOCK_FAIR needs method OFD.");
  return SAFE_OK;
}

/* Those of other machines, or of a process, may make one lock of an flock and a record lock (NFS and Ceph do), or
   neither. */
int safe__os_lock_fits(const struct safe__file *file, const safe_lock_options *options, safe_error *error) {
  struct statfs status;

  if (options->method != SAFE_METHOD_BOTH) return SAFE_OK;
  if (fstatfs(file->fd, &status) != 0)
    return safe__fail_os(error, errno, SAFE_STAGE_OPEN, -1, "The file system cannot be examined");
  if (!safe__is_distant((unsigned int)status.f_type)) return SAFE_OK;
  return safe__fail(
    error, SAFE_ENOTSUP, SAFE_STAGE_OPEN, -1,
    "Method BOTH needs a local file system: on this one (type 0x%x) an flock and an OFD lock may be the same.",
    (unsigned int)status.f_type);
}

/* Linux drops an flock before it asks for one of the other mode (fs/locks.c, flock_lock_inode), and keeps a record lock
   until it has the other. */
bool safe__os_convert_keeps(const struct safe__claim *held, const struct safe__claim *wanted, bool waited) {
  (void)held, (void)waited;
  return wanted->method != SAFE_METHOD_FLOCK;
}

static int ofd_call(int fd, const struct safe__claim *claim, short type, bool wait) {
  struct flock range = safe__record_range(claim, type);

  return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
}

static int ask(int fd, const struct safe__claim *claim, bool wait) {
  bool shared = claim->mode == SAFE_LOCK_SHARED;
  int result;

  if (claim->method == SAFE_METHOD_FLOCK)
    result = flock(fd, (shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB));
  else
    result = ofd_call(fd, claim, shared ? F_RDLCK : F_WRLCK, wait);
  return result == 0 ? 0 : errno;
}

int safe__lock_call(int fd, const struct safe__claim *claim, bool wait) {
  int os_code;

  do os_code = ask(fd, claim, wait);
  while (os_code == EINTR);
  return os_code;
}

int safe__unlock_call(int fd, const struct safe__claim *claim) { return (int)-safe__raw_unlock(fd, claim); }
