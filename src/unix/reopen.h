/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_REOPEN_H
#define SAFEHOLD_REOPEN_H

#include <sys/stat.h>

/* Opens the pipe or terminal that fd is once more, with O_NONBLOCK and close-on-exec: an open file of its own, and
   never a standard stream's number. -1 where that cannot be done. */
int safe__reopen(int fd, const struct stat *file, int access);

#endif
