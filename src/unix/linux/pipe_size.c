/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "os.h"
#include "pipe.h"

/* Fewer wake-ups per byte; more than this gains nothing. Above pipe(7)'s pipe-user-pages-soft the kernel refuses: then
   it stays as it is. So it does if it has another size than the kernel's own choice, which is then the caller's wish.
 */
#define WIDE (512 * 1024)
#define KERNELS_CHOICE 65536

void safe__os_stream_widen(struct safe__stream *stream) {
  if (fcntl(stream->fd, F_GETPIPE_SZ) == KERNELS_CHOICE) fcntl(stream->fd, F_SETPIPE_SZ, WIDE);
}

void safe__pipe_resize(int fd, unsigned size) { fcntl(fd, F_SETPIPE_SZ, size > INT32_MAX ? INT32_MAX : (int)size); }
