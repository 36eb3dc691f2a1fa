/* SPDX-License-Identifier: MIT */
#include "uv_loop.h"

#define PATIENCE_MS 20000

void assert_uv_at(int code, int expected, const char *file, int line) {
  if (code == expected) return;
  print_error("%s instead of %s\n", code == 0 ? "0" : uv_strerror(code), expected == 0 ? "0" : uv_strerror(expected));
  _fail(file, line);
}

void open_loop(uv_loop_t *loop) { assert_uv(uv_loop_init(loop), 0); }

static void wake(uv_timer_t *timer) { (void)timer; }

static void turn(uv_loop_t *loop, int64_t deadline, const int *number, int reached) {
  uv_timer_t timer; /* so that a turn ends also when nothing comes */

  uv_timer_init(loop, &timer);
  uv_timer_start(&timer, wake, 5, 5);
  while ((number == NULL || *number < reached) && now_ms() < deadline) uv_run(loop, UV_RUN_ONCE);
  uv_close((uv_handle_t *)&timer, NULL);
  do uv_run(loop, UV_RUN_NOWAIT);
  while (uv_is_active((uv_handle_t *)&timer));
}

void run_until(uv_loop_t *loop, const int *number, int reached) {
  turn(loop, now_ms() + (int64_t)PATIENCE_MS * slowness(), number, reached);
  assert_int_equal(*number, reached);
}

void run_for(uv_loop_t *loop, int ms) { turn(loop, now_ms() + ms, NULL, 0); }

static void say(uv_handle_t *handle, void *unused) {
  (void)unused;
  print_error("left in the loop: %s%s%s\n", uv_handle_type_name(handle->type), uv_is_active(handle) ? ", active" : "",
              uv_is_closing(handle) ? ", closing" : "");
}

void close_loop(uv_loop_t *loop) {
  int64_t deadline = now_ms() + (int64_t)PATIENCE_MS * slowness();

  while (uv_loop_alive(loop) && now_ms() < deadline) uv_run(loop, UV_RUN_NOWAIT);
  uv_walk(loop, say, NULL);
  assert_uv(uv_loop_close(loop), 0);
}

struct counts {
  int all, owned;
};

static void count(uv_handle_t *handle, void *counts) {
  struct counts *into = counts;

  if (uv_is_closing(handle)) return;
  into->all++;
  if (safe_uv_owns(handle)) into->owned++;
}

int count_loop_handles(uv_loop_t *loop, int *owned) {
  struct counts counts = {0, 0};

  uv_walk(loop, count, &counts);
  if (owned != NULL) *owned = counts.owned;
  return counts.all;
}

safe_spawn_options helper_options(const char *const *words) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

  options.file = helper_path();
  options.argv = words;
  return options;
}
