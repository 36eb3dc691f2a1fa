/* SPDX-License-Identifier: MIT */
#include <cJSON.h>

#include "parser.h"
#include "status.h"

static void add_count(cJSON *object, const char *name, const atomic_ullong *count) {
  cJSON_AddNumberToObject(object, name, (double)atomic_load(count));
}

static void add_counts(cJSON *object, const struct counts *counts) {
  static const char *const classes[] = {NULL, NULL, "2xx", "3xx", "4xx", "5xx"};
  cJSON *answers;
  int at;

  add_count(object, "connections", &counts->connections);
  add_count(object, "connections_refused", &counts->connections_refused);
  add_count(object, "requests", &counts->requests);
  answers = cJSON_AddObjectToObject(object, "answers");
  for (at = 2; at < 6; at++) add_count(answers, classes[at], &counts->answers[at]);
  add_count(object, "scripts_started", &counts->scripts);
  add_count(object, "scripts_without_answer", &counts->script_failures);
  add_count(object, "scripts_timed_out", &counts->timed_out);
  add_count(object, "scripts_killed", &counts->killed);
  add_count(object, "clients_left", &counts->client_left);
  add_count(object, "queue_refused", &counts->queue_refused);
  add_count(object, "queue_timed_out", &counts->queue_timed_out);
  add_count(object, "body_bytes", &counts->bytes_in);
}

/* 0, and a text that there was no memory for, are null: not known. */
static void add_pid(cJSON *object, const char *name, int64_t pid) {
  if (pid == 0)
    cJSON_AddNullToObject(object, name);
  else
    cJSON_AddNumberToObject(object, name, (double)pid);
}

static void add_text(cJSON *object, const char *name, const char *text) {
  if (text == NULL || *text == '\0')
    cJSON_AddNullToObject(object, name);
  else
    cJSON_AddStringToObject(object, name, text);
}

static void add_locks(cJSON *object, const struct status_script *script) {
  cJSON *list = cJSON_AddArrayToObject(object, "waits_for_locks");
  size_t at;

  for (at = 0; at < script->lock_count; at++) {
    cJSON *lock = cJSON_CreateObject();

    add_text(lock, "file", script->locks[at].file);
    add_pid(lock, "pid", script->locks[at].pid);
    add_text(lock, "name", script->locks[at].name);
    add_pid(lock, "holder_pid", script->locks[at].holder_pid);
    add_text(lock, "holder", script->locks[at].holder);
    cJSON_AddItemToArray(list, lock);
  }
}

static void add_scripts(cJSON *object, const struct status_report *report) {
  cJSON *list = cJSON_AddArrayToObject(object, "scripts");
  size_t at;

  for (at = 0; at < report->script_count; at++) {
    const struct status_script *script = &report->scripts[at];
    cJSON *item = cJSON_CreateObject();

    cJSON_AddNumberToObject(item, "pid", (double)script->pid);
    cJSON_AddStringToObject(item, "script", script->name);
    cJSON_AddStringToObject(item, "client", script->client);
    cJSON_AddNumberToObject(item, "age_ms", (double)script->age_ms);
    cJSON_AddNumberToObject(item, "bytes_in", (double)script->bytes_in);
    cJSON_AddNumberToObject(item, "bytes_out", (double)script->bytes_out);
    cJSON_AddBoolToObject(item, "stopping", script->stopping);
    cJSON_AddBoolToObject(item, "looked_at", at < report->looked_at);
    add_locks(item, script);
    add_text(item, "why", script->why);
    cJSON_AddItemToArray(list, item);
  }
}

void status_write_json(struct buffer *text, const struct status_report *report) {
  const struct server *server = report->server;
  cJSON *object = cJSON_CreateObject();
  char *printed;

  cJSON_AddStringToObject(object, "schema", "safehold.cgi-status/1");
  cJSON_AddStringToObject(object, "version", SAFE_VERSION_STRING);
  cJSON_AddStringToObject(object, "parser", parser_name());
  cJSON_AddNumberToObject(object, "up_seconds", (double)report->up_seconds);
  cJSON_AddNumberToObject(object, "resident_bytes", (double)report->resident);
  cJSON_AddNumberToObject(object, "open_connections", (double)atomic_load(&server->counts.open_connections));
  cJSON_AddNumberToObject(object, "jobs", (double)server->options.jobs);
  cJSON_AddNumberToObject(object, "running", (double)report->running);
  cJSON_AddNumberToObject(object, "queue", (double)server->options.queue);
  cJSON_AddNumberToObject(object, "waiting", (double)report->waiting);
  add_counts(cJSON_AddObjectToObject(object, "counts"), &server->counts);
  add_scripts(object, report);
  printed = cJSON_Print(object);
  if (printed == NULL || !buffer_text(text, printed) || !buffer_text(text, "\n")) text->failed = true;
  cJSON_free(printed);
  cJSON_Delete(object);
}
