/* SPDX-License-Identifier: MIT */
#include "wait_backoff.h"

#define FIRST_PAUSE SAFE__MS
#define LAST_PAUSE (16 * SAFE__MS)

struct request {
  struct safe__file *file;
  struct safe__claim claim;
  int64_t pause, next;
  uint64_t state;
  int answer;         /* SAFE_EBUSY so far */
  safe_error failure; /* for any other but 0 */
};

/* Two waiters that began together would go on asking together; a quarter up or down parts them. */
static int64_t jitter(struct request *request) {
  uint64_t state = request->state;

  state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407); /* Knuth's MMIX generator */
  request->state = state;
  return request->pause * 3 / 4 + (int64_t)(state >> 33) % (request->pause / 2);
}

static void ask(struct request *request) {
  request->answer = safe__os_lock_try(request->file, &request->claim, &request->failure);
  if (request->pause < LAST_PAUSE) request->pause = request->pause * 3 / 2;
  request->next = safe__os_now() + jitter(request);
}

static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct request *request = argument;
  int code;

  for (;;) {
    if (safe__os_cancel_triggered(cancel)) return SAFE_ECANCELED;
    if (safe__os_now() >= request->next) ask(request);
    if (request->answer != SAFE_EBUSY) return SAFE_OK;
    if (safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
    code = safe__os_sleep(safe__deadline_min(deadline, request->next), cancel, interruptible);
    if (code != SAFE_OK) return code;
  }
}

/* Nothing is queued: there is nothing to take back. But the last chance is taken, as a kernel's queue would have. */
static void revoke(void *argument) {
  struct request *request = argument;

  if (request->answer == SAFE_EBUSY) ask(request);
}

static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct request *request = argument;

  (void)deadline;
  if (request->answer != SAFE_OK) *error = request->failure;
  return request->answer;
}

static void park(void *argument) { (void)argument; }

static int64_t retry_at(void *argument) { return ((struct request *)argument)->next; }

static const struct safe__wait_calls calls = {await, revoke, settle, park, safe__free, NULL, retry_at};

int safe__wait_backoff(struct safe__file *file, const struct safe__claim *claim, struct safe__wait *wait,
                       safe_error *error) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  request->file = file;
  request->claim = *claim;
  request->answer = SAFE_EBUSY;
  request->pause = FIRST_PAUSE;
  request->state = (uint64_t)safe__os_now() ^ (uint64_t)safe__os_self() ^ (uint64_t)(uintptr_t)file;
  request->next = safe__os_now() + jitter(request);
  wait->calls = &calls;
  wait->request = request;
  wait->kind = SAFE_WAIT_BACKOFF;
  return SAFE_OK;
}
