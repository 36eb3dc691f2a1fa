/* SPDX-License-Identifier: MIT */
/* Waiting in the loop until a handle of the library's is ready: watch_poll.c on Unix, watch_wait.c on Windows. */
#ifndef SAFEHOLD_UV_WATCH_H
#define SAFEHOLD_UV_WATCH_H

#include "group.h"

struct safe__uv_watch {
  union {
    uv_handle_t any;
    uv_poll_t poll;
    uv_async_t async;
  } source;
  uv_timer_t timer;
  safe_handle handle;
  void *wait; /* Windows: the registered wait, or NULL */
  void (*ready)(struct safe__uv_watch *);
  uint64_t pause_ms;
  bool has_source, has_timer;
  bool put_off; /* Windows: the source was told to come again by itself */
  struct safe__uv_group *group;
};

/*
 * ready is called in the loop when the handle is ready, again and again until the watch is closed. A handle that the
 * loop cannot wait for, SAFE_INVALID_HANDLE among them, makes it come in growing pauses of 1 to 16 ms. 0 or a UV_E*,
 * and then nothing is left to close.
 */
int safe__uv_watch_start(struct safe__uv_watch *watch, uv_loop_t *loop, safe_handle handle,
                         struct safe__uv_group *group, void (*ready)(struct safe__uv_watch *));
/* ready has found nothing, as may happen: what it looked at may be ready again later. */
void safe__uv_watch_again(struct safe__uv_watch *watch);
/* ready has not looked yet: it is to come in the next turn. */
void safe__uv_watch_later(struct safe__uv_watch *watch);
/* ready has found nothing though the handle stays ready: from now on it comes in pauses. */
void safe__uv_watch_slowly(struct safe__uv_watch *watch);
/* Afterwards the library may close the handle. Does nothing where there is none, or when it was done. */
void safe__uv_watch_close(struct safe__uv_watch *watch);
/* False also where the host has closed what is not its own. */
bool safe__uv_watch_lives(const struct safe__uv_watch *watch);
void safe__uv_watch_reference(struct safe__uv_watch *watch, bool keeps_alive);

/* ---- Each system's own part. */

/* Makes watch->source; UV_ENOTSUP and the like: there is none for this handle. */
int safe__uv_source_start(struct safe__uv_watch *watch, uv_loop_t *loop);
int safe__uv_source_again(struct safe__uv_watch *watch);
void safe__uv_source_later(struct safe__uv_watch *watch);
/* The loop does not look at the handle any more; the source itself is still to be closed. */
void safe__uv_source_stop(struct safe__uv_watch *watch);
bool safe__uv_source_is(const uv_handle_t *handle); /* not a timer */

#endif
