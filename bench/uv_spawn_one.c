/* SPDX-License-Identifier: MIT */
#include "uv_spawn_one.h"

#include <stdio.h>
#include <stdlib.h>

#include "safehold/uv.h"

static int open_handles; /* of the child that is measured */

static void closed(uv_handle_t *handle) {
  (void)handle;
  open_handles--;
}

static void exited(uv_process_t *process, int64_t status, int signal) {
  bench_need(status == 0 && signal == 0, "the child");
  uv_close((uv_handle_t *)process, closed);
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  static char room[4096];

  (void)handle, (void)suggested;
  *buffer = uv_buf_init(room, sizeof(room));
}

static void take(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
  (void)buffer;
  if (length < 0) uv_close((uv_handle_t *)stream, closed);
}

static void start(uv_loop_t *loop, safe_uv_process *process, const uv_process_options_t *options, bool ours) {
  safe_error error = SAFE_ERROR_INIT;

  if (!ours) {
    bench_need(uv_spawn(loop, &process->uv, options) == 0, "uv_spawn");
  } else if (safe_uv_spawn_like(loop, process, options, &error) != 0) {
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
}

double uv_spawn_one(uv_loop_t *loop, const char *child, bool ours, bool piped, struct samples *returned) {
  char *argv[] = {(char *)child, NULL}, *env[] = {NULL};
  uv_stdio_container_t stdio[2];
  uv_process_options_t options = {0};
  safe_uv_process process;
  int64_t began;
  uv_pipe_t out;

  options.file = child;
  options.args = argv;
  options.env = env;
  options.exit_cb = exited;
  began = bench_now();
  if (piped) {
    bench_need(uv_pipe_init(loop, &out, 0) == 0, "uv_pipe_init");
    stdio[0].flags = UV_IGNORE;
    stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[1].data.stream = (uv_stream_t *)&out;
    options.stdio = stdio;
    options.stdio_count = 2;
  }
  start(loop, &process, &options, ours);
  if (returned != NULL) samples_add(returned, (double)(bench_now() - began));
  if (piped) bench_need(uv_read_start((uv_stream_t *)&out, give_room, take) == 0, "uv_read_start");
  open_handles = piped ? 2 : 1;
  while (open_handles > 0) uv_run(loop, UV_RUN_ONCE);
  return (double)(bench_now() - began);
}
