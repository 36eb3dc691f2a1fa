/* SPDX-License-Identifier: MIT */
/* What the verbs that look share: why, holders and leaks. */
#ifndef SAFEHOLD_CLI_LOOK_H
#define SAFEHOLD_CLI_LOOK_H

#include <cJSON.h>

#include "cli.h"
#include "text.h"

/* Exit statuses besides EXIT_OWN_FAILURE. */
enum { EXIT_FREE = 0, EXIT_HELD = 10, EXIT_STUCK = 11, EXIT_UNKNOWN = 12 };

/* ---- Their common options. */
struct looking {
  int64_t timeout_ms, interval_ms;
  int64_t count; /* of looks; 0: no end */
  bool json, watch;
};

#define LOOKING_INIT \
  { 1000, 2000, 0, false, false }

enum { LOOKING_JSON = 512, LOOKING_WATCH, LOOKING_COUNT, LOOKING_TIMEOUT };

/* For a table of getopt_long's. */
#define LOOKING_OPTIONS                                                                         \
  {"json", no_argument, NULL, LOOKING_JSON}, {"watch", optional_argument, NULL, LOOKING_WATCH}, \
    {"count", required_argument, NULL, LOOKING_COUNT}, {                                        \
    "timeout", required_argument, NULL, LOOKING_TIMEOUT                                         \
  }

#define LOOKING_HELP                                                                                    \
  "      --json         one JSON object instead of text (docs/explain.md)\n"                            \
  "      --watch[=D]    look again every 2 s, or D, and tell again when the answer has changed; with\n" \
  "                     --json one object a line\n"                                                     \
  "      --count N      with --watch: end after N looks\n"                                              \
  "      --timeout D    how long a look may take: seconds, or with s, m; default 1, at most 60\n"       \
  "      --help\n"

/* One of these options, or any that is unknown; false after a complaint. */
bool looking_option(struct looking *looking, int option);
/* Whether they go together; false after a complaint. */
bool looking_complete(const struct looking *looking);
/* A process number; false after a complaint. */
bool looking_pid(const char *text, int64_t *pid);

/* ---- A look, and what it found. */
struct answer {
  int status;       /* to exit with */
  struct text text; /* in words */
  cJSON *json;      /* and all of it; NULL: there was no memory for it */
};

/* EXIT_OWN_FAILURE after a complaint: there is no answer. */
typedef int look_function(const void *request, int64_t timeout_ms, struct answer *answer);

/* Looks and prints, again and again if that is asked for. Returns the status to exit with. */
int look_and_tell(const struct looking *looking, look_function *look, const void *request);

/* Whether a failed look means that something could not be seen, and not that there is nothing to look at. */
bool look_was_in_vain(int code);

#endif
