/* SPDX-License-Identifier: MIT */
#include "quiet_write.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

static bool pending(const sigset_t *set) {
  sigset_t now;

  return sigpending(&now) == 0 && sigismember(&now, SIGPIPE) == 1 && sigismember(set, SIGPIPE) == 1;
}

/*
 * The signal of a failed write is the writing thread's own: it is blocked around the write, and taken off the
 * thread's list before it is unblocked, unless one had been waiting there before, which is the host's.
 */
ssize_t safe__quiet_write(int fd, const void *bytes, size_t length) {
  sigset_t pipe_signal, old;
  bool before;
  ssize_t moved;
  int saved, signal;

  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, &old);
  before = pending(&pipe_signal);
  do moved = write(fd, bytes, length);
  while (moved < 0 && errno == EINTR);
  saved = errno;
  if (moved < 0 && saved == EPIPE && !before && pending(&pipe_signal)) sigwait(&pipe_signal, &signal);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  errno = saved;
  return moved;
}

ssize_t safe__quiet_send(int fd, const void *bytes, size_t length) {
  ssize_t moved;

  do moved = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (moved < 0 && errno == EINTR);
  return moved;
}
