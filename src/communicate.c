/* SPDX-License-Identifier: MIT */
/* Both directions at once: whichever pipe can move is moved, so neither side waits for the other for ever. */
#include <string.h>

#include "process.h"

#define CHUNK ((size_t)256 * 1024)
/* Bytes moved on one stream before the others, the deadline and the child are looked at again. */
#define TURN ((size_t)4 * CHUNK)

struct sink {
  struct safe__stream *stream;
  int index;
  char *bytes;
  size_t length, room, limit;
  uint64_t total;
};

struct talk {
  safe_process *process;
  safe_communicate_options options;
  size_t used;   /* of the input */
  bool refused;  /* the child closed its stdin before the input's end */
  bool held;     /* the drain time was over */
  char *scratch; /* where bytes beyond a limit go */
  struct sink sinks[2];
};

/* Makes room for more bytes and one NUL behind them, without going beyond the limit. */
static bool grow(struct sink *sink) {
  size_t room = sink->room == 0 ? 4096 : sink->room < CHUNK ? CHUNK : sink->room * 2;
  char *bytes;

  if (room > sink->limit) room = sink->limit;
  bytes = safe__realloc(sink->bytes, room + 1);
  if (bytes == NULL) return false;
  sink->bytes = bytes;
  sink->room = room;
  return true;
}

static int read_into(struct talk *talk, struct sink *sink, int64_t *moved) {
  bool keep = sink->length < sink->limit;

  if (keep) {
    if (sink->length == sink->room && !grow(sink)) return SAFE_ENOMEM;
    *moved = safe__os_stream_read(sink->stream, sink->bytes + sink->length, sink->room - sink->length);
  } else {
    if (talk->scratch == NULL) talk->scratch = safe__alloc(CHUNK);
    if (talk->scratch == NULL) return SAFE_ENOMEM;
    *moved = safe__os_stream_read(sink->stream, talk->scratch, CHUNK);
  }
  if (*moved > 0) {
    sink->total += (uint64_t)*moved;
    if (keep) sink->length += (size_t)*moved;
  }
  return SAFE_OK;
}

static int drain_sink(struct talk *talk, struct sink *sink, safe_error *error) {
  size_t turn = 0;
  int64_t moved = 0;

  while (safe__os_stream_open(sink->stream) && turn < TURN) {
    if (read_into(talk, sink, &moved) != SAFE_OK) return safe__fail_memory(error, SAFE_STAGE_READ);
    if (moved == SAFE__AGAIN) return SAFE_OK;
    if (moved < 0)
      return safe__fail(error, (int)moved, SAFE_STAGE_READ, sink->index, "Reading the child's stream %d failed.",
                        sink->index);
    if (moved == 0) safe__os_stream_close(sink->stream);
    turn += (size_t)moved;
  }
  return SAFE_OK;
}

static int feed(struct talk *talk, safe_error *error) {
  struct safe__stream *stream = &talk->process->child.streams[0];
  const char *input = talk->options.input;
  size_t left, turn = 0;
  int64_t moved;

  while (safe__os_stream_open(stream) && turn < TURN) {
    left = talk->options.input_length - talk->used;
    moved = left == 0 ? 0 : safe__os_stream_write(stream, input + talk->used, left < CHUNK ? left : CHUNK);
    if (moved == SAFE__AGAIN) return SAFE_OK;
    if (moved < 0) return safe__fail(error, (int)moved, SAFE_STAGE_WRITE, 0, "Writing the child's input failed.");
    if (moved == 0) {
      talk->refused = left > 0;
      safe__os_stream_close(stream);
    }
    talk->used += (size_t)moved;
    turn += (size_t)moved;
  }
  return SAFE_OK;
}

static bool all_closed(const struct talk *talk) {
  const struct safe__stream *streams = talk->process->child.streams;

  return !safe__os_stream_open(&streams[0]) && !safe__os_stream_open(&streams[1]) && !safe__os_stream_open(&streams[2]);
}

static int expired(const struct talk *talk, int64_t deadline, safe_error *error) {
  if (safe__os_cancel_triggered(talk->options.cancel))
    return safe__fail(error, SAFE_ECANCELED, SAFE_STAGE_WAIT, -1, "Communicating with the child was cancelled.");
  if (safe__os_now() >= deadline)
    return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1,
                      "The child had not ended, or closed its output, after %lld ms.",
                      (long long)talk->options.timeout_ms);
  return SAFE_OK;
}

static int exchange(struct talk *talk, safe_error *error) {
  safe_process *process = talk->process;
  struct safe__stream *streams = process->child.streams;
  int64_t deadline = safe__deadline(talk->options.timeout_ms), drain = SAFE__NEVER;
  safe_error ignored;
  bool ended;
  int at, code;

  for (at = 0; at < 3; at++) safe__os_stream_widen(&streams[at]);
  for (;;) {
    /* Asked before the pipes are read: what the child wrote before its end is then in them for certain. */
    ended = safe__process_wait(process, 0, NULL, &ignored) == SAFE_OK;
    if (ended && drain == SAFE__NEVER) drain = safe__deadline(talk->options.drain_ms);
    code = feed(talk, error);
    for (at = 0; code == SAFE_OK && at < 2; at++) code = drain_sink(talk, &talk->sinks[at], error);
    if (code != SAFE_OK) return code;
    if (ended && all_closed(talk)) return SAFE_OK;
    if (ended && safe__os_now() >= drain) {
      talk->held = true;
      return SAFE_OK;
    }
    code = expired(talk, deadline, error);
    if (code != SAFE_OK) return code;
    safe__os_stream_wait(streams, 3, ended ? NULL : &process->child, talk->options.cancel,
                         safe__deadline_min(deadline, drain));
  }
}

static void finish(struct talk *talk, safe_output *output) {
  static const safe_output empty = SAFE_OUTPUT_INIT;
  struct sink *out = &talk->sinks[0], *err = &talk->sinks[1];

  *output = empty;
  out->bytes[out->length] = '\0';
  err->bytes[err->length] = '\0';
  output->out = out->bytes;
  output->out_length = out->length;
  output->out_total = out->total;
  output->err = err->bytes;
  output->err_length = err->length;
  output->err_total = err->total;
  output->input_used = talk->used;
  output->flags = (out->total > out->length ? SAFE_OUTPUT_OUT_CUT : 0u) |
                  (err->total > err->length ? SAFE_OUTPUT_ERR_CUT : 0u) | (talk->held ? SAFE_OUTPUT_HELD_OPEN : 0u) |
                  (talk->refused ? SAFE_OUTPUT_IN_REFUSED : 0u);
}

static int communicate(struct talk *talk, safe_output *output, safe_error *error) {
  size_t limits[2];
  int at, code = SAFE_OK;

  limits[0] = talk->options.out.limit;
  limits[1] = talk->options.err.limit;
  for (at = 0; at < 2; at++) {
    talk->sinks[at].stream = &talk->process->child.streams[at + 1];
    talk->sinks[at].index = at + 1;
    talk->sinks[at].limit = limits[at];
    if (!grow(&talk->sinks[at])) code = safe__fail_memory(error, SAFE_STAGE_PREPARE);
  }
  if (code == SAFE_OK) {
    code = exchange(talk, error);
    finish(talk, output);
  } else {
    safe__free(talk->sinks[0].bytes);
    safe__free(talk->sinks[1].bytes);
  }
  safe__free(talk->scratch);
  return code;
}

int safe_process_communicate(safe_process *process, const safe_communicate_options *options, safe_output *output,
                             safe_error *caller) {
  safe_output result = SAFE_OUTPUT_INIT;
  safe_error error;
  struct talk talk;
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
    safe__write_out(output, &result, sizeof(result));
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
