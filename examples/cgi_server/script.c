/* SPDX-License-Identifier: MIT */
#include "script.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "route.h"
#include "script_environment.h"

enum { SPAWN_MS = 5000 }; /* the loop waits as long for a program on a file system that does not answer */

/* ---- The end. */

static void let_go(struct script *script) {
  if (--script->open_handles > 0) return;
  script_place_free(&script->place);
  script_head_free(&script->head);
  spool_free(&script->input.spool);
  free(script->input.piece);
  free(script);
}

void script_closed(uv_handle_t *handle) { let_go(handle->data); }

static void on_process_closed(safe_uv_process *process) { let_go(process->uv.data); }

static void list(struct script *script, bool listed) {
  struct worker *worker = script->worker;

  if (script->listed == listed) return;
  script->listed = listed;
  pthread_mutex_lock(&worker->script_lock);
  if (listed)
    TAILQ_INSERT_TAIL(&worker->scripts, script, link);
  else
    TAILQ_REMOVE(&worker->scripts, script, link);
  pthread_mutex_unlock(&worker->script_lock);
}

void script_release(struct script *script) {
  script->state = SCRIPT_OVER;
  list(script, false);
  job_queue_leave(&script->worker->server->queue, &script->job);
  input_close(script);
  if (script->out_open) uv_close((uv_handle_t *)&script->out, script_closed);
  if (script->err_open) uv_close((uv_handle_t *)&script->err, script_closed);
  script->out_open = script->err_open = false;
  if (script->has_process) safe_uv_process_close(&script->process, on_process_closed);
  uv_close((uv_handle_t *)&script->timer, script_closed);
}

void script_part(struct script *script) {
  script->exchange = NULL;
  if (!script->input.ended) input_close(script); /* a part of a body is not to be taken for all of it */
}

static void on_stopped(safe_uv_process *process, int status, const safe_stop_report *report, const safe_error *error) {
  struct script *script = process->uv.data;

  if (status == UV_ECANCELED) return;
  if (report->verdict == SAFE_STOP_FORCED) atomic_fetch_add(&script->worker->server->counts.killed, 1);
  if (status != 0) log_line("%s[%d] cannot be ended: %s", script->place.name, process->uv.pid, error->message);
  errors_end(script);
  script_release(script);
}

/* A stop that is under way keeps its grace, so what ends it early is the end of what it waits for. The number of the
   group is kept from others as long as the handle is open. A process that has left the group has the grace yet. */
static void cut_grace(struct script *script) {
  if (script->worker->stop_seen == 2) uv_kill(-script->process.uv.pid, SIGKILL);
}

void script_stop(struct script *script, const char *why) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  static const struct header later = {"Retry-After", "1"};
  struct exchange *exchange = script->exchange;

  if (script->state == SCRIPT_GATHERS || script->state == SCRIPT_WAITS) {
    script_part(script);
    if (exchange != NULL) exchange_refuse(exchange, 503, &later, "The server has too much to do.");
    script_release(script);
    return;
  }
  if (script->state == SCRIPT_STOPS) cut_grace(script);
  if (script->state != SCRIPT_RUNS) return;
  script->state = SCRIPT_STOPS;
  atomic_store(&script->stopping, true);
  script_fail(script, 503, "The server ends.");
  if (why != NULL) log_line("%s[%d] is ended: %s", script->place.name, script->process.uv.pid, why);
  input_close(script);
  if (script->out_open) uv_close((uv_handle_t *)&script->out, script_closed);
  script->out_open = false;
  options.grace_ms = script->exited || script->worker->stop_seen == 2 ? 0 : script->worker->server->options.grace_ms;
  if (safe_uv_process_stop(&script->process, &options, on_stopped, &error) == 0) return;
  log_line("%s[%d] cannot be ended: %s", script->place.name, script->process.uv.pid, error.message);
  script_release(script);
}

/* ---- The beginning. */

static int refusal(const safe_error *error) {
  switch (error->code) {
  case SAFE_EMFILE:
  case SAFE_EAGAIN:
  case SAFE_ENOMEM:
    return 503;
  case SAFE_ETIMEDOUT:
  case SAFE_ESTUCK:
    return 504;
  default:
    return 500;
  }
}

static size_t set_limits(const struct server *server, safe_limit limits[2]) {
  size_t count = 0;

  if (server->options.memory > 0) limits[count++] = (safe_limit){SAFE_LIMIT_MEMORY, 0, server->options.memory};
  if (server->open_files > 0) limits[count++] = (safe_limit){SAFE_LIMIT_OPEN_FILES, 0, server->open_files};
  return count;
}

static void open_pipe(struct script *script, uv_pipe_t *pipe) {
  uv_pipe_init(&script->worker->loop, pipe, 0);
  pipe->data = script;
  script->open_handles++;
}

/* stdin is a pipe where the body is still coming, the file where it was gathered in one, and else the null device. */
static void set_stdio(struct script *script, uv_stdio_container_t stdio[3]) {
  struct input *input = &script->input;

  if (script->body_length == 0) {
    stdio[0].flags = UV_IGNORE;
  } else if (input->ended && input->spool.file >= 0) {
    lseek(input->spool.file, 0, SEEK_SET);
    stdio[0].flags = UV_INHERIT_FD;
    stdio[0].data.fd = input->spool.file;
  } else {
    open_pipe(script, &input->pipe);
    input->open = true;
    stdio[0].flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_READABLE_PIPE);
    stdio[0].data.stream = (uv_stream_t *)&input->pipe;
  }
  open_pipe(script, &script->out);
  open_pipe(script, &script->err);
  script->out_open = script->err_open = true;
  stdio[1].flags = stdio[2].flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
  stdio[1].data.stream = (uv_stream_t *)&script->out;
  stdio[2].data.stream = (uv_stream_t *)&script->err;
}

static int spawn(struct script *script, char **environment, safe_error *error) {
  const char *const arguments[] = {script->place.file, NULL};
  const struct server *server = script->worker->server;
  safe_spawn_options spawn = SAFE_SPAWN_OPTIONS_INIT;
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  uv_stdio_container_t stdio[3];
  safe_limit limits[2];
  int code;

  set_stdio(script, stdio);
  spawn.file = script->place.file;
  spawn.argv = arguments;
  spawn.env = (const char *const *)environment;
  spawn.cwd = script->place.folder;
  spawn.timeout_ms = SPAWN_MS;
  spawn.tree = server->options.whole_tree ? SAFE_TREE_WHOLE : SAFE_TREE_DEFAULT;
  spawn.limits = limits;
  spawn.limit_count = set_limits(server, limits);
  options.spawn = &spawn;
  options.stdio = stdio;
  options.stdio_count = 3;
  options.exit_cb = script_on_exit;
  script->process.uv.data = script;
  code = safe_uv_spawn(&script->worker->loop, &script->process, &options, error);
  if (code != 0) return code;
  script->has_process = true;
  script->open_handles++;
  return 0;
}

static void start(struct script *script) {
  const struct server *server = script->worker->server;
  struct script_environment what = {server->options.root, server->options.cgi_bin, server->options.env, server->port,
                                    script->body_length};
  char **environment = script_environment_make(script->exchange, &script->place, &what);
  safe_error error = SAFE_ERROR_INIT;

  script->state = SCRIPT_RUNS;
  if (environment == NULL) {
    script_fail(script, 503, "There is no memory.");
    script_release(script);
    return;
  }
  if (spawn(script, environment, &error) != 0) {
    atomic_fetch_add(&script->worker->server->counts.script_failures, 1);
    log_line("%s cannot be started: %s", script->place.name, error.message);
    script_fail(script, refusal(&error), "The script cannot be started.");
    script_release(script);
  } else {
    atomic_fetch_add(&script->worker->server->counts.scripts, 1);
    script->started = uv_hrtime();
    list(script, true);
    if (!script->input.open) spool_free(&script->input.spool); /* its file is the script's now */
    if (!script_listen(script)) {
      script_fail(script, 500, "The script's answer cannot be read.");
      script_stop(script, "its output cannot be read");
    } else if (script->body_length != 0) {
      input_begin(script);
    }
  }
  free(environment);
}

static void on_turn(struct job *job) { start((struct script *)((char *)job - offsetof(struct script, job))); }

static void queue(struct script *script) {
  struct server *server = script->worker->server;
  static const struct header later = {"Retry-After", "1"};
  struct exchange *exchange = script->exchange;

  script->state = SCRIPT_WAITS;
  script->deadline = uv_now(&script->worker->loop) + (uint64_t)server->options.timeout_ms;
  uv_timer_start(&script->timer, script_on_timer, (uint64_t)server->options.timeout_ms, 0);
  switch (job_queue_enter(&server->queue, &script->job)) {
  case JOB_RUNS:
    start(script);
    break;
  case JOB_WAITS:
    break;
  default:
    atomic_fetch_add(&server->counts.queue_refused, 1);
    script_part(script);
    exchange_refuse(exchange, 503, &later, "The server has too much to do.");
    script_release(script);
  }
}

static void on_body(void *self, const char *bytes, size_t length) { input_add(self, bytes, length); }

static void on_body_end(void *self) {
  struct script *script = self;

  input_end(script);
  if (script->state != SCRIPT_GATHERS) return;
  script->body_length = (int64_t)spool_length(&script->input.spool);
  queue(script);
}

static void on_gone(void *self) {
  struct script *script = self;

  script_part(script);
  script_stop(script, "its client has left");
}

static const struct answerer answerer = {on_body, on_body_end, script_writable, on_gone, false};

static struct script *create(struct exchange *exchange, const struct script_place *place) {
  struct script *script = calloc(1, sizeof(*script));

  if (script == NULL) return NULL;
  script->worker = exchange->worker;
  script->exchange = exchange;
  script->place = *place;
  script->job.worker = exchange->worker;
  script->job.begin = on_turn;
  script->input.spool.file = -1;
  script->body_length = exchange->content_length;
  script->body_left = -1;
  snprintf(script->client, sizeof(script->client), "%s", exchange->client);
  uv_timer_init(&exchange->worker->loop, &script->timer);
  script->timer.data = script;
  script->open_handles = 1;
  exchange->answerer = &answerer;
  exchange->self = script;
  return script;
}

static void refuse(struct exchange *exchange, int status) {
  exchange_refuse(exchange, status, NULL,
                  status == 404   ? "There is no such script."
                  : status == 403 ? "This is no script that may be run."
                                  : "There is no memory.");
}

void script_answer(struct exchange *exchange) {
  struct script_place place;
  int status = script_find(&place, exchange->worker->server->options.cgi_bin, exchange->path);
  struct script *script = NULL;

  if (status == 0) {
    script = create(exchange, &place);
    if (script == NULL) script_place_free(&place);
  }
  if (script == NULL) {
    refuse(exchange, status == 0 ? 503 : status);
  } else if (exchange->content_length < 0) {
    script->state = SCRIPT_GATHERS;
    exchange_read(exchange, true);
  } else {
    queue(script);
  }
}
