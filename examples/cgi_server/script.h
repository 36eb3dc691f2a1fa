/* SPDX-License-Identifier: MIT */
/*
 * One run of a script: from the request, by way of the queue, to the end of all that it started. It outlives the
 * exchange where the client has left, or where the script closes its output and works on.
 *
 *   script.c         finds, queues, starts, and gives everything back
 *   script_run.c     what comes from the child: output, exit, time-outs; and when it is over
 *   script_input.c   the request's body, on its way to the child's stdin
 *   script_errors.c  the child's stderr, on its way to the log
 */
#ifndef CGI_SERVER_SCRIPT_H
#define CGI_SERVER_SCRIPT_H

#include "exchange.h"
#include "job_queue.h"
#include "safehold/uv.h"
#include "script_find.h"
#include "script_head.h"
#include "server.h"
#include "spool.h"

enum {
  DRAIN_MS = 1000,        /* for output that comes after the script's exit, from a process that it left */
  EXIT_MS = 100,          /* between the end of the output and the exit that says whether it is complete */
  INPUT_HIGH = 64 * 1024, /* of the body, taken from the client in advance */
  ERROR_LINE = 1024,
  ERRORS_MOST = 64 * 1024 /* bytes of the log that the stderr of one script may have */
};

enum script_state {
  SCRIPT_GATHERS, /* a chunked body, whose length CONTENT_LENGTH has to say */
  SCRIPT_WAITS,   /* in the queue */
  SCRIPT_RUNS,
  SCRIPT_STOPS, /* safe_uv_process_stop is under way */
  SCRIPT_OVER   /* its tree has ended, or was given up; the handles are being closed */
};

struct input {
  uv_pipe_t pipe;
  uv_write_t write;
  bool open, writing, ended, stalled;
  struct spool spool;
  char *piece; /* what is being written */
};

struct errors {
  char line[ERROR_LINE];
  size_t length, total;
};

struct script {
  TAILQ_ENTRY(script) link; /* worker.scripts, from the start to the end; under worker.script_lock */
  struct worker *worker;
  struct exchange *exchange; /* NULL: nobody waits for the response any more */
  struct job job;
  enum script_state state;
  struct script_place place;
  char client[64];
  int64_t body_length; /* of what the script gets */
  bool listed;

  safe_uv_process process;
  uv_pipe_t out, err;
  uv_timer_t timer;
  int open_handles;
  bool has_process;
  bool out_open, out_ended, out_reading, err_open, exited, drained, finished;
  bool followed; /* its answer is a local redirection */
  safe_exit status;
  struct script_head head;
  bool head_done;
  int64_t body_left;                 /* of the Content-Length that the script announced; -1: it did not */
  uint64_t deadline;                 /* of the time limit, in the loop's time */
  uint64_t started;                  /* uv_hrtime */
  atomic_ullong bytes_in, bytes_out; /* these are read by other threads */
  atomic_bool stopping;
  struct input input;
  struct errors errors;
};

/* script.c */
void script_stop(struct script *script, const char *why);
/* Nobody waits for the response any more: it is complete, or will be another one. */
void script_part(struct script *script);
/* All has ended: gives everything back. */
void script_release(struct script *script);
void script_closed(uv_handle_t *handle);

/* script_run.c */
bool script_listen(struct script *script);
void script_on_exit(safe_uv_process *process, const safe_exit *status);
void script_on_timer(uv_timer_t *timer);
/* Looks what is over by now. */
void script_settle(struct script *script);
/* The answer is this status if nothing has been sent yet, and broken off otherwise. */
void script_fail(struct script *script, int status, const char *sentence);
void script_writable(void *script);

/* script_input.c */
void input_add(struct script *script, const char *bytes, size_t length);
void input_end(struct script *script);
/* To be called once the pipe is there: what was gathered goes first. */
void input_begin(struct script *script);
void input_close(struct script *script);
/* The script's output is held back by the client, or no longer. */
void input_stall(struct script *script, bool stalled);

/* script_errors.c */
void errors_add(struct script *script, const char *bytes, size_t length);
void errors_end(struct script *script);

#endif
