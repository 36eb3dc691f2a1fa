/* SPDX-License-Identifier: MIT */
/* What is the same on every system: looking in pauses, and the end. */
#include "watch.h"

#define LONGEST_PAUSE_MS 16

static void on_timer(uv_timer_t *timer) {
  struct safe__uv_watch *watch = (struct safe__uv_watch *)((char *)timer - offsetof(struct safe__uv_watch, timer));

  if (watch->pause_ms < LONGEST_PAUSE_MS) watch->pause_ms *= 2;
  uv_timer_start(timer, on_timer, watch->pause_ms, 0);
  watch->ready(watch);
}

static void start_timer(struct safe__uv_watch *watch, uv_loop_t *loop) {
  uv_timer_init(loop, &watch->timer);
  safe__uv_group_add(watch->group, (uv_handle_t *)&watch->timer);
  watch->has_timer = true;
  watch->pause_ms = 1;
  uv_timer_start(&watch->timer, on_timer, watch->pause_ms, 0);
}

int safe__uv_watch_start(struct safe__uv_watch *watch, uv_loop_t *loop, safe_handle handle,
                         struct safe__uv_group *group, void (*ready)(struct safe__uv_watch *)) {
  int code = UV_ENOTSUP;

  watch->handle = handle;
  watch->group = group;
  watch->ready = ready;
  if (handle != SAFE_INVALID_HANDLE) code = safe__uv_source_start(watch, loop);
  if (code == UV_ENOMEM || code == UV_EMFILE) return code;
  if (code != 0) start_timer(watch, loop);
  return 0;
}

void safe__uv_watch_again(struct safe__uv_watch *watch) {
  if (!watch->has_timer && safe__uv_source_again(watch) != 0) safe__uv_watch_slowly(watch);
}

void safe__uv_watch_later(struct safe__uv_watch *watch) {
  if (!watch->has_timer) safe__uv_source_later(watch); /* a timer comes anyway */
}

void safe__uv_watch_slowly(struct safe__uv_watch *watch) {
  if (watch->has_timer) return;
  safe__uv_source_stop(watch);
  start_timer(watch, watch->source.any.loop);
}

void safe__uv_watch_close(struct safe__uv_watch *watch) {
  if (watch->has_source) {
    safe__uv_source_stop(watch);
    safe__uv_group_close(&watch->source.any);
    watch->has_source = false;
  }
  if (watch->has_timer) safe__uv_group_close((uv_handle_t *)&watch->timer);
  watch->has_timer = false;
}

bool safe__uv_watch_lives(const struct safe__uv_watch *watch) {
  if (watch->has_timer) return !uv_is_closing((const uv_handle_t *)&watch->timer);
  return watch->has_source && !uv_is_closing(&watch->source.any);
}

static void reference(uv_handle_t *handle, bool keeps_alive) {
  if (keeps_alive)
    uv_ref(handle);
  else
    uv_unref(handle);
}

void safe__uv_watch_reference(struct safe__uv_watch *watch, bool keeps_alive) {
  if (watch->has_source) reference(&watch->source.any, keeps_alive);
  if (watch->has_timer) reference((uv_handle_t *)&watch->timer, keeps_alive);
}

bool safe__uv_watch_owns(const uv_handle_t *handle) {
  if (handle->type == UV_TIMER) return ((const uv_timer_t *)handle)->timer_cb == on_timer;
  return safe__uv_source_is(handle);
}
