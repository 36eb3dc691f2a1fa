/* SPDX-License-Identifier: MIT */
#include "look.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* No look may take longer, and no two may follow each other more quickly. */
#define LONGEST_LOOK_MS 60000
#define SHORTEST_PAUSE_MS 10

static bool read_time(const char *text, const char *what, int64_t least, int64_t most, int64_t *ms) {
  if (!cli_duration(text, ms)) {
    cli_complain("'%s' is not a duration", text);
    return false;
  }
  if (*ms >= least && *ms <= most) return true;
  cli_complain("'%s' is too %s for %s", text, *ms < least ? "short" : "long", what);
  return false;
}

bool looking_option(struct looking *looking, int option) {
  switch (option) {
  case LOOKING_JSON:
    looking->json = true;
    return true;
  case LOOKING_WATCH:
    looking->watch = true;
    return optarg == NULL ||
           read_time(optarg, "the time between two looks", SHORTEST_PAUSE_MS, 86400000, &looking->interval_ms);
  case LOOKING_COUNT:
    if (cli_number(optarg, &looking->count) && looking->count > 0) return true;
    cli_complain("'%s' is not a number of looks", optarg);
    return false;
  case LOOKING_TIMEOUT:
    return read_time(optarg, "a look", 1, LONGEST_LOOK_MS, &looking->timeout_ms);
  default:
    return false;
  }
}

bool looking_complete(const struct looking *looking) {
  if (looking->count == 0 || looking->watch) return true;
  cli_complain("--count needs --watch");
  return false;
}

bool looking_pid(const char *text, int64_t *pid) {
  if (cli_number(text, pid) && *pid > 0) return true;
  cli_complain("'%s' is not the number of a process", text);
  return false;
}

bool look_was_in_vain(int code) {
  return code == SAFE_EACCES || code == SAFE_ENOTSUP || code == SAFE_ESTUCK || code == SAFE_ETIMEDOUT;
}

/* Takes out what is another with each look, although nothing has changed: times and the words made of them, and what
   could not be seen, as that counts the machine's processes. */
static void take_out_what_moves(cJSON *json) {
  static const char *const moving[] = {"at", "since", "limit_ms", "text", "unknown"};
  cJSON *child;
  size_t at;

  for (at = 0; cJSON_IsObject(json) && at < sizeof(moving) / sizeof(moving[0]); at++)
    cJSON_DeleteItemFromObjectCaseSensitive(json, moving[at]);
  cJSON_ArrayForEach(child, json) take_out_what_moves(child);
}

/* Whether the answer is another than last time; NULL: there was none. */
static bool has_changed(const cJSON *json, char **last) {
  cJSON *copy = cJSON_Duplicate(json, 1);
  char *key;
  bool changed;

  take_out_what_moves(copy);
  key = cJSON_PrintUnformatted(copy);
  cJSON_Delete(copy);
  changed = key == NULL || *last == NULL || strcmp(key, *last) != 0; /* without memory: rather once too often */
  free(*last);
  *last = key;
  return changed;
}

static int tell(const struct looking *looking, const struct answer *answer) {
  struct text told = {NULL, 0, 0, false};
  char when[TEXT_TIME_SIZE];
  char *words = looking->json ? cJSON_PrintUnformatted(answer->json)
                              : text_clean(answer->text.bytes == NULL ? "" : answer->text.bytes, true);
  int code = -1;

  if (looking->watch && !looking->json) text_add(&told, "-- %s\n", text_time(cli_now_ms(), when));
  if (words != NULL) text_add(&told, "%s%s", words, looking->json ? "\n" : "");
  if (words == NULL || told.no_memory || answer->text.no_memory)
    cli_complain("there is not enough memory");
  else
    code = cli_print(told.bytes == NULL ? "" : told.bytes);
  text_free(&told);
  free(words); /* cJSON's memory is malloc's, as no hooks were set */
  return code;
}

static int look_once(const struct looking *looking, look_function *look, const void *request, char **last) {
  struct answer answer = {EXIT_OWN_FAILURE, {NULL, 0, 0, false}, NULL};
  int status = look(request, looking->timeout_ms, &answer);
  int told = 0;

  if (status != EXIT_OWN_FAILURE && answer.json == NULL) {
    cli_complain("there is not enough memory");
    status = EXIT_OWN_FAILURE;
  }
  if (status != EXIT_OWN_FAILURE && (!looking->watch || has_changed(answer.json, last))) told = tell(looking, &answer);
  text_free(&answer.text);
  cJSON_Delete(answer.json);
  return told == 0 ? status : EXIT_OWN_FAILURE;
}

static int watch(const struct looking *looking, look_function *look, const void *request) {
  safe_cancel *cancel;
  char *last = NULL;
  int64_t looks = 0;
  int status, signal = 0;

  if (safe_cancel_create(&cancel) != SAFE_OK) {
    cli_complain("there is not enough memory");
    return EXIT_OWN_FAILURE;
  }
  cli_catch_signals(cancel); /* the cancel stays: a signal may trigger it to the last moment */
  do {
    status = look_once(looking, look, request, &last);
    if (status == EXIT_OWN_FAILURE || ++looks == looking->count) break;
    cli_sleep(looking->interval_ms);
    signal = cli_next_signal();
  } while (signal == 0);
  free(last);
  return signal == 0 ? status : cli_end_by_signal(signal);
}

int look_and_tell(const struct looking *looking, look_function *look, const void *request) {
  return looking->watch ? watch(looking, look, request) : look_once(looking, look, request, NULL);
}
