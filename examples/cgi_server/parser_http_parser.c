/* SPDX-License-Identifier: MIT */
#include <http_parser.h>
#include <stdlib.h>

#include "parser.h"
#include "strict_chunks.h"

struct parser {
  http_parser own;
  const struct parser_sink *sink;
  void *self;
  enum parser_stop stop;
  bool keep_alive;
  int64_t content_length;
  bool in_body;  /* or at the last line feed of the head */
  bool at_body;  /* that line feed is the next byte, and a body of known length follows */
  bool after_cr; /* of the head */
  struct chunks chunks;
};

static struct parser *of(http_parser *own) { return own->data; }

static int on_target(http_parser *own, const char *bytes, size_t length) {
  return of(own)->sink->target(of(own)->self, bytes, length);
}

static int on_name(http_parser *own, const char *bytes, size_t length) {
  return of(own)->sink->name(of(own)->self, bytes, length);
}

static int on_value(http_parser *own, const char *bytes, size_t length) {
  return of(own)->sink->value(of(own)->self, bytes, length);
}

static int on_body(http_parser *own, const char *bytes, size_t length) {
  return of(own)->sink->body(of(own)->self, bytes, length);
}

static int on_head(http_parser *own) {
  struct parser *parser = of(own);

  /* An Upgrade is passed over, which RFC 9110 section 7.8 allows: else the parser would take what follows for another
     protocol. CONNECT would be that in any case, and is refused by its method. */
  if (own->method != HTTP_CONNECT) own->upgrade = 0;
  parser->keep_alive = http_should_keep_alive(own) != 0;
  if (own->flags & F_CHUNKED)
    parser->content_length = -1;
  else if (own->flags & F_CONTENTLENGTH)
    parser->content_length = own->content_length > INT64_MAX ? INT64_MAX : (int64_t)own->content_length;
  else
    parser->content_length = 0;
  parser->stop = parser->content_length == 0 ? PARSER_WHOLE : PARSER_HEAD;
  if (parser->content_length < 0) strict_chunks_begin(&parser->chunks);
  if (parser->stop == PARSER_HEAD) {
    parser->in_body = true;
    parser->at_body = parser->content_length > 0;
    http_parser_pause(own, 1);
  }
  return 0;
}

static int on_end(http_parser *own) {
  if (of(own)->stop != PARSER_WHOLE) of(own)->stop = PARSER_END;
  of(own)->content_length = 0;
  of(own)->in_body = false;
  http_parser_pause(own, 1);
  return 0;
}

static const http_parser_settings settings = {
  .on_url = on_target,
  .on_header_field = on_name,
  .on_header_value = on_value,
  .on_headers_complete = on_head,
  .on_body = on_body,
  .on_message_complete = on_end,
};

struct parser *parser_create(const struct parser_sink *sink, void *self) {
  struct parser *parser = calloc(1, sizeof(*parser));

  if (parser == NULL) return NULL;
  http_parser_init(&parser->own, HTTP_REQUEST);
  parser->own.data = parser;
  parser->sink = sink;
  parser->self = self;
  return parser;
}

void parser_free(struct parser *parser) { free(parser); }

/* A lenient http-parser takes any byte for the line feed that ends the head. What comes after that is one request to it
   and might be another to a proxy in front. */
static bool head_is_strict(struct parser *parser, const char *bytes, size_t length) {
  size_t at;

  for (at = 0; at < length; at++) {
    if (parser->after_cr && bytes[at] != '\n') return false;
    parser->after_cr = bytes[at] == '\r';
  }
  return true;
}

static bool body_is_strict(struct parser *parser, const char *bytes, size_t length) {
  bool at_body = parser->at_body;

  parser->at_body = parser->after_cr = false;
  if (parser->content_length < 0) return strict_chunks_feed(&parser->chunks, bytes, length);
  return !at_body || bytes[0] == '\n';
}

static enum parser_stop fail(struct parser *parser, enum http_errno why, size_t *used) {
  parser->own.http_errno = why;
  *used = 0;
  return PARSER_FAILED;
}

enum parser_stop parser_feed(struct parser *parser, const char *bytes, size_t length, size_t *used) {
  bool in_body = parser->in_body;

  if (HTTP_PARSER_ERRNO(&parser->own) == HPE_PAUSED) http_parser_pause(&parser->own, 0);
  if (in_body && !body_is_strict(parser, bytes, length))
    return fail(parser, parser->content_length < 0 ? HPE_INVALID_CHUNK_SIZE : HPE_LF_EXPECTED, used);
  parser->stop = PARSER_MORE;
  *used = http_parser_execute(&parser->own, &settings, bytes, length);
  if (!in_body && !head_is_strict(parser, bytes, *used)) return fail(parser, HPE_LF_EXPECTED, used);
  if (HTTP_PARSER_ERRNO(&parser->own) == HPE_PAUSED) return parser->stop;
  if (HTTP_PARSER_ERRNO(&parser->own) != HPE_OK || *used < length) return PARSER_FAILED;
  return PARSER_MORE;
}

const char *parser_method(const struct parser *parser) { return http_method_str((enum http_method)parser->own.method); }

int parser_version(const struct parser *parser) { return parser->own.http_major * 10 + parser->own.http_minor; }

bool parser_keep_alive(const struct parser *parser) { return parser->keep_alive; }

int64_t parser_content_length(const struct parser *parser) { return parser->content_length; }

int parser_status(const struct parser *parser) {
  switch (HTTP_PARSER_ERRNO(&parser->own)) {
  case HPE_INVALID_METHOD:
    return 501;
  case HPE_INVALID_VERSION:
    return 505;
  case HPE_HEADER_OVERFLOW:
    return 431;
  default:
    return 400;
  }
}

const char *parser_complaint(const struct parser *parser) {
  return http_errno_description(HTTP_PARSER_ERRNO(&parser->own));
}

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

const char *parser_name(void) {
  return "http-parser " TEXT(HTTP_PARSER_VERSION_MAJOR) "." TEXT(HTTP_PARSER_VERSION_MINOR) "." TEXT(
    HTTP_PARSER_VERSION_PATCH);
}
