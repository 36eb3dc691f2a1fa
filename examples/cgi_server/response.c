/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connection.h"
#include "reason.h"
#include "route.h"

/* Written by the server itself, or about the connection rather than the response (RFC 9110 section 7.6.1). */
static bool is_own(const char *name) {
  static const char *const names[] = {"Connection",       "Content-Length",   "Date", "Keep-Alive",
                                      "Proxy-Connection", "Server",           "TE",   "Trailer",
                                      "Upgrade",          "Transfer-Encoding"};
  size_t at;

  for (at = 0; at < sizeof(names) / sizeof(names[0]); at++)
    if (strcasecmp(name, names[at]) == 0) return true;
  return false;
}

void response_reset(struct connection *connection) { memset(&connection->response, 0, sizeof(connection->response)); }

size_t response_unsent(const struct connection *connection) {
  return connection->out.length +
         (connection->writing ? uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp) : 0);
}

void exchange_begin(struct exchange *exchange, int status, const char *reason, const struct header *headers,
                    size_t header_count, int64_t length) {
  struct connection *connection = connection_of(exchange);
  struct response *response = &connection->response;
  struct buffer *out = &connection->out;
  size_t at;

  exchange->begun = true;
  response->status = status;
  response->no_body = response->head_only || status == 204 || status == 304;
  response->has_length = length >= 0;
  response->length = length >= 0 ? (uint64_t)length : 0;
  buffer_reserve(out, 512);
  buffer_text(out, "HTTP/1.1 ");
  buffer_print(out, "%03d ", status);
  buffer_text(out, reason);
  buffer_text(out, "\r\nDate: ");
  buffer_text(out, worker_date(connection->worker));
  buffer_text(out, "\r\nServer: " SERVER_NAME "\r\n");
  for (at = 0; at < header_count; at++) {
    if (is_own(headers[at].name)) continue;
    buffer_text(out, headers[at].name);
    buffer_text(out, ": ");
    buffer_text(out, headers[at].value);
    buffer_text(out, "\r\n");
  }
  response->head_end = out->length;
  connection_todo(connection);
}

void exchange_begin_raw(struct exchange *exchange) {
  struct connection *connection = connection_of(exchange);

  exchange->begun = true;
  connection->response.framing = FRAMING_RAW;
  connection->response.status = 200; /* for the counts: what the script says is not read */
  connection->close_after = true;
}

/* How the end is marked, and whether the connection goes on, can be said once the first bytes have to go. */
static void decide_framing(struct connection *connection) {
  struct response *response = &connection->response;
  size_t body = connection->out.length - response->head_end;
  char text[128];
  int length = 0;

  if (response->ended && !response->aborted && !response->has_length && !response->head_only) {
    response->has_length = true;
    response->length = body;
  }
  if (connection->worker->stop_seen) connection->close_after = true;
  if (response->status == 204 || response->status == 304) {
    response->framing = FRAMING_NONE;
  } else if (response->has_length) {
    response->framing = FRAMING_LENGTH;
    length = snprintf(text, sizeof(text), "Content-Length: %llu\r\n", (unsigned long long)response->length);
  } else if (connection->exchange.version_minor > 0) {
    response->framing = FRAMING_CHUNKED;
    length = snprintf(text, sizeof(text), "Transfer-Encoding: chunked\r\n");
  } else {
    response->framing = FRAMING_CLOSE;
    connection->close_after = true;
  }
  if (connection->close_after)
    length += snprintf(text + length, sizeof(text) - (size_t)length, "Connection: close\r\n");
  else if (connection->exchange.version_minor == 0)
    length += snprintf(text + length, sizeof(text) - (size_t)length, "Connection: keep-alive\r\n");
  length += snprintf(text + length, sizeof(text) - (size_t)length, "\r\n");
  if (response->framing == FRAMING_CHUNKED && body > 0)
    length += snprintf(text + length, sizeof(text) - (size_t)length, "%zx\r\n", body);
  buffer_insert(&connection->out, response->head_end, text, (size_t)length);
  if (response->framing == FRAMING_CHUNKED && body > 0) buffer_text(&connection->out, "\r\n");
}

static void on_written(uv_write_t *request, int status) {
  struct connection *connection = request->data;

  connection->writing = false;
  buffer_clear(&connection->sending, OUT_WORTH);
  if (connection->phase == PHASE_CLOSING) return;
  connection->sent = uv_now(&connection->worker->loop);
  if (status < 0) connection->broken = true;
  connection_todo(connection);
}

/* What the system does not take at once goes with a request of libuv's, one at a time. */
static void send_out(struct connection *connection) {
  struct buffer swap = connection->sending;
  uv_buf_t bytes = uv_buf_init(connection->out.bytes, (unsigned)connection->out.length);
  int sent = uv_try_write((uv_stream_t *)&connection->tcp, &bytes, 1);

  if (sent < 0 && sent != UV_EAGAIN) {
    connection->broken = true;
    return;
  }
  connection->sent = uv_now(&connection->worker->loop);
  if (sent == (int)connection->out.length) {
    buffer_clear(&connection->out, 2 * OUT_WORTH);
    return;
  }
  if (sent < 0) sent = 0;
  connection->sending = connection->out;
  connection->out = swap;
  bytes = uv_buf_init(connection->sending.bytes + sent, (unsigned)(connection->sending.length - (size_t)sent));
  connection->write.data = connection;
  if (uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &bytes, 1, on_written) != 0) {
    connection->broken = true;
    return;
  }
  connection->writing = true;
  connection->unsent = bytes.len;
  lifetime_touch(connection);
}

/* Who answers is not called from here, as it may be he who writes: a broken connection is closed by connection_attend.
 */
static void send_what_is_ready(struct connection *connection) {
  struct response *response = &connection->response;

  if (connection->broken) return;
  if (connection->phase == PHASE_EXCHANGE && connection->exchange.begun && response->framing == FRAMING_OPEN) {
    if (response->held && !response->ended && connection->out.length < OUT_WORTH) return;
    decide_framing(connection);
  }
  if (connection->out.failed)
    connection->broken = true;
  else if (!connection->writing && connection->out.length > 0)
    send_out(connection);
}

void response_flush(struct connection *connection) {
  struct response *response = &connection->response;

  send_what_is_ready(connection);
  if (connection->broken || connection->phase != PHASE_EXCHANGE || !response->full || response->ended) return;
  if (response_unsent(connection) >= OUT_LOW) return;
  response->full = false;
  connection->exchange.answerer->writable(connection->exchange.self);
}

bool exchange_write(struct exchange *exchange, const void *bytes, size_t length) {
  struct connection *connection = connection_of(exchange);
  struct response *response = &connection->response;

  exchange->sent += length;
  if (length == 0 || response->no_body) return true;
  if (response->framing == FRAMING_CHUNKED) buffer_print(&connection->out, "%zx\r\n", length);
  buffer_add(&connection->out, bytes, length);
  if (response->framing == FRAMING_CHUNKED) buffer_text(&connection->out, "\r\n");
  connection_todo(connection);
  if (connection->out.length >= OUT_WORTH) send_what_is_ready(connection);
  if (response_unsent(connection) < OUT_HIGH) return true;
  response->full = true;
  return false;
}

void exchange_hold(struct exchange *exchange, bool held) {
  connection_of(exchange)->response.held = held;
  connection_todo(connection_of(exchange));
}

void exchange_end(struct exchange *exchange) {
  struct connection *connection = connection_of(exchange);
  struct response *response = &connection->response;
  int first = response->status / 100;

  if (response->framing == FRAMING_CHUNKED && !response->head_only) buffer_text(&connection->out, "0\r\n\r\n");
  response->ended = true;
  atomic_fetch_add(&connection->worker->server->counts.answers[first >= 1 && first <= 5 ? first : 0], 1);
  connection_todo(connection);
}

void exchange_abort(struct exchange *exchange) {
  struct connection *connection = connection_of(exchange);

  connection->response.aborted = true;
  connection->close_after = true;
  if (!exchange->begun) connection->response.framing = FRAMING_RAW; /* not even a head */
  exchange->begun = true;
  connection->response.ended = true;
  connection_todo(connection);
}

static void page(struct buffer *text, int status, const char *sentence) {
  buffer_print(text, "<!DOCTYPE html>\n<title>%d %s</title>\n<h1>%s</h1>\n<p>", status, reason_of(status),
               reason_of(status));
  buffer_html(text, sentence);
  buffer_text(text, "</p>\n");
}

void exchange_refuse(struct exchange *exchange, int status, const struct header *extra, const char *sentence) {
  struct header headers[2] = {{"Content-Type", "text/html; charset=utf-8"}, {NULL, NULL}};
  struct buffer text = {0};

  if (extra != NULL) headers[1] = *extra;
  page(&text, status, sentence);
  exchange_begin(exchange, status, reason_of(status), headers, extra == NULL ? 1 : 2, (int64_t)text.length);
  exchange_write(exchange, text.bytes, text.length);
  buffer_free(&text);
  exchange_end(exchange);
}

void response_refuse(struct connection *connection, int status, const char *sentence) {
  struct exchange *exchange = &connection->exchange;
  bool head_only = connection->response.head_only;

  memset(exchange, 0, sizeof(*exchange));
  exchange->worker = connection->worker;
  exchange->version_minor = 1;
  response_reset(connection);
  connection->response.head_only = head_only;
  connection->close_after = true;
  connection_phase(connection, PHASE_EXCHANGE);
  exchange_refuse(exchange, status, NULL, sentence);
}
