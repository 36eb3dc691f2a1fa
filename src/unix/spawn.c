/* SPDX-License-Identifier: MIT */
/* safe__os_spawn: the plan, the standard streams, and what the parent does before and after the launch. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "above_stdio.h"
#include "child_release.h"
#include "pipe.h"
#include "plan.h"
#include "pty.h"
#include "reserve.h"

/* What is made for a child: closed in the parent once the child has its own. */
struct ends {
  int fd[3];     /* the child's ends */
  int null;      /* for all streams that want it: to open it three times is a tenth of what a small child costs */
  int pty[2];    /* ours and the child's */
  int before[3]; /* the flags of the host's own streams when nothing of ours was open; -1: closed */
};

static void close_ends(struct ends *ends) {
  int at;

  for (at = 0; at < 3; at++)
    if (ends->fd[at] >= 0 && ends->fd[at] != ends->null) close(ends->fd[at]);
  if (ends->null >= 0) close(ends->null);
  for (at = 0; at < 2; at++)
    if (ends->pty[at] >= 0) close(ends->pty[at]);
}

static int open_null(int index, struct ends *ends, safe_error *error) {
  if (ends->null < 0) ends->null = safe__above_stdio(open("/dev/null", O_RDWR | O_CLOEXEC));
  ends->fd[index] = ends->null;
  if (ends->null >= 0) return SAFE_OK;
  return safe__fail_os(error, errno, SAFE_STAGE_STDIO, index, "/dev/null cannot be opened");
}

/* Not by the way: an end that blocks after all would hold up whoever reads it within a deadline. */
static bool set_non_blocking(int fd) {
  int flags = fcntl(fd, F_GETFL);

  return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static int open_pipe(const safe_stdio *stdio, int index, struct ends *ends, struct safe__stream *stream,
                     safe_error *error) {
  int ours = index == 0 ? 1 : 0, fds[2];

  if (safe__pipe(fds) != 0) return safe__fail_os(error, errno, SAFE_STAGE_PIPE, index, "A pipe cannot be made");
  ends->fd[index] = fds[1 - ours];
  stream->fd = fds[ours];
  stream->writes = index == 0;
  stream->blocking = (stdio->flags & SAFE_STDIO_BLOCKING) != 0;
  /* Each end has an open file description of its own: the child's stays blocking. */
  if ((!stream->blocking && !set_non_blocking(stream->fd)) ||
      ((stdio->flags & SAFE_STDIO_NON_BLOCKING_CHILD) != 0 && !set_non_blocking(ends->fd[index])))
    return safe__fail_os(error, errno, SAFE_STAGE_PIPE, index, "A pipe cannot be made non-blocking");
  if (stdio->pipe_size != 0) safe__pipe_resize(stream->fd, stdio->pipe_size);
  return SAFE_OK;
}

/* One for all streams that ask for it. Each of our ends is a descriptor of its own, so that each can be taken. */
static int open_terminal(const safe_spawn_options *options, int index, struct ends *ends, struct safe__stream *stream,
                         safe_error *error) {
  if (ends->pty[0] < 0 && safe__pty_open(ends->pty, options->pty_columns, options->pty_rows) != 0)
    return safe__fail_os(error, errno, SAFE_STAGE_TERMINAL, index, "A pseudo-terminal cannot be made");
  /* stderr comes out where stdout does. */
  if (index == 2 && options->out.kind == SAFE_STDIO_PTY) return SAFE_OK;
  stream->fd = fcntl(ends->pty[0], F_DUPFD_CLOEXEC, 3);
  if (stream->fd < 0) return safe__fail_os(error, errno, SAFE_STAGE_TERMINAL, index, "A terminal cannot be copied");
  stream->writes = index == 0;
  stream->terminal = true;
  return SAFE_OK;
}

static void name_path(const safe_stdio *stdio, int index, struct safe__move *move) {
  move->source = -1;
  move->open_flags = O_CLOEXEC | O_NOCTTY | (index == 0 ? O_RDONLY : O_WRONLY | O_CREAT);
  if (index > 0) move->open_flags |= (stdio->flags & SAFE_STDIO_APPEND) != 0 ? O_APPEND : O_TRUNC;
  if ((stdio->flags & SAFE_STDIO_NEW) != 0) move->open_flags |= O_EXCL;
  move->mode = stdio->mode == 0 ? 0666 : stdio->mode;
}

static int prepare(const safe_spawn_options *options, const safe_stdio *stdio, int index, struct safe__plan *plan,
                   struct ends *ends, struct safe__stream *stream, safe_error *error) {
  struct safe__move *move = &plan->moves[index];
  int code = SAFE_OK;

  move->target = index;
  move->stage = SAFE_STAGE_STDIO;
  move->index = index;
  switch (stdio->kind) {
  case SAFE_STDIO_INHERIT:
    move->source = index;
    move->cleared = ends->before[index] == 0;
    if (ends->before[index] < 0) code = open_null(index, ends, error);
    break;
  case SAFE_STDIO_NULL:
    code = open_null(index, ends, error);
    break;
  case SAFE_STDIO_PIPE:
    code = open_pipe(stdio, index, ends, stream, error);
    break;
  case SAFE_STDIO_HANDLE:
    move->source = stdio->handle;
    break;
  case SAFE_STDIO_PATH:
    name_path(stdio, index, move);
    break;
  case SAFE_STDIO_PTY:
    code = open_terminal(options, index, ends, stream, error);
    move->source = ends->pty[1];
    plan->terminal = index;
    break;
  default: /* SAFE_STDIO_TO_OUT */
    move->source = plan->moves[1].source;
    if (move->source < 0) move->open_flags = SAFE__LIKE_OUT;
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

/* Brings the sources down to kept numbers, if there are any, and notes the highest. */
static void settle_sources(struct safe__plan *plan, const struct ends *ends) {
  int at, other, low;

  plan->highest = 2;
  for (at = 0; at < plan->move_count; at++) {
    low = safe__reserve_copy(plan->moves[at].source, ends);
    for (other = plan->move_count - 1; low != plan->moves[at].source && other > at; other--)
      if (plan->moves[other].source == plan->moves[at].source) plan->moves[other].source = low;
    plan->moves[at].source = low;
    if (low > plan->highest) plan->highest = low;
  }
}

static int copy_targets(struct safe__child *child, const safe_spawn_options *options, safe_error *error) {
  size_t at;

  child->target_count = options->handle_count;
  child->targets = NULL;
  if (options->handle_count == 0) return SAFE_OK;
  child->targets = safe__alloc(options->handle_count * sizeof(*child->targets));
  if (child->targets == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  for (at = 0; at < options->handle_count; at++) child->targets[at] = options->handles[at].target;
  return SAFE_OK;
}

/* Everything but the launch itself. */
static int make_plan(struct safe__child *child, struct safe__plan **plan, struct ends *ends,
                     const safe_spawn_options *options, safe_error *error) {
  const safe_stdio *const stdio[3] = {&options->in, &options->out, &options->err};
  int at, code = check_handles(options, stdio, error);

  for (at = 0; at < 3; at++) ends->before[at] = fcntl(at, F_GETFD);
  if (code == SAFE_OK) code = copy_targets(child, options, error);
  if (code == SAFE_OK) code = safe__plan_make(plan, options, error);
  for (at = 0; code == SAFE_OK && at < 3; at++)
    code = prepare(options, stdio[at], at, *plan, ends, &child->streams[at], error);
  if (code != SAFE_OK) return code;
  if ((*plan)->terminal >= 0) (*plan)->group = child->group = SAFE_GROUP_SESSION;
  if ((options->flags & SAFE_SPAWN_CONTROLLING_TERMINAL) != 0) (*plan)->terminal = 0;
  settle_sources(*plan, ends);
  return SAFE_OK;
}

static void give_back(struct safe__child *child) {
  int at;

  for (at = 0; at < 3; at++) safe__os_stream_close(&child->streams[at]);
  safe__free(child->targets);
  child->targets = NULL;
}

int safe__os_spawn(struct safe__child *child, const safe_spawn_options *options, int64_t deadline, safe_error *error) {
  struct ends ends = {{-1, -1, -1}, -1, {-1, -1}, {-1, -1, -1}};
  struct safe__plan *plan = NULL;
  int at, code;

  child->exit_fd = child->terminal = -1;
  child->group = options->group;
  for (at = 0; at < 3; at++) child->streams[at].fd = -1;
  code = make_plan(child, &plan, &ends, options, error);
  if (code == SAFE_OK) {
    code = safe__launch(&plan, deadline, child, error);
    safe__reserve_return(&ends);
  }
  if (code == SAFE_OK) {
    child->terminal = ends.pty[0];
    ends.pty[0] = -1;
  } else {
    give_back(child);
  }
  close_ends(&ends);
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

void safe__child_release(struct safe__child *child) {
  if (child->terminal >= 0) close(child->terminal);
  child->terminal = -1;
  safe__free(child->targets);
  child->targets = NULL;
}
