/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "pipe.h"

int safe__pipe(int fds[2]) { return pipe2(fds, O_CLOEXEC); }
