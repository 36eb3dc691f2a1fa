/* SPDX-License-Identifier: MIT */
/* A client's connection: connection.c reads, request.c takes requests, response.c writes,
   lifetime.c ends it in time. */
#ifndef CGI_SERVER_CONNECTION_H
#define CGI_SERVER_CONNECTION_H

#include "buffer.h"
#include "exchange.h"
#include "parser.h"
#include "server.h"

enum {
  MAX_TARGET = 8 * 1024,
  MAX_HEAD = 64 * 1024,
  MAX_HEADERS = 100,
  MAX_PIPELINED = 16 * 1024,     /* bytes of further requests that are read while one is answered */
  OUT_HIGH = 256 * 1024,         /* from here on no more is taken from whoever answers, */
  OUT_LOW = 64 * 1024,           /* until it is less than this */
  OUT_WORTH = 64 * 1024,         /* is sent without waiting for more */
  DISCARD_AT_MOST = 1024 * 1024, /* of a body that nobody read, so that the connection can go on */
  LINGER_MS = 2000,              /* for a client to notice that it is to stop sending; */
  LINGER_MOST_MS = 30000,        /* this long while it sends in earnest */
};

enum phase {
  PHASE_IDLE,     /* nothing of a request has come */
  PHASE_HEAD,     /* a part of one */
  PHASE_EXCHANGE, /* it is being answered */
  PHASE_DISCARD,  /* it was, and the rest of its body is read and thrown away */
  PHASE_LINGER,   /* nothing is sent any more; what comes is thrown away until the client closes */
  PHASE_CLOSING
};

/* How the end of a response is marked. */
enum framing {
  FRAMING_OPEN, /* not decided: nothing has been sent */
  FRAMING_LENGTH,
  FRAMING_CHUNKED,
  FRAMING_CLOSE, /* by the end of the connection */
  FRAMING_RAW,   /* the script's own */
  FRAMING_NONE   /* there is no body */
};

struct response {
  enum framing framing;
  bool head_only, no_body, ended, aborted, held, full;
  bool has_length; /* length is known from the beginning */
  int status;
  uint64_t length;
  size_t head_end; /* FRAMING_OPEN: where in connection.out further headers go; then comes the body */
};

struct connection {
  TAILQ_ENTRY(connection) link, todo_link;
  struct worker *worker;
  uv_tcp_t tcp;
  uv_timer_t timer;
  uv_write_t write;
  uv_shutdown_t shutdown;
  enum phase phase;
  int open_handles;
  bool todo;           /* it is in the worker's list */
  bool reading;        /* uv_read_start */
  bool read_ended;     /* the client sends no more */
  bool shutting, shut; /* uv_shutdown was called; it is done */
  bool writing;        /* bytes of `sending` are under way */
  bool close_after;    /* this is the last response */
  bool expects;        /* the client waits for 100 Continue */
  bool wanted;         /* exchange_read(true) */
  bool complete;       /* the request's body has come to its end */
  bool broken;         /* it is to be closed as soon as nobody is in the middle of using it */
  int refuse_status;
  const char *refuse_sentence;

  struct parser *parser;
  struct buffer head; /* the target, then names and values, each ending with NUL */
  size_t offsets[MAX_HEADERS][2];
  struct header headers[MAX_HEADERS];
  size_t header_count;
  enum { AT_TARGET, AT_NAME, AT_VALUE, AT_BODY } at;
  size_t trailer_bytes;
  uint64_t body_bytes;
  uint64_t discard_until; /* PHASE_DISCARD: as many of them are read */
  char client[64];
  int client_port;

  struct buffer held;         /* what came and was not parsed yet */
  struct buffer out, sending; /* out follows sending */
  char *target_space;
  struct exchange exchange;
  struct response response;

  uint64_t since;    /* when the phase began */
  uint64_t progress; /* when something of a body came last */
  uint64_t sent;     /* when something went out last */
  size_t unsent;     /* how much was to go then */
  size_t lingered;   /* bytes that came while lingering */
  uint64_t lingers;  /* since when */
  uint64_t armed;    /* when the timer comes; 0: it does not */
};

/* connection.c */
void connection_accept(uv_stream_t *listener, int status);
/* Has connection_attend called before the loop sleeps. */
void connection_todo(struct connection *connection);
void connection_attend(struct connection *connection);
/* The response to the present request is complete and has been handed to the system, or to libuv. */
void connection_next(struct connection *connection);
struct connection *connection_of(struct exchange *exchange);

/* request.c */
extern const struct parser_sink request_sink;
/* Another one begins: forgets the last one's head. */
void request_begin(struct connection *connection);
/* The head is complete, and so is the body if there is none. */
void request_ready(struct connection *connection, bool complete);

/* response.c */
void response_reset(struct connection *connection);
/* Sends what is there, as far as the client takes it. */
void response_flush(struct connection *connection);
size_t response_unsent(const struct connection *connection);
/* An answer to what is no request: there is no exchange. */
void response_refuse(struct connection *connection, int status, const char *sentence);

/* lifetime.c */
/* The phase or what is waited for has changed: look that the timer comes early enough. */
void lifetime_touch(struct connection *connection);
void lifetime_tick(uv_timer_t *timer);
void connection_phase(struct connection *connection, enum phase phase);
/* The client is gone, or is to be: whoever answers is told. */
void connection_close(struct connection *connection);
/* Says that no more comes, and waits for the client to close first, as a close with unread bytes would take back what
   was sent (RFC 9112 section 9.6). */
void connection_linger(struct connection *connection);

#endif
