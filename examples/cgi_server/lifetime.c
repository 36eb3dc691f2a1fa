/* SPDX-License-Identifier: MIT */
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>

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

static uint64_t due_of_phase(const struct connection *connection) {
  const struct options *options = &connection->worker->server->options;

  switch (connection->phase) {
  case PHASE_IDLE:
    return connection->since + (uint64_t)options->keep_alive_ms;
  case PHASE_HEAD:
  case PHASE_DISCARD:
    return connection->since + (uint64_t)options->client_ms;
  case PHASE_EXCHANGE:
    if (connection->complete || !connection->wanted) return UINT64_MAX;
    return connection->progress + (uint64_t)options->client_ms;
  case PHASE_LINGER:
    return connection->shut ? connection->since + LINGER_MS : UINT64_MAX;
  default:
    return UINT64_MAX;
  }
}

static uint64_t due_of_write(const struct connection *connection) {
  if (!connection->writing) return UINT64_MAX;
  return connection->sent + (uint64_t)connection->worker->server->options.client_ms;
}

/* When something has to be done about the connection if nothing happens until then. */
static uint64_t due(const struct connection *connection) {
  uint64_t when = sooner(due_of_phase(connection), due_of_write(connection));

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
  const struct answerer *answerer = connection->exchange.answerer;
  bool half_closed_stays = answerer != NULL && answerer->half_closed_stays;
  struct pollfd look = {-1, half_closed_stays ? 0 : POLLRDHUP, 0};

  return uv_fileno((uv_handle_t *)&connection->tcp, &look.fd) == 0 && poll(&look, 1, 0) > 0 && look.revents != 0;
}

/* What the client has not acknowledged, in libuv's queue and in the system's. The latter may be megabytes, of which the
   loop hears nothing before a good part has gone. */
static size_t on_the_way(struct connection *connection) {
  size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp);
  uv_os_fd_t socket;
  int more = 0;

  if (uv_fileno((uv_handle_t *)&connection->tcp, &socket) == 0) ioctl(socket, TIOCOUTQ, &more);
  return queued + (size_t)more;
}

/* Whether there is something on the way that the client still takes. */
static bool is_taking(struct connection *connection) {
  uint64_t now = uv_now(&connection->worker->loop);
  size_t unsent = on_the_way(connection);

  if (unsent != connection->unsent) connection->sent = now;
  connection->unsent = unsent;
  return unsent > 0 && now < connection->sent + (uint64_t)connection->worker->server->options.client_ms;
}

static bool is_sending_in_earnest(struct connection *connection) {
  bool much = connection->lingered >= READ_SIZE;

  connection->lingered = 0;
  return much && uv_now(&connection->worker->loop) < connection->lingers + LINGER_MOST_MS;
}

static void body_overdue(struct connection *connection) {
  if (!connection->response.ended) connection->exchange.answerer->gone(connection->exchange.self);
  if (connection->exchange.begun)
    connection->broken = true;
  else
    response_refuse(connection, 408, "The body of the request did not come in time.");
}

/* The time of the phase, or of a write, is over. */
static void overdue(struct connection *connection) {
  uint64_t now = uv_now(&connection->worker->loop);

  if (connection->writing && due_of_write(connection) <= now && !is_taking(connection)) {
    connection->broken = true;
    return;
  }
  if (due_of_phase(connection) > now) return;
  switch (connection->phase) {
  case PHASE_EXCHANGE:
    body_overdue(connection);
    break;
  case PHASE_HEAD:
    response_refuse(connection, 408, "The head of the request did not come in time.");
    break;
  case PHASE_DISCARD:
    connection_linger(connection);
    break;
  case PHASE_IDLE:
  case PHASE_LINGER:
    if (is_taking(connection) || (connection->phase == PHASE_LINGER && is_sending_in_earnest(connection)))
      connection->since = now;
    else
      connection->broken = true;
    break;
  case PHASE_CLOSING:
    break;
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

/* Where the connection's end marks that of the answer, one that was broken off would look complete: a reset shows it.
 */
static bool needs_reset(const struct response *response) {
  return response->aborted && (response->framing == FRAMING_CLOSE || response->framing == FRAMING_RAW);
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
  if (!needs_reset(&connection->response) || uv_tcp_close_reset(&connection->tcp, on_closed) != 0)
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
  uv_close((uv_handle_t *)&connection->timer, on_closed);
}

static void on_shutdown(uv_shutdown_t *request, int status) {
  struct connection *connection = request->data;

  if (connection->phase == PHASE_CLOSING) return;
  connection->shut = true;
  connection->since = connection->lingers = uv_now(&connection->worker->loop);
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
