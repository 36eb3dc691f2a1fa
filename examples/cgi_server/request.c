/* SPDX-License-Identifier: MIT */
/* A request's head: gathered while it comes, checked, and handed to who answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "connection.h"
#include "route.h"
#include "target.h"
#include "token.h"

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

const struct parser_sink request_sink = {on_target, on_name, on_value, on_body};

/* ---- A request whose head is complete. */

void request_begin(struct connection *connection) {
  buffer_clear(&connection->head, 8 * 1024);
  connection->header_count = 0;
  connection->trailer_bytes = 0;
  connection->body_bytes = 0;
  connection->at = AT_TARGET;
  connection->complete = connection->wanted = connection->expects = false;
  connection->refuse_status = 0;
  response_reset(connection);
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

/* The parser may have been compiled to be lenient about it, as Debian's http-parser is. */
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

void request_ready(struct connection *connection, bool complete) {
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
