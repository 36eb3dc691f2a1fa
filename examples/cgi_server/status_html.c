/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "status.h"

static const char head[] =
  "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Status</title>\n"
  "<meta http-equiv=\"refresh\" content=\"5\"><meta name=\"viewport\" content=\"width=device-width\">\n"
  "<style>\n"
  "body { font: 15px/1.4 sans-serif; margin: 2em; color: #222; background: #fff }\n"
  "h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin-top: 1.6em }\n"
  "table { border-collapse: collapse } td, th { padding: .25em .8em; text-align: left; border-bottom: 1px solid #ddd;\n"
  "  vertical-align: top } th { background: #f2f2f2 } td.number, th.number { text-align: right }\n"
  ".lock { color: #a40000 } pre { white-space: pre-wrap; margin: .3em 0; font-size: .9em }\n"
  "</style></head><body>\n<h1>CGI server</h1>\n";

static void row(struct buffer *text, const char *name, uint64_t number) {
  buffer_print(text, "<tr><td>%s</td><td class=\"number\">%" PRIu64 "</td></tr>\n", name, number);
}

static void write_counts(struct buffer *text, const struct counts *counts) {
  static const char *const classes[] = {"", "", "answers 2xx", "answers 3xx", "answers 4xx", "answers 5xx"};
  int at;

  buffer_text(text, "<h2>Since the start</h2>\n<table>\n");
  row(text, "connections", atomic_load(&counts->connections));
  row(text, "connections refused", atomic_load(&counts->connections_refused));
  row(text, "requests", atomic_load(&counts->requests));
  for (at = 2; at < 6; at++) row(text, classes[at], atomic_load(&counts->answers[at]));
  row(text, "scripts started", atomic_load(&counts->scripts));
  row(text, "scripts without an answer", atomic_load(&counts->script_failures));
  row(text, "scripts whose time was over", atomic_load(&counts->timed_out));
  row(text, "scripts that had to be killed", atomic_load(&counts->killed));
  row(text, "clients that left early", atomic_load(&counts->client_left));
  row(text, "refused, as the queue was full", atomic_load(&counts->queue_refused));
  row(text, "given up in the queue", atomic_load(&counts->queue_timed_out));
  buffer_text(text, "</table>\n");
}

static void html_or(struct buffer *text, const char *words, const char *otherwise) {
  buffer_html(text, words == NULL || *words == '\0' ? otherwise : words);
}

static void write_waits(struct buffer *text, const struct status_script *script) {
  size_t at;

  for (at = 0; at < script->lock_count; at++) {
    const struct status_lock *lock = &script->locks[at];

    buffer_text(text, "<div class=\"lock\">");
    html_or(text, lock->name, "a process");
    buffer_print(text, "[%" PRId64 "] waits for a lock on ", lock->pid);
    html_or(text, lock->file, "a file");
    if (lock->holder_pid != 0) {
      buffer_text(text, ", held by ");
      html_or(text, lock->holder, "a process");
      buffer_print(text, "[%" PRId64 "]", lock->holder_pid);
    }
    buffer_text(text, "</div>");
  }
  if (script->why == NULL) return;
  buffer_text(text, "<pre>");
  buffer_html(text, script->why);
  buffer_text(text, "</pre>");
}

static void write_scripts(struct buffer *text, const struct status_report *report) {
  size_t at;

  buffer_text(text, "<h2>Running scripts</h2>\n");
  if (report->script_count == 0) {
    buffer_text(text, "<p>None.</p>\n");
    return;
  }
  buffer_text(text,
              "<table>\n<tr><th class=\"number\">process</th><th>script</th><th>client</th><th class=\"number\">age"
              "</th><th class=\"number\">bytes in</th><th class=\"number\">bytes out</th><th>waits for</th></tr>\n");
  for (at = 0; at < report->script_count; at++) {
    const struct status_script *script = &report->scripts[at];

    buffer_print(text, "<tr><td class=\"number\">%" PRId64 "</td><td>", script->pid);
    buffer_html(text, script->name);
    buffer_print(text,
                 "%s</td><td>%s</td><td class=\"number\">%.1f s</td><td class=\"number\">%" PRIu64
                 "</td><td class=\"number\">%" PRIu64 "</td><td>",
                 script->stopping ? " (is being ended)" : "", script->client, (double)script->age_ms / 1000,
                 script->bytes_in, script->bytes_out);
    write_waits(text, script);
    buffer_text(text, "</td></tr>\n");
  }
  buffer_text(text, "</table>\n");
}

void status_write_html(struct buffer *text, const struct status_report *report) {
  const struct server *server = report->server;

  buffer_text(text, head);
  buffer_print(text,
               "<p>Up for %" PRId64 " s; %d connections; %zu KiB of memory.<br>\n"
               "%d of %d places for scripts taken; %d of at most %d requests wait for one.</p>\n",
               report->up_seconds, atomic_load(&server->counts.open_connections), report->resident / 1024,
               report->running, server->options.jobs, report->waiting, server->options.queue);
  write_scripts(text, report);
  write_counts(text, &server->counts);
  buffer_text(text, "</body></html>\n");
}
