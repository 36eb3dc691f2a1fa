/* SPDX-License-Identifier: MIT */
/*
 * A child of the adapter's tests that has libuv itself:
 *
 *   kinds LAST     writes what each descriptor up to LAST is, as uv_guess_handle knows it, one a line
 *   copy FROM TO   copies one descriptor to another until the end
 *   say FD TEXT    writes the text to the descriptor
 *   receive FD     gets a TCP connection through the IPC pipe at FD, writes "from the child" to it and closes it
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

static const char *kind_of(uv_file file) {
  switch (uv_guess_handle(file)) {
  case UV_FILE:
    return "file";
  case UV_NAMED_PIPE:
    return "pipe";
  case UV_TTY:
    return "tty";
  default:
    return "unknown";
  }
}

static int say_kinds(int last) {
  int fd;

  for (fd = 0; fd <= last; fd++) printf("%d %s\n", fd, kind_of(fd));
  return 0;
}

static int put(uv_file to, char *bytes, size_t length) {
  uv_buf_t buffer;
  uv_fs_t request;
  ssize_t wrote;

  while (length > 0) {
    buffer = uv_buf_init(bytes, (unsigned)length);
    wrote = uv_fs_write(NULL, &request, to, &buffer, 1, -1, NULL);
    if (wrote <= 0) return 1;
    bytes += wrote;
    length -= (size_t)wrote;
  }
  return 0;
}

static int copy(uv_file from, uv_file to) {
  char bytes[65536];
  uv_buf_t buffer = uv_buf_init(bytes, sizeof(bytes));
  uv_fs_t request;
  ssize_t got;

  while ((got = uv_fs_read(NULL, &request, from, &buffer, 1, -1, NULL)) > 0)
    if (put(to, bytes, (size_t)got) != 0) return 1;
  return got == 0 || got == UV_EOF ? 0 : 2;
}

static uv_tcp_t connection;
static uv_write_t write_request;
static int received;

static void after_write(uv_write_t *request, int status) {
  if (status != 0) exit(5);
  received = 1;
  uv_close((uv_handle_t *)request->handle, NULL);
}

static void allocate(uv_handle_t *handle, size_t wish, uv_buf_t *buffer) {
  static char room[64];

  (void)handle, (void)wish;
  *buffer = uv_buf_init(room, sizeof(room));
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  static char text[] = "from the child";
  uv_buf_t out = uv_buf_init(text, sizeof(text) - 1);

  (void)buffer;
  if (got < 0) exit(2);
  if (uv_pipe_pending_count((uv_pipe_t *)stream) == 0) return;
  if (uv_pipe_pending_type((uv_pipe_t *)stream) != UV_TCP) exit(3);
  uv_tcp_init(stream->loop, &connection);
  if (uv_accept(stream, (uv_stream_t *)&connection) != 0) exit(4);
  uv_write(&write_request, (uv_stream_t *)&connection, &out, 1, after_write);
  uv_close((uv_handle_t *)stream, NULL);
}

static int receive(uv_file fd) {
  uv_pipe_t pipe;

  if (uv_pipe_init(uv_default_loop(), &pipe, 1) != 0 || uv_pipe_open(&pipe, fd) != 0) return 1;
  if (uv_read_start((uv_stream_t *)&pipe, allocate, on_read) != 0) return 1;
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  return received ? 0 : 6;
}

int main(int argc, char **argv) {
  int result = 99;

  if (argc == 3 && strcmp(argv[1], "kinds") == 0) result = say_kinds(atoi(argv[2]));
  if (argc == 4 && strcmp(argv[1], "copy") == 0) result = copy(atoi(argv[2]), atoi(argv[3]));
  if (argc == 4 && strcmp(argv[1], "say") == 0) result = put(atoi(argv[2]), argv[3], strlen(argv[3]));
  if (argc == 3 && strcmp(argv[1], "receive") == 0) result = receive(atoi(argv[2]));
  return fflush(stdout) == 0 ? result : 98;
}
