/* SPDX-License-Identifier: MIT */
/* For the users of uv_spawn: its options, and a handle that uv_close accepts. */
#include "process.h"

/*
 * uv_spawn initialises the handle and only then finds out that it cannot begin: on Unix with an inherited descriptor of
 * -1 (src/unix/process.c: uv__process_init_stdio, UV_EINVAL, before the handler of SIGCHLD is installed), on Windows
 * with a user to change to (src/win/process.c: uv_spawn, UV_ENOTSUP). uv_close has to accept what a failed uv_spawn
 * leaves. So from libuv 1.44 on; test_uv_like.c would notice another way.
 */
/* The mark of a handle whose child runs. libuv knows of no child, and never calls it. */
static void mark(uv_process_t *process, int64_t code, int signal) { (void)process, (void)code, (void)signal; }

bool safe__uv_like_owns(const uv_handle_t *handle) {
  return handle->type == UV_PROCESS && ((const uv_process_t *)handle)->exit_cb == mark;
}

void safe__uv_like_init(uv_loop_t *loop, uv_process_t *process) {
  static char *args[] = {(char *)"", NULL};
  uv_stdio_container_t none = {.flags = UV_INHERIT_FD, .data = {.fd = -1}};
  uv_process_options_t options = {.file = "", .args = args, .stdio_count = 1};

  options.stdio = &none;
  options.flags = UV_PROCESS_SETUID;
  uv_spawn(loop, process, &options);
  process->exit_cb = mark;
}

void safe__uv_like_tell(struct safe__uv_process *own) {
  uv_process_t *process = &own->handle->uv;
  uv_exit_cb callback = own->like_cb;
  int64_t code = own->status.kind == SAFE_EXIT_UNKNOWN ? UV_UNKNOWN : own->status.code;
  int signal = own->status.kind == SAFE_EXIT_SIGNAL ? own->status.signal : 0;

  if (own->status.kind == SAFE_EXIT_SIGNAL) code = 0;
  own->handle->own = NULL;
  process->exit_cb = NULL; /* whoever closes it now may do so by uv_close */
  safe_process_free(own->process);
  if (own->has_timer) safe__uv_group_close((uv_handle_t *)&own->timer);
  own->has_timer = false;
  safe__uv_group_end(&own->group, safe__uv_group_free); /* the watch is closing at least */
  if (callback != NULL) callback(process, code, signal);
}

#define KNOWN_FLAGS                                                                                      \
  (UV_PROCESS_SETUID | UV_PROCESS_SETGID | UV_PROCESS_DETACHED | UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS | \
   UV_PROCESS_WINDOWS_HIDE | UV_PROCESS_WINDOWS_HIDE_CONSOLE | UV_PROCESS_WINDOWS_HIDE_GUI)

static uint32_t spawn_flags(unsigned flags) {
  uint32_t result = 0;

  if ((flags & UV_PROCESS_WINDOWS_VERBATIM_ARGUMENTS) != 0) result |= SAFE_SPAWN_VERBATIM;
  if ((flags & (UV_PROCESS_WINDOWS_HIDE | UV_PROCESS_WINDOWS_HIDE_CONSOLE)) != 0) result |= SAFE_SPAWN_NO_WINDOW;
  if ((flags & (UV_PROCESS_WINDOWS_HIDE | UV_PROCESS_WINDOWS_HIDE_GUI)) != 0) result |= SAFE_SPAWN_HIDDEN;
  return result;
}

static int translate(struct safe__uv_start *start, const uv_process_options_t *options, safe_error *error) {
  safe_spawn_options *spawn = &start->spawn;

  if ((options->flags & ~(unsigned)KNOWN_FLAGS) != 0)
    return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "uv_process_options_t has unknown flags: 0x%x.",
                         options->flags & ~(unsigned)KNOWN_FLAGS);
  if (options->file == NULL || options->args == NULL)
    return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The file or the arguments are NULL.");
  spawn->flags = spawn_flags(options->flags);
  spawn->file = options->file;
  spawn->argv = (const char *const *)options->args;
  spawn->env = (const char *const *)options->env;
  spawn->cwd = options->cwd;
  spawn->in.kind = spawn->out.kind = spawn->err.kind = SAFE_STDIO_NULL; /* what stdio does not say */
  if ((options->flags & UV_PROCESS_DETACHED) != 0) spawn->group = SAFE_GROUP_SESSION;
  if ((options->flags & UV_PROCESS_SETUID) != 0) spawn->uid = options->uid;
  if ((options->flags & UV_PROCESS_SETGID) != 0) spawn->gid = options->gid;
  start->stdio = options->stdio;
  start->stdio_count = options->stdio_count;
  start->like_cb = options->exit_cb;
  return 0;
}

static int start_checked(uv_loop_t *loop, safe_uv_process *handle, const uv_process_options_t *options,
                         safe_error *error) {
  static const safe_spawn_options defaults = SAFE_SPAWN_OPTIONS_INIT;
  struct safe__uv_start start = {.spawn = defaults, .sockets = true, .like = true};
  int code;

  if (loop == NULL || handle == NULL || options == NULL)
    return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The loop, the handle or the options are NULL.");
  code = translate(&start, options, error);
  return code != 0 ? code : safe__uv_start(loop, handle, &start, error);
}

int safe_uv_spawn_like(uv_loop_t *loop, safe_uv_process *handle, const uv_process_options_t *options,
                       safe_error *caller) {
  safe_error error = SAFE_ERROR_INIT;

  if (handle != NULL) handle->own = NULL;
  if (safe__uv_check_error(caller) != 0) return UV_EINVAL;
  return safe__uv_deliver(caller, &error, start_checked(loop, handle, options, &error));
}
