/* SPDX-License-Identifier: MIT */
#include "reopen.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "above_stdio.h"

/* thread-self, as a thread may have unshared its table of descriptors. After a change of user a pipe of the former one
   cannot be opened any more (EACCES); and without a mounted /proc nothing can. */
int safe__reopen(int fd, const struct stat *file, int access) {
  struct stat opened;
  char path[40];
  int own;

  /* To open a pseudo-terminal's master makes a new pseudo-terminal. */
  if (S_ISCHR(file->st_mode) && file->st_rdev == makedev(5, 2)) return -1;
  snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
  own = safe__above_stdio(open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (own < 0) return -1;
  if (fstat(own, &opened) == 0 && opened.st_dev == file->st_dev && opened.st_ino == file->st_ino) return own;
  close(own);
  return -1;
}
