/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <string.h>

#include "log.h"
#include "script.h"

void script_fail(struct script *script, int status, const char *sentence) {
  struct exchange *exchange = script->exchange;

  if (exchange == NULL) return;
  script_part(script);
  if (exchange->begun)
    exchange_abort(exchange);
  else
    exchange_refuse(exchange, status, NULL, sentence);
}

static void respond(struct script *script) {
  struct exchange *exchange = script->exchange;

  script_part(script);
  exchange_end(exchange);
}

/* ---- Output. */

static void stop_reading(struct script *script) {
  if (!script->out_reading) return;
  script->out_reading = false;
  uv_read_stop((uv_stream_t *)&script->out);
}

static void send_body(struct script *script, const char *bytes, size_t length) {
  if (script->body_left >= 0 && length > (uint64_t)script->body_left) { /* more than it announced */
    length = (size_t)script->body_left;
    log_line("%s[%d] writes more than its Content-Length", script->place.name, script->process.uv.pid);
  }
  if (script->body_left >= 0) script->body_left -= (int64_t)length;
  if (exchange_write(script->exchange, bytes, length)) return;
  stop_reading(script);
  input_stall(script, true);
}

static void arm(struct script *script, uint64_t ms) {
  uint64_t now = uv_now(&script->worker->loop);
  uint64_t left = script->deadline > now ? script->deadline - now : 0;

  uv_timer_start(&script->timer, script_on_timer, script->exited || ms < left ? ms : left, 0);
}

/* Who answers now is another one, and the client's leaving is told to that one: this script has to end by itself. */
static void follow(struct script *script) {
  struct exchange *exchange = script->exchange;

  script_part(script);
  script->followed = true;
  arm(script, EXIT_MS);
  exchange_redirect(exchange, script->head.location);
}

static void bad_head(struct script *script, const char *complaint) {
  atomic_fetch_add(&script->worker->server->counts.script_failures, 1);
  log_line("%s[%d] gave no answer: %s", script->place.name, script->process.uv.pid, complaint);
  script_fail(script, 502, "The script gave no answer that can be passed on.");
}

/* Where it has none, its Content-Length is that of another response (RFC 9110 section 8.6). */
static bool has_body(const struct script *script) {
  int status = script->head.status;

  return strcmp(script->exchange->method, "HEAD") != 0 && status != 204 && status != 304;
}

static void read_head(struct script *script, const char *bytes, size_t length) {
  struct script_head *head = &script->head;
  size_t used;

  switch (script_head_feed(head, bytes, length, &used)) {
  case SCRIPT_HEAD_MORE:
    return;
  case SCRIPT_HEAD_WRONG:
    bad_head(script, head->complaint);
    script_stop(script, "nobody waits for it any more");
    return;
  case SCRIPT_HEAD_DONE:
    break;
  }
  script->head_done = true;
  if (script_head_is_local_redirect(head)) {
    follow(script);
    return;
  }
  script->body_left = has_body(script) ? head->content_length : -1;
  exchange_begin(script->exchange, head->status, head->reason, head->headers, head->header_count, head->content_length);
  if (used < length) send_body(script, bytes + used, length - used);
}

static void on_output(struct script *script, const char *bytes, size_t length) {
  const struct options *options = &script->worker->server->options;
  uint64_t total = atomic_fetch_add(&script->bytes_out, length) + length;

  if (script->exchange == NULL) return;
  if (options->max_output > 0 && total > (uint64_t)options->max_output) {
    script_fail(script, 502, "The script's answer is too long.");
    script_stop(script, "its output exceeds the limit");
  } else if (script->head_done) {
    send_body(script, bytes, length);
  } else if (script->place.raw) {
    script->head_done = true;
    exchange_begin_raw(script->exchange);
    send_body(script, bytes, length);
  } else {
    read_head(script, bytes, length);
  }
}

static void on_alloc(uv_handle_t *handle, size_t wish, uv_buf_t *buffer) {
  struct script *script = handle->data;

  (void)wish;
  *buffer = uv_buf_init(script->worker->read_buffer, READ_SIZE);
}

static void close_out(struct script *script) {
  if (!script->out_open) return;
  script->out_open = script->out_reading = false;
  uv_close((uv_handle_t *)&script->out, script_closed);
}

static void close_err(struct script *script) {
  if (!script->err_open) return;
  script->err_open = false;
  errors_end(script);
  uv_close((uv_handle_t *)&script->err, script_closed);
}

static void on_out(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  struct script *script = stream->data;

  if (count > 0) {
    on_output(script, buffer->base, (size_t)count);
  } else if (count < 0) {
    script->out_ended = true;
    close_out(script);
    script_settle(script);
  }
}

static void on_err(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  struct script *script = stream->data;

  if (count > 0) {
    errors_add(script, buffer->base, (size_t)count);
  } else if (count < 0) {
    close_err(script);
    script_settle(script);
  }
}

bool script_listen(struct script *script) {
  script->out_reading = true;
  return uv_read_start((uv_stream_t *)&script->out, on_alloc, on_out) == 0 &&
         uv_read_start((uv_stream_t *)&script->err, on_alloc, on_err) == 0;
}

void script_writable(void *self) {
  struct script *script = self;

  input_stall(script, false);
  if (!script->out_open || script->out_reading) return;
  script->out_reading = true;
  if (uv_read_start((uv_stream_t *)&script->out, on_alloc, on_out) == 0) return;
  script_fail(script, 500, "The script's answer could not be read.");
  script_stop(script, "its output cannot be read");
}

/* ---- Exit. */

static void say_exit(struct script *script) {
  const safe_exit *status = &script->status;

  if (status->kind == SAFE_EXIT_SIGNAL)
    log_line("%s[%d] was ended by signal %d (%s)", script->place.name, script->process.uv.pid, status->signal,
             strsignal(status->signal));
  else if (status->kind == SAFE_EXIT_CODE && status->code != 0)
    log_line("%s[%d] exited with code %lld", script->place.name, script->process.uv.pid, (long long)status->code);
}

void script_on_exit(safe_uv_process *process, const safe_exit *status) {
  struct script *script = process->uv.data;

  script->exited = true;
  script->status = *status;
  if (script->state != SCRIPT_RUNS) return; /* on_stopped follows */
  say_exit(script);
  script_settle(script);
}

/* The answer is as complete as it gets: the script has ended, and its output was read. */
static void conclude(struct script *script) {
  if (script->exchange == NULL) return;
  if (!script->head_done)
    bad_head(script, script->head.text.length > 0 ? "its output ends within the head" : "it has no output");
  else if (script->status.kind == SAFE_EXIT_SIGNAL || script->body_left > 0)
    script_fail(script, 502, "The script ended within its answer.");
  else
    respond(script);
}

/* The exit is known, and there is no more output: the place is free for the next one. What is left in the group goes
   now, while the number of the group is still kept from others. */
static void finish(struct script *script) {
  if (script->out_open)
    log_line("%s[%d] has ended, but a process that it left keeps its output open: the answer ends here",
             script->place.name, script->process.uv.pid);
  close_out(script);
  conclude(script);
  script->finished = true;
  if (script->worker->server->options.whole_tree) {
    script_stop(script, NULL);
    return;
  }
  safe_process_signal(safe_uv_process_get(&script->process), SIGKILL, SAFE_SIGNAL_GROUP, NULL);
  job_queue_leave(&script->worker->server->queue, &script->job);
}

void script_settle(struct script *script) {
  if (script->state != SCRIPT_RUNS) return;
  if (!script->exited) {
    if (!script->out_ended || script->exchange == NULL) return;
    exchange_hold(script->exchange, true); /* the exit is a moment away, and then it goes out in one piece */
    arm(script, EXIT_MS);
    return;
  }
  /* A process that the script has left may hold both pipes, and for longer than anybody wants to wait. */
  if (!script->drained && (script->out_open || script->err_open)) arm(script, DRAIN_MS);
  if (script->out_open && !script->drained) return;
  if (!script->finished) finish(script);
  if (script->state != SCRIPT_RUNS) return;
  if (script->err_open && !script->drained) return; /* what it complained of at last is on its way */
  close_err(script);
  script_release(script);
}

void script_on_timer(uv_timer_t *timer) {
  struct script *script = timer->data;

  if (script->state == SCRIPT_WAITS) {
    atomic_fetch_add(&script->worker->server->counts.queue_timed_out, 1);
    script_stop(script, "it has waited too long for its turn");
  } else if (script->exited) {
    if (script->out_open && !script->out_reading) { /* there is output yet, which the client is slow to take */
      arm(script, DRAIN_MS);
      return;
    }
    script->drained = true;
    script_settle(script);
  } else if (script->followed) {
    script_stop(script, "it has sent the request on");
  } else if (uv_now(&script->worker->loop) < script->deadline) { /* it has closed its output, and works on */
    if (script->exchange != NULL && script->head_done && script->body_left <= 0)
      respond(script);
    else if (script->exchange != NULL)
      script_fail(script, 502, "The script gave no answer that can be passed on.");
    arm(script, UINT64_MAX);
  } else {
    atomic_fetch_add(&script->worker->server->counts.timed_out, 1);
    script_fail(script, 504, "The script did not finish in time.");
    script_stop(script, "its time is over");
  }
}
