/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct connection *connection_of(struct exchange *exchange) {
  return (struct connection *)((char *)exchange - offsetof(struct connection, exchange));
}

void connection_todo(struct connection *connection) {
  if (connection->todo) return;
  connection->todo = true;
  TAILQ_INSERT_TAIL(&connection->worker->todo, connection, todo_link);
}

/* ---- Reading. */

static bool may_parse(const struct connection *connection) {
  if (connection->broken) return false;
  switch (connection->phase) {
  case PHASE_IDLE:
    return !connection->worker->stop_seen && response_unsent(connection) < OUT_HIGH;
  case PHASE_HEAD:
  case PHASE_DISCARD:
    return true;
  case PHASE_EXCHANGE:
    return !connection->complete && connection->wanted && !connection->response.ended;
  default:
    return false;
  }
}

static void body_over(struct connection *connection) {
  connection->complete = true;
  if (connection->phase == PHASE_DISCARD)
    connection_next(connection);
  else if (!connection->response.ended)
    connection->exchange.answerer->body_end(connection->exchange.self);
}

/* No request, or too much of one: the answer is the last one on this connection. */
static void parse_failed(struct connection *connection) {
  struct exchange *exchange = &connection->exchange;
  bool answering = connection->phase == PHASE_EXCHANGE && !connection->response.ended;
  bool begun = connection->phase == PHASE_EXCHANGE && exchange->begun;
  int status = connection->refuse_status;
  const char *sentence = connection->refuse_sentence;

  if (status == 0) {
    status = parser_status(connection->parser);
    sentence = parser_complaint(connection->parser);
  }
  if (answering) exchange->answerer->gone(exchange->self);
  if (connection->phase == PHASE_DISCARD)
    connection_linger(connection); /* a reset could take the response from a client that reads it last */
  else if (begun)
    connection->broken = true;
  else
    response_refuse(connection, status, sentence);
  connection_todo(connection);
}

static void parse(struct connection *connection, const char *bytes, size_t length) {
  size_t used;

  while (length > 0 && may_parse(connection)) {
    enum parser_stop stop;

    if (connection->phase == PHASE_IDLE) {
      request_begin(connection);
      connection_phase(connection, PHASE_HEAD);
    }
    stop = parser_feed(connection->parser, bytes, length, &used);
    bytes += used;
    length -= used;
    if (stop == PARSER_HEAD || stop == PARSER_WHOLE) request_ready(connection, stop == PARSER_WHOLE);
    if (stop == PARSER_END) body_over(connection);
    if (stop == PARSER_FAILED) {
      parse_failed(connection);
      return;
    }
    /* A chunked body does not say in advance that it is too long to be thrown away. */
    if (connection->phase == PHASE_DISCARD && connection->body_bytes > connection->discard_until)
      connection_linger(connection);
  }
  if (length > 0 && connection->phase < PHASE_LINGER && !buffer_add(&connection->held, bytes, length))
    connection->broken = true;
}

static void parse_held(struct connection *connection) {
  struct buffer held = connection->held;

  memset(&connection->held, 0, sizeof(connection->held));
  parse(connection, held.bytes, held.length);
  buffer_free(&held);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer);
static void on_alloc(uv_handle_t *handle, size_t wish, uv_buf_t *buffer);

/* While a request is answered reading goes on, within limits, for only so does a client's leaving show. */
static void adjust_reading(struct connection *connection) {
  bool wanted = connection->phase != PHASE_CLOSING && connection->held.length < MAX_PIPELINED;

  if (connection->phase == PHASE_EXCHANGE && !connection->complete && !connection->wanted) wanted = false;
  if (connection->phase == PHASE_IDLE && !may_parse(connection)) wanted = false;
  if (connection->read_ended || wanted == connection->reading) return;
  connection->reading = wanted;
  if (!wanted)
    uv_read_stop((uv_stream_t *)&connection->tcp);
  else if (uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read) != 0)
    connection->broken = true;
}

static void on_alloc(uv_handle_t *handle, size_t wish, uv_buf_t *buffer) {
  struct connection *connection = handle->data;

  (void)wish;
  *buffer = uv_buf_init(connection->worker->read_buffer, READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
  struct connection *connection = stream->data;

  if (count == 0) return;
  if (count == UV_EOF) {
    connection->read_ended = true;
    connection->reading = false;
    uv_read_stop(stream);
  } else if (count < 0) {
    connection->broken = true;
  } else if (connection->phase == PHASE_LINGER) {
    connection->lingered += (size_t)count;
  } else {
    if (connection->held.length > 0) {
      buffer_add(&connection->held, buffer->base, (size_t)count);
      parse_held(connection);
    } else {
      parse(connection, buffer->base, (size_t)count);
    }
  }
  adjust_reading(connection); /* now: libuv reads many times in a row while there is something */
  connection_todo(connection);
}

void exchange_read(struct exchange *exchange, bool wanted) {
  struct connection *connection = connection_of(exchange);

  if (wanted && connection->expects) {
    connection->expects = false;
    if (!exchange->begun) buffer_text(&connection->out, "HTTP/1.1 100 Continue\r\n\r\n");
  }
  if (wanted && !connection->wanted) connection->progress = uv_now(&connection->worker->loop);
  connection->wanted = wanted;
  connection_todo(connection);
}

/* ---- Between two requests. */

void connection_next(struct connection *connection) {
  connection_phase(connection, PHASE_IDLE);
  if (connection->worker->stop_seen) connection_linger(connection);
}

/* The response is complete; what of the request's body nobody has read has to go by first. */
static void after_response(struct connection *connection) {
  int64_t length = parser_content_length(connection->parser);
  int64_t left = length < 0 ? DISCARD_AT_MOST : length - (int64_t)connection->body_bytes;

  if (connection->response.aborted) {
    connection->broken = response_unsent(connection) == 0;
    return;
  }
  if (connection->complete && !connection->close_after) {
    connection_next(connection);
  } else if (connection->close_after || connection->expects || left > DISCARD_AT_MOST) {
    connection_linger(connection);
  } else {
    connection->discard_until = connection->body_bytes + DISCARD_AT_MOST;
    connection_phase(connection, PHASE_DISCARD);
  }
}

/* The client sends no more: whether there is still something to do for it. */
static bool is_over(const struct connection *connection) {
  if (!connection->read_ended) return false;
  if (connection->phase == PHASE_EXCHANGE && !connection->response.ended)
    return !connection->complete || !connection->exchange.answerer->half_closed_stays;
  return response_unsent(connection) == 0;
}

void connection_attend(struct connection *connection) {
  if (connection->phase == PHASE_CLOSING) return;
  if (!connection->broken) response_flush(connection);
  if (!connection->broken && connection->phase == PHASE_EXCHANGE && connection->response.ended)
    after_response(connection);
  if (!connection->broken && connection->phase == PHASE_LINGER) connection_linger(connection);
  if (!connection->broken && connection->held.length > 0 && may_parse(connection)) {
    parse_held(connection);
    connection_todo(connection);
  }
  if (is_over(connection)) connection->broken = true;
  adjust_reading(connection);
  if (connection->broken)
    connection_close(connection);
  else
    lifetime_touch(connection);
}

/* ---- Accepting. */

static void on_handle_closed(uv_handle_t *handle) { free(handle); }

/* An accepted connection has to be taken from the listener, also to be closed. */
static void turn_away(uv_stream_t *listener, struct worker *worker) {
  uv_tcp_t *tcp = malloc(sizeof(*tcp));

  atomic_fetch_add(&worker->server->counts.connections_refused, 1);
  if (tcp == NULL || uv_tcp_init(&worker->loop, tcp) != 0) {
    free(tcp);
    return;
  }
  uv_accept(listener, (uv_stream_t *)tcp);
  uv_close((uv_handle_t *)tcp, on_handle_closed);
}

static void name_client(struct connection *connection) {
  struct sockaddr_storage address;
  int size = sizeof(address);

  snprintf(connection->client, sizeof(connection->client), "?");
  if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&address, &size) != 0) return;
  if (address.ss_family == AF_INET) {
    uv_ip4_name((struct sockaddr_in *)&address, connection->client, sizeof(connection->client));
    connection->client_port = ntohs(((struct sockaddr_in *)&address)->sin_port);
  } else {
    uv_ip6_name((struct sockaddr_in6 *)&address, connection->client, sizeof(connection->client));
    connection->client_port = ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
  }
}

#define NO_DESCRIPTOR_MS 5

void connection_accept(uv_stream_t *listener, int status) {
  struct worker *worker = listener->data;
  struct server *server = worker->server;
  struct connection *connection;

  if (status != 0) {
    uv_sleep(NO_DESCRIPTOR_MS); /* the machine has no descriptor left, and libuv asks again at once */
    return;
  }
  connection =
    atomic_load(&server->counts.open_connections) < server->max_connections ? calloc(1, sizeof(*connection)) : NULL;
  if (connection != NULL) connection->parser = parser_create(&request_sink, connection);
  if (connection == NULL || connection->parser == NULL) {
    free(connection);
    turn_away(listener, worker);
    return;
  }
  atomic_fetch_add(&server->counts.connections, 1);
  atomic_fetch_add(&server->counts.open_connections, 1);
  connection->worker = worker;
  TAILQ_INSERT_TAIL(&worker->connections, connection, link);
  uv_timer_init(&worker->loop, &connection->timer);
  uv_tcp_init(&worker->loop, &connection->tcp);
  connection->open_handles = 2;
  connection->timer.data = connection->tcp.data = connection;
  connection_phase(connection, PHASE_IDLE);
  connection->sent = connection->since;
  if (uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0)
    connection->broken = true;
  else
    uv_tcp_nodelay(&connection->tcp, 1);
  name_client(connection);
  connection_todo(connection);
}
