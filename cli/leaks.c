/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <inttypes.h>

#include "json.h"
#include "look.h"
#include "words.h"

static const char help[] =
  "Usage: safehold leaks [OPTION]... [PID]\n"
  "Lists what the process PID has open that its children would inherit if they are started without care: by fork and\n"
  "exec, or by CreateProcess with bInheritHandles. A child of this command gets none of it. Without PID: what this\n"
  "command itself was left by whoever has started it, so that 'safehold leaks' in place of any command shows what its\n"
  "caller leaks.\n"
  "\n"
  "      --all          stdin, stdout and stderr too, which children are meant to get\n" LOOKING_HELP "\n"
  "LOCK is the lock that a child would keep alive with it. Exits with 0 if nothing leaks (standard streams do not\n"
  "count), 10 if something does, 12 if it could not be seen, 125 for a failure of its own, as where there is no such\n"
  "process. With --watch: as the last look found it.\n";

struct request {
  struct looking looking;
  safe_audit_options audit;
};

static void tell_leak(struct table *table, const safe_leak *leak) {
  const char *kind = word_of_kind(leak->kind);
  const char *method = word_of_method(leak->lock_method);
  const char *mode = word_of_mode(leak->lock_mode);

  table_cell(table, "%" PRId64, leak->handle);
  table_cell(table, "%s", kind == NULL ? "-" : kind);
  table_cell(table, "%s%s%s", method == NULL ? "" : method, method != NULL && mode != NULL ? " " : "",
             mode == NULL ? "" : mode);
  table_cell(table, "%s", leak->what);
}

static void tell(struct text *text, const safe_handle_list *leaks) {
  static const char *const headings[] = {"FD", "KIND", "LOCK", "WHAT"};
  struct table table = {sizeof(headings) / sizeof(headings[0]), 0, 0, NULL, false};
  const char *unknown = safe_handle_list_unknown(leaks);
  size_t at;

  for (at = 0; at < table.columns; at++) table_cell(&table, "%s", headings[at]);
  for (at = 0; at < safe_handle_list_count(leaks); at++) tell_leak(&table, safe_handle_list_get(leaks, at));
  if (safe_handle_list_count(leaks) > 0)
    table_write(&table, text);
  else if (unknown == NULL)
    text_add(text, "Nothing leaks.\n");
  if (unknown != NULL) text_add(text, "unknown: %s\n", unknown);
  table_free(&table);
}

static int judge(const safe_handle_list *leaks) {
  const safe_leak *leak;
  size_t at;

  for (at = 0; (leak = safe_handle_list_get(leaks, at)) != NULL; at++)
    if (!leak->standard) return EXIT_HELD;
  return safe_handle_list_unknown(leaks) == NULL ? EXIT_FREE : EXIT_UNKNOWN;
}

static int look(const void *subject, int64_t timeout_ms, struct answer *answer) {
  const struct request *request = subject;
  safe_audit_options options = request->audit;
  safe_error error = SAFE_ERROR_INIT;
  safe_handle_list *leaks = NULL;
  int code;

  options.timeout_ms = timeout_ms;
  code = safe_audit_handles(&options, &leaks, &error);
  if (code == SAFE_OK) {
    tell(&answer->text, leaks);
    answer->status = judge(leaks);
  } else if (look_was_in_vain(code)) {
    text_add(&answer->text, "unknown: %s\n", error.message);
    answer->status = EXIT_UNKNOWN;
  } else {
    cli_complain("%s", error.message);
    return EXIT_OWN_FAILURE;
  }
  answer->json = json_leaks(options.pid == 0 ? cli_pid() : options.pid, leaks, code == SAFE_OK ? NULL : error.message);
  safe_handle_list_free(leaks);
  return answer->status;
}

int cli_leaks(int argc, char **argv) {
  static const struct option options[] = {
    LOOKING_OPTIONS, {"all", no_argument, NULL, 'a'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
  static const safe_audit_options defaults = SAFE_AUDIT_OPTIONS_INIT;
  struct request request = {LOOKING_INIT, defaults};
  int option;

  while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    if (option == 'h') return cli_print(help) != 0 ? EXIT_OWN_FAILURE : 0;
    if (option == 'a')
      request.audit.flags |= SAFE_AUDIT_STANDARD;
    else if (!looking_option(&request.looking, option))
      return cli_usage_error("leaks");
  }
  if (!looking_complete(&request.looking)) return cli_usage_error("leaks");
  if (argc - optind > 1) {
    cli_complain("it looks at one process");
    return cli_usage_error("leaks");
  }
  if (argc > optind && !looking_pid(argv[optind], &request.audit.pid)) return cli_usage_error("leaks");
  return look_and_tell(&request.looking, look, &request);
}
