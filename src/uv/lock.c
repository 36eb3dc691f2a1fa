/* SPDX-License-Identifier: MIT */
/* Locks as requests: begin, then look whenever the library's handle is ready, then call back once. */
#include <stdlib.h>

#include "budget.h"
#include "code.h"
#include "watch.h"

#define MS UINT64_C(1000000)
#define LONGEST_MS (INT64_MAX / INT64_C(1000000) / 2) /* centuries */

struct safe__uv_lock {
  struct safe__uv_group group; /* first: what is told when all handles are closed */
  struct safe__uv_watch watch;
  uv_idle_t turn; /* the outcome is known, and told in the next turn of the loop */
  bool has_turn;
  bool revoked;
  safe_uv_lock *request;
  safe_uv_lock_cb callback;
  safe_lock_wait *wait;
  uint32_t query_ms;
  uint64_t deadline; /* by uv_hrtime, or a little before */
  uint64_t spent;    /* on what may have been a look for the holder, nanoseconds */
};

/* The group always has a handle that is closing, which frees the block in a later turn. */
static void end(struct safe__uv_lock *own) {
  safe__uv_watch_close(&own->watch);
  if (own->has_turn) safe__uv_group_close((uv_handle_t *)&own->turn);
  safe__uv_group_end(&own->group, safe__uv_group_free);
}

/* If the lock is got nobody was looked for, and nothing is taken from the budget. */
static int finish(struct safe__uv_lock *own, safe_lock **lock, safe_error *error) {
  uint64_t began = uv_hrtime();
  int code;

  code = safe_lock_finish(own->wait, lock, error);
  own->wait = NULL;
  if (code == SAFE_OK) return 0;
  safe__uv_budget_spend(own->spent + (uv_hrtime() - began));
  return safe_uv_code(error);
}

static void call_back(struct safe__uv_lock *own) {
  safe_error error = SAFE_ERROR_INIT;
  safe_uv_lock *request = own->request;
  safe_lock *lock;
  int status;

  end(own); /* before finish, which closes what is watched */
  status = finish(own, &lock, &error);
  request->own = NULL;
  own->callback(request, status, lock, &error);
}

static void on_turn(uv_idle_t *turn) {
  call_back((struct safe__uv_lock *)((char *)turn - offsetof(struct safe__uv_lock, turn)));
}

/* An idle handle keeps the loop from blocking, and is called once in each turn; a timer without delay that is started
   by a timer's callback would run in the same turn, again and again. */
static void call_back_next_turn(struct safe__uv_lock *own) {
  uv_idle_init(own->request->loop, &own->turn);
  safe__uv_group_add(&own->group, (uv_handle_t *)&own->turn);
  own->has_turn = true;
  uv_idle_start(&own->turn, on_turn);
}

/* Whether the outcome is known. */
static bool look(struct safe__uv_lock *own) {
  uint32_t query_ms = safe__uv_budget_ms(own->query_ms);
  uint64_t began = uv_hrtime();
  int code;

  safe_lock_wait_set_query(own->wait, query_ms);
  code = safe_lock_wait_poll(own->wait);
  if (began + (uint64_t)query_ms * MS >= own->deadline) own->spent += uv_hrtime() - began; /* else it was too early */
  return code != SAFE_EAGAIN;
}

/*
 * A request that is taken back at its deadline leaves the kernel's queue before anybody is told, which may take
 * milliseconds on a machine that is busy. So that a thousand deadlines do not make one long turn, each turn has time
 * for some of them only. The loop's time stands still within a turn.
 */
#define TURN_NS (5 * MS)

static _Thread_local struct {
  const uv_loop_t *loop;
  uint64_t time, spent;
} this_turn;

static bool turn_is_used_up(const uv_loop_t *loop) {
  if (this_turn.loop != loop || this_turn.time != uv_now(loop)) {
    this_turn.loop = loop;
    this_turn.time = uv_now(loop);
    this_turn.spent = 0;
  }
  return this_turn.spent >= TURN_NS;
}

static void on_ready(struct safe__uv_watch *watch) {
  struct safe__uv_lock *own = (struct safe__uv_lock *)((char *)watch - offsetof(struct safe__uv_lock, watch));
  uint64_t began = uv_hrtime();
  bool over;

  if (turn_is_used_up(own->request->loop)) {
    safe__uv_watch_later(watch);
    return;
  }
  over = look(own);
  this_turn.spent += uv_hrtime() - began;
  if (over) {
    call_back(own);
    return;
  }
  safe__uv_budget_spend(own->spent);
  own->spent = 0;
  safe__uv_watch_again(watch);
}

/* 0, or a UV_E*, and then nothing is pending. */
static int begin(struct safe__uv_lock *own, const char *path, safe_handle file, const safe_lock_options *given,
                 safe_error *error) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  uint64_t began = uv_hrtime();
  int code = given == NULL ? 0 : safe__uv_read(&options, sizeof(options), given, "safe_lock_options", error);

  if (code != 0) return code;
  own->query_ms = options.holder_query_ms;
  options.holder_query_ms = safe__uv_budget_ms(own->query_ms);
  own->deadline =
    options.timeout_ms > 0 && options.timeout_ms < LONGEST_MS ? began + (uint64_t)options.timeout_ms * MS : UINT64_MAX;
  if (path != NULL)
    code = safe_lock_begin(&own->wait, path, &options, error);
  else
    code = safe_lock_begin_handle(&own->wait, file, &options, error);
  if (code == SAFE_OK) return 0;
  if (code == SAFE_EBUSY) safe__uv_budget_spend(uv_hrtime() - began);
  return safe_uv_code(error);
}

static int await(struct safe__uv_lock *own, safe_error *error) {
  int code;

  if (look(own)) {
    call_back_next_turn(own);
    return 0;
  }
  code = safe__uv_watch_start(&own->watch, own->request->loop, safe_lock_wait_handle(own->wait), &own->group, on_ready);
  if (code == 0) return 0;
  return safe__uv_refused(error, code, SAFE_STAGE_WAIT, -1, "The loop cannot wait for the lock");
}

static int start(uv_loop_t *loop, safe_uv_lock *request, const char *path, safe_handle file,
                 const safe_lock_options *options, safe_uv_lock_cb callback, safe_error *error) {
  struct safe__uv_lock *own;
  int code;

  if (loop == NULL || request == NULL || callback == NULL)
    return safe__uv_fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                         "The loop, the request or the callback is NULL.");
  own = calloc(1, sizeof(*own));
  if (own == NULL)
    return safe__uv_fail(error, SAFE_ENOMEM, SAFE_STAGE_PREPARE, -1, "There is not enough memory for the request.");
  own->request = request;
  own->callback = callback;
  request->loop = loop;
  request->own = own;
  code = begin(own, path, file, options, error);
  if (code == 0) {
    code = await(own, error);
    if (code == 0) return 0;
    safe_lock_wait_cancel(own->wait);
  }
  request->own = NULL;
  if (own->group.open == 0)
    free(own);
  else
    safe__uv_group_end(&own->group,
                       safe__uv_group_free); /* it holds a watch that could not be started, and is closing */
  return code;
}

int safe_uv_lock_file(uv_loop_t *loop, safe_uv_lock *request, const char *path, const safe_lock_options *options,
                      safe_uv_lock_cb callback, safe_error *caller) {
  safe_error error = SAFE_ERROR_INIT;
  int code;

  if (request != NULL) request->own = NULL;
  if (safe__uv_check_error(caller) != 0) return UV_EINVAL;
  if (path == NULL)
    code = safe__uv_fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The path is NULL.");
  else
    code = start(loop, request, path, SAFE_INVALID_HANDLE, options, callback, &error);
  return safe__uv_deliver(caller, &error, code);
}

int safe_uv_lock_handle(uv_loop_t *loop, safe_uv_lock *request, safe_handle file, const safe_lock_options *options,
                        safe_uv_lock_cb callback, safe_error *caller) {
  safe_error error = SAFE_ERROR_INIT;

  if (request != NULL) request->own = NULL;
  if (safe__uv_check_error(caller) != 0) return UV_EINVAL;
  return safe__uv_deliver(caller, &error, start(loop, request, NULL, file, options, callback, &error));
}

int safe_uv_lock_cancel(safe_uv_lock *request) {
  struct safe__uv_lock *own = request == NULL ? NULL : request->own;

  if (own == NULL) return UV_EINVAL;
  if (own->revoked) return UV_EALREADY;
  own->revoked = true;
  safe_lock_wait_revoke(own->wait);
  /* Usually that is all; a kernel that does not let go is waited for by the loop, or where that cannot be in finish. */
  if (!own->has_turn && (safe_lock_wait_poll(own->wait) == SAFE_OK || !safe__uv_watch_lives(&own->watch))) {
    safe__uv_watch_close(&own->watch);
    call_back_next_turn(own);
  }
  return 0;
}

static void reference(safe_uv_lock *request, bool keeps_alive) {
  struct safe__uv_lock *own = request->own;

  if (own == NULL) return;
  own->group.unreferenced = !keeps_alive;
  safe__uv_watch_reference(&own->watch, keeps_alive);
  if (own->has_turn && keeps_alive) uv_ref((uv_handle_t *)&own->turn);
  if (own->has_turn && !keeps_alive) uv_unref((uv_handle_t *)&own->turn);
}

void safe_uv_lock_ref(safe_uv_lock *request) { reference(request, true); }

void safe_uv_lock_unref(safe_uv_lock *request) { reference(request, false); }

int safe_uv_lock_has_ref(const safe_uv_lock *request) {
  return request->own != NULL && !request->own->group.unreferenced;
}

int safe_uv_lock_is_active(const safe_uv_lock *request) { return request->own != NULL; }

bool safe__uv_lock_owns(const uv_handle_t *handle) {
  return handle->type == UV_IDLE && ((const uv_idle_t *)handle)->idle_cb == on_turn;
}
