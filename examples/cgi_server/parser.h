/* SPDX-License-Identifier: MIT */
/*
 * The parser of requests: llhttp (parser_llhttp.c) or its predecessor http-parser (parser_http_parser.c), whichever the
 * build found, behind one interface. It is fed with what the client sends, and stops where something is to be decided.
 */
#ifndef CGI_SERVER_PARSER_H
#define CGI_SERVER_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parser;

/* Pieces, in their order: any of them may come in several calls. A name after a value begins the next header. Non-zero
   stops the parser. */
struct parser_sink {
  int (*target)(void *self, const char *bytes, size_t length);
  int (*name)(void *self, const char *bytes, size_t length);
  int (*value)(void *self, const char *bytes, size_t length);
  int (*body)(void *self, const char *bytes, size_t length);
};

enum parser_stop {
  PARSER_MORE,  /* all was used, and the message is not complete */
  PARSER_HEAD,  /* the head is complete, and a body follows */
  PARSER_WHOLE, /* the head is complete, and there is no body */
  PARSER_END,   /* the body is complete */
  PARSER_FAILED /* no request, or the sink wanted it so */
};

struct parser *parser_create(const struct parser_sink *sink, void *self);
void parser_free(struct parser *parser);
/* *used bytes were taken; what is left over belongs to what comes after the stop. length is not 0. */
enum parser_stop parser_feed(struct parser *parser, const char *bytes, size_t length, size_t *used);

/* Once the head is complete. */
const char *parser_method(const struct parser *parser);
int parser_version(const struct parser *parser); /* 10 for HTTP/1.0 */
bool parser_keep_alive(const struct parser *parser);
int64_t parser_content_length(const struct parser *parser); /* -1: chunked */
/* After PARSER_FAILED: the status to answer with, and why. */
int parser_status(const struct parser *parser);
const char *parser_complaint(const struct parser *parser);
const char *parser_name(void); /* "llhttp 9.2.1" */

#endif
