/* SPDX-License-Identifier: MIT */
#ifndef CGI_SERVER_SCRIPT_HEAD_H
#define CGI_SERVER_SCRIPT_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "exchange.h"

enum { SCRIPT_HEAD_MOST = 64 * 1024, SCRIPT_HEADERS_MOST = 100 };

/* The head of a script's response (RFC 3875 section 6), gathered until its empty line. All zero is the beginning. */
struct script_head {
  struct buffer text;
  size_t line; /* where the present line begins */
  int status;
  bool has_status; /* of its own */
  const char *reason;
  const char *location;                       /* or NULL */
  int64_t content_length;                     /* -1: it says none */
  struct header headers[SCRIPT_HEADERS_MOST]; /* without Status */
  size_t header_count;
  const char *complaint; /* why it is none */
};

enum script_head_state { SCRIPT_HEAD_MORE, SCRIPT_HEAD_DONE, SCRIPT_HEAD_WRONG };

/* *used bytes belong to the head; what follows is the body. Lines may end with LF or CR LF. */
enum script_head_state script_head_feed(struct script_head *head, const char *bytes, size_t length, size_t *used);
/* "Location: /path" without a Status: the server is to answer for that path (RFC 3875 section 6.2.2). */
bool script_head_is_local_redirect(const struct script_head *head);
void script_head_free(struct script_head *head);

#endif
