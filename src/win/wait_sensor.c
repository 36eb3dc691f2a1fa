/* SPDX-License-Identifier: MIT */
/*
 * A wait for a lock on a handle of the caller's. He may have opened it for synchronous I/O: a request that waited
 * there would hold the file object itself, and every other call on it, in every process that has it, would hang with
 * ours. So it is only ever asked without waiting. What waits is a sensor: an overlapped request for the same bytes on
 * a second handle of the same file. When it is granted the bytes are free, for a moment: it is given back, and the
 * caller's handle asked.
 *
 * Of two such waiters each would find the other's sensor on the bytes that its own has just let go of, and neither
 * would ever get them. So whoever queues a sensor first gets a gate, an exclusive lock on bytes that stand for the
 * wanted ones (lock_ranges.c), and keeps it until the caller's handle has the lock.
 */
#include "timed_wait.h"
#include "wait_overlapped.h"

/* Who waits at a gate does not see the bytes behind it. They may be free for him, and not for the one who was there
   first; that one may even wait for a lock of his. So he looks for himself now and then. */
#define LOOK (100 * SAFE__MS)

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

struct sensor {
  struct safe__file *file; /* the caller's */
  struct safe__claim claim;
  struct safe__win_range range, gate;
  struct safe__win_request *request; /* on our own handle: first for the gate, then for the range */
  bool has_gate;
  int64_t next_look;
  int answer;         /* SAFE_EBUSY until there is one */
  bool over;          /* there is an answer, and nothing is queued any more */
  bool stuck;         /* or there is none, and the request on our own handle is queued all the same */
  safe_error failure; /* for any other answer but 0 */
};

/* The sensor has what is wanted. A shared one may stay while the caller's handle is asked, which then cannot fail;
   an exclusive one has to make room, and somebody in the kernel's queue may be quicker than we are. */
static void take(struct sensor *sensor) {
  bool exclusive = sensor->claim.mode == SAFE_LOCK_EXCLUSIVE;

  if (exclusive) safe__win_request_unlock(sensor->request, &sensor->range);
  sensor->answer = safe__os_lock_try(sensor->file, &sensor->claim, &sensor->failure);
  if (!exclusive) safe__win_request_unlock(sensor->request, &sensor->range);
}

/* What the kernel has granted is made use of: the gate, or the range. */
static void use(struct sensor *sensor) {
  if (sensor->has_gate)
    take(sensor);
  else
    sensor->has_gate = true;
}

static int settle_request(struct sensor *sensor, int64_t deadline) {
  int code = safe__win_request_settle(sensor->request, deadline, &sensor->failure);

  sensor->stuck = code == SAFE_ESTUCK;
  return code;
}

/* The request has been answered. */
static void advance(struct sensor *sensor) {
  int code = settle_request(sensor, safe__deadline(SAFE__SETTLE_MS));

  if (code == SAFE_OK) {
    use(sensor);
    code = sensor->answer;
    if (code == SAFE_EBUSY)
      code =
        safe__win_request_ask(sensor->request, &sensor->range, safe__win_mode_flag(&sensor->claim), &sensor->failure);
    if (code == SAFE_OK && sensor->answer == SAFE_EBUSY) return; /* queued again */
  }
  /* SAFE_EBUSY: the request ended without an answer, for instance with the thread that had made it. */
  sensor->answer = code;
  sensor->over = true;
}

static int64_t retry_at(void *argument) {
  struct sensor *sensor = argument;

  return sensor->has_gate || sensor->over ? SAFE__NEVER : sensor->next_look;
}

static void look(struct sensor *sensor) {
  safe_error ignored;
  int code;

  if (safe__os_now() < retry_at(sensor)) return;
  sensor->next_look = safe__os_now() + LOOK;
  sensor->answer = safe__os_lock_try(sensor->file, &sensor->claim, &sensor->failure);
  if (sensor->answer == SAFE_EBUSY) return;
  sensor->over = true;
  safe__win_request_revoke(sensor->request);
  code = safe__win_request_settle(sensor->request, safe__deadline(SAFE__SETTLE_MS), &ignored);
  sensor->has_gate = code == SAFE_OK; /* it has come after all */
  sensor->stuck = code == SAFE_ESTUCK;
}

static int await_answer(struct sensor *sensor, int64_t deadline, safe_cancel *cancel) {
  int code;

  while (!sensor->over) {
    /* Beaten to it again and again, it would see nothing but events. */
    if (safe__os_cancel_triggered(cancel)) return SAFE_ECANCELED;
    code = safe__win_request_await(sensor->request, safe__deadline_min(deadline, retry_at(sensor)), cancel);
    if (code == SAFE_ECANCELED) return code;
    if (code == SAFE_OK)
      advance(sensor);
    else
      look(sensor);
    if (!sensor->over && safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
  }
  return SAFE_OK;
}

/* The request on the caller's handle may be parked meanwhile, and with it what is noted of it. */
static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct sensor *sensor = argument;
  int code;

  (void)interruptible;
  if (sensor->file->request != NULL) safe__win_own_lock_block(&sensor->file->request->own, deadline);
  code = await_answer(sensor, deadline, cancel);
  if (sensor->file->request != NULL) safe__win_own_lock_unblock(&sensor->file->request->own);
  return code;
}

static void revoke(void *argument) {
  struct sensor *sensor = argument;

  if (!sensor->over) safe__win_request_revoke(sensor->request);
}

/* Taken back in the end; or the grant came first, be it that of the gate. */
static int settle_revoked(struct sensor *sensor, int64_t deadline) {
  int code = settle_request(sensor, deadline);

  if (code == SAFE_OK) {
    use(sensor);
    code = sensor->answer;
  }
  if (code == SAFE_EBUSY) code = safe__os_lock_try(sensor->file, &sensor->claim, &sensor->failure);
  return code;
}

static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct sensor *sensor = argument;
  int code = sensor->over ? sensor->answer : settle_revoked(sensor, deadline);

  if (code != SAFE_OK) *error = sensor->failure;
  if (sensor->has_gate) safe__win_request_unlock(sensor->request, &sensor->gate);
  sensor->has_gate = false;
  if (code != SAFE_OK && sensor->file->request != NULL) safe__win_own_lock_forget(&sensor->file->request->own);
  return code;
}

static void release(void *argument) {
  struct sensor *sensor = argument;

  if (sensor->stuck)
    safe__win_request_park(sensor->request);
  else
    safe__win_request_free(sensor->request);
  safe__free(sensor);
}

/* Of the two requests that can be stuck, the one on the caller's handle has parked itself. */
static void park(void *argument) { release(argument); }

static safe_handle handle(void *argument) { return ((struct sensor *)argument)->request->event; }

/* The right to read or that to write is enough to lock, and the caller's sharing may leave us only one of them. */
static HANDLE reopen(HANDLE file) {
  HANDLE own = safe__win_lock_calls.reopen(file, GENERIC_READ, SHARE_ALL, FILE_FLAG_OVERLAPPED);

  return own != INVALID_HANDLE_VALUE
           ? own
           : safe__win_lock_calls.reopen(file, GENERIC_WRITE, SHARE_ALL, FILE_FLAG_OVERLAPPED);
}

static int make(struct safe__file *file, const struct safe__claim *claim, struct sensor **out, safe_error *error) {
  HANDLE own = reopen(file->request->file);
  struct sensor *sensor;
  int code;

  if (own == INVALID_HANDLE_VALUE) return SAFE_EBUSY;
  sensor = safe__alloc(sizeof(*sensor));
  if (sensor == NULL) {
    CloseHandle(own);
    return safe__fail_memory(error, SAFE_STAGE_WAIT);
  }
  code = safe__win_request_make(own, false, &sensor->request, error);
  if (code != SAFE_OK) {
    safe__free(sensor);
    return code;
  }
  sensor->file = file;
  sensor->claim = *claim;
  sensor->range = safe__win_range_of(claim);
  sensor->gate = safe__win_gate_of(claim);
  sensor->answer = SAFE_EBUSY;
  sensor->next_look = safe__os_now() + LOOK;
  *out = sensor;
  return SAFE_OK;
}

int safe__win_sensor_queue(struct safe__file *file, const struct safe__claim *claim, struct safe__wait *wait,
                           safe_error *error) {
  static const struct safe__wait_calls life = {await, revoke, settle, park, release, handle, retry_at};
  struct sensor *sensor = NULL;
  int code = make(file, claim, &sensor, error);

  if (code != SAFE_OK) return code;
  code = safe__win_request_ask(sensor->request, &sensor->gate, LOCKFILE_EXCLUSIVE_LOCK, error);
  if (code != SAFE_OK) {
    release(sensor);
    return code;
  }
  safe__win_own_lock_note(&file->request->own, claim, SAFE_HOLDER_WAITS);
  wait->calls = &life;
  wait->request = sensor;
  wait->kind = SAFE_WAIT_QUEUED;
  return SAFE_OK;
}
