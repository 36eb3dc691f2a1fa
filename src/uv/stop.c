/* SPDX-License-Identifier: MIT */
/* A stop that takes its time, driven by a timer and by the child's end. */
#include "process.h"

static void look(struct safe__uv_process *own);

static void on_timer(uv_timer_t *timer) {
  look((struct safe__uv_process *)((char *)timer - offsetof(struct safe__uv_process, timer)));
}

static void over(struct safe__uv_process *own) {
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_uv_process *handle = own->handle;
  safe_uv_stop_cb callback = own->stop_cb;
  int code = safe_stop_finish(own->stop, &report, &error);

  own->stop = NULL;
  if (own->told_later) safe__uv_like_tell(own);
  if (callback != NULL) callback(handle, code == SAFE_OK ? 0 : safe_uv_code(&error), &report, &error);
}

static void look(struct safe__uv_process *own) {
  int64_t delay;

  if (safe_stop_poll(own->stop) == SAFE_EAGAIN) {
    delay = safe_stop_delay_ms(own->stop);
    uv_timer_start(&own->timer, on_timer, delay > 1 ? (uint64_t)delay : 1, 0);
    return;
  }
  safe__uv_process_look(own); /* the exit callback comes first, and may close the handle */
  if (own->stop != NULL) over(own);
}

void safe__uv_stop_hurry(struct safe__uv_process *own) {
  if (own->stop != NULL) uv_timer_start(&own->timer, on_timer, 0, 0);
}

/* It keeps the loop alive even where the child does not. */
static void start_timer(struct safe__uv_process *own) {
  if (!own->has_timer) {
    uv_timer_init(own->handle->uv.loop, &own->timer);
    safe__uv_group_add(&own->group, (uv_handle_t *)&own->timer);
    own->has_timer = true;
  }
  uv_ref((uv_handle_t *)&own->timer);
  uv_timer_start(&own->timer, on_timer, (uint64_t)safe_stop_delay_ms(own->stop), 0);
}

static int begin(safe_uv_process *handle, const safe_stop_options *options, safe_uv_stop_cb callback,
                 safe_error *error) {
  struct safe__uv_process *own = handle == NULL ? NULL : handle->own;

  if (handle == NULL) return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The handle is NULL.");
  if (own == NULL || own->group.closing)
    return safe__uv_fail(error, SAFE_ESRCH, SAFE_STAGE_STOP, -1, "The handle has no child any more.");
  if (own->stop != NULL) {
    safe__uv_fail(error, SAFE_EBUSY, SAFE_STAGE_STOP, -1, "Process %d is being stopped already.", handle->uv.pid);
    return UV_EALREADY;
  }
  if (safe_stop_begin(&own->stop, own->process, options, error) != SAFE_OK) {
    own->stop = NULL;
    return safe_uv_code(error);
  }
  own->stop_cb = callback;
  start_timer(own);
  return 0;
}

int safe_uv_process_stop(safe_uv_process *handle, const safe_stop_options *options, safe_uv_stop_cb callback,
                         safe_error *caller) {
  safe_error error = SAFE_ERROR_INIT;

  if (safe__uv_check_error(caller) != 0) return UV_EINVAL;
  return safe__uv_deliver(caller, &error, begin(handle, options, callback, &error));
}

bool safe__uv_stop_owns(const uv_handle_t *handle) {
  return handle->type == UV_TIMER && ((const uv_timer_t *)handle)->timer_cb == on_timer;
}
