/* SPDX-License-Identifier: MIT */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_nameless(void) {
  const char *folder = getenv("TMPDIR");
  char path[4096];
  int file;

  if (folder == NULL || *folder != '/') folder = "/tmp";
  file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return file;
  /* Not every file system can make one without a name. */
  if (snprintf(path, sizeof(path), "%s/cgi_server.XXXXXX", folder) >= (int)sizeof(path)) return -1;
  file = mkostemp(path, O_CLOEXEC);
  if (file >= 0) unlink(path);
  return file;
}

static bool write_out(struct spool *spool, const char *bytes, size_t length) {
  while (length > 0) {
    ssize_t count = pwrite(spool->file, bytes, length, (off_t)spool->end);

    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes += count;
    length -= (size_t)count;
    spool->end += (uint64_t)count;
  }
  return true;
}

static bool go_to_file(struct spool *spool) {
  uint64_t begin = spool->begin;

  spool->file = open_nameless();
  if (spool->file < 0) return false;
  spool->begin = spool->end = 0;
  if (spool->memory.length > begin &&
      !write_out(spool, spool->memory.bytes + begin, spool->memory.length - (size_t)begin))
    return false;
  buffer_free(&spool->memory);
  return true;
}

uint64_t spool_length(const struct spool *spool) { return spool->end - spool->begin; }

bool spool_add(struct spool *spool, const char *bytes, size_t length) {
  if (spool->file < 0 && spool_length(spool) + length > SPOOL_MEMORY && !go_to_file(spool)) return false;
  if (spool->file >= 0) return write_out(spool, bytes, length);
  if (spool->begin > 0) { /* what was taken makes room */
    memmove(spool->memory.bytes, spool->memory.bytes + spool->begin, (size_t)spool_length(spool));
    spool->end -= spool->begin;
    spool->begin = 0;
    spool->memory.length = (size_t)spool->end;
  }
  if (!buffer_add(&spool->memory, bytes, length)) return false;
  spool->end += length;
  return true;
}

size_t spool_take(struct spool *spool, char *bytes, size_t room) {
  ssize_t count;

  if (spool_length(spool) < room) room = (size_t)spool_length(spool);
  if (room == 0) return 0;
  if (spool->file < 0) {
    memcpy(bytes, spool->memory.bytes + spool->begin, room);
    spool->begin += room;
    return room;
  }
  do count = pread(spool->file, bytes, room, (off_t)spool->begin);
  while (count < 0 && errno == EINTR);
  if (count <= 0) return 0;
  spool->begin += (uint64_t)count;
  if (spool->begin == spool->end) { /* memory will do again */
    close(spool->file);
    spool->file = -1;
    spool->begin = spool->end = 0;
  }
  return (size_t)count;
}

void spool_free(struct spool *spool) {
  buffer_free(&spool->memory);
  if (spool->file >= 0) close(spool->file);
  spool->file = -1;
  spool->begin = spool->end = 0;
}
