/* SPDX-License-Identifier: MIT */
/*
 * One request and its response, between the connection it came by (connection.c) and who answers it: a script
 * (script.c), a file (static_file.c), the status page (status.c). Everything runs in the loop's thread.
 */
#ifndef CGI_SERVER_EXCHANGE_H
#define CGI_SERVER_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct worker; /* the loop that it belongs to, and by it the options: server.h */

struct header {
  const char *name; /* as the client spelled it */
  const char *value;
};

/* Answers a request. The connection calls; after gone, or once the answerer has called exchange_end or exchange_abort,
   it calls no more, and the exchange is not to be used. It may call any of the functions below from within its own. */
struct answerer {
  /* Bytes of the body, which has no more than what exchange_read allowed for: the answerer copies what it keeps. */
  void (*body)(void *self, const char *bytes, size_t length);
  void (*body_end)(void *self);
  /* What was written has gone out, so far that more is welcome (after exchange_write returned false). */
  void (*writable)(void *self);
  /* The client has left or was too slow. Nothing more can be sent. */
  void (*gone)(void *self);
  /* A client that has only shut down its sending side still gets its answer. Otherwise it has left: the two look alike
     until something is sent, and what works for a client has to end when that is gone. */
  bool half_closed_stays;
};

struct exchange {
  struct worker *worker;
  const struct answerer *answerer; /* set by who takes the exchange on, with self */
  void *self;

  const char *method; /* "GET" */
  const char *target; /* as it came: "/cgi-bin/a.cgi/x%20y?q" */
  const char *path;   /* decoded, and without dot segments: "/cgi-bin/a.cgi/x y" */
  const char *query;  /* after the first "?", not decoded; "" without one */
  int version_minor;  /* HTTP/1.minor */
  const struct header *headers;
  size_t header_count;
  int64_t content_length; /* -1: chunked, and not known before its end. 0: no body */
  const char *client;     /* the client's address in numbers */
  int client_port;
  char host[256]; /* the Host header without its port, or the server's address */
  int redirects;  /* how often exchange_redirect was called */
  bool begun;     /* exchange_begin was called */
  uint64_t sent;  /* bytes of the body so far */
};

/* The value of the first header of that name, in any case, or NULL. */
const char *exchange_header(const struct exchange *exchange, const char *name);

/* Lets the body come, or holds it back: nothing comes before the first call with true (which answers Expect:
   100-continue). A body that is never let come is read and thrown away after exchange_end, up to a bound, or the
   connection is closed. */
void exchange_read(struct exchange *exchange, bool wanted);

/*
 * The head of the response. length -1: not known, which makes it chunked (HTTP/1.1) or ended by the connection's end.
 * The connection adds Date, Connection, Content-Length or Transfer-Encoding, and Server; of the given headers it leaves
 * out those. Names and values have been checked to have no line break.
 */
void exchange_begin(struct exchange *exchange, int status, const char *reason, const struct header *headers,
                    size_t header_count, int64_t length);
/* Bytes of the body; they are copied, or sent at once. False: enough for now, wait for writable. */
bool exchange_write(struct exchange *exchange, const void *bytes, size_t length);
/* Holds back what was written, up to a bound, or no longer. For a response that is likely to be complete in a moment:
   then it goes out in one piece, and with its length. */
void exchange_hold(struct exchange *exchange, bool held);
/* The response is complete. */
void exchange_end(struct exchange *exchange);
/* It will not be: the connection is closed without the last chunk, so that the client can tell. */
void exchange_abort(struct exchange *exchange);
/* For nph- scripts: what is written from here on goes out as it is, and the end closes the connection. */
void exchange_begin_raw(struct exchange *exchange);
/* Answers a GET for that target instead (RFC 3875 section 6.2.2). Only before exchange_begin. */
void exchange_redirect(struct exchange *exchange, const char *target);
/* All of it: a short page that says what went wrong. extra is one more header (Retry-After, Allow), or NULL. */
void exchange_refuse(struct exchange *exchange, int status, const struct header *extra, const char *sentence);

#endif
