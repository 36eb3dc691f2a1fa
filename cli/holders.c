/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <inttypes.h>

#include "json.h"
#include "look.h"
#include "words.h"

static const char help[] =
  "Usage: safehold holders [OPTION]... FILE\n"
  "Lists who holds a lock on FILE, who waits for one, and, where the system tells no more, who has FILE open.\n"
  "\n" LOOKING_HELP "\n"
  "FD is the descriptor with which a process holds it, VIA how it came to that: locked, when it asked for the lock\n"
  "itself; inherited, when it got the locked open file from another process; record, when only its owner record says\n"
  "so. SINCE is when it got the lock, or fell asleep waiting for it. - is for what is not known. Exits with 0 if\n"
  "nobody holds it, 10 if it is held, 12 if too little could be seen to tell, 125 for a failure of its own, as where\n"
  "there is no such file. With --watch: as the last look found it.\n";

struct request {
  struct looking looking;
  const char *file;
};

/* Who waits, waits for somebody, whom we may not see. That a file is open says nothing about a lock. */
static int32_t judge(const safe_holder_list *holders) {
  const safe_holder *holder;
  int32_t verdict = safe_holder_list_unknown(holders) == NULL ? SAFE_VERDICT_FREE : SAFE_VERDICT_UNKNOWN;
  size_t at;

  for (at = 0; (holder = safe_holder_list_get(holders, at)) != NULL; at++) {
    if (holder->role != SAFE_HOLDER_OPENS) return SAFE_VERDICT_HELD;
    verdict = SAFE_VERDICT_UNKNOWN;
  }
  return verdict;
}

static const char *or_dash(const char *word) { return word == NULL ? "-" : word; }

static void tell_holder(struct table *table, const safe_holder *holder) {
  char since[TEXT_TIME_SIZE];

  table_cell(table, "%" PRId64, holder->pid);
  table_cell(table, "%s", holder->name);
  table_cell(table, "%s", or_dash(word_of_role(holder->role)));
  table_cell(table, "%s", or_dash(word_of_method(holder->method)));
  table_cell(table, "%s", or_dash(word_of_mode(holder->mode)));
  if (holder->handle >= 0)
    table_cell(table, "%" PRId64, holder->handle);
  else
    table_cell(table, "-");
  table_cell(table, "%s", or_dash(word_of_via(holder->via)));
  table_cell(table, "%s", text_time(holder->since_ms, since));
}

static void tell(struct text *text, const char *file, const safe_holder_list *holders, int32_t verdict) {
  static const char *const headings[] = {"PID", "NAME", "ROLE", "METHOD", "MODE", "FD", "VIA", "SINCE"};
  struct table table = {sizeof(headings) / sizeof(headings[0]), 0, 0, NULL, false};
  const char *unknown = safe_holder_list_unknown(holders);
  size_t at;

  for (at = 0; at < table.columns; at++) table_cell(&table, "%s", headings[at]);
  for (at = 0; at < safe_holder_list_count(holders); at++) tell_holder(&table, safe_holder_list_get(holders, at));
  if (safe_holder_list_count(holders) > 0)
    table_write(&table, text);
  else if (verdict == SAFE_VERDICT_FREE)
    text_add(text, "Nobody holds a lock on %s.\n", file);
  if (unknown != NULL) text_add(text, "unknown: %s\n", unknown);
  table_free(&table);
}

static int look(const void *subject, int64_t timeout_ms, struct answer *answer) {
  const struct request *request = subject;
  safe_error error = SAFE_ERROR_INIT;
  safe_holder_list *holders = NULL;
  int code = safe_lock_holders(request->file, timeout_ms, &holders, &error);
  int32_t verdict = code == SAFE_OK ? judge(holders) : SAFE_VERDICT_UNKNOWN;

  if (code == SAFE_OK) {
    tell(&answer->text, request->file, holders, verdict);
  } else if (look_was_in_vain(code)) {
    text_add(&answer->text, "unknown: %s\n", error.message);
  } else {
    cli_complain("%s: %s", request->file, error.message);
    return EXIT_OWN_FAILURE;
  }
  answer->json = json_holders(request->file, holders, verdict, code == SAFE_OK ? NULL : error.message);
  answer->status = verdict == SAFE_VERDICT_FREE ? EXIT_FREE : verdict == SAFE_VERDICT_HELD ? EXIT_HELD : EXIT_UNKNOWN;
  safe_holder_list_free(holders);
  return answer->status;
}

int cli_holders(int argc, char **argv) {
  static const struct option options[] = {LOOKING_OPTIONS, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
  struct request request = {LOOKING_INIT, NULL};
  int option;

  while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    if (option == 'h') return cli_print(help) != 0 ? EXIT_OWN_FAILURE : 0;
    if (!looking_option(&request.looking, option)) return cli_usage_error("holders");
  }
  if (!looking_complete(&request.looking)) return cli_usage_error("holders");
  if (argc - optind != 1) {
    cli_complain(argc == optind ? "there is no file to look at" : "it looks at one file");
    return cli_usage_error("holders");
  }
  request.file = argv[optind];
  return look_and_tell(&request.looking, look, &request);
}
