/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "poll_wait.h"
#include "quiet_write.h"

void safe__os_stream_none(struct safe__stream *stream) {
  static const struct safe__stream none = {.fd = -1};

  *stream = none;
}

bool safe__os_stream_open(const struct safe__stream *stream) { return stream->fd >= 0; }

bool safe__os_stream_ours(const struct safe__stream *stream) { return stream->fd >= 0 && !stream->blocking; }

bool safe__os_stream_ready(const struct safe__stream *stream) { return !stream->waits; }

static short poll_stream(const struct safe__stream *stream, short events) {
  struct pollfd ready = {stream->fd, events, 0};

  return safe__poll(&ready, 1, 0) > 0 ? ready.revents : 0;
}

bool safe__os_stream_gone(struct safe__stream *stream) { return (poll_stream(stream, 0) & (POLLERR | POLLHUP)) != 0; }

static int64_t answer(const struct safe__stream *stream, ssize_t moved) {
  if (moved >= 0) return moved;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return SAFE__AGAIN;
  if (errno == EPIPE && stream->writes) return 0;
  /* How a pseudo-terminal says that nobody has it open any more. */
  if (errno == EIO && stream->terminal) return 0;
  return safe__os_translate(errno);
}

int64_t safe__os_stream_read(struct safe__stream *stream, void *buffer, size_t length) {
  ssize_t moved;

  if (stream->manner == SAFE__POLLED && poll_stream(stream, POLLIN) == 0) return SAFE__AGAIN;
  do {
    if (stream->manner == SAFE__SOCKET)
      moved = recv(stream->fd, buffer, length, MSG_DONTWAIT);
    else
      moved = read(stream->fd, buffer, length);
  } while (moved < 0 && errno == EINTR);
  return answer(stream, moved);
}

int64_t safe__os_stream_write(struct safe__stream *stream, const void *bytes, size_t length) {
  ssize_t moved;

  if (stream->manner == SAFE__POLLED) {
    if (poll_stream(stream, POLLOUT) == 0) return SAFE__AGAIN;
    if (length > stream->most) length = stream->most;
  }
  if (stream->manner == SAFE__SOCKET)
    moved = safe__quiet_send(stream->fd, bytes, length);
  else
    moved = safe__quiet_write(stream->fd, bytes, length);
  if (moved > 0) stream->mid_line = ((const char *)bytes)[moved - 1] != '\n';
  return answer(stream, moved);
}

/* A program that reads lines from a terminal takes the end-of-file character for the end at the start of a line only;
   elsewhere it ends the line, and a second one is needed. One that reads characters has no such character. */
int64_t safe__os_stream_finish(struct safe__stream *stream) {
  struct termios settings;
  int64_t moved;
  char end;

  while (stream->terminal && tcgetattr(stream->fd, &settings) == 0 && (settings.c_lflag & ICANON) != 0) {
    end = (char)settings.c_cc[VEOF];
    moved = answer(stream, safe__quiet_write(stream->fd, &end, 1));
    if (moved == SAFE__AGAIN) return moved;
    if (moved <= 0 || !stream->mid_line) break;
    stream->mid_line = false;
  }
  safe__os_stream_close(stream);
  return SAFE_OK;
}

/* Nothing is ever under way here. */
bool safe__os_stream_settle(struct safe__stream *stream) {
  (void)stream;
  return false;
}

void safe__os_stream_close(struct safe__stream *stream) {
  /* Not repeated at EINTR: on Linux the number is free by then, and may be another thread's already. */
  if (stream->fd >= 0 && !stream->borrowed) close(stream->fd);
  stream->fd = -1;
}

safe_handle safe__os_stream_take(struct safe__stream *stream) {
  int fd = stream->fd;

  stream->fd = -1;
  return fd;
}

#define MOST_STREAMS 4

int safe__os_stream_wait(const struct safe__awaited *awaited, size_t count, struct safe__child *child,
                         safe_cancel *cancel, int64_t deadline) {
  bool blind = child != NULL && child->exit_fd < 0; /* it has to be looked after at each turn */
  struct pollfd ready[MOST_STREAMS + 2];
  size_t at;

  for (at = 0; at < count; at++) {
    ready[at].fd = awaited[at].stream->fd;
    ready[at].events = awaited[at].gone ? 0 : awaited[at].stream->writes ? POLLOUT : POLLIN;
    ready[at].revents = 0;
  }
  ready[count].fd = child == NULL ? -1 : child->exit_fd;
  ready[count + 1].fd = safe__cancel_fd(cancel);
  ready[count].events = ready[count + 1].events = POLLIN;
  ready[count].revents = ready[count + 1].revents = 0;
  safe__poll(ready, (int)count + 2, blind ? 0 : deadline);
  for (at = 0; at < count; at++) awaited[at].stream->waits = ready[at].revents == 0;
  return (blind || ready[count].revents != 0 ? SAFE__WOKEN_BY_CHILD : 0) |
         (ready[count + 1].revents != 0 ? SAFE__WOKEN_BY_CANCEL : 0);
}
