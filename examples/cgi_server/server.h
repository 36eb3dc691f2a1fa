/* SPDX-License-Identifier: MIT */
/* What all of the server shares: the options, the counts, and a worker for each loop and its thread. */
#ifndef CGI_SERVER_SERVER_H
#define CGI_SERVER_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>
#include <uv.h>

#include "job_queue.h"

struct options {
  const char *root;    /* an absolute path, or NULL: no files */
  const char *cgi_bin; /* an absolute path, or NULL: no scripts */
  const char *host;
  int port;
  int jobs, queue, threads;
  int64_t timeout_ms, grace_ms;     /* of a script */
  int64_t client_ms, keep_alive_ms; /* how long a client may make no progress, or ask for nothing */
  int64_t shutdown_ms;              /* what runs when the server is asked to end may go on for so long */
  int64_t memory;                   /* of a script; 0: no limit */
  int64_t max_body, max_output;     /* 0: no limit */
  bool whole_tree;
  const char *log;  /* or NULL: stderr */
  const char **env; /* NAME=value for every script; ends with NULL */
};

/* Written by every worker, read by the status page. */
struct counts {
  atomic_ullong connections, connections_refused, requests, answers[6]; /* by the first digit of the status */
  atomic_ullong scripts, script_failures, timed_out, client_left, killed, queue_refused, queue_timed_out;
  atomic_ullong bytes_in, bytes_out;
  atomic_int open_connections;
};

struct server {
  struct options options;
  struct counts counts;
  struct job_queue queue;
  struct worker *workers;
  time_t started;
  int root_folder; /* a descriptor, or -1 */
  int port;        /* the one that was got, for --port 0 */
  int max_connections;
  int64_t open_files;    /* the limit that the server was started with, and scripts get; 0: it was not changed */
  const char *host_name; /* for requests without a Host */
};

enum { READ_SIZE = 64 * 1024 };

TAILQ_HEAD(connection_list, connection);
TAILQ_HEAD(script_list, script);

struct worker {
  struct server *server;
  uv_thread_t thread;
  uv_loop_t loop;
  uv_tcp_t listener;
  uv_prepare_t prepare; /* before the loop sleeps: connections that have something to send, jobs that may begin */
  uv_async_t wake;      /* from other threads: a job may begin, or the server is to end */
  uv_timer_t deadline;  /* of the shutdown */
  struct connection_list connections, todo;
  pthread_mutex_t script_lock; /* for the list: the status page of another worker reads it */
  struct script_list scripts;
  atomic_int stopping; /* 1: no new requests; 2: nothing may go on */
  int stop_seen;
  bool grants;        /* jobs of this loop may begin */
  time_t date_second; /* of the text below */
  char date[40];
  char read_buffer[READ_SIZE]; /* what any of the loop's streams reads is used before the next one reads */
};

/* options.c: -1: go on; else the exit status. */
int options_read(struct options *options, int count, char **arguments);

/* worker.c */
/* Listens, on *port or, where that is 0, on one that it stores there. 0 or a UV_E*. */
int worker_open(struct worker *worker, struct server *server, int *port);
/* Serves until it is told to stop and all has ended. */
void worker_run(struct worker *worker);
/* Once no other worker runs, which might wake this one. */
void worker_close(struct worker *worker);
/* From any thread. 1: finish what has begun; 2: end it at once. */
void worker_stop(struct worker *worker, int how);
/* The value of a Date header for now. */
const char *worker_date(struct worker *worker);

#endif
