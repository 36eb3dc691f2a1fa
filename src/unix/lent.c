/* SPDX-License-Identifier: MIT */
/*
 * Handles that the caller lends to safe_process_communicate. They may be shared with anybody, so O_NONBLOCK, which
 * belongs to the open file, is never touched. Pipes and terminals are opened once more where that can be done, so that
 * we have an open file of our own; sockets can be asked per call. What is left is polled, and given no more than it
 * can take: with a second writer it could still block.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os.h"
#include "reopen.h"

#ifndef PIPE_BUF
#define PIPE_BUF 512 /* what POSIX promises */
#endif

/* What a terminal or device is offered at a time. A terminal that can be written to has room for one byte. */
#define DEVICE_BYTES ((size_t)65536)

static void borrow_as(struct safe__stream *stream, int fd, enum safe__manner manner, size_t most) {
  stream->fd = fd;
  stream->borrowed = true;
  stream->manner = manner;
  stream->most = most;
}

static bool fits(int flags, bool writes) {
  int access = flags & O_ACCMODE;

  return access == O_RDWR || access == (writes ? O_WRONLY : O_RDONLY);
}

int safe__os_stream_borrow(struct safe__stream *stream, safe_handle handle, bool writes, int index, safe_error *error) {
  int flags = fcntl(handle, F_GETFL), own;
  bool terminal;
  struct stat file;

  if (flags < 0 || fstat(handle, &file) != 0)
    return safe__fail_os(error, errno, SAFE_STAGE_ARGUMENTS, index, "The handle given for stream %d is not open",
                         index);
  if (!fits(flags, writes))
    return safe__fail(error, SAFE_EBADF, SAFE_STAGE_ARGUMENTS, index,
                      "The handle given for stream %d is not open for %s.", index, writes ? "writing" : "reading");
  stream->writes = writes;
  if (S_ISREG(file.st_mode) || S_ISBLK(file.st_mode)) {
    borrow_as(stream, handle, SAFE__AT_ONCE, 0);
    return SAFE_OK;
  }
  if (S_ISSOCK(file.st_mode)) {
    borrow_as(stream, handle, SAFE__SOCKET, 0);
    return SAFE_OK;
  }
  terminal = S_ISCHR(file.st_mode) && isatty(handle);
  own = S_ISFIFO(file.st_mode) || terminal ? safe__reopen(handle, &file, writes ? O_WRONLY : O_RDONLY) : -1;
  if (own >= 0)
    stream->fd = own;
  else
    borrow_as(stream, handle, SAFE__POLLED, S_ISFIFO(file.st_mode) ? PIPE_BUF : terminal ? 1 : DEVICE_BYTES);
  return SAFE_OK;
}
