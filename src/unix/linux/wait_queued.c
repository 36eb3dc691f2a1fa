/* SPDX-License-Identifier: MIT */
/*
 * A lock wait with a deadline, in the kernel's own queue: no polling, no signal, no handler, no thread.
 *
 * A helper blocks in the lock call on our open file description; when it is granted, it is ours. The request is taken
 * back by interrupting the call, or else by killing the helper: either way it leaves the queue. If the grant came
 * first, one more call that does not block tells.
 */
#include <errno.h>
#include <fcntl.h>

#include "lock_calls.h"
#include "lock_catch.h"
#include "lock_raw.h"
#include "timed_wait.h"
#include "wait_helper.h"

/* On the heap and not on the caller's stack, as the helper may outlive the call. */
struct request {
  struct safe__job job;
  struct safe__helper *helper;
  struct safe__file *file;
  struct safe__claim claim;
  struct flock range;
  int64_t began, deadline; /* for the looks; it is not the helper who keeps the deadline */
  int64_t look_at; /* when the helper is to be told to look; SAFE__NEVER: it was, or looks alone, or not at all */
  struct safe__file_id id; /* of the caller's own file */
  bool known, looks;
  bool alone;        /* nobody tells it */
  bool told;         /* to look; set here, and cleared by the helper */
  int64_t wanted_at; /* set by the helper: when it is to be told; SAFE__NEVER: not any more */
  int64_t look;      /* of struct safe__turns: the helper's, which is not changed under its hands */
  bool put_off;
};

/* ---- In the helper. */

struct turn {
  struct request *request;
  int fd;
};

static bool is_set(const bool *flag) { return __atomic_load_n(flag, __ATOMIC_ACQUIRE); }

/* errno, or SAFE_ETIMEDOUT. At the deadline it goes on waiting: when it is to end, it is told so. An alarm costs two
   calls, so that a thread which waits tells, and most waits are over by then. */
static int wait_until(void *context, int64_t until) {
  const struct turn *turn = context;
  struct request *request = turn->request;
  bool ends = until >= request->deadline;
  long result;

  __atomic_store_n(&request->told, false, __ATOMIC_RELAXED);
  __atomic_store_n(&request->wanted_at, ends ? SAFE__NEVER : until, __ATOMIC_RELEASE);
  if (is_set(&request->job.withdrawn)) return EINTR; /* the nudge may have come while it asked without pause */
  if (request->alone && !ends) safe__helper_alarm(until);
  do result = safe__raw_lock(turn->fd, &request->claim, &request->range, true);
  while (result == -EINTR && !is_set(&request->job.withdrawn) &&
         (ends || (request->alone ? !safe__helper_alarmed(until) : !is_set(&request->told))));
  if (request->alone && !ends) safe__helper_alarm(SAFE__NEVER);
  return result != -EINTR || is_set(&request->job.withdrawn) ? (int)-result : SAFE_ETIMEDOUT;
}

static int lock_and_block(struct safe__job *job, int fd, int *reply) {
  struct request *request = (struct request *)job;
  struct turn turn;
  struct safe__turns turns;
  int64_t look = request->look;
  int result;

  (void)reply;
  turn.request = request;
  turn.fd = fd;
  turns.fd = fd;
  turns.claim = &request->claim;
  turns.began = request->began;
  turns.deadline = request->deadline;
  turns.look = &request->look;
  turns.withdrawn = &job->withdrawn;
  turns.wait = wait_until;
  turns.context = &turn;
  result = request->looks ? safe__wait_in_turns(&turns) : wait_until(&turn, request->deadline);
  if (request->look != look) request->helper->look = request->look; /* else the host may have changed that meanwhile */
  return result;
}

/* ---- In the host. */

#define TOO_LATE (10 * SAFE__MS) /* before the deadline, as others may have the processor meanwhile */

/* Again until it has heard, as what comes just before the call is lost; but not soon, as among a crowd it may merely
   have no processor. */
static void tell_to_look(struct request *request, int64_t deadline) {
  int64_t now = safe__os_now(), wanted_at = __atomic_load_n(&request->wanted_at, __ATOMIC_ACQUIRE), later = 0;

  if (wanted_at > now || deadline < now + TOO_LATE) {
    request->look_at = wanted_at > now ? wanted_at : SAFE__NEVER;
    return;
  }
  if (!is_set(&request->told)) later = safe__put_off_look(&request->helper->look, &request->put_off);
  request->look_at = later != 0 ? later : safe__first_look(now, 0);
  if (later != 0) return;
  __atomic_store_n(&request->told, true, __ATOMIC_RELEASE);
  safe__helper_nudge(request->helper);
}

static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct request *request = argument;
  int64_t until;
  int code;

  request->helper->stack->note = (struct safe__wait_note){SAFE__WAIT_NOTE_MAGIC, deadline};
  for (;;) {
    until = safe__deadline_min(deadline, request->look_at);
    code = safe__helper_await(request->helper, until, cancel, interruptible);
    if (code != SAFE_ETIMEDOUT || until == deadline) break;
    tell_to_look(request, deadline);
  }
  request->helper->stack->note.magic[0] = 0; /* whoever has the stack next waits for something else */
  return code;
}

static void take_back(void *argument) {
  struct request *request = argument;

  if (!safe__helper_answered(request->helper)) safe__helper_withdraw(request->helper);
}

/* A copy of a caller's own number would settle that too, but closing a copy drops the record locks that the host itself
   has on the file. */
static bool is_still_it(const struct request *request) {
  return safe__is_still(request->file, &request->id) && (request->known || !request->file->borrowed);
}

/* The helper goes first: a lock call that it may still be in could be granted after we have asked. */
static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct request *request = argument;
  struct safe__helper *helper = request->helper;
  int os_code;

  if (helper->rings && !helper->killed) safe__helper_reply(helper);
  /* One that has answered does not hold up the answer, however long it takes to go. */
  if (helper->killed ? !safe__helper_put(helper, deadline) : !safe__helper_put(helper, 0)) {
    if (helper->killed) return SAFE_ESTUCK;
    safe__helper_park(helper, NULL, NULL);
  }
  request->helper = NULL;
  os_code = request->job.result;
  /* Interrupted, or killed, maybe between the grant and its word of it. On a description that has the lock already,
     asking again changes nothing. */
  if (os_code == EINTR)
    os_code = is_still_it(request) ? safe__lock_call(request->file->fd, &request->claim, false) : EBADF;
  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}

static void release(void *argument) { safe__free(argument); }

static void free_parked(struct safe__helper *helper) { safe__free(helper->parked_data); }

/* The file is closed: a grant that still comes is on a description that only the helper's call refers to (and a forked
   child of the host's, if there is one without exec), and is gone with it. A caller's own file he may close. */
static void park(void *argument) {
  struct request *request = argument;

  /* A lock that was to be converted goes first, as the description lives on in the helper. */
  if (!request->file->borrowed) {
    safe__unlock_call(request->file->fd, &request->claim);
    safe__os_file_close(request->file);
  }
  safe__helper_park(request->helper, free_parked, request);
}

static safe_handle handle(void *argument) { return safe__helper_ready_fd(((struct request *)argument)->helper); }

static const struct safe__wait_calls calls = {await, take_back, settle, park, release, handle, NULL};

static struct request *make_request(struct safe__file *file, const struct safe__claim *claim, int64_t deadline) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return NULL;
  request->job.run = lock_and_block;
  request->file = file;
  request->claim = *claim;
  request->deadline = deadline;
  request->range = safe__record_range(claim, safe__record_type(claim));
  request->known = file->borrowed && safe__os_file_id(file, &request->id);
  return request;
}

static void plan_looks(struct request *request, bool undisturbed) {
  request->began = safe__os_now();
  request->looks = SAFE__RAW_HANDLERS && safe__is_local(request->file->fd, &request->helper->mount);
  request->alone = request->looks && undisturbed;
  request->look = request->helper->look;
  request->wanted_at = request->look_at = SAFE__NEVER;
  if (request->looks && !undisturbed)
    request->wanted_at = request->look_at = safe__first_look(request->began, request->look);
}

int safe__os_lock_queue(struct safe__file *file, const struct safe__claim *claim, bool polled, int64_t deadline,
                        struct safe__wait *wait, safe_error *error) {
  struct request *request;

  if (claim->method == SAFE_METHOD_POSIX) return SAFE_EBUSY; /* the lock would be the helper's */
  request = make_request(file, claim, deadline);
  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  request->helper = safe__helper_get(false, SAFE__HELPER_START_MS, NULL);
  if (request->helper == NULL) {
    safe__free(request);
    return SAFE_EBUSY;
  }
  plan_looks(request, wait->undisturbed);
  if (!safe__helper_post(request->helper, &request->job, file->fd, polled)) {
    safe__helper_dismiss(request->helper);
    safe__free(request);
    return SAFE_EBUSY;
  }
  wait->calls = &calls;
  wait->request = request;
  wait->kind = SAFE_WAIT_QUEUED;
  return SAFE_OK;
}
