/* SPDX-License-Identifier: MIT */
#include "stdio.h"

#include <stdlib.h>
#include <string.h>

#define KIND (UV_CREATE_PIPE | UV_INHERIT_FD | UV_INHERIT_STREAM)
#define BOTH_WAYS (UV_READABLE_PIPE | UV_WRITABLE_PIPE) /* as the child sees it */
#define HIGHEST 65535 /* nobody's descriptor in a child, and no size that could overflow */

static int invalid(safe_error *error, int index, const char *sentence) {
  return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, index, "%s", sentence);
}

static bool is_open(const uv_stream_t *stream) {
  uv_os_fd_t handle;

  return uv_fileno((const uv_handle_t *)stream, &handle) == 0;
}

static int check_pipe(const uv_stdio_container_t *stdio, int index, uv_loop_t *loop, safe_error *error) {
  const uv_stream_t *stream = stdio[index].data.stream;
  int before;

  if (stream == NULL || stream->type != UV_NAMED_PIPE)
    return invalid(error, index, "UV_CREATE_PIPE needs a uv_pipe_t that was initialised.");
  if (stream->loop != loop) return invalid(error, index, "The pipe belongs to another loop.");
  if (is_open(stream) || uv_is_closing((const uv_handle_t *)stream))
    return invalid(error, index, "The pipe is open already, or closed.");
  if ((stdio[index].flags & BOTH_WAYS) == 0)
    return invalid(error, index, "UV_CREATE_PIPE needs a direction: UV_READABLE_PIPE, UV_WRITABLE_PIPE or both.");
  for (before = 0; before < index; before++)
    if ((stdio[before].flags & UV_CREATE_PIPE) != 0 && stdio[before].data.stream == stream)
      return invalid(error, index, "One pipe is given twice.");
  return 0;
}

static int check(const uv_stdio_container_t *stdio, int count, uv_loop_t *loop, safe_error *error) {
  int at, kind, code;

  if (count < 0 || count > HIGHEST || (count > 0 && stdio == NULL))
    return invalid(error, -1, "The count of stdio does not fit what it counts.");
  for (at = 0; at < count; at++) {
    kind = stdio[at].flags & KIND;
    if ((stdio[at].flags & ~(KIND | BOTH_WAYS | UV_NONBLOCK_PIPE)) != 0 || (kind & (kind - 1)) != 0)
      return invalid(error, at, "A uv_stdio_container_t has flags that are unknown or exclude each other.");
    if (kind == UV_CREATE_PIPE) {
      code = check_pipe(stdio, at, loop, error);
      if (code != 0) return code;
    }
    if (kind == UV_INHERIT_STREAM && (stdio[at].data.stream == NULL || !is_open(stdio[at].data.stream)))
      return invalid(error, at, "UV_INHERIT_STREAM needs a stream that is open.");
  }
  return 0;
}

static safe_stdio *standard(safe_spawn_options *spawn, int index) {
  return index == 0 ? &spawn->in : index == 1 ? &spawn->out : &spawn->err;
}

static void place(struct safe__uv_start *start, struct safe__uv_stdio *made, int index, safe_handle handle) {
  static const safe_stdio clear = SAFE_STDIO_INIT;
  safe_child_handle *more;

  if (index < 3) {
    *standard(&start->spawn, index) = clear;
    standard(&start->spawn, index)->kind = SAFE_STDIO_HANDLE;
    standard(&start->spawn, index)->handle = handle;
    return;
  }
  more = &made->handles[start->spawn.handle_count++];
  more->handle = handle;
  more->target = index;
  start->spawn.flags |= SAFE_SPAWN_CRT_HANDLES;
}

int safe__uv_one_way(uv_file ends[2], int flags) {
  int nonblock = flags & UV_NONBLOCK_PIPE;
  bool reads = (flags & UV_READABLE_PIPE) != 0;
  uv_file pipe[2];
  int code = uv_pipe(pipe, reads ? nonblock : UV_NONBLOCK_PIPE, reads ? UV_NONBLOCK_PIPE : nonblock);

  if (code != 0) return code;
  ends[0] = pipe[reads ? 1 : 0];
  ends[1] = pipe[reads ? 0 : 1];
  return 0;
}

static int add_pipe(struct safe__uv_start *start, struct safe__uv_stdio *made, int index, safe_error *error) {
  const uv_stdio_container_t *given = &made->given[index];
  bool ipc = ((const uv_pipe_t *)given->data.stream)->ipc != 0;
  int code;

  if (!ipc && !start->sockets && safe__uv_library_pipe(index, given->flags)) {
    standard(&start->spawn, index)->kind = SAFE_STDIO_PIPE;
    return 0;
  }
  code = safe__uv_pair(made->ends[index], given->flags, ipc, start->sockets);
  if (code != 0) return safe__uv_refused(error, code, SAFE_STAGE_PIPE, index, "A pipe for the child could not be made");
  if (ipc) start->spawn.flags |= SAFE_SPAWN_NO_PROXY; /* the child asks the system who its parent is */
  place(start, made, index, uv_get_osfhandle(made->ends[index][1]));
  return 0;
}

static int add(struct safe__uv_start *start, struct safe__uv_stdio *made, int index, safe_error *error) {
  static const safe_stdio clear = SAFE_STDIO_INIT;
  const uv_stdio_container_t *given = &made->given[index];
  uv_os_fd_t handle;

  if (index < 3) {
    *standard(&start->spawn, index) = clear;
    standard(&start->spawn, index)->kind = SAFE_STDIO_NULL;
  }
  switch (given->flags & KIND) {
  case UV_CREATE_PIPE:
    return add_pipe(start, made, index, error);
  case UV_INHERIT_FD:
    if (given->data.fd < 0) return invalid(error, index, "UV_INHERIT_FD needs a descriptor.");
    place(start, made, index, uv_get_osfhandle(given->data.fd));
    return 0;
  case UV_INHERIT_STREAM:
    uv_fileno((const uv_handle_t *)given->data.stream, &handle); /* open: see check */
    place(start, made, index, handle);
    return 0;
  default:
    return 0;
  }
}

#define MOST_HANDLES ((size_t)1 << 20) /* as many as Linux lets a process have unless told otherwise (fs.nr_open) */

static int allocate(struct safe__uv_start *start, struct safe__uv_stdio *made, safe_error *error) {
  size_t at, listed = start->spawn.handles == NULL ? 0 : start->spawn.handle_count;

  if (listed > MOST_HANDLES) return invalid(error, -1, "The list of handles is longer than any process could have.");
  made->ends = malloc((size_t)made->count * sizeof(*made->ends));
  for (at = 0; made->ends != NULL && at < (size_t)made->count; at++) made->ends[at][0] = made->ends[at][1] = -1;
  made->handles = malloc((listed + (size_t)made->count) * sizeof(*made->handles));
  if (made->ends == NULL || made->handles == NULL)
    return safe__uv_fail(error, SAFE_ENOMEM, SAFE_STAGE_PREPARE, -1, "There is not enough memory for the streams.");
  if (listed > 0) memcpy(made->handles, start->spawn.handles, listed * sizeof(*made->handles));
  start->spawn.handles = made->handles;
  return 0;
}

int safe__uv_stdio_prepare(struct safe__uv_stdio *made, uv_loop_t *loop, struct safe__uv_start *start,
                           safe_error *error) {
  int code, at;

  memset(made, 0, sizeof(*made));
  code = check(start->stdio, start->stdio_count, loop, error);
  if (code != 0 || start->stdio_count == 0) return code;
  made->given = start->stdio;
  made->count = start->stdio_count;
  code = allocate(start, made, error);
  for (at = 0; code == 0 && at < made->count; at++) code = add(start, made, at, error);
  return code;
}

/* The descriptor is the stream's from then on. */
static int open_stream(struct safe__uv_stdio *made, int index, safe_process *process) {
  uv_pipe_t *pipe = (uv_pipe_t *)made->given[index].data.stream;
  int code;

  if (made->ends[index][0] < 0) made->ends[index][0] = uv_open_osfhandle(safe_process_take_pipe(process, index));
  code = uv_pipe_open(pipe, made->ends[index][0]);
  if (code != 0) return code;
  made->ends[index][0] = -1;
  if (pipe->ipc) safe__uv_ipc_peer(pipe, safe_process_pid(process));
  return 0;
}

int safe__uv_stdio_open(struct safe__uv_stdio *made, safe_process *process, safe_error *error) {
  int at, code;

  for (at = 0; at < made->count; at++) {
    if ((made->given[at].flags & KIND) != UV_CREATE_PIPE) continue;
    code = open_stream(made, at, process);
    if (code != 0) return safe__uv_refused(error, code, SAFE_STAGE_PIPE, at, "The loop does not take the pipe");
  }
  return 0;
}

static void close_file(uv_file file) {
  uv_fs_t request;

  if (file < 0) return;
  uv_fs_close(NULL, &request, file, NULL); /* without a callback: here and now */
  uv_fs_req_cleanup(&request);
}

void safe__uv_stdio_release(struct safe__uv_stdio *made) {
  int at;

  for (at = 0; made->ends != NULL && at < made->count; at++) {
    close_file(made->ends[at][0]);
    close_file(made->ends[at][1]);
  }
  free(made->ends);
  free(made->handles);
}
