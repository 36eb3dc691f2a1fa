/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "poll_wait.h"
#include "quiet_write.h"

bool safe__os_stream_open(const struct safe__stream *stream) { return stream->fd >= 0; }

static int64_t answer(struct safe__stream *stream, ssize_t moved) {
  stream->blocked = moved < 0 && errno == EAGAIN;
  if (moved >= 0) return moved;
  if (stream->blocked) return SAFE__AGAIN;
  return errno == EPIPE ? 0 : safe__os_translate(errno);
}

int64_t safe__os_stream_read(struct safe__stream *stream, void *buffer, size_t length) {
  ssize_t moved;

  do moved = read(stream->fd, buffer, length);
  while (moved < 0 && errno == EINTR);
  return answer(stream, moved);
}

int64_t safe__os_stream_write(struct safe__stream *stream, const void *bytes, size_t length) {
  return answer(stream, safe__quiet_write(stream->fd, bytes, length));
}

void safe__os_stream_close(struct safe__stream *stream) {
  /* Not repeated at EINTR: on Linux the number is free by then, and may be another thread's already. */
  if (stream->fd >= 0) close(stream->fd);
  stream->fd = -1;
}

safe_handle safe__os_stream_take(struct safe__stream *stream) {
  int fd = stream->fd;

  stream->fd = -1;
  return fd;
}

/* The child's exit is watched beside its pipes; where that has no descriptor, in steps. */
#define STEP_MS 5

void safe__os_stream_wait(struct safe__stream *streams, size_t count, struct safe__child *child, safe_cancel *cancel,
                          int64_t deadline) {
  struct pollfd ready[5];
  size_t at;

  for (at = 0; at < count; at++) {
    ready[at].fd = streams[at].blocked ? streams[at].fd : -1;
    ready[at].events = streams[at].writes ? POLLOUT : POLLIN;
  }
  ready[count].fd = child == NULL ? -1 : child->exit_fd;
  ready[count].events = POLLIN;
  ready[count + 1].fd = safe__cancel_fd(cancel);
  ready[count + 1].events = POLLIN;
  for (at = 0; at < count; at++)
    if (streams[at].fd >= 0 && !streams[at].blocked) return; /* its turn was over, and it can go on */
  if (child != NULL && child->exit_fd < 0) deadline = safe__deadline_min(deadline, safe__deadline(STEP_MS));
  safe__poll(ready, (int)count + 2, deadline);
}
