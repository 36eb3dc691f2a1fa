/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "os.h"
#include "pipe.h"

/* Fewer wake-ups per byte. Above pipe(7)'s pipe-user-pages-soft the kernel refuses: then it stays as it is. */
#define WIDE (256 * 1024)

void safe__os_stream_widen(struct safe__stream *stream) {
  if (stream->fd >= 0) fcntl(stream->fd, F_SETPIPE_SZ, WIDE);
}

void safe__pipe_resize(int fd, unsigned size) { fcntl(fd, F_SETPIPE_SZ, size > INT32_MAX ? INT32_MAX : (int)size); }
