/* SPDX-License-Identifier: MIT */
#include "order.h"
#include "pipe.h"
#include "pty.h"

static int no_handle(int index, safe_error *error) {
  return safe__fail(error, SAFE_EBADF, SAFE_STAGE_STDIO, index, "The handle of standard stream %d is no open handle.",
                    index);
}

static int open_nul(int index, HANDLE *into, safe_error *error) {
  DWORD access = index == 0 ? GENERIC_READ : GENERIC_WRITE | FILE_READ_ATTRIBUTES;

  *into = CreateFileW(L"\\\\.\\NUL", access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
  if (*into != INVALID_HANDLE_VALUE) return SAFE_OK;
  *into = NULL;
  return safe__fail_os(error, GetLastError(), SAFE_STAGE_STDIO, index, "The null device cannot be opened");
}

static int make_pipe(struct safe__child *child, struct safe__win_launch *launch, const safe_stdio *stdio, int index,
                     safe_error *error) {
  bool blocking = stdio->kind == SAFE_STDIO_PIPE && (stdio->flags & SAFE_STDIO_BLOCKING) != 0;
  DWORD failure;
  HANDLE ours;

  failure = safe__win_pipe(index == 0, blocking, stdio->pipe_size, &ours, &launch->stdio[index]);
  if (failure != ERROR_SUCCESS)
    return safe__fail_os(error, failure, SAFE_STAGE_PIPE, index, "No pipe could be made for stream %d", index);
  if (launch->pty && index == 0 && !safe__win_copy_handle(ours, &launch->pty_input)) {
    failure = GetLastError();
    CloseHandle(ours);
    return safe__fail_os(error, failure, SAFE_STAGE_TERMINAL, 0, "The terminal's input cannot be kept open");
  }
  return safe__win_stream_make(&child->streams[index], ours, index == 0, blocking, index, error);
}

/* Opened by the task, as it may block; named here, as a relative path is meant from where the host is now. */
static int name_file(struct safe__win_file *file, const safe_stdio *stdio, int index, safe_error *error) {
  bool append = (stdio->flags & SAFE_STDIO_APPEND) != 0, fresh = (stdio->flags & SAFE_STDIO_NEW) != 0;
  int code = safe__win_path(stdio->path, &file->path);

  if (code != SAFE_OK) {
    safe__win_path_failed(code, SAFE_STAGE_STDIO, error);
    error->index = index;
    return code;
  }
  if (index == 0) {
    file->access = GENERIC_READ;
    file->disposition = OPEN_EXISTING;
    return SAFE_OK;
  }
  /* FILE_APPEND_DATA without FILE_WRITE_DATA: each write goes to the end, whoever else writes. */
  file->access = append ? FILE_APPEND_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE : GENERIC_WRITE | FILE_READ_ATTRIBUTES;
  file->disposition = fresh ? CREATE_NEW : OPEN_ALWAYS;
  file->empty = !append && !fresh;
  return SAFE_OK;
}

static int make_one(struct safe__child *child, struct safe__win_launch *launch, const safe_stdio *stdio, int index,
                    safe_error *error) {
  static const DWORD names[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  HANDLE *into = &launch->stdio[index];

  switch (stdio->kind) {
  case SAFE_STDIO_PIPE:
    return make_pipe(child, launch, stdio, index, error);
  case SAFE_STDIO_PTY: /* one for input, one for output, and none for what is the same console */
    return index < 2 ? make_pipe(child, launch, stdio, index, error) : SAFE_OK;
  case SAFE_STDIO_PATH:
    return name_file(&launch->files[index], stdio, index, error);
  case SAFE_STDIO_TO_OUT:
    launch->err_is_out = true;
    *into = launch->stdio[1]; /* or, for a file, once that is open */
    return SAFE_OK;
  case SAFE_STDIO_HANDLE:
    return safe__win_copy_handle(stdio->handle, into) ? SAFE_OK : no_handle(index, error);
  case SAFE_STDIO_INHERIT:
    /* A program with windows has none, or what is left of them. */
    if (safe__win_copy_handle(GetStdHandle(names[index]), into)) return SAFE_OK;
    return open_nul(index, into, error);
  default:
    return open_nul(index, into, error);
  }
}

/* A pseudo-console is the whole of a child's standard streams, and its children inherit nothing else. */
static int check_pty(const safe_spawn_options *options, int first, int other, safe_error *error) {
  if (!safe__win_pty_exists())
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_TERMINAL, first,
                      "This Windows has no pseudo-consoles: they came with Windows 10 1809.");
  if (other >= 0)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_TERMINAL, other,
                      "On Windows either all standard streams are the pseudo-terminal or none: stream %d is not.",
                      other);
  if (options->handle_count > 0)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_TERMINAL, -1,
                      "On Windows a child with a pseudo-terminal inherits no listed handles.");
  if ((options->flags & (SAFE_SPAWN_NO_WINDOW | SAFE_SPAWN_NEW_CONSOLE)) != 0)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_TERMINAL, -1,
                      "A child with a pseudo-terminal has its console: there can be no other.");
  if ((options->flags & SAFE_SPAWN_PROXY) != 0)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_PROXY, -1,
                      "The proxy cannot be the parent of a child with a pseudo-terminal.");
  return SAFE_OK;
}

static int look_for_pty(struct safe__win_launch *launch, const safe_spawn_options *options,
                        const safe_stdio *const *stdio, safe_error *error) {
  int at, first = -1, other = -1;

  for (at = 2; at >= 0; at--) {
    if (stdio[at]->kind == SAFE_STDIO_PTY) first = at;
    /* The error stream is the console anyway. */
    if (stdio[at]->kind != SAFE_STDIO_PTY && stdio[at]->kind != SAFE_STDIO_TO_OUT) other = at;
  }
  launch->pty = first >= 0;
  launch->columns = options->pty_columns > 0 ? options->pty_columns : 80;
  launch->rows = options->pty_rows > 0 ? options->pty_rows : 24;
  return launch->pty ? check_pty(options, first, other, error) : SAFE_OK;
}

static int check_one(const safe_stdio *stdio, int index, safe_error *error) {
  if (stdio->kind == SAFE_STDIO_HANDLE && !safe__win_handle_is_open(stdio->handle)) return no_handle(index, error);
  if ((stdio->flags & SAFE_STDIO_NON_BLOCKING_CHILD) != 0)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_PIPE, index,
                      "On Windows a child's end of a pipe cannot be non-blocking (stream %d).", index);
  return SAFE_OK;
}

int safe__win_order_streams(struct safe__child *child, struct safe__win_launch *launch,
                            const safe_spawn_options *options, safe_error *error) {
  const safe_stdio *stdio[] = {&options->in, &options->out, &options->err};
  int at, code = look_for_pty(launch, options, stdio, error);

  for (at = 0; code == SAFE_OK && at < 3; at++) code = check_one(stdio[at], at, error);
  for (at = 0; code == SAFE_OK && at < 3; at++) code = make_one(child, launch, stdio[at], at, error);
  return code;
}
