/* SPDX-License-Identifier: MIT */
/* The owner record of a file that may lie on a dead file system. Raw calls only in the helper. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#ifndef STATX_BASIC_STATS /* musl before 1.2.5 leaves it to the kernel's header */
#include <linux/stat.h>
#endif

#include "ask_aside.h"
#include "os.h"

#define MOST_BYTES 512

struct request {
  struct safe__errand errand;
  char *path;
  char bytes[MOST_BYTES];
  long length;
  struct statx status;
};

/* Only a regular file is opened for reading: opening a device may do something. Nor is one that is too short for a
   record: it may have a lease (fcntl(2), F_SETLEASE), which opening it would break. */
static int read_start(struct safe__job *job, int none, int *reply) {
  struct request *request = (struct request *)job;
  long fd, result;

  (void)none, (void)reply;
  result = safe__raw6(SYS_statx, AT_FDCWD, (long)request->path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE,
                      (long)&request->status, 0);
  if (result < 0) return (int)-result;
  if ((request->status.stx_mode & S_IFMT) != S_IFREG) return EINVAL;
  request->length = 0;
  if (request->status.stx_size < MOST_BYTES) return 0;
  fd = safe__raw6(SYS_openat, AT_FDCWD, (long)request->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, 0, 0);
  if (fd < 0) return (int)-fd;
  request->length = safe__raw6(SYS_read, fd, (long)request->bytes, MOST_BYTES, 0, 0, 0);
  safe__raw6(SYS_close, fd, 0, 0, 0, 0, 0);
  return request->length < 0 ? (int)-request->length : 0;
}

static void release(struct safe__errand *errand) {
  struct request *request = (struct request *)errand;

  safe__free(request->path);
  safe__free(request);
}

int64_t safe__os_read_start(const char *path, void *buffer, size_t size, int64_t deadline) {
  struct request *request = safe__alloc(sizeof(*request));
  int64_t result = SAFE_ENOENT;
  safe_error ignored;
  int code;

  if (request == NULL) return SAFE_ENOMEM;
  request->path = safe__copy_text(path);
  if (request->path == NULL) {
    safe__free(request);
    return SAFE_ENOMEM;
  }
  request->errand.job.run = read_start;
  request->errand.release = release;
  code = safe__ask_aside(&request->errand, deadline, &ignored);
  if (code == SAFE_ESTUCK) return code;
  if (code == SAFE_OK && request->errand.job.result == 0) {
    result = request->length < (int64_t)size ? request->length : (int64_t)size;
    memcpy(buffer, request->bytes, (size_t)result);
  }
  release(&request->errand);
  return result;
}
