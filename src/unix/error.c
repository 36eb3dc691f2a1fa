/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "os.h"

/* EMLINK: what O_NOFOLLOW answers on FreeBSD, open(2). ENOTSUP: another number than EOPNOTSUPP on macOS. */
static const struct {
  int from, to;
} codes[] = {
  {EINVAL, SAFE_EINVAL},
  {ENOMEM, SAFE_ENOMEM},
  {ENOENT, SAFE_ENOENT},
  {EACCES, SAFE_EACCES},
  {EPERM, SAFE_EACCES},
  {EROFS, SAFE_EACCES},
  {EISDIR, SAFE_EISDIR},
  {ENXIO, SAFE_ENOTREG},
  {ENODEV, SAFE_ENOTREG},
  {ELOOP, SAFE_ESYMLINK},
  {EMLINK, SAFE_ESYMLINK},
  {ENOLCK, SAFE_ENOLCK},
  {ENOSYS, SAFE_ENOTSUP},
  {EOPNOTSUPP, SAFE_ENOTSUP},
  {ENOTSUP, SAFE_ENOTSUP},
  {EBADF, SAFE_EBADF},
  {ENOEXEC, SAFE_ENOEXEC},
  {EMFILE, SAFE_EMFILE},
  {ENFILE, SAFE_EMFILE},
  {EAGAIN, SAFE_EAGAIN},
  {EPIPE, SAFE_EPIPE},
  {E2BIG, SAFE_E2BIG},
  {ENAMETOOLONG, SAFE_ENAMETOOLONG},
  {ENOTDIR, SAFE_ENOTDIR},
  {ENOSPC, SAFE_ENOSPC},
  {EDQUOT, SAFE_ENOSPC},
  {EDEADLK, SAFE_EDEADLK},
};

int safe__os_translate(int64_t os_code) {
  size_t at;

  for (at = 0; at < sizeof(codes) / sizeof(codes[0]); at++)
    if (codes[at].from == os_code) return codes[at].to;
  return SAFE_ESYSTEM;
}
