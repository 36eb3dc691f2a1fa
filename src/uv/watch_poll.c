/* SPDX-License-Identifier: MIT */
/*
 * Unix: what the library gives is a descriptor that can be polled.
 *
 * uv_poll_init makes it non-blocking. That changes nothing for the library: an epoll instance, a kqueue and a timer
 * are not read from by blocking calls, and of a pidfd the flag only makes a waitid without WNOHANG answer EAGAIN
 * (kernel/exit.c: kernel_waitid), which is never called. FreeBSD's descriptor of a process knows no EVFILT_READ and is
 * refused; it is asked in pauses.
 */
#include "watch.h"

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct safe__uv_watch *watch = (struct safe__uv_watch *)poll; /* its first member */

  (void)events;
  if (status != 0) safe__uv_watch_slowly(watch); /* POLLERR: libuv has stopped it */
  watch->ready(watch);
}

int safe__uv_source_start(struct safe__uv_watch *watch, uv_loop_t *loop) {
  uv_poll_t *poll = &watch->source.poll;
  int code = uv_poll_init(loop, poll, watch->handle);

  if (code != 0) return code;
  safe__uv_group_add(watch->group, (uv_handle_t *)poll);
  watch->has_source = true;
  code = uv_poll_start(poll, UV_READABLE, on_poll);
  if (code != 0) {
    safe__uv_group_close((uv_handle_t *)poll);
    watch->has_source = false;
  }
  return code;
}

/* It is level-triggered, and goes on by itself. */
int safe__uv_source_again(struct safe__uv_watch *watch) {
  (void)watch;
  return 0;
}

void safe__uv_source_later(struct safe__uv_watch *watch) { (void)watch; }

void safe__uv_source_stop(struct safe__uv_watch *watch) {
  if (watch->has_source && !uv_is_closing(&watch->source.any)) uv_poll_stop(&watch->source.poll);
}

bool safe__uv_source_is(const uv_handle_t *handle) {
  return handle->type == UV_POLL && ((const uv_poll_t *)handle)->poll_cb == on_poll;
}
