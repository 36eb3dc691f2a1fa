/* SPDX-License-Identifier: MIT */
/* All directions at once: whichever flow can move is moved, so no side waits for another for ever. */
#include <string.h>

#include "flow.h"

/* A deadline that has passed does not count for so many rounds, if the child has ended or the caller does not wait at
   all, as long as each of them moves something: so much empties pipes of any size that were full. */
#define LAST_ROUNDS 16

/* Between two looks after a child whose exit handle is of no use: there is none (Linux before 5.3), or it says that the
   child has ended while a debugger has its status. */
#define STEP_MS 5

static bool move(struct safe__talk *talk, safe_error *error) {
  int at, code = safe__flow_in(talk, error);

  for (at = 0; code == SAFE_OK && at < 2; at++) code = safe__flow_out(talk, &talk->out[at], error);
  return code == SAFE_OK;
}

static bool has_moved(struct safe__talk *talk) {
  bool moved = talk->moved || talk->out[0].moved || talk->out[1].moved;

  talk->moved = talk->out[0].moved = talk->out[1].moved = false;
  return moved;
}

static bool stalls(const struct safe__talk *talk) {
  return safe__flow_out_stalls(&talk->out[0]) || safe__flow_out_stalls(&talk->out[1]);
}

/* How many of them there is something to wait for; 0: everything has come to its end. */
static size_t await(struct safe__talk *talk, struct safe__awaited *awaited) {
  size_t count = 0;
  int at;

  safe__flow_in_awaits(talk, awaited, &count);
  for (at = 0; at < 2; at++) safe__flow_out_awaits(&talk->out[at], awaited, &count);
  return count;
}

static int time_is_up(struct safe__talk *talk, bool ended, safe_error *error) {
  if (!ended || !stalls(talk))
    return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1,
                      "The child had not ended, or closed its output, after %lld ms.",
                      (long long)talk->options.timeout_ms);
  return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1,
                    "The handle for the child's output had not taken all of it after %lld ms.",
                    (long long)talk->options.timeout_ms);
}

static int exchange(struct safe__talk *talk, safe_error *error) {
  int64_t deadline = safe__deadline(talk->options.timeout_ms), drain = SAFE__NEVER, next = 0;
  bool ended = false, in_steps = false, at_once = talk->options.timeout_ms == SAFE_NO_WAIT;
  struct safe__awaited awaited[4];
  safe_error ignored;
  size_t count;
  int woken, rounds = 0;

  if (!move(talk, error)) return error->code; /* what an earlier call has left goes first, wherever it goes now */
  for (;;) {
    count = await(talk, awaited);
    if (ended && count == 0) return SAFE_OK;
    if (in_steps && !ended) next = safe__deadline_min(next, safe__deadline(STEP_MS));
    woken = safe__os_stream_wait(awaited, count, ended || in_steps ? NULL : &talk->process->child, talk->options.cancel,
                                 next);
    /* Asked before the pipes are read: what the child wrote before its end is then in them for certain. */
    if (!ended && (in_steps || (woken & SAFE__WOKEN_BY_CHILD) != 0)) {
      ended = safe__process_wait(talk->process, 0, NULL, &ignored) == SAFE_OK;
      in_steps = !ended;
      if (ended) drain = safe__deadline(talk->options.drain_ms);
      if (ended) rounds = 0;
    }
    if (!move(talk, error)) return error->code;
    if ((woken & SAFE__WOKEN_BY_CANCEL) != 0 && safe__os_cancel_triggered(talk->options.cancel))
      return safe__fail(error, SAFE_ECANCELED, SAFE_STAGE_WAIT, -1, "Communicating with the child was cancelled.");
    /* The time that the caller's own handle takes is no sign of somebody who keeps the pipe. */
    if (ended && stalls(talk)) drain = safe__deadline(talk->options.drain_ms);
    next = safe__deadline_min(deadline, drain);
    if (safe__os_now() < next || (has_moved(talk) && (ended || at_once) && rounds++ < LAST_ROUNDS)) continue;
    if (ended && await(talk, awaited) == 0) return SAFE_OK;
    if (safe__os_now() >= deadline) return time_is_up(talk, ended, error);
    talk->held = true;
    return SAFE_OK;
  }
}

/* ---- Before and after. */

static int lend(struct safe__talk *talk, safe_error *error) {
  struct safe__outflow *flow;
  int at, code = SAFE_OK;

  if (talk->options.input_handle != SAFE_INVALID_HANDLE && safe__os_stream_ours(talk->in))
    code = safe__os_stream_borrow(&talk->source, talk->options.input_handle, false, 0, error);
  for (at = 0; code == SAFE_OK && at < 2; at++) {
    flow = &talk->out[at];
    if (flow->sink->kind == SAFE_SINK_HANDLE &&
        (safe__os_stream_ours(flow->stream) || flow->carry->at < flow->carry->length))
      code = safe__os_stream_borrow(&flow->target, flow->sink->handle, true, flow->index, error);
  }
  return code;
}

static void prepare_flow(struct safe__talk *talk, int index, const safe_sink *sink) {
  struct safe__outflow *flow = &talk->out[index - 1];

  flow->index = index;
  flow->sink = sink;
  flow->stream = &talk->process->child.streams[index];
  flow->carry = &talk->process->carry[index];
  safe__os_stream_none(&flow->target);
}

static int prepare(struct safe__talk *talk, safe_error *error) {
  const safe_sink *sink;
  int at;

  talk->in = &talk->process->child.streams[0];
  talk->carry = &talk->process->carry[0];
  talk->earlier = talk->carry->length - talk->carry->at;
  safe__os_stream_none(&talk->source);
  prepare_flow(talk, 1, &talk->options.out);
  prepare_flow(talk, 2, &talk->options.err);
  for (at = 0; at < 2; at++) {
    sink = talk->out[at].sink;
    if (!safe__kept_begin(&talk->out[at].kept, sink->kind == SAFE_SINK_MEMORY ? sink->limit : 0, sink->keep))
      return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  }
  for (at = 0; at < 3; at++)
    if (safe__os_stream_ours(&talk->process->child.streams[at]))
      safe__os_stream_widen(&talk->process->child.streams[at]);
  return lend(talk, error);
}

static void tell(struct safe__talk *talk, safe_output *output) {
  static const safe_output empty = SAFE_OUTPUT_INIT;
  struct safe__kept *out = &talk->out[0].kept, *err = &talk->out[1].kept;

  *output = empty;
  output->out_cut = safe__kept_end(out);
  output->err_cut = safe__kept_end(err);
  output->out = out->bytes;
  output->out_length = out->length;
  output->out_total = out->total;
  output->err = err->bytes;
  output->err_length = err->length;
  output->err_total = err->total;
  output->input_used = talk->used;
  if (talk->options.out.kind == SAFE_SINK_MEMORY && out->total > out->length) output->flags |= SAFE_OUTPUT_OUT_CUT;
  if (talk->options.err.kind == SAFE_SINK_MEMORY && err->total > err->length) output->flags |= SAFE_OUTPUT_ERR_CUT;
  if (talk->held) output->flags |= SAFE_OUTPUT_HELD_OPEN;
  if (talk->refused) output->flags |= SAFE_OUTPUT_IN_REFUSED;
}

/* An empty block is of no use to the next call, if there is one. */
static void drop_empty(struct safe__carry *carry) {
  if (carry->at < carry->length) return;
  safe__free(carry->block);
  carry->block = NULL;
  carry->at = carry->length = 0;
}

static int communicate(struct safe__talk *talk, safe_output *output, safe_error *error) {
  int at, code = prepare(talk, error);

  if (code == SAFE_OK) {
    code = exchange(talk, error);
    safe__flow_settle(talk);
    tell(talk, output);
  } else {
    for (at = 0; at < 2; at++) safe__free(talk->out[at].kept.block);
  }
  safe__os_stream_close(&talk->source);
  for (at = 0; at < 2; at++) safe__os_stream_close(&talk->out[at].target);
  for (at = 0; at < 3; at++) drop_empty(&talk->process->carry[at]);
  safe__free(talk->scratch.block);
  return code;
}

int safe_process_communicate(safe_process *process, const safe_communicate_options *options, safe_output *output,
                             safe_error *caller) {
  safe_output result = SAFE_OUTPUT_INIT;
  safe_error error;
  struct safe__talk talk;
  int code, held;

  memset(&talk, 0, sizeof(talk));
  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  code = safe__check_process(process, &error);
  if (code == SAFE_OK) code = safe__read_communicate_options(&talk.options, options, &error);
  if (code == SAFE_OK) code = safe__check_output(output, &error);
  if (code == SAFE_OK) {
    talk.process = process;
    held = safe__os_hold_cancellation();
    code = communicate(&talk, &result, &error);
    safe__os_allow_cancellation(held);
    if (result.out != NULL) safe__write_out(output, &result, sizeof(result));
    if (output == NULL) safe_output_free(&result);
  }
  return safe__deliver(caller, &error, code);
}

void safe_output_free(safe_output *output) {
  if (output == NULL) return;
  safe__free(output->out);
  safe__free(output->err);
  output->out = output->err = NULL;
  output->out_length = output->err_length = 0;
}
