/* SPDX-License-Identifier: MIT */
/*
 * Windows: the system's own pool waits for the handle, without a thread for it, and its callback wakes the loop. The
 * wait fires once, and is registered anew for the next time.
 */
#include "watch.h"

#include <windows.h>

/* A host that closes all it finds by uv_walk has closed this one too, and does not expect anything from it. */
static VOID CALLBACK on_signalled(PVOID argument, BOOLEAN timed_out) {
  struct safe__uv_watch *watch = argument;

  (void)timed_out;
  if (!uv_is_closing(&watch->source.any)) uv_async_send(&watch->source.async);
}

/*
 * Blocks until a callback that runs at the moment has ended, as uv_close of a uv_process_t does (libuv's
 * src/win/process.c: uv__process_close). It does nothing but post to the loop, and never waits for it.
 */
static void unregister(struct safe__uv_watch *watch) {
  if (watch->wait != NULL) UnregisterWaitEx(watch->wait, INVALID_HANDLE_VALUE);
  watch->wait = NULL;
}

static int register_wait(struct safe__uv_watch *watch) {
  HANDLE wait;

  if (!RegisterWaitForSingleObject(&wait, watch->handle, on_signalled, watch, INFINITE,
                                   WT_EXECUTEINWAITTHREAD | WT_EXECUTEONLYONCE))
    return uv_translate_sys_error((int)GetLastError());
  watch->wait = wait;
  return 0;
}

static void on_async(uv_async_t *async) {
  struct safe__uv_watch *watch = (struct safe__uv_watch *)async; /* its first member */

  if (watch->wait == NULL && !watch->put_off) return; /* sent before the watch was stopped */
  watch->put_off = false;
  unregister(watch);
  watch->ready(watch);
}

int safe__uv_source_start(struct safe__uv_watch *watch, uv_loop_t *loop) {
  int code = uv_async_init(loop, &watch->source.async, on_async);

  if (code != 0) return code;
  safe__uv_group_add(watch->group, &watch->source.any);
  watch->has_source = true;
  code = register_wait(watch);
  if (code != 0) {
    safe__uv_group_close(&watch->source.any);
    watch->has_source = false;
  }
  return code;
}

int safe__uv_source_again(struct safe__uv_watch *watch) { return watch->wait != NULL ? 0 : register_wait(watch); }

void safe__uv_source_later(struct safe__uv_watch *watch) {
  watch->put_off = true;
  uv_async_send(&watch->source.async);
}

void safe__uv_source_stop(struct safe__uv_watch *watch) {
  watch->put_off = false;
  unregister(watch);
}

bool safe__uv_source_is(const uv_handle_t *handle) {
  return handle->type == UV_ASYNC && ((const uv_async_t *)handle)->async_cb == on_async;
}
