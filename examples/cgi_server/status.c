/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <stdlib.h>
#include <string.h>

#include "../../cli/text.h"
#include "route.h"
#include "script.h"

enum {
  LOOK_MS = 200,     /* for one script */
  LOOKS_MS = 1000,   /* for all of them */
  LOOK_FROM_MS = 100 /* a younger script waits for nothing worth a look */
};

/* The looks at what scripts wait for take their time: they are done by a thread, and for one request at a time. Others
   that come meanwhile are answered without. It is no thread of libuv's pool, as the library keeps a helper for each
   thread that has looked, as long as that lives. */
static atomic_flag looking = ATOMIC_FLAG_INIT;

struct status {
  uv_thread_t thread;
  bool has_thread;
  uv_async_t looked;
  struct exchange *exchange; /* NULL: the client has gone */
  struct status_report report;
};

static void dispose(struct status *self) {
  size_t at, lock;

  for (at = 0; at < self->report.script_count; at++) {
    struct status_script *script = &self->report.scripts[at];

    for (lock = 0; lock < script->lock_count; lock++) {
      free(script->locks[lock].file);
      free(script->locks[lock].name);
      free(script->locks[lock].holder);
    }
    free(script->locks);
    free(script->why);
    free(script->name);
    free(script->client);
  }
  free(self->report.scripts);
  free(self);
}

/* ---- What runs. */

static bool copy_script(struct status_script *into, struct script *from) {
  into->pid = from->process.uv.pid;
  into->age_ms = (int64_t)((uv_hrtime() - from->started) / 1000000);
  into->bytes_in = atomic_load(&from->bytes_in);
  into->bytes_out = atomic_load(&from->bytes_out);
  into->stopping = atomic_load(&from->stopping);
  into->name = text_clean(from->place.name, true);
  into->client = strdup(from->client);
  return into->name != NULL && into->client != NULL;
}

static bool copy_scripts(struct status_report *report, struct worker *worker) {
  struct script *script;
  bool good = true;

  pthread_mutex_lock(&worker->script_lock);
  TAILQ_FOREACH(script, &worker->scripts, link) {
    if (!good || report->script_count == STATUS_SCRIPTS) break;
    good = copy_script(&report->scripts[report->script_count++], script);
  }
  pthread_mutex_unlock(&worker->script_lock);
  return good;
}

static int older(const void *one, const void *other) {
  int64_t first = ((const struct status_script *)one)->age_ms, second = ((const struct status_script *)other)->age_ms;

  return first < second ? 1 : first > second ? -1 : 0;
}

static bool gather(struct status_report *report, struct server *server) {
  int at;

  report->server = server;
  report->up_seconds = (int64_t)(time(NULL) - server->started);
  report->scripts = calloc(STATUS_SCRIPTS, sizeof(*report->scripts));
  if (report->scripts == NULL) return false;
  uv_resident_set_memory(&report->resident);
  job_queue_counts(&server->queue, &report->running, &report->waiting);
  for (at = 0; at < server->options.threads; at++)
    if (!copy_scripts(report, &server->workers[at])) return false;
  qsort(report->scripts, report->script_count, sizeof(*report->scripts), older);
  return true;
}

/* ---- What it waits for; in a thread. */

static void copy_lock(struct status_script *script, const struct safe_link *link) {
  struct status_lock *locks = realloc(script->locks, (script->lock_count + 1) * sizeof(*locks));
  struct status_lock *lock;

  if (locks == NULL) return;
  script->locks = locks;
  lock = &locks[script->lock_count];
  lock->pid = link->pid;
  lock->holder_pid = link->other;
  lock->file = text_clean(link->what, true);
  lock->name = text_clean(link->name, true);
  lock->holder = text_clean(link->other_name, true);
  script->lock_count++;
}

static void look_at(struct status_script *script) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_explanation *why;
  size_t at;
  int verdict;

  options.pid = script->pid;
  options.timeout_ms = LOOK_MS;
  if (safe_explain(&options, &why, NULL) != SAFE_OK) return; /* it has ended */
  for (at = 0; at < safe_explanation_link_count(why); at++)
    if (safe_explanation_link(why, at)->waits == SAFE_WAITS_LOCK) copy_lock(script, safe_explanation_link(why, at));
  verdict = safe_explanation_verdict(why);
  if (script->lock_count > 0 || verdict == SAFE_VERDICT_CYCLE || verdict == SAFE_VERDICT_STUCK)
    script->why = text_clean(safe_explanation_text(why), true);
  safe_explanation_free(why);
}

static void look_thread(void *context) {
  struct status *self = context;
  uint64_t end = uv_hrtime() + (uint64_t)LOOKS_MS * 1000000;
  size_t at;

  for (at = 0; at < self->report.script_count && at < STATUS_LOOKS && uv_hrtime() < end; at++) {
    if (self->report.scripts[at].age_ms < LOOK_FROM_MS) break; /* the eldest come first */
    look_at(&self->report.scripts[at]);
    self->report.looked_at++;
  }
  uv_async_send(&self->looked);
}

/* ---- The answer. */

static bool wants_json(const struct exchange *exchange) {
  const char *accept = exchange_header(exchange, "Accept");

  if (strcmp(exchange->query, "json") == 0) return true;
  return accept != NULL && strstr(accept, "application/json") != NULL && strstr(accept, "text/html") == NULL;
}

static void answer(struct status *self) {
  static const struct header types[2] = {{"Content-Type", "text/html; charset=utf-8"},
                                         {"Content-Type", "application/json"}};
  bool json = wants_json(self->exchange);
  struct header headers[] = {types[json],
                             {"Cache-Control", "no-store"},
                             {"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'"}};
  struct buffer text = {0};

  if (json)
    status_write_json(&text, &self->report);
  else
    status_write_html(&text, &self->report);
  if (text.failed) {
    exchange_refuse(self->exchange, 503, NULL, "There is no memory.");
  } else {
    exchange_begin(self->exchange, 200, "OK", headers, 3, (int64_t)text.length);
    exchange_write(self->exchange, text.bytes, text.length);
    exchange_end(self->exchange);
  }
  buffer_free(&text);
}

static void on_async_closed(uv_handle_t *handle) { dispose(handle->data); }

static void on_looked(uv_async_t *looked) {
  struct status *self = looked->data;

  if (self->has_thread) uv_thread_join(&self->thread);
  atomic_flag_clear(&looking);
  if (self->exchange != NULL) answer(self);
  uv_close((uv_handle_t *)looked, on_async_closed);
}

/* False: there is nothing to look at, or somebody else looks. */
static bool begin_look(struct status *self) {
  uv_loop_t *loop = &self->exchange->worker->loop;

  if (self->report.script_count == 0 || atomic_flag_test_and_set(&looking)) return false;
  self->looked.data = self;
  if (uv_async_init(loop, &self->looked, on_looked) != 0) {
    atomic_flag_clear(&looking);
    return false;
  }
  self->has_thread = uv_thread_create(&self->thread, look_thread, self) == 0;
  if (!self->has_thread) uv_async_send(&self->looked); /* answered without looks */
  return true;
}

static void on_body(void *self, const char *bytes, size_t length) { (void)self, (void)bytes, (void)length; }

static void ignore(void *self) { (void)self; }

static void on_gone(void *self) { ((struct status *)self)->exchange = NULL; }

static const struct answerer answerer = {on_body, ignore, ignore, on_gone, true};

static bool is_local(const char *client) {
  return strncmp(client, "127.", 4) == 0 || strcmp(client, "::1") == 0 || strncmp(client, "::ffff:127.", 11) == 0;
}

/* To a server behind a proxy every client is a local one. */
static bool is_forwarded(const struct exchange *exchange) {
  static const char *const names[] = {"Forwarded", "X-Forwarded-For", "Via"};
  size_t at;

  for (at = 0; at < sizeof(names) / sizeof(names[0]); at++)
    if (exchange_header(exchange, names[at]) != NULL) return true;
  return false;
}

void status_answer(struct exchange *exchange) {
  static const struct header allow = {"Allow", "GET, HEAD"};
  struct status *self;

  if (!is_local(exchange->client) || is_forwarded(exchange)) {
    exchange_refuse(exchange, 403, NULL, "The status is shown to local clients only.");
    return;
  }
  if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0) {
    exchange_refuse(exchange, 405, &allow, "The status can be asked for by GET and HEAD.");
    return;
  }
  self = calloc(1, sizeof(*self));
  if (self == NULL || !gather(&self->report, exchange->worker->server)) {
    exchange_refuse(exchange, 503, NULL, "There is no memory.");
    if (self != NULL) dispose(self);
    return;
  }
  self->exchange = exchange;
  exchange->answerer = &answerer;
  exchange->self = self;
  if (begin_look(self)) return;
  answer(self);
  dispose(self);
}
