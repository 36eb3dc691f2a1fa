/* SPDX-License-Identifier: MIT */
#include "ask_aside.h"

#define END_MS 5
#define PAUSE_MS 20

static void free_parked(struct safe__helper *helper) {
  struct safe__errand *errand = helper->parked_data;

  errand->release(errand);
}

static int fail_stuck(safe_error *error) {
  return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_INSPECT, -1, "The file system has not answered in time.");
}

static int send_helper(struct safe__helper *helper, struct safe__errand *errand, int64_t deadline, safe_error *error) {
  if (!safe__helper_post(helper, &errand->job, -1, false)) {
    safe__helper_dismiss(helper);
    return safe__fail(error, SAFE_ESYSTEM, SAFE_STAGE_INSPECT, -1, "The helper could not be told what to do.");
  }
  if (safe__helper_await(helper, deadline, NULL, false) == SAFE_OK) {
    safe__helper_dismiss(helper);
    return SAFE_OK;
  }
  safe__helper_kill(helper);
  if (safe__helper_put(helper, safe__deadline(END_MS)))
    errand->release(errand);
  else
    safe__helper_park(helper, free_parked, errand);
  return fail_stuck(error);
}

/* A busy machine may take long to start one, or have just made another one late; that says nothing of this file. */
static struct safe__helper *get_helper(int64_t deadline, bool *stuck) {
  struct safe__helper *helper;
  int64_t left;

  for (;;) {
    left = safe__left_ms(deadline, INT32_MAX);
    helper = safe__helper_get(true, left > 0 ? left : 1, stuck);
    if (helper != NULL || !*stuck || left <= PAUSE_MS) return helper;
    safe__os_sleep(safe__deadline(PAUSE_MS), NULL, false);
  }
}

int safe__ask_aside(struct safe__errand *errand, int64_t deadline, safe_error *error) {
  bool stuck;
  struct safe__helper *helper = get_helper(deadline, &stuck);
  int none = -1;

  if (helper != NULL) return send_helper(helper, errand, deadline, error);
  if (stuck) {
    errand->release(errand);
    return fail_stuck(error);
  }
  /* None can be made here: the only way that is left is the one that may take as long as the file system does. */
  errand->job.result = errand->job.run(&errand->job, -1, &none);
  return SAFE_OK;
}
