/* SPDX-License-Identifier: MIT */
#include <llhttp.h>
#include <stdlib.h>

#include "parser.h"

struct parser {
  llhttp_t own;
  const struct parser_sink *sink;
  void *self;
  enum parser_stop stop;
  bool keep_alive;
  bool between, after_cr; /* before the first byte of a request; the last one was a carriage return */
  int64_t content_length;
};

static struct parser *of(llhttp_t *own) { return own->data; }

/* Any non-zero value would do for an error, but some numbers have a meaning of their own to llhttp. */
static int outcome(int stop) { return stop == 0 ? HPE_OK : HPE_USER; }

static int on_target(llhttp_t *own, const char *bytes, size_t length) {
  return outcome(of(own)->sink->target(of(own)->self, bytes, length));
}

static int on_name(llhttp_t *own, const char *bytes, size_t length) {
  return outcome(of(own)->sink->name(of(own)->self, bytes, length));
}

static int on_value(llhttp_t *own, const char *bytes, size_t length) {
  return outcome(of(own)->sink->value(of(own)->self, bytes, length));
}

static int on_body(llhttp_t *own, const char *bytes, size_t length) {
  return outcome(of(own)->sink->body(of(own)->self, bytes, length));
}

static int on_head(llhttp_t *own) {
  struct parser *parser = of(own);

  /* An Upgrade is passed over, which RFC 9110 section 7.8 allows: else the parser would take what follows for another
     protocol. CONNECT would be that in any case, and is refused by its method. */
  if (own->method != HTTP_CONNECT) own->upgrade = 0;
  parser->keep_alive = llhttp_should_keep_alive(own) != 0;
  if (own->flags & F_CHUNKED)
    parser->content_length = -1;
  else if (own->flags & F_CONTENT_LENGTH)
    parser->content_length = own->content_length > INT64_MAX ? INT64_MAX : (int64_t)own->content_length;
  else
    parser->content_length = 0;
  parser->stop = parser->content_length == 0 ? PARSER_WHOLE : PARSER_HEAD;
  return parser->stop == PARSER_HEAD ? HPE_PAUSED : HPE_OK;
}

static int on_end(llhttp_t *own) {
  if (of(own)->stop != PARSER_WHOLE) of(own)->stop = PARSER_END;
  of(own)->between = true;
  return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
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
  llhttp_init(&parser->own, HTTP_REQUEST, &settings);
  parser->own.data = parser;
  parser->between = true;
  parser->sink = sink;
  parser->self = self;
  return parser;
}

void parser_free(struct parser *parser) { free(parser); }

/* Empty lines before a request are to be passed over (RFC 9112 section 2.2), which llhttp does with carriage returns
   that end no line too: another server on the way may take them for a part of the request. */
static bool begins_well(struct parser *parser, const char *bytes, size_t length) {
  size_t at;

  for (at = 0; parser->between && at < length; at++) {
    if (parser->after_cr && bytes[at] != '\n') return false;
    parser->after_cr = bytes[at] == '\r';
    parser->between = bytes[at] == '\r' || bytes[at] == '\n';
  }
  return true;
}

enum parser_stop parser_feed(struct parser *parser, const char *bytes, size_t length, size_t *used) {
  llhttp_errno_t code;

  if (llhttp_get_errno(&parser->own) == HPE_PAUSED) llhttp_resume(&parser->own);
  parser->stop = PARSER_MORE;
  *used = 0;
  if (!begins_well(parser, bytes, length)) {
    llhttp_set_error_reason(&parser->own, "a carriage return that ends no line");
    return PARSER_FAILED;
  }
  code = llhttp_execute(&parser->own, bytes, length);
  *used = code == HPE_OK ? length : (size_t)(llhttp_get_error_pos(&parser->own) - bytes);
  if (code == HPE_PAUSED) return parser->stop;
  return code == HPE_OK ? PARSER_MORE : PARSER_FAILED;
}

const char *parser_method(const struct parser *parser) {
  return llhttp_method_name((llhttp_method_t)parser->own.method);
}

int parser_version(const struct parser *parser) { return parser->own.http_major * 10 + parser->own.http_minor; }

bool parser_keep_alive(const struct parser *parser) { return parser->keep_alive; }

int64_t parser_content_length(const struct parser *parser) { return parser->content_length; }

int parser_status(const struct parser *parser) {
  switch (llhttp_get_errno(&parser->own)) {
  case HPE_INVALID_METHOD:
    return 501;
  case HPE_INVALID_VERSION:
    return 505;
  default:
    return 400;
  }
}

const char *parser_complaint(const struct parser *parser) {
  const char *reason = llhttp_get_error_reason(&parser->own);

  return reason == NULL ? llhttp_errno_name(llhttp_get_errno(&parser->own)) : reason;
}

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

const char *parser_name(void) {
  return "llhttp " TEXT(LLHTTP_VERSION_MAJOR) "." TEXT(LLHTTP_VERSION_MINOR) "." TEXT(LLHTTP_VERSION_PATCH);
}
