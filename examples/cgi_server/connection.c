/* SPDX-License-Identifier: MIT */
#include "connection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "route.h"
#include "target.h"

struct connection *connection_of(struct exchange *exchange) {
  return (struct connection *)((char *)exchange - offsetof(struct connection, exchange));
}

void connection_todo(struct connection *connection) {
  if (connection->todo) return;
  connection->todo = true;
  TAILQ_INSERT_TAIL(&connection->worker->todo, connection, todo_link);
}

const char *exchange_header(const struct exchange *exchange, const char *name) {
  size_t at;

  for (at = 0; at < exchange->header_count; at++)
    if (strcasecmp(exchange->headers[at].name, name) == 0) return exchange->headers[at].value;
  return NULL;
}

/* ---- What the parser finds. */

static int refuse(struct connection *connection, int status, const char *sentence) {
  connection->refuse_status = status;
  connection->refuse_sentence = sentence;
  return -1;
}

/* Headers are gathered as offsets, for the buffer moves while it grows. */
static int gather(struct connection *connection, const char *bytes, size_t length) {
  if (connection->head.length + length + 2 > MAX_HEAD)
    return refuse(connection, 431, "The headers of the request are too long.");
  return buffer_add(&connection->head, bytes, length) ? 0 : refuse(connection, 503, "There is no memory.");
}

static int on_target(void *self, const char *bytes, size_t length) {
  struct connection *connection = self;

  if (connection->head.length + length > MAX_TARGET)
    return refuse(connection, 414, "The target of the request is too long.");
  return gather(connection, bytes, length);
}

static int on_name(void *self, const char *bytes, size_t length) {
  struct connection *connection = self;

  if (connection->at == AT_BODY) { /* of a trailer, which nobody has asked for */
    connection->trailer_bytes += length;
    return connection->trailer_bytes > MAX_HEAD ? refuse(connection, 431, "The trailers are too long.") : 0;
  }
  if (connection->at != AT_NAME) {
    if (connection->header_count == MAX_HEADERS) return refuse(connection, 431, "The request has too many headers.");
    buffer_add(&connection->head, "", 1);
    connection->offsets[connection->header_count++][0] = connection->head.length;
    connection->at = AT_NAME;
  }
  return gather(connection, bytes, length);
}

static int on_value(void *self, const char *bytes, size_t length) {
  struct connection *connection = self;
  size_t at;

  if (connection->at == AT_BODY) return on_name(self, bytes, length);
  for (at = 0; at < length; at++)
    if (((unsigned char)bytes[at] < 0x20 && bytes[at] != '\t') || bytes[at] == 0x7f)
      return refuse(connection, 400, "A header of the request has a control character.");
  if (connection->at == AT_NAME) {
    buffer_add(&connection->head, "", 1);
    connection->offsets[connection->header_count - 1][1] = connection->head.length;
    connection->at = AT_VALUE;
  }
  return gather(connection, bytes, length);
}

static int on_body(void *self, const char *bytes, size_t length) {
  struct connection *connection = self;
  int64_t most = connection->worker->server->options.max_body;

  connection->body_bytes += length;
  connection->progress = uv_now(&connection->worker->loop);
  atomic_fetch_add(&connection->worker->server->counts.bytes_in, length);
  if (most > 0 && connection->body_bytes > (uint64_t)most)
    return refuse(connection, 413, "The body of the request is too long.");
  if (connection->phase == PHASE_EXCHANGE && !connection->response.ended)
    connection->exchange.answerer->body(connection->exchange.self, bytes, length);
  return 0;
}

static const struct parser_sink sink = {on_target, on_name, on_value, on_body};

/* ---- A request whose head is complete. */

static void begin_head(struct connection *connection) {
  buffer_clear(&connection->head, 8 * 1024);
  connection->header_count = 0;
  connection->trailer_bytes = 0;
  connection->body_bytes = 0;
  connection->at = AT_TARGET;
  connection->complete = connection->wanted = connection->expects = false;
  connection->refuse_status = 0;
  response_reset(connection);
}

/* RFC 9110 section 5.6.2. The parser may have been compiled to be lenient about it, as Debian's http-parser is. */
static bool is_token(const char *text) {
  static const char letters[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

  return *text != '\0' && text[strspn(text, letters)] == '\0';
}

static bool finish_head(struct connection *connection) {
  char *bytes;
  size_t at;

  if (!buffer_add(&connection->head, "", 1)) return false;
  bytes = connection->head.bytes;
  for (at = 0; at < connection->header_count; at++) {
    char *value = bytes + connection->offsets[at][1], *end = value + strlen(value);

    while (end > value && (end[-1] == ' ' || end[-1] == '\t')) *--end = '\0';
    connection->headers[at].name = bytes + connection->offsets[at][0];
    connection->headers[at].value = value;
  }
  connection->at = AT_BODY;
  return true;
}

static size_t count_of(const struct exchange *exchange, const char *name) {
  size_t count = 0, at;

  for (at = 0; at < exchange->header_count; at++) count += strcasecmp(exchange->headers[at].name, name) == 0;
  return count;
}

static bool has_bad_name(const struct exchange *exchange) {
  size_t at;

  for (at = 0; at < exchange->header_count; at++)
    if (!is_token(exchange->headers[at].name)) return true;
  return false;
}

static const char *check_host(struct exchange *exchange, const struct target *target) {
  const char *host = exchange_header(exchange, "Host");
  size_t length;

  if (count_of(exchange, "Host") > 1) return "The request has more than one Host.";
  if (host == NULL && exchange->version_minor > 0) return "The request has no Host.";
  if (target != NULL && target->authority != NULL) host = target->authority;
  if (host != NULL && !target_host_is_valid(host)) return "The Host of the request is no name of a host.";
  if (host == NULL || *host == '\0') host = exchange->worker->server->host_name;
  length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
  snprintf(exchange->host, sizeof(exchange->host), "%.*s", (int)length, host);
  return NULL;
}

/* Reads the target into the exchange; what comes of it lies in target_space. */
static const char *read_target(struct connection *connection, const char *text, struct target *target) {
  struct exchange *exchange = &connection->exchange;
  char *space = malloc(2 * strlen(text) + 4);
  const char *complaint;

  if (space == NULL) return "There is no memory.";
  complaint = target_read(target, text, space);
  free(connection->target_space);
  connection->target_space = space;
  exchange->target = text;
  exchange->path = target->path;
  exchange->query = target->query;
  return complaint;
}

static void check_and_route(struct connection *connection) {
  struct exchange *exchange = &connection->exchange;
  const char *encoding = exchange_header(exchange, "Transfer-Encoding");
  const char *expect = exchange_header(exchange, "Expect");
  const char *complaint = NULL;
  struct target target;
  int64_t most = connection->worker->server->options.max_body;

  if (parser_version(connection->parser) / 10 != 1) {
    response_refuse(connection, 505, "This server speaks HTTP/1.0 and HTTP/1.1.");
    return;
  }
  if (strcmp(exchange->target, "*") == 0 && strcmp(exchange->method, "OPTIONS") == 0) {
    exchange->path = exchange->query = "";
    complaint = check_host(exchange, NULL);
  } else if (strcmp(exchange->method, "CONNECT") == 0) {
    response_refuse(connection, 501, "This server is no proxy.");
    return;
  } else {
    complaint = read_target(connection, exchange->target, &target);
    if (complaint == NULL) complaint = check_host(exchange, &target);
  }
  if (has_bad_name(exchange)) complaint = "A header of the request has an impossible name.";
  if (count_of(exchange, "Transfer-Encoding") > 1) complaint = "The request has more than one Transfer-Encoding.";
  if (complaint != NULL) {
    response_refuse(connection, 400, complaint);
  } else if (encoding != NULL && (strcasecmp(encoding, "chunked") != 0 || exchange->version_minor == 0)) {
    response_refuse(connection, 501, "The only transfer coding that this server knows is chunked.");
  } else if (expect != NULL && strcasecmp(expect, "100-continue") != 0) {
    response_refuse(connection, 417, "This server knows no expectation but 100-continue.");
  } else if (most > 0 && exchange->content_length > most) {
    response_refuse(connection, 413, "The body of the request is too long.");
  } else {
    connection->expects = expect != NULL && exchange->version_minor > 0 && !connection->complete;
    route(exchange);
  }
}

static void request_ready(struct connection *connection, bool complete) {
  struct exchange *exchange = &connection->exchange;

  connection->complete = complete;
  connection->close_after = !parser_keep_alive(connection->parser);
  connection->progress = uv_now(&connection->worker->loop);
  if (!finish_head(connection)) {
    connection->broken = true;
    return;
  }
  memset(exchange, 0, sizeof(*exchange));
  exchange->worker = connection->worker;
  exchange->method = parser_method(connection->parser);
  exchange->target = connection->head.bytes;
  exchange->path = exchange->query = "";
  exchange->version_minor = parser_version(connection->parser) % 10;
  exchange->headers = connection->headers;
  exchange->header_count = connection->header_count;
  exchange->content_length = parser_content_length(connection->parser);
  exchange->client = connection->client;
  exchange->client_port = connection->client_port;
  connection->response.head_only = strcmp(exchange->method, "HEAD") == 0;
  atomic_fetch_add(&connection->worker->server->counts.requests, 1);
  connection_phase(connection, PHASE_EXCHANGE);
  check_and_route(connection);
}

void exchange_redirect(struct exchange *exchange, const char *text) {
  struct connection *connection = connection_of(exchange);
  struct target target;
  const char *complaint;

  if (++exchange->redirects > 5) {
    exchange_refuse(exchange, 500, NULL, "The scripts send one another on without an end.");
    return;
  }
  /* The text is the script's, which goes away; the target has to stay. It goes behind the headers, which then move. */
  if (!buffer_add(&connection->head, text, strlen(text)) || !finish_head(connection)) {
    connection->broken = true;
    return;
  }
  if (!connection->response.head_only) exchange->method = "GET";
  exchange->content_length = 0;
  complaint = read_target(connection, connection->head.bytes + connection->head.length - strlen(text) - 1, &target);
  if (complaint != NULL)
    exchange_refuse(exchange, 502, NULL, "The script sent the request on to what is no path.");
  else
    route(exchange);
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
  if (connection->phase == PHASE_DISCARD || begun)
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
      begin_head(connection);
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
  connection_todo(connection);
}

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

void connection_accept(uv_stream_t *listener, int status) {
  struct worker *worker = listener->data;
  struct server *server = worker->server;
  struct connection *connection;

  if (status != 0) return;
  connection =
    atomic_load(&server->counts.open_connections) < server->max_connections ? calloc(1, sizeof(*connection)) : NULL;
  if (connection != NULL) connection->parser = parser_create(&sink, connection);
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
