/* SPDX-License-Identifier: MIT */
/* Children as handles: started, watched for their end, closed. */
#include "process.h"

#include <stdlib.h>
#include <string.h>

#include "stdio.h"

bool safe__uv_process_look(struct safe__uv_process *own) {
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;
  safe_exit status = SAFE_EXIT_INIT;

  if (own->ended) return true;
  options.timeout_ms = SAFE_NO_WAIT;
  if (safe_process_wait(own->process, &options, &status, NULL) == SAFE_ETIMEDOUT) return false;
  own->status = status; /* unknown, should the system not say: a callback that never comes would be worse */
  own->ended = true;
  safe__uv_watch_close(&own->watch);
  if (own->like) {
    own->told_later = own->stop != NULL;
    if (!own->told_later) {
      safe__uv_like_tell(own);
      return true;
    }
  } else if (own->exit_cb != NULL) {
    own->exit_cb(own->handle, &own->status);
  }
  safe__uv_stop_hurry(own);
  return true;
}

static void on_ready(struct safe__uv_watch *watch) {
  struct safe__uv_process *own = (struct safe__uv_process *)((char *)watch - offsetof(struct safe__uv_process, watch));

  /* A debugger may have it first; and on macOS the notice comes shortly before the zombie. */
  if (!safe__uv_process_look(own)) safe__uv_watch_slowly(watch);
}

/* The child runs, but cannot be kept: nothing of it may be left. */
static void undo(safe_process *process) {
  safe_stop_options by_force = SAFE_STOP_OPTIONS_INIT;

  by_force.grace_ms = 0;
  safe_process_stop(process, &by_force, NULL, NULL);
  safe_process_free(process);
}

static int spawn(struct safe__uv_process *own, uv_loop_t *loop, struct safe__uv_start *start,
                 struct safe__uv_stdio *stdio, safe_error *error) {
  safe_process *process;
  int code = safe_spawn(&process, &start->spawn, error);

  if (code != SAFE_OK) return safe_uv_code(error);
  code = safe__uv_watch_start(&own->watch, loop, safe_process_exit_handle(process), &own->group, on_ready);
  if (code != 0)
    safe__uv_refused(error, code, SAFE_STAGE_WAIT, -1, "The loop cannot watch the child");
  else
    code = safe__uv_stdio_open(stdio, process, error);
  if (code != 0) {
    safe__uv_watch_close(&own->watch); /* before what it watches goes */
    undo(process);
    return code;
  }
  own->process = process;
  return 0;
}

/* What the caller finds in uv: data is the caller's. */
static void init_handle(uv_loop_t *loop, safe_uv_process *handle, const struct safe__uv_process *own) {
  void *data = handle->uv.data;

  memset(&handle->uv, 0, sizeof(handle->uv));
  handle->uv.loop = loop;
  if (own->like) safe__uv_like_init(loop, &handle->uv);
  handle->uv.data = data;
  handle->uv.pid = (int)safe_process_pid(own->process);
}

int safe__uv_start(uv_loop_t *loop, safe_uv_process *handle, struct safe__uv_start *start, safe_error *error) {
  struct safe__uv_process *own = calloc(1, sizeof(*own));
  struct safe__uv_stdio stdio;
  int code;

  if (own == NULL)
    return safe__uv_fail(error, SAFE_ENOMEM, SAFE_STAGE_PREPARE, -1, "There is not enough memory for the handle.");
  code = safe__uv_stdio_prepare(&stdio, loop, start, error);
  if (code == 0) code = spawn(own, loop, start, &stdio, error);
  safe__uv_stdio_release(&stdio);
  if (code != 0) {
    if (own->group.open == 0)
      free(own);
    else
      safe__uv_group_end(&own->group, safe__uv_group_free); /* a watch, which is closing */
    return code;
  }
  own->handle = handle;
  own->like = start->like;
  own->exit_cb = start->exit_cb;
  own->like_cb = start->like_cb;
  init_handle(loop, handle, own);
  handle->own = own;
  return 0;
}

static int start_checked(uv_loop_t *loop, safe_uv_process *handle, const safe_uv_process_options *given,
                         safe_error *error) {
  static const safe_spawn_options spawn_defaults = SAFE_SPAWN_OPTIONS_INIT;
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  struct safe__uv_start start = {.spawn = spawn_defaults};
  int code;

  if (loop == NULL || handle == NULL || given == NULL)
    return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The loop, the handle or the options are NULL.");
  code = safe__uv_read(&options, sizeof(options), given, "safe_uv_process_options", error);
  if (code != 0) return code;
  if (options.flags != 0)
    return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                         "safe_uv_process_options has unknown flags: 0x%x.", (unsigned)options.flags);
  if (options.spawn == NULL)
    return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "There is nothing to start: spawn is NULL.");
  code = safe__uv_read(&start.spawn, sizeof(start.spawn), options.spawn, "safe_spawn_options", error);
  if (code != 0) return code;
  start.stdio = options.stdio;
  start.stdio_count = options.stdio_count;
  start.exit_cb = options.exit_cb;
  return safe__uv_start(loop, handle, &start, error);
}

int safe_uv_spawn(uv_loop_t *loop, safe_uv_process *handle, const safe_uv_process_options *options,
                  safe_error *caller) {
  safe_error error = SAFE_ERROR_INIT;

  if (handle != NULL) handle->own = NULL;
  if (safe__uv_check_error(caller) != 0) return UV_EINVAL;
  return safe__uv_deliver(caller, &error, start_checked(loop, handle, options, &error));
}

static struct safe__uv_process *own_of(const safe_uv_process *handle) {
  struct safe__uv_process *own = handle == NULL ? NULL : handle->own;

  return own == NULL || own->group.closing ? NULL : own;
}

safe_process *safe_uv_process_get(safe_uv_process *handle) {
  struct safe__uv_process *own = own_of(handle);

  return own == NULL ? NULL : own->process;
}

int safe_uv_process_kill(safe_uv_process *handle, int signal_number) {
  struct safe__uv_process *own = own_of(handle);
  safe_error error = SAFE_ERROR_INIT;

  if (own == NULL || own->ended) return UV_ESRCH;
  if (own->stop != NULL) return UV_EBUSY;
  return safe_process_signal(own->process, signal_number, 0, &error) == SAFE_OK ? 0 : safe_uv_code(&error);
}

static void on_like_closed(uv_handle_t *handle) {
  safe_uv_process *process = (safe_uv_process *)handle; /* its first member */

  if (process->close_cb != NULL) process->close_cb(process);
}

static void on_closed(struct safe__uv_group *group) {
  static const safe_stop_report nothing = SAFE_STOP_REPORT_INIT;
  struct safe__uv_process *own = (struct safe__uv_process *)group;
  safe_uv_process *handle = own->handle;
  safe_error error = SAFE_ERROR_INIT;
  bool like = own->like;

  if (own->stop_cancelled && own->stop_cb != NULL) {
    safe__uv_fail(&error, SAFE_ECANCELED, SAFE_STAGE_STOP, -1, "The handle was closed before the stop was over.");
    own->stop_cb(handle, UV_ECANCELED, &nothing, &error);
  }
  handle->own = NULL;
  safe__uv_group_free(group);
  if (like && !uv_is_closing((uv_handle_t *)&handle->uv))
    uv_close((uv_handle_t *)&handle->uv, on_like_closed);
  else if (handle->close_cb != NULL)
    handle->close_cb(handle);
}

void safe_uv_process_close(safe_uv_process *handle, safe_uv_process_close_cb callback) {
  struct safe__uv_process *own = handle->own;

  if (safe_uv_process_is_closing(handle)) return;
  handle->close_cb = callback;
  if (own == NULL) { /* safe_uv_spawn_like's, after the child's end */
    uv_close((uv_handle_t *)&handle->uv, on_like_closed);
    return;
  }
  safe__uv_watch_close(&own->watch);
  own->stop_cancelled = own->stop != NULL;
  safe_stop_abandon(own->stop);
  own->stop = NULL;
  safe_process_free(own->process);
  own->process = NULL;
  if (!own->has_timer) { /* somebody has to call back */
    uv_timer_init(handle->uv.loop, &own->timer);
    safe__uv_group_add(&own->group, (uv_handle_t *)&own->timer);
  }
  safe__uv_group_close((uv_handle_t *)&own->timer);
  safe__uv_group_end(&own->group, on_closed);
}

static void reference(safe_uv_process *handle, bool keeps_alive) {
  struct safe__uv_process *own = own_of(handle);

  if (own == NULL) return;
  own->group.unreferenced = !keeps_alive;
  safe__uv_watch_reference(&own->watch, keeps_alive);
}

void safe_uv_process_ref(safe_uv_process *handle) { reference(handle, true); }

void safe_uv_process_unref(safe_uv_process *handle) { reference(handle, false); }

int safe_uv_process_has_ref(const safe_uv_process *handle) {
  struct safe__uv_process *own = own_of(handle);

  return own != NULL && !own->group.unreferenced;
}

int safe_uv_process_is_active(const safe_uv_process *handle) {
  struct safe__uv_process *own = own_of(handle);

  return own != NULL && (!own->ended || own->stop != NULL);
}

/* Without a block it is a handle of libuv's, or one that was closed and has no type. */
int safe_uv_process_is_closing(const safe_uv_process *handle) {
  if (handle->own != NULL) return handle->own->group.closing;
  return handle->uv.type != UV_PROCESS || uv_is_closing((const uv_handle_t *)&handle->uv);
}
