/* SPDX-License-Identifier: MIT */
/* safe__os_spawn: the plan, the standard streams, and what the parent does before and after the launch. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "above_stdio.h"
#include "pipe.h"
#include "plan.h"

/* The child's ends of what is made for it: closed in the parent once the child has its own. */
struct ends {
  int fd[3];
  bool open_before[3]; /* whether the host's own stream was open when nothing of ours was */
};

static void close_ends(struct ends *ends) {
  int at;

  for (at = 0; at < 3; at++)
    if (ends->fd[at] >= 0) close(ends->fd[at]);
}

static int open_null(int index, struct ends *ends, safe_error *error) {
  ends->fd[index] = safe__above_stdio(open("/dev/null", (index == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC));
  if (ends->fd[index] >= 0) return SAFE_OK;
  return safe__fail_os(error, errno, SAFE_STAGE_STDIO, index, "/dev/null cannot be opened");
}

static int open_pipe(int index, struct ends *ends, struct safe__stream *stream, safe_error *error) {
  int ours = index == 0 ? 1 : 0, fds[2];

  if (safe__pipe(fds) != 0) return safe__fail_os(error, errno, SAFE_STAGE_PIPE, index, "A pipe cannot be made");
  ends->fd[index] = fds[1 - ours];
  stream->fd = fds[ours];
  stream->writes = index == 0;
  /* Each end has an open file description of its own: the child's stays blocking. */
  fcntl(stream->fd, F_SETFL, fcntl(stream->fd, F_GETFL) | O_NONBLOCK);
  return SAFE_OK;
}

static int prepare(const safe_stdio *stdio, int index, struct safe__plan *plan, struct ends *ends,
                   struct safe__stream *stream, safe_error *error) {
  struct safe__move *move = &plan->moves[index];
  int code = SAFE_OK;

  move->target = index;
  move->stage = SAFE_STAGE_STDIO;
  move->index = index;
  switch (stdio->kind) {
  case SAFE_STDIO_INHERIT:
    if (ends->open_before[index])
      move->source = index;
    else
      code = open_null(index, ends, error);
    break;
  case SAFE_STDIO_NULL:
    code = open_null(index, ends, error);
    break;
  case SAFE_STDIO_PIPE:
    code = open_pipe(index, ends, stream, error);
    break;
  case SAFE_STDIO_HANDLE:
    move->source = stdio->handle;
    break;
  default: /* SAFE_STDIO_TO_OUT */
    move->source = plan->moves[1].source;
    break;
  }
  if (ends->fd[index] >= 0) move->source = ends->fd[index];
  return code;
}

static int not_open(int fd, int stage, int index, safe_error *error) {
  return safe__fail_os(error, errno, stage, index, "Descriptor %d is not open", fd);
}

/* Before the first descriptor of our own is made: it would get the number of one that the caller has closed, and pass
   for it. */
static int check_handles(const safe_spawn_options *options, const safe_stdio *const stdio[3], safe_error *error) {
  size_t at;

  for (at = 0; at < options->handle_count; at++)
    if (fcntl(options->handles[at].handle, F_GETFD) < 0)
      return not_open(options->handles[at].handle, SAFE_STAGE_HANDLE, (int)at, error);
  for (at = 0; at < 3; at++)
    if (stdio[at]->kind == SAFE_STDIO_HANDLE && fcntl(stdio[at]->handle, F_GETFD) < 0)
      return not_open(stdio[at]->handle, SAFE_STAGE_STDIO, (int)at, error);
  return SAFE_OK;
}

static int highest_source(const struct safe__plan *plan) {
  int at, highest = 2;

  for (at = 0; at < plan->move_count; at++)
    if (plan->moves[at].source > highest) highest = plan->moves[at].source;
  return highest;
}

int safe__os_spawn(struct safe__child *child, const safe_spawn_options *options, int64_t deadline, safe_error *error) {
  const safe_stdio *const stdio[3] = {&options->in, &options->out, &options->err};
  struct ends ends = {{-1, -1, -1}, {false, false, false}};
  struct safe__plan *plan;
  int at, code;

  child->exit_fd = -1;
  child->terminal = -1;
  child->group = options->group;
  for (at = 0; at < 3; at++) child->streams[at].fd = -1;
  code = check_handles(options, stdio, error);
  for (at = 0; at < 3; at++) ends.open_before[at] = fcntl(at, F_GETFD) >= 0;
  if (code == SAFE_OK) code = safe__plan_make(&plan, options, error);
  if (code != SAFE_OK) return code;
  for (at = 0; code == SAFE_OK && at < 3; at++) code = prepare(stdio[at], at, plan, &ends, &child->streams[at], error);
  plan->highest = highest_source(plan);
  if (code == SAFE_OK) code = safe__launch(&plan, deadline, child, error);
  close_ends(&ends);
  if (code != SAFE_OK)
    for (at = 0; at < 3; at++) safe__os_stream_close(&child->streams[at]);
  safe__free(plan);
  return code;
}

safe_handle safe__os_child_handle(const struct safe__child *child, size_t index) {
  return index < child->target_count ? child->targets[index] : SAFE_INVALID_HANDLE;
}

int safe__os_child_resize(struct safe__child *child, int columns, int rows) {
  struct winsize size = {(unsigned short)rows, (unsigned short)columns, 0, 0};

  if (child->terminal < 0) return SAFE_EINVAL;
  return ioctl(child->terminal, TIOCSWINSZ, &size) == 0 ? SAFE_OK : safe__os_translate(errno);
}

int safe__os_reserve_descriptors(int count) {
  (void)count;
  return SAFE_ENOTSUP;
}
