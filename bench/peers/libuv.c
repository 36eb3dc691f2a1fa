/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "peer.h"

#define CHUNK ((size_t)256 * 1024)

static uv_loop_t *loop;

static void exited(uv_process_t *process, int64_t status, int signal) {
  (void)status, (void)signal;
  uv_close((uv_handle_t *)process, NULL);
}

static int64_t spawn(const char *child) {
  char *argv[] = {(char *)child, NULL}, *env[] = {NULL};
  uv_process_options_t options = {0};
  uv_process_t process;
  int64_t started;

  options.file = child;
  options.args = argv;
  options.env = env;
  options.exit_cb = exited;
  bench_need(uv_spawn(loop, &process, &options) == 0, "uv_spawn");
  started = bench_now();
  uv_run(loop, UV_RUN_DEFAULT);
  return started;
}

static char input[CHUNK], output[CHUNK];
static size_t left, got;
static uv_pipe_t to, from;
static uv_write_t request;

static void write_more(uv_write_t *written, int status) {
  uv_buf_t piece = uv_buf_init(input, (unsigned)(left < CHUNK ? left : CHUNK));

  (void)written;
  bench_need(status == 0, "uv_write");
  left -= piece.len;
  if (piece.len == 0)
    uv_close((uv_handle_t *)&to, NULL);
  else
    bench_need(uv_write(&request, (uv_stream_t *)&to, &piece, 1, write_more) == 0, "uv_write");
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  (void)handle, (void)suggested;
  *buffer = uv_buf_init(output, (unsigned)CHUNK);
}

static void take(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
  (void)buffer;
  if (length > 0) got += (size_t)length;
  if (length < 0) uv_close((uv_handle_t *)stream, NULL);
}

static void cat(size_t total) {
  char *argv[] = {"cat", NULL};
  uv_process_options_t options = {0};
  uv_stdio_container_t stdio[2];
  uv_process_t process;

  uv_pipe_init(loop, &to, 0);
  uv_pipe_init(loop, &from, 0);
  stdio[0].flags = UV_CREATE_PIPE | UV_READABLE_PIPE;
  stdio[0].data.stream = (uv_stream_t *)&to;
  stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
  stdio[1].data.stream = (uv_stream_t *)&from;
  options.file = "/bin/cat";
  options.args = argv;
  options.exit_cb = exited;
  options.stdio = stdio;
  options.stdio_count = 2;
  memset(input, 'x', sizeof(input));
  left = total;
  got = 0;
  bench_need(uv_spawn(loop, &process, &options) == 0, "uv_spawn");
  uv_read_start((uv_stream_t *)&from, give_room, take);
  write_more(&request, 0);
  uv_run(loop, UV_RUN_DEFAULT);
  bench_need(got == total, "cat");
}

int main(int argc, char **argv) {
  static struct peer peer = {NULL, spawn, cat, (size_t)1 << 30};
  char name[64];

  snprintf(name, sizeof(name), "libuv %s", uv_version_string());
  peer.name = name;
  loop = uv_default_loop();
  return peer_main(argc, argv, &peer);
}
