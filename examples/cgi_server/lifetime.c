/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdlib.h>

#include "connection.h"

void connection_phase(struct connection *connection, enum phase phase) {
  connection->phase = phase;
  connection->since = uv_now(&connection->worker->loop);
}

static uint64_t sooner(uint64_t one, uint64_t other) { return one < other ? one : other; }

/* A client whose bytes are not wanted at the moment may leave without being noticed, so it is looked after. */
static bool is_unheard(const struct connection *connection) {
  return connection->phase == PHASE_EXCHANGE && !connection->reading && !connection->read_ended;
}

/* When something has to be done about the connection if nothing happens until then. */
static uint64_t due(const struct connection *connection) {
  const struct options *options = &connection->worker->server->options;
  uint64_t when = UINT64_MAX;

  switch (connection->phase) {
  case PHASE_IDLE:
    when = connection->since + (uint64_t)options->keep_alive_ms;
    break;
  case PHASE_HEAD:
    when = connection->since + (uint64_t)options->client_ms;
    break;
  case PHASE_EXCHANGE:
    if (!connection->complete && connection->wanted) when = connection->progress + (uint64_t)options->client_ms;
    break;
  case PHASE_DISCARD:
    when = connection->since + LINGER_MS;
    break;
  case PHASE_LINGER:
    if (connection->shut) when = connection->since + LINGER_MS;
    break;
  default:
    break;
  }
  if (connection->writing) when = sooner(when, connection->sent + (uint64_t)options->client_ms);
  if (is_unheard(connection)) when = sooner(when, uv_now(&connection->worker->loop) + 1000);
  return when;
}

void lifetime_touch(struct connection *connection) {
  uint64_t when = due(connection), now = uv_now(&connection->worker->loop);

  /* A timer that comes too early is no harm: it looks and is set again. So most requests never touch it. */
  if (connection->phase == PHASE_CLOSING || when == UINT64_MAX) return;
  if (connection->armed != 0 && connection->armed <= when) return;
  connection->armed = when;
  uv_timer_start(&connection->timer, lifetime_tick, when > now ? when - now : 1, 0);
}

static bool has_hung_up(struct connection *connection) {
  struct pollfd look = {-1, POLLRDHUP, 0};

  return uv_fileno((uv_handle_t *)&connection->tcp, &look.fd) == 0 && poll(&look, 1, 0) > 0 &&
         (look.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Whether the client has taken something since the last look. */
static bool has_moved(struct connection *connection) {
  size_t unsent = uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp);
  bool moved = unsent != connection->unsent;

  connection->unsent = unsent;
  if (moved) connection->sent = uv_now(&connection->worker->loop);
  return moved;
}

static void overdue(struct connection *connection) {
  uint64_t client_ms = (uint64_t)connection->worker->server->options.client_ms;
  uint64_t now = uv_now(&connection->worker->loop);

  if (connection->writing && now >= connection->sent + client_ms && !has_moved(connection)) {
    connection->broken = true;
  } else if (connection->phase == PHASE_EXCHANGE) {
    if (connection->complete || !connection->wanted || now < connection->progress + client_ms) return;
    if (!connection->response.ended) connection->exchange.answerer->gone(connection->exchange.self);
    if (connection->exchange.begun)
      connection->broken = true;
    else
      response_refuse(connection, 408, "The body of the request did not come in time.");
  } else if (connection->phase == PHASE_HEAD) {
    response_refuse(connection, 408, "The head of the request did not come in time.");
  } else {
    connection->broken = true;
  }
}

void lifetime_tick(uv_timer_t *timer) {
  struct connection *connection = timer->data;

  connection->armed = 0;
  if (is_unheard(connection) && has_hung_up(connection)) connection->broken = true;
  if (!connection->broken && due(connection) <= uv_now(&connection->worker->loop)) overdue(connection);
  connection_todo(connection);
}

static void on_closed(uv_handle_t *handle) {
  struct connection *connection = handle->data;

  if (--connection->open_handles > 0) return;
  TAILQ_REMOVE(&connection->worker->connections, connection, link);
  atomic_fetch_sub(&connection->worker->server->counts.open_connections, 1);
  buffer_free(&connection->head);
  buffer_free(&connection->held);
  buffer_free(&connection->out);
  buffer_free(&connection->sending);
  free(connection->target_space);
  parser_free(connection->parser);
  free(connection);
}

void connection_close(struct connection *connection) {
  struct exchange *exchange = &connection->exchange;
  bool answering = connection->phase == PHASE_EXCHANGE && !connection->response.ended;

  if (connection->phase == PHASE_CLOSING) return;
  connection_phase(connection, PHASE_CLOSING);
  if (connection->todo) TAILQ_REMOVE(&connection->worker->todo, connection, todo_link);
  connection->todo = true; /* it never comes into the list again */
  if (answering) {
    atomic_fetch_add(&connection->worker->server->counts.client_left, 1);
    exchange->answerer->gone(exchange->self);
  }
  uv_close((uv_handle_t *)&connection->tcp, on_closed);
  uv_close((uv_handle_t *)&connection->timer, on_closed);
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  struct connection *connection = request->data;

  if (connection->phase == PHASE_CLOSING) return;
  connection->shut = true;
  connection->since = uv_now(&connection->worker->loop);
  if (status != 0) connection->broken = true;
  connection_todo(connection);
}

void connection_linger(struct connection *connection) {
  if (connection->phase != PHASE_LINGER) {
    connection_phase(connection, PHASE_LINGER);
    buffer_clear(&connection->held, 0);
  }
  if (connection->shutting || connection->out.length > 0) return; /* what is under way, libuv sends before */
  connection->shutting = true;
  connection->shutdown.data = connection;
  if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, on_shutdown) != 0) connection->broken = true;
}
