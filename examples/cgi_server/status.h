/* SPDX-License-Identifier: MIT */
/* What /-/status shows: gathered by status.c, written by status_html.c and status_json.c. */
#ifndef CGI_SERVER_STATUS_H
#define CGI_SERVER_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "buffer.h"
#include "safehold.h"
#include "server.h"

enum {
  STATUS_SCRIPTS = 1000, /* that are listed */
  STATUS_LOOKS = 8       /* that are looked at for what they wait for */
};

struct status_lock {
  char *file, *name, *holder; /* what is waited for, by whom, and who has it; holder may be "" */
  int64_t pid, holder_pid;    /* 0: not known */
};

struct status_script {
  int64_t pid, age_ms;
  char *name, *client;
  uint64_t bytes_in, bytes_out;
  bool stopping;
  struct status_lock *locks; /* of it and of whom it waits for */
  size_t lock_count;
  char *why; /* the whole story, if it waits for a lock or cannot go on; or NULL */
};

struct status_report {
  const struct server *server;
  struct status_script *scripts;
  size_t script_count, looked_at;
  int running, waiting;
  size_t resident;
  int64_t up_seconds;
};

void status_write_html(struct buffer *text, const struct status_report *report);
void status_write_json(struct buffer *text, const struct status_report *report);

#endif
