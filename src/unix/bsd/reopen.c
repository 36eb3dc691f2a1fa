/* SPDX-License-Identifier: MIT */
#include "reopen.h"

#include <fcntl.h>
#include <unistd.h>

#include "above_stdio.h"

/* A terminal has a name. A pipe has none, and /dev/fd gives the same open file again. A pseudo-terminal's master is
   refused: its name is the other end's. */
int safe__reopen(int fd, const struct stat *file, int access) {
  char path[128];
  struct stat opened;
  int own;

  if (!S_ISCHR(file->st_mode) || ttyname_r(fd, path, sizeof(path)) != 0) return -1;
  own = safe__above_stdio(open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (own < 0) return -1;
  if (fstat(own, &opened) == 0 && S_ISCHR(opened.st_mode) && opened.st_rdev == file->st_rdev) return own;
  close(own);
  return -1;
}
