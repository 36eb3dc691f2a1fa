/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "above_stdio.h"
#include "kernel.h"
#include "os.h"
#include "poll_wait.h"

struct safe_cancel {
  int fd; /* an eventfd, readable for ever once triggered */
};

int safe__os_cancel_create(safe_cancel **out) {
  safe_cancel *cancel = safe__alloc(sizeof(*cancel));

  if (cancel == NULL) return SAFE_ENOMEM;
  cancel->fd = safe__above_stdio(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (cancel->fd < 0) {
    safe__free(cancel);
    return safe__os_translate(errno);
  }
  *out = cancel;
  return SAFE_OK;
}

void safe__os_cancel_trigger(safe_cancel *cancel) {
  uint64_t one = 1;

  /* Raw, as a signal handler may call this and errno is the interrupted code's. */
  safe__raw6(SYS_write, cancel->fd, (long)&one, sizeof(one), 0, 0, 0);
}

void safe__os_cancel_free(safe_cancel *cancel) {
  close(cancel->fd);
  safe__free(cancel);
}

int safe__cancel_fd(const safe_cancel *cancel) { return cancel == NULL ? -1 : cancel->fd; }
