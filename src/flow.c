/* SPDX-License-Identifier: MIT */
#include "flow.h"

/* Of the caller's memory at a time, so that the other flows get their turn. */
#define CHUNK ((size_t)256 * 1024)

static bool make_block(struct safe__carry *carry) {
  if (carry->block == NULL) carry->block = safe__realloc(NULL, SAFE__CARRY + SAFE__ALIGNMENT - 1);
  if (carry->block == NULL) return false;
  carry->bytes = (char *)carry->block + (-(uintptr_t)carry->block & (SAFE__ALIGNMENT - 1));
  return true;
}

static size_t left_in(const struct safe__carry *carry) { return carry->length - carry->at; }

/* ---- Into the child. */

static int read_source(struct safe__talk *talk, int64_t *came, safe_error *error) {
  struct safe__carry *carry = talk->carry;

  if (!make_block(carry)) return safe__fail_memory(error, SAFE_STAGE_WRITE);
  carry->at = carry->length = 0;
  if (talk->options.input_function != NULL) {
    *came = talk->options.input_function(talk->options.input_context, carry->bytes, SAFE__CARRY);
    if (*came > (int64_t)SAFE__CARRY)
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_WRITE, 0,
                        "The input's function gave more than it had room for.");
    if (*came < 0)
      return safe__fail(error, (int)*came, SAFE_STAGE_WRITE, 0, "The input's function ended the exchange.");
  } else {
    *came = safe__os_stream_read(&talk->source, carry->bytes, SAFE__CARRY);
    if (*came < 0 && *came != SAFE__AGAIN)
      return safe__fail(error, (int)*came, SAFE_STAGE_WRITE, 0, "Reading the input from its handle failed.");
  }
  if (*came > 0) carry->length = (size_t)*came;
  return SAFE_OK;
}

/* What is to be written next. Nothing: the input has ended, or its handle has no more at the moment. */
static int next_input(struct safe__talk *talk, const char **bytes, size_t *length, safe_error *error) {
  const safe_communicate_options *options = &talk->options;
  int64_t came = 0;
  int code = SAFE_OK;

  if (left_in(talk->carry) == 0 && !talk->dry && options->input == NULL &&
      (options->input_function != NULL || safe__os_stream_open(&talk->source))) {
    if (safe__os_stream_open(&talk->source) && !safe__os_stream_ready(&talk->source)) came = SAFE__AGAIN;
    if (came == 0) code = read_source(talk, &came, error);
  }
  *length = left_in(talk->carry);
  if (*length > 0) {
    *bytes = talk->carry->bytes + talk->carry->at;
  } else if (options->input != NULL) {
    *bytes = (const char *)options->input + talk->used;
    *length = options->input_length - (size_t)talk->used;
  }
  if (*length == 0 && came == 0) talk->dry = true;
  return code;
}

static void refuse(struct safe__talk *talk) {
  talk->refused = true;
  talk->carry->at = talk->carry->length = 0;
  safe__os_stream_close(talk->in);
}

static void count_written(struct safe__talk *talk, size_t length) {
  if (left_in(talk->carry) > 0) talk->carry->at += length;
  if (talk->earlier > 0)
    talk->earlier -= length;
  else
    talk->used += length;
}

int safe__flow_in(struct safe__talk *talk, safe_error *error) {
  const char *bytes = NULL;
  size_t length;
  int64_t moved;
  int code;

  if (!safe__os_stream_ours(talk->in)) return SAFE_OK;
  code = next_input(talk, &bytes, &length, error);
  if (code != SAFE_OK) return code;
  if (length == 0) {
    /* A child that has gone is told here too: no write would ever tell it. */
    if (talk->dry)
      talk->moved = safe__os_stream_finish(talk->in) == SAFE_OK || talk->moved;
    else if (safe__os_stream_gone(talk->in))
      refuse(talk);
    return SAFE_OK;
  }
  if (!safe__os_stream_ready(talk->in)) return SAFE_OK;
  moved = safe__os_stream_write(talk->in, bytes, length < CHUNK ? length : CHUNK);
  if (moved == SAFE__AGAIN) return SAFE_OK;
  if (moved < 0) return safe__fail(error, (int)moved, SAFE_STAGE_WRITE, 0, "Writing the child's input failed.");
  talk->moved = true;
  if (moved == 0)
    refuse(talk);
  else
    count_written(talk, (size_t)moved);
  return SAFE_OK;
}

bool safe__flow_in_awaits(struct safe__talk *talk, struct safe__awaited *awaited, size_t *count) {
  bool from_source;

  if (!safe__os_stream_ours(talk->in)) return false;
  from_source = left_in(talk->carry) == 0 && !talk->dry && safe__os_stream_open(&talk->source);
  awaited[*count].stream = talk->in;
  awaited[(*count)++].gone = from_source;
  if (from_source) {
    awaited[*count].stream = &talk->source;
    awaited[(*count)++].gone = false;
  }
  return true;
}

/* ---- Out of the child. */

static int give_to_function(struct safe__outflow *flow, const char *bytes, size_t length, safe_error *error) {
  int code = flow->sink->function(flow->sink->context, flow->index, bytes, length);

  if (code == 0) return SAFE_OK;
  return safe__fail(error, code < 0 ? code : SAFE_EINVAL, SAFE_STAGE_READ, flow->index,
                    "The function that takes stream %d ended the exchange.", flow->index);
}

static int give_to_handle(struct safe__outflow *flow, safe_error *error) {
  struct safe__carry *carry = flow->carry;
  int64_t moved;

  if (!safe__os_stream_ready(&flow->target)) return SAFE_OK;
  moved = safe__os_stream_write(&flow->target, carry->bytes + carry->at, left_in(carry));
  if (moved == SAFE__AGAIN) return SAFE_OK;
  if (moved == 0)
    return safe__fail(error, SAFE_EPIPE, SAFE_STAGE_READ, flow->index,
                      "Nobody reads any more what stream %d is written to.", flow->index);
  if (moved < 0)
    return safe__fail(error, (int)moved, SAFE_STAGE_READ, flow->index,
                      "Writing what came from stream %d to its handle failed.", flow->index);
  carry->at += (size_t)moved;
  flow->moved = true;
  return SAFE_OK;
}

/* What came by way of another block than the one where it is kept. */
static int give(struct safe__outflow *flow, const char *bytes, size_t length, safe_error *error) {
  if (flow->sink->kind == SAFE_SINK_CALLBACK) return give_to_function(flow, bytes, length, error);
  if (flow->sink->kind != SAFE_SINK_MEMORY) return SAFE_OK;
  return safe__kept_add(&flow->kept, bytes, length) == SAFE_OK ? SAFE_OK : safe__fail_memory(error, SAFE_STAGE_READ);
}

/* What an earlier call has read for a handle that did not take it in time goes where this call wants it. */
static int give_carried(struct safe__outflow *flow, safe_error *error) {
  struct safe__carry *carry = flow->carry;
  const char *bytes = carry->bytes + carry->at;
  size_t length = left_in(carry);

  if (flow->sink->kind == SAFE_SINK_HANDLE) return give_to_handle(flow, error);
  carry->at = carry->length = 0;
  return give(flow, bytes, length, error);
}

static int place(struct safe__talk *talk, struct safe__outflow *flow, char **space, size_t *length) {
  struct safe__carry *block = flow->sink->kind == SAFE_SINK_HANDLE ? flow->carry : &talk->scratch;

  *space = NULL;
  if (flow->sink->kind == SAFE_SINK_MEMORY && safe__kept_space(&flow->kept, space, length) != SAFE_OK)
    return SAFE_ENOMEM;
  if (*space != NULL) return SAFE_OK;
  if (!make_block(block)) return SAFE_ENOMEM;
  *space = block->bytes;
  *length = SAFE__CARRY;
  return SAFE_OK;
}

static int took(struct safe__talk *talk, struct safe__outflow *flow, const char *space, size_t length,
                safe_error *error) {
  if (space == talk->scratch.bytes) {
    if (flow->sink->kind != SAFE_SINK_MEMORY) flow->kept.total += length;
    return give(flow, space, length, error);
  }
  if (flow->sink->kind == SAFE_SINK_MEMORY) {
    safe__kept_filled(&flow->kept, length);
    return SAFE_OK;
  }
  flow->kept.total += length;
  flow->carry->at = 0;
  flow->carry->length = length;
  return give_to_handle(flow, error);
}

int safe__flow_out(struct safe__talk *talk, struct safe__outflow *flow, safe_error *error) {
  size_t length = 0;
  char *space;
  int64_t moved;

  if (flow->sink->kind == SAFE_SINK_LEAVE) return SAFE_OK;
  if (left_in(flow->carry) > 0) return give_carried(flow, error);
  if (!safe__os_stream_ours(flow->stream) || !safe__os_stream_ready(flow->stream)) return SAFE_OK;
  if (place(talk, flow, &space, &length) != SAFE_OK) return safe__fail_memory(error, SAFE_STAGE_READ);
  moved = safe__os_stream_read(flow->stream, space, length);
  if (moved == SAFE__AGAIN) return SAFE_OK;
  if (moved < 0)
    return safe__fail(error, (int)moved, SAFE_STAGE_READ, flow->index, "Reading the child's stream %d failed.",
                      flow->index);
  flow->moved = true;
  if (moved > 0) return took(talk, flow, space, (size_t)moved, error);
  safe__os_stream_close(flow->stream);
  return SAFE_OK;
}

bool safe__flow_out_stalls(const struct safe__outflow *flow) {
  return flow->sink->kind == SAFE_SINK_HANDLE && left_in(flow->carry) > 0;
}

bool safe__flow_out_awaits(struct safe__outflow *flow, struct safe__awaited *awaited, size_t *count) {
  bool carried = left_in(flow->carry) > 0;

  if (flow->sink->kind == SAFE_SINK_LEAVE || (!carried && !safe__os_stream_ours(flow->stream))) return false;
  awaited[*count].stream = carried ? &flow->target : flow->stream;
  awaited[(*count)++].gone = false;
  return true;
}

/* ---- At the end. */

void safe__flow_settle(struct safe__talk *talk) {
  struct safe__outflow *flow;
  int64_t came;
  safe_error ignored;
  int at;

  if (safe__os_stream_settle(&talk->source)) read_source(talk, &came, &ignored);
  for (at = 0; at < 2; at++) {
    flow = &talk->out[at];
    if (left_in(flow->carry) > 0 && safe__os_stream_settle(&flow->target)) give_to_handle(flow, &ignored);
  }
}
