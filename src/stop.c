/* SPDX-License-Identifier: MIT */
/* Ending a child: politely, then by force, then a verdict. Nothing here waits for a process without a deadline. */
#include "explain.h"
#include "process.h"

/* From the forced end to the verdict. */
#define VERDICT_MS 80

/* For a look at what is left, after the verdict. */
#define TELL_MS 10

/* Forced again in this rhythm: a process of the group may have forked while the group was being killed. */
#define REPEAT_MS 10

/* How soon a cancel is noticed. */
#define SLICE_MS 20
#define SLICES 5 /* after which it is looked anyway */

/* Until something may have changed, the deadline, or the cancel: false. */
static bool settle(struct safe__child *child, int64_t deadline, safe_cancel *cancel) {
  int64_t slice = 0;
  int count;

  if (cancel == NULL) {
    safe__os_child_settle(child, deadline);
    return true;
  }
  for (count = 0; count < SLICES && slice < deadline; count++) {
    if (safe__os_cancel_triggered(cancel)) return false;
    slice = safe__deadline_min(deadline, safe__deadline(SLICE_MS));
    safe__os_child_settle(child, slice);
    if (safe__os_now() < slice) break; /* else nothing has changed: looking, which costs more than waiting, is spared */
  }
  return true;
}

static bool gone_by(struct safe__child *child, int64_t deadline, safe_cancel *cancel, safe_stop_report *report) {
  while (safe__os_child_left(child, report)) {
    if (safe__os_now() >= deadline || !settle(child, deadline, cancel)) return false;
  }
  return true;
}

/* The first one is told of in words: from the report where the kernel keeps it, else by a look. */
static int say_stuck(const safe_stop_report *report, int64_t deadline, safe_error *error) {
  bool told;

  safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_STOP, -1,
             "%d process%s still there at the end of the stop; the first is %lld, state %c", (int)report->left_count,
             report->left_count == 1 ? " is" : "es are", (long long)report->left[0],
             report->state != 0 ? (char)report->state : '?');
  if (report->state == 'D')
    told = safe__add_stuck(error, ": it", report->left[0], report->wait_channel);
  else
    told = safe__add_doing(error, ": it", report->left[0], deadline);
  if (!told) safe__add(error, "%s%s.", report->wait_channel[0] != '\0' ? ", waiting in " : "", report->wait_channel);
  return SAFE_ESTUCK;
}

static int stop(struct safe__child *child, const safe_stop_options *options, safe_stop_report *report,
                safe_error *error) {
  int64_t began = safe__os_now(), verdict; /* what looking takes is part of the time */

  report->verdict = SAFE_STOP_WAS_GONE;
  if (!safe__os_child_left(child, report)) return SAFE_OK;
  if (options->grace_ms > 0) {
    report->verdict = SAFE_STOP_POLITE;
    if (safe__os_child_end(child, false) &&
        gone_by(child, safe__deadline_after(began, options->grace_ms), options->cancel, report))
      return SAFE_OK;
  }
  report->verdict = SAFE_STOP_FORCED;
  verdict = safe__deadline_min(safe__deadline(VERDICT_MS), safe__deadline_after(began, options->grace_ms + VERDICT_MS));
  do {
    safe__os_child_end(child, true);
    if (gone_by(child, safe__deadline_min(verdict, safe__deadline(REPEAT_MS)), NULL, report)) return SAFE_OK;
  } while (safe__os_now() < verdict);
  report->verdict = SAFE_STOP_STUCK;
  return say_stuck(report, verdict + TELL_MS * SAFE__MS, error);
}

int safe_process_stop(safe_process *process, const safe_stop_options *options, safe_stop_report *report,
                      safe_error *caller) {
  safe_stop_report result = SAFE_STOP_REPORT_INIT;
  safe_stop_options copy;
  safe_error error, ignored;
  int code, held;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  code = safe__check_process(process, &error);
  if (code == SAFE_OK) code = safe__read_stop_options(&copy, options, &error);
  if (code == SAFE_OK) code = safe__check_out(report, "safe_stop_report", &error);
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    code = stop(&process->child, &copy, &result, &error);
    safe__process_wait(process, 0, NULL, &ignored); /* keeps the status while the kernel has it */
    safe__os_allow_cancellation(held);
    safe__write_out(report, &result, sizeof(result));
  }
  return safe__deliver(caller, &error, code);
}
