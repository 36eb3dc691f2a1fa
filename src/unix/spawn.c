/* SPDX-License-Identifier: MIT */
/* safe__os_spawn: the plan, the standard streams, and what the parent does before and after the launch. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "pipe.h"
#include "plan.h"

/* The child's ends of what is made for it: closed in the parent once the child has its own. */
struct ends {
  int fd[3];
};

static void close_ends(struct ends *ends) {
  int at;

  for (at = 0; at < 3; at++)
    if (ends->fd[at] >= 0) close(ends->fd[at]);
}

static int open_null(int index, struct ends *ends, safe_error *error) {
  ends->fd[index] = open("/dev/null", (index == 0 ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
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
    if (fcntl(index, F_GETFD) >= 0)
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

/* A closed descriptor is found out here, where the caller's numbers are still known, and before there is a child. */
static int check_sources(struct safe__plan *plan, safe_error *error) {
  const struct safe__move *move;
  int at;

  for (at = 0; at < plan->move_count; at++) {
    move = &plan->moves[at];
    if (fcntl(move->source, F_GETFD) < 0)
      return safe__fail_os(error, errno, move->stage, move->index, "Descriptor %d is not open", move->source);
    if (move->source > plan->highest) plan->highest = move->source;
  }
  return SAFE_OK;
}

int safe__os_spawn(struct safe__child *child, const safe_spawn_options *options, int64_t deadline, safe_error *error) {
  const safe_stdio *const stdio[3] = {&options->in, &options->out, &options->err};
  struct ends ends = {{-1, -1, -1}};
  struct safe__plan *plan;
  int at, code;

  child->exit_fd = -1;
  child->group = options->group;
  for (at = 0; at < 3; at++) child->streams[at].fd = -1;
  code = safe__plan_make(&plan, options, error);
  if (code != SAFE_OK) return code;
  for (at = 0; code == SAFE_OK && at < 3; at++) code = prepare(stdio[at], at, plan, &ends, &child->streams[at], error);
  if (code == SAFE_OK) code = check_sources(plan, error);
  if (code == SAFE_OK) code = safe__launch(&plan, deadline, child, error);
  close_ends(&ends);
  if (code != SAFE_OK)
    for (at = 0; at < 3; at++) safe__os_stream_close(&child->streams[at]);
  safe__free(plan);
  return code;
}
