/* SPDX-License-Identifier: MIT */
/* The calls that end a child, blocking and for event loops. How it is done is in stop_steps.c. */
#include "stop.h"

/* How soon a loop notices a cancel, and that those are gone whom no exit handle tells of. */
#define CANCEL_MS 20
#define UNWATCHED_MS 10

static int check(const safe_process *process, safe_error *error) {
  int code = safe__check_process(process, error);

  if (code != SAFE_OK || process->stop == NULL) return code;
  return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_STOP, -1, "A stop of the process has been begun, and not finished.");
}

static void init(struct safe_stop *stop, const safe_stop_options *options, bool polled) {
  static const safe_stop_report none = SAFE_STOP_REPORT_INIT;

  stop->options = *options;
  stop->report = none;
  stop->polled = polled;
  stop->rounds = 0;
  safe__error_clear(&stop->error);
}

int safe_process_stop(safe_process *process, const safe_stop_options *options, safe_stop_report *report,
                      safe_error *caller) {
  safe_stop_options copy;
  struct safe_stop stop;
  safe_error error;
  int code, held;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  code = check(process, &error);
  if (code == SAFE_OK) code = safe__read_stop_options(&copy, options, &error);
  if (code == SAFE_OK) code = safe__check_out(report, "safe_stop_report", &error);
  if (code != SAFE_OK) return safe__deliver(caller, &error, code);
  held = safe__os_hold_cancellation();
  init(&stop, &copy, false);
  safe__stop_start(&stop, process);
  safe__stop_drive(&stop);
  safe__os_allow_cancellation(held);
  safe__write_out(report, &stop.report, sizeof(stop.report));
  return safe__deliver(caller, &stop.error, stop.code);
}

/* ---- Without blocking. */

static int begin(safe_stop **out, safe_process *process, const safe_stop_options *options, safe_error *error) {
  struct safe_stop *stop = safe__alloc(sizeof(*stop));
  int held;

  if (stop == NULL) return safe__fail_memory(error, SAFE_STAGE_STOP);
  held = safe__os_hold_cancellation();
  init(stop, options, true);
  safe__stop_start(stop, process);
  safe__os_allow_cancellation(held);
  *out = process->stop = stop;
  return SAFE_OK;
}

int safe_stop_begin(safe_stop **stop, safe_process *process, const safe_stop_options *options, safe_error *caller) {
  safe_stop_options copy;
  safe_error error;
  int code;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  if (stop == NULL)
    return safe__deliver(caller, &error,
                         safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the stop is NULL."));
  *stop = NULL;
  code = check(process, &error);
  if (code == SAFE_OK) code = safe__read_stop_options(&copy, options, &error);
  if (code == SAFE_OK) code = begin(stop, process, &copy, &error);
  return safe__deliver(caller, &error, code);
}

static bool own(const struct safe_stop *stop) { return stop->process->owner == safe__os_self(); }

int safe_stop_poll(safe_stop *stop) {
  int held;

  if (stop == NULL) return SAFE_EINVAL;
  if (!own(stop)) return SAFE_EOWNER;
  held = safe__os_hold_cancellation();
  safe__stop_poll(stop);
  safe__os_allow_cancellation(held);
  return stop->state == SAFE__STOP_OVER ? SAFE_OK : SAFE_EAGAIN;
}

/* While the child itself runs its exit handle wakes the loop. */
int64_t safe_stop_delay_ms(const safe_stop *stop) {
  int64_t at;

  if (stop == NULL || !own(stop) || stop->state == SAFE__STOP_OVER) return 0;
  at = safe__stop_next(stop);
  if (stop->process->ended || safe__os_child_exit_handle(&stop->process->child) == SAFE_INVALID_HANDLE)
    at = safe__deadline_min(at, safe__deadline(UNWATCHED_MS));
  if (stop->options.cancel != NULL) at = safe__deadline_min(at, safe__deadline(CANCEL_MS));
  return safe__left_ms(at, INT32_MAX);
}

/* Also in a forked copy, where all else is the parent's. */
static void free_stop(struct safe_stop *stop) {
  stop->process->stop = NULL;
  safe__free(stop);
}

static int finish(struct safe_stop *stop, safe_stop_report *report, safe_error *error) {
  int held, code;

  held = safe__os_hold_cancellation();
  safe__stop_drive(stop);
  safe__os_allow_cancellation(held);
  safe__write_out(report, &stop->report, sizeof(stop->report));
  *error = stop->error;
  code = stop->code;
  free_stop(stop);
  return code;
}

int safe_stop_finish(safe_stop *stop, safe_stop_report *report, safe_error *caller) {
  safe_error error;
  int code;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  if (stop == NULL) {
    code = safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The stop is NULL.");
  } else if (!own(stop)) {
    free_stop(stop);
    code = safe__fail(&error, SAFE_EOWNER, SAFE_STAGE_STOP, -1, "The stop is the parent process's.");
  } else {
    code = safe__check_out(report, "safe_stop_report", &error);
    if (code == SAFE_OK) code = finish(stop, report, &error);
  }
  return safe__deliver(caller, &error, code);
}

void safe_stop_abandon(safe_stop *stop) {
  if (stop != NULL) free_stop(stop);
}
