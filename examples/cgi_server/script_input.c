/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "script.h"

/* The client is asked for as much as is good to have in advance. While the script waits for the client to take its
   output, everything is taken, into a file: a client that sends all before it reads, and a script that answers while it
   reads, would otherwise wait for each other for ever. */
static void ask(struct script *script) {
  struct input *input = &script->input;

  if (script->exchange == NULL || input->ended) return;
  exchange_read(script->exchange, !input->open || input->stalled || spool_length(&input->spool) < INPUT_HIGH);
}

void input_close(struct script *script) {
  struct input *input = &script->input;

  if (input->open) {
    input->open = false;
    uv_close((uv_handle_t *)&input->pipe, script_closed);
  }
  spool_free(&input->spool);
}

/* The script does not want it (EPIPE is no error of ours): the rest is let go by, so that the client gets through. */
static void refused(struct script *script) {
  input_close(script);
  ask(script);
}

static void go_on(struct script *script);

static void on_written(uv_write_t *request, int status) {
  struct script *script = request->data;

  script->input.writing = false;
  if (!script->input.open) return;
  if (status != 0) {
    refused(script);
    return;
  }
  go_on(script);
  ask(script);
}

static void go_on(struct script *script) {
  struct input *input = &script->input;
  uv_buf_t buffer;
  size_t length;

  if (!input->open || input->writing) return;
  if (spool_length(&input->spool) == 0) {
    if (input->ended) input_close(script);
    return;
  }
  if (input->piece == NULL) input->piece = malloc(INPUT_HIGH);
  length = input->piece == NULL ? 0 : spool_take(&input->spool, input->piece, INPUT_HIGH);
  if (length == 0) {
    script_fail(script, 507, "The server has no room for the body of the request.");
    script_stop(script, "the body of its request is lost");
    return;
  }
  buffer = uv_buf_init(input->piece, (unsigned)length);
  input->write.data = script;
  if (uv_write(&input->write, (uv_stream_t *)&input->pipe, &buffer, 1, on_written) == 0)
    input->writing = true;
  else
    refused(script);
}

void input_add(struct script *script, const char *bytes, size_t length) {
  struct input *input = &script->input;

  atomic_fetch_add(&script->bytes_in, length);
  if (script->state != SCRIPT_GATHERS && !input->open) return;
  if (input->open && !input->writing && spool_length(&input->spool) == 0) {
    uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)length);
    int sent = uv_try_write((uv_stream_t *)&input->pipe, &buffer, 1);

    if (sent < 0 && sent != UV_EAGAIN) {
      refused(script);
      return;
    }
    if (sent > 0) bytes += sent, length -= (size_t)sent;
  }
  if (length == 0) return;
  if (!spool_add(&input->spool, bytes, length)) {
    script_fail(script, 507, "The server has no room for the body of the request.");
    script_stop(script, "the body of its request is lost");
    return;
  }
  if (script->state == SCRIPT_GATHERS) return;
  go_on(script);
  ask(script);
}

void input_end(struct script *script) {
  script->input.ended = true;
  go_on(script);
}

void input_begin(struct script *script) {
  go_on(script);
  ask(script);
}

void input_stall(struct script *script, bool stalled) {
  if (script->input.stalled == stalled) return;
  script->input.stalled = stalled;
  ask(script);
}
