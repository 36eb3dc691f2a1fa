/* SPDX-License-Identifier: MIT */
/*
 * A pipe, readable for ever once a byte is in it. Not a kqueue with a user event, which would need one descriptor
 * only: on macOS a kqueue that another one or poll(2) looks at has been seen to answer "readable" without an event,
 * and here that would be a cancellation nobody asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "os.h"
#include "pipe.h"
#include "poll_wait.h"

struct safe_cancel {
  int fds[2]; /* read, write */
};

int safe__os_cancel_create(safe_cancel **out) {
  safe_cancel *cancel = safe__alloc(sizeof(*cancel));
  int code;

  if (cancel == NULL) return SAFE_ENOMEM;
  if (safe__pipe(cancel->fds) != 0) {
    code = safe__os_translate(errno);
    safe__free(cancel);
    return code;
  }
  /* Triggered again and again, it would fill up and block. */
  fcntl(cancel->fds[1], F_SETFL, fcntl(cancel->fds[1], F_GETFL) | O_NONBLOCK);
  *out = cancel;
  return SAFE_OK;
}

/* write(2) may be called in a signal handler; errno is the interrupted code's. No SIGPIPE: we hold both ends. */
void safe__os_cancel_trigger(safe_cancel *cancel) {
  int saved = errno;

  if (write(cancel->fds[1], "", 1) != 1) errno = saved; /* it is full: triggered long ago */
  errno = saved;
}

void safe__os_cancel_free(safe_cancel *cancel) {
  close(cancel->fds[0]);
  close(cancel->fds[1]);
  safe__free(cancel);
}

int safe__cancel_fd(const safe_cancel *cancel) { return cancel == NULL ? -1 : cancel->fds[0]; }
