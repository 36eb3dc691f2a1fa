/* SPDX-License-Identifier: MIT */
/*
 * An HTTP server that runs CGI scripts, each as a child that gets what it is to have and nothing else, is ended with
 * all it started, and cannot hold up the server. docs/cgi-server.md says what it does in each case. Its files, in
 * cgi_server/:
 *
 *   options.c   the command line
 *   worker.c    a loop and its thread
 *   connection.c, request.c, response.c, lifetime.c   a client's connection, and its time limits
 *   parser_*.c, strict_chunks.c, target.c, http_date.c, range.c, reason.c, mime.c   HTTP's smaller parts
 *   route.c     who answers: static_file.c, status*.c or
 *   script.c    a script, from its request to its end; with script_run.c, script_find.c, script_environment.c,
 *               script_head.c, script_input.c, script_errors.c, spool.c and job_queue.c
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "log.h"
#include "safehold.h"
#include "server.h"

enum { SPARE_DESCRIPTORS = 64 }; /* for files, the log, libuv's own */

static struct server server;

/* The main thread's: it serves nobody, and hears signals until the last worker has ended. */
static struct {
  uv_loop_t loop;
  uv_signal_t signals[2];
  uv_async_t ended;
  atomic_int running;
} control;

/* Each connection is a descriptor, each script up to five. The scripts get the limit that was there before: programs
   that use select(2), or close every descriptor that there could be, take a high one badly. */
static void raise_open_files(void) {
  struct rlimit limit;
  int64_t most = 1024;

  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    rlim_t before = limit.rlim_cur;

    limit.rlim_cur = limit.rlim_max;
    if (before < limit.rlim_max && setrlimit(RLIMIT_NOFILE, &limit) == 0)
      server.open_files = (int64_t)before;
    else
      limit.rlim_cur = before;
    most = limit.rlim_cur > 1000000 ? 1000000 : (int64_t)limit.rlim_cur;
  }
  most -= SPARE_DESCRIPTORS + 5 * (int64_t)server.options.jobs;
  server.max_connections = most < 16 ? 16 : (int)most;
}

/* What a spawn has open at once. There are no more spawns at a time than loops; more kept numbers would push all else
   of an idle server beyond the first 64, which a spawn looks through for nothing. */
#define SPAWN_DESCRIPTORS 5

static void reserve_descriptors(const struct options *options) {
  int spawns = options->jobs < options->threads ? options->jobs : options->threads;

  if (options->cgi_bin != NULL) safe_reserve_descriptors(SPAWN_DESCRIPTORS * spawns);
}

/* Where the server was started without standard streams, their numbers would go to whatever it opens first, and what is
   written to stderr into that. */
static bool fill_standard_streams(void) {
  int file;

  do file = open("/dev/null", O_RDWR);
  while (file >= 0 && file <= STDERR_FILENO);
  return file >= 0 && close(file) == 0;
}

static void stop_all(int how) {
  int at;

  for (at = 0; at < server.options.threads; at++) worker_stop(&server.workers[at], how);
}

static void on_signal(uv_signal_t *handle, int number) {
  bool again = atomic_load(&server.workers[0].stopping) != 0;

  (void)handle;
  stop_all(again ? 2 : 1);
  log_line("signal %d: %s", number,
           again ? "what still runs is ended" : "no new requests; a second one ends what runs");
}

static void serve_thread(void *worker) {
  worker_run(worker);
  atomic_fetch_sub(&control.running, 1);
  uv_async_send(&control.ended);
}

/* The last worker has ended, and nobody needs the signals any more. */
static void on_ended(uv_async_t *ended) {
  int at;

  if (atomic_load(&control.running) > 0) return;
  uv_close((uv_handle_t *)ended, NULL);
  for (at = 0; at < 2; at++) uv_close((uv_handle_t *)&control.signals[at], NULL);
}

static int open_all(void) {
  int at, code;

  server.port = server.options.port;
  for (at = 0; at < server.options.threads; at++) {
    code = worker_open(&server.workers[at], &server, &server.port);
    if (code != 0) {
      fprintf(stderr, "cgi_server: cannot listen on %s port %d: %s\n", server.options.host, server.port,
              uv_strerror(code));
      return 1;
    }
  }
  return 0;
}

/* Before there is anything to connect to: who knows that it listens may end it at once. */
static void hear_signals(void) {
  static const int numbers[] = {SIGTERM, SIGINT};
  int at;

  uv_loop_init(&control.loop);
  uv_async_init(&control.loop, &control.ended, on_ended);
  for (at = 0; at < 2; at++) {
    uv_signal_init(&control.loop, &control.signals[at]);
    uv_signal_start(&control.signals[at], on_signal, numbers[at]);
  }
}

static int serve(void) {
  int at;

  atomic_store(&control.running, server.options.threads);
  for (at = 0; at < server.options.threads; at++) {
    if (uv_thread_create(&server.workers[at].thread, serve_thread, &server.workers[at]) != 0) {
      fprintf(stderr, "cgi_server: cannot make thread %d\n", at + 1);
      return 1;
    }
  }
  log_line(strchr(server.options.host, ':') == NULL ? "listening on http://%s:%d/" : "listening on http://[%s]:%d/",
           server.options.host, server.port);
  uv_run(&control.loop, UV_RUN_DEFAULT);
  for (at = 0; at < server.options.threads; at++) uv_thread_join(&server.workers[at].thread);
  for (at = 0; at < server.options.threads; at++) worker_close(&server.workers[at]);
  uv_loop_close(&control.loop);
  log_line("ended");
  return 0;
}

int main(int count, char **arguments) {
  int code;

  if (!fill_standard_streams()) return 1;
  code = options_read(&server.options, count, arguments);
  if (code >= 0) return code;
  code = log_open(server.options.log);
  if (code != 0) {
    fprintf(stderr, "cgi_server: cannot open the log %s: %s\n", server.options.log, strerror(code));
    return 1;
  }
  server.root_folder = -1;
  if (server.options.root != NULL) server.root_folder = open(server.options.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (server.options.root != NULL && server.root_folder < 0) {
    fprintf(stderr, "cgi_server: cannot open %s: %s\n", server.options.root, strerror(errno));
    return 1;
  }
  signal(SIGPIPE, SIG_IGN); /* who writes to a client that has left is told by EPIPE */
  raise_open_files();
  server.host_name = server.options.host;
  server.started = time(NULL);
  server.workers = calloc((size_t)server.options.threads, sizeof(*server.workers));
  if (server.workers == NULL) return 1;
  job_queue_init(&server.queue, server.options.jobs, server.options.queue);
  reserve_descriptors(&server.options);
  hear_signals();
  code = open_all();
  if (code == 0) code = serve();
  if (code != 0) return code; /* with loops that have not run, and threads that do */
  free(server.workers);
  free((char *)server.options.root);
  free((char *)server.options.cgi_bin);
  return 0;
}
