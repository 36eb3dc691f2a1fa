/* SPDX-License-Identifier: MIT */
#include "process_talk.h"

/* A signal handler runs at most so late: the library's call knows nothing of them, and so is made in slices. */
#define SLICE_MS 50
/* After the child's end, for who else has its output open; the library's own default. */
#define DRAIN_MS 1000

bool safehold_talk_give(struct safehold_talk *talk, zend_string *input) {
  zend_string *both;
  size_t left;

  if (talk->input == NULL) {
    if (talk->input_ended) return ZSTR_LEN(input) == 0;
    talk->input = zend_string_copy(input);
    talk->input_at = 0;
    return true;
  }
  if (ZSTR_LEN(input) == 0) return true;
  left = ZSTR_LEN(talk->input) - talk->input_at;
  both = zend_string_concat2(ZSTR_VAL(talk->input) + talk->input_at, left, ZSTR_VAL(input), ZSTR_LEN(input));
  zend_string_release(talk->input);
  talk->input = both;
  talk->input_at = 0;
  return true;
}

static void end_input(struct safehold_talk *talk) {
  if (talk->input != NULL) zend_string_release(talk->input);
  talk->input = NULL;
  talk->input_ended = true;
}

static size_t room(const smart_str *bytes, size_t limit) {
  size_t have = bytes->s == NULL ? 0 : ZSTR_LEN(bytes->s);

  return have < limit ? limit - have : 0;
}

static void bound(safe_sink *sink, size_t limit) {
  sink->limit = limit;
  if (limit == 0) sink->kind = SAFE_SINK_DROP;
}

#define STEP ((size_t)256 << 10) /* so much memory may be taken beyond the limit before that is noticed */

static void append(smart_str *all, const char *bytes, size_t length) {
  size_t part;

  for (; length > 0 && !safehold_out_of_memory(); bytes += part, length -= part) {
    part = length < STEP ? length : STEP;
    smart_str_appendl(all, bytes, part);
  }
}

/* What was dropped is told by the totals alone: the limit may have been another one before. */
static void collect(struct safehold_talk *talk) {
  struct safehold_collected *collected = &talk->collected;
  const safe_output *piece = &talk->piece;

  append(&collected->out, piece->out, piece->out_length);
  append(&collected->err, piece->err, piece->err_length);
  collected->out_total += piece->out_total;
  collected->err_total += piece->err_total;
  collected->out_cut |= piece->out_total > piece->out_length;
  collected->err_cut |= piece->err_total > piece->err_length;
  collected->held_open = (piece->flags & SAFE_OUTPUT_HELD_OPEN) != 0;
  collected->refused |= (piece->flags & SAFE_OUTPUT_IN_REFUSED) != 0;
  talk->input_at += (size_t)piece->input_used;
  safe_output_free(&talk->piece);
}

static int slice(struct safehold_talk *talk, safe_process *process, size_t limit, int64_t ms, safe_error *error) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  int code;

  if (talk->input != NULL) {
    options.input = ZSTR_VAL(talk->input) + talk->input_at;
    options.input_length = ZSTR_LEN(talk->input) - talk->input_at;
  }
  bound(&options.out, room(&talk->collected.out, limit));
  bound(&options.err, room(&talk->collected.err, limit));
  options.timeout_ms = ms;
  options.drain_ms = DRAIN_MS;
  safe_output_free(&talk->piece); /* of a call that a fatal error has ended */
  talk->piece = (safe_output)SAFE_OUTPUT_INIT;
  code = safe_process_communicate(process, &options, &talk->piece, error);
  collect(talk);
  /* The library has closed the pipe when all of it was taken, or will. */
  if (talk->input != NULL && talk->input_at == ZSTR_LEN(talk->input)) end_input(talk);
  return code;
}

static bool has_ended(safe_process *process, int64_t ms, safe_error *error) {
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;

  options.timeout_ms = ms;
  return safe_process_wait(process, &options, NULL, error) == SAFE_OK;
}

int safehold_talk(struct safehold_talk *talk, safe_process *process, size_t limit, struct safehold_wait *wait,
                  safe_error *error) {
  int64_t left, ms;
  int code;

  do {
    left = safehold_wait_left_ms(wait);
    /* Once it has ended nothing runs but the time for draining, which a slice must not begin anew each time. */
    ms = has_ended(process, 0, NULL) ? DRAIN_MS + SLICE_MS : SLICE_MS;
    code = slice(talk, process, limit, left >= 0 && left < ms ? left : ms, error);
    if (safehold_out_of_memory()) return SAFE_EINTR;
    if (code != SAFE_ETIMEDOUT) return code;
    if (!safehold_wait_go_on(wait)) return SAFE_EINTR;
  } while (safehold_wait_left_ms(wait) != 0);
  /* The sentence of the call itself names the slice's time. */
  has_ended(process, SAFEHOLD_LOOK_MS, error);
  return SAFE_ETIMEDOUT;
}

void safehold_talk_free(struct safehold_talk *talk) {
  safe_output_free(&talk->piece);
  if (talk->input != NULL) zend_string_release(talk->input);
  smart_str_free(&talk->collected.out);
  smart_str_free(&talk->collected.err);
}
