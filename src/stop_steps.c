/* SPDX-License-Identifier: MIT */
/* Politely, then by force, then a verdict. Nothing here waits for a process without a deadline. */
#include "stop.h"

#include "explain.h"
#include "trace.h"

/* From the forced end to the verdict. */
#define VERDICT_MS 80

/* For a look at what is left, after the verdict. */
#define TELL_MS 10

/* Forced again in this rhythm: a process of the group may have forked while the group was being killed. */
#define REPEAT_MS 10

/* A loop that comes late has still to have killed so often before it may say that somebody is stuck. */
#define ROUNDS 3

/* How soon a cancel is noticed. */
#define SLICE_MS 20

/* Who is left is looked for in this rhythm at the latest, as the process that is watched may not be the last one, or
   its number may have been given to another one. */
#define LOOK_AGAIN_MS 100

static void end(struct safe_stop *stop, int code) {
  stop->state = SAFE__STOP_OVER;
  stop->code = code;
  safe__trace_stop(stop);
}

static void force(struct safe_stop *stop) {
  int64_t now = safe__os_now();

  if (stop->state == SAFE__STOP_GRACE) {
    stop->state = SAFE__STOP_FORCE;
    stop->report.verdict = SAFE_STOP_FORCED;
    stop->verdict = now + VERDICT_MS * SAFE__MS;
    if (!stop->polled)
      stop->verdict = safe__deadline_min(stop->verdict, safe__deadline_after(stop->grace_end, VERDICT_MS));
  }
  safe__os_child_end(&stop->process->child, true);
  stop->rounds++;
  stop->force_at = now + REPEAT_MS * SAFE__MS;
  if (stop->force_at > stop->verdict && now < stop->verdict) stop->force_at = stop->verdict;
}

/* The first one is told of in words: from the report where the kernel keeps it, else by a look. */
static void say_stuck(struct safe_stop *stop, int64_t deadline) {
  const safe_stop_report *report = &stop->report;
  safe_error *error = &stop->error;
  bool told;

  if (report->left[0] == 0) {
    safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_STOP, -1,
               "Whether all processes have ended cannot be told: the list of processes could not be read, for want of "
               "descriptors or memory, or does not show them.");
    return;
  }
  safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_STOP, -1,
             "%d process%s still there at the end of the stop; the first is %lld, state %c", (int)report->left_count,
             report->left_count == 1 ? " is" : "es are", (long long)report->left[0],
             report->state != 0 ? (char)report->state : '?');
  if (report->state == 'D')
    told = safe__add_stuck(error, ": it", report->left[0], report->wait_channel);
  else
    told = safe__add_doing(error, ": it", report->left[0], deadline);
  if (!told) safe__add(error, "%s%s.", report->wait_channel[0] != '\0' ? ", waiting in " : "", report->wait_channel);
}

static bool cancelled(const struct safe_stop *stop) {
  return stop->state == SAFE__STOP_GRACE && safe__os_cancel_triggered(stop->options.cancel);
}

/* Somebody is left. */
static void go_on(struct safe_stop *stop, bool is_cancelled) {
  int64_t now = safe__os_now();

  stop->look_at = now + LOOK_AGAIN_MS * SAFE__MS;
  if (stop->state == SAFE__STOP_GRACE) {
    if (is_cancelled || now >= stop->grace_end) force(stop);
  } else if (now >= stop->verdict && (!stop->polled || stop->rounds >= ROUNDS)) {
    stop->report.verdict = SAFE_STOP_STUCK;
    say_stuck(stop, (stop->polled ? now : stop->verdict) + TELL_MS * SAFE__MS);
    end(stop, SAFE_ESTUCK);
  } else if (now >= stop->force_at) {
    force(stop);
  }
}

static void advance(struct safe_stop *stop, bool changed) {
  bool is_cancelled = cancelled(stop);
  safe_error ignored;

  if (!changed && !is_cancelled && safe__os_now() < safe__stop_next(stop)) return;
  if (safe__os_child_left(&stop->process->child, &stop->report))
    go_on(stop, is_cancelled);
  else
    end(stop, SAFE_OK);
  safe__process_wait(stop->process, 0, NULL, &ignored); /* keeps the status while the kernel has it */
}

void safe__stop_start(struct safe_stop *stop, safe_process *process) {
  int64_t began = safe__os_now();
  safe_error ignored;

  stop->process = process;
  stop->state = SAFE__STOP_GRACE;
  stop->grace_end = safe__deadline_after(began, stop->options.grace_ms);
  stop->report.verdict = SAFE_STOP_WAS_GONE;
  if (!safe__os_child_left(&process->child, &stop->report)) {
    end(stop, SAFE_OK);
    safe__process_wait(process, 0, NULL, &ignored);
    return;
  }
  stop->look_at = safe__deadline(LOOK_AGAIN_MS);
  stop->report.verdict = SAFE_STOP_POLITE;
  if (stop->options.grace_ms == 0 || !safe__os_child_end(&process->child, false)) force(stop);
}

void safe__stop_poll(struct safe_stop *stop) {
  if (stop->state != SAFE__STOP_OVER) advance(stop, safe__os_child_settle(&stop->process->child, 0));
}

int64_t safe__stop_next(const struct safe_stop *stop) {
  int64_t at = stop->state == SAFE__STOP_GRACE ? stop->grace_end : stop->force_at;

  return stop->state == SAFE__STOP_OVER ? 0 : safe__deadline_min(at, stop->look_at);
}

void safe__stop_drive(struct safe_stop *stop) {
  bool watches = stop->options.cancel != NULL;
  int64_t until;

  while (stop->state != SAFE__STOP_OVER) {
    until = safe__stop_next(stop);
    if (watches && stop->state == SAFE__STOP_GRACE) until = safe__deadline_min(until, safe__deadline(SLICE_MS));
    advance(stop, safe__os_child_settle(&stop->process->child, until));
  }
}
