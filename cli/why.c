/* SPDX-License-Identifier: MIT */
#include <getopt.h>
#include <string.h>

#include "json.h"
#include "look.h"

static const char help[] =
  "Usage: safehold why [OPTION]... FILE | PID\n"
  "Explains why a lock on FILE is not to be had, or why the process PID does not go on: who is waited for, for whom\n"
  "that one waits, and so on, across locks, children, pipes and debuggers, to the end of the chain or round in a\n"
  "circle. Digits alone are a process; a file of such a name is ./123, or --file 123.\n"
  "\n"
  "      --file FILE    the file, whatever its name\n" LOOKING_HELP "\n"
  "Nothing is locked, opened for writing, stopped or slowed down by it. Exits with 0 if nobody holds FILE, or PID "
  "does\n"
  "not wait for another process; 10 if FILE is held, or PID waits; 11 if some wait for one another, or who is waited\n"
  "for cannot go on; 12 if too little could be seen to tell; 125 for a failure of its own, as where there is no such\n"
  "file or process. With --watch: as the last look found it.\n";

struct request {
  struct looking looking;
  const char *file; /* or NULL, and then: */
  int64_t pid;
};

static int status_of(int verdict) {
  switch (verdict) {
  case SAFE_VERDICT_FREE:
    return EXIT_FREE;
  case SAFE_VERDICT_HELD:
    return EXIT_HELD;
  case SAFE_VERDICT_CYCLE:
  case SAFE_VERDICT_STUCK:
    return EXIT_STUCK;
  default:
    return EXIT_UNKNOWN;
  }
}

static int look(const void *subject, int64_t timeout_ms, struct answer *answer) {
  const struct request *request = subject;
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_explanation *why = NULL;
  const char *text;
  int code;

  options.path = request->file;
  options.pid = request->pid;
  options.timeout_ms = timeout_ms;
  code = safe_explain(&options, &why, &error);
  if (code != SAFE_OK && !look_was_in_vain(code)) {
    cli_complain("%s%s%s", request->file == NULL ? "" : request->file, request->file == NULL ? "" : ": ",
                 error.message);
    return EXIT_OWN_FAILURE;
  }
  text = code == SAFE_OK ? safe_explanation_text(why) : error.message;
  text_add(&answer->text, "%s%s", text, text[0] == '\0' || text[strlen(text) - 1] != '\n' ? "\n" : "");
  answer->json = json_why(request->file, request->pid, why, code == SAFE_OK ? NULL : error.message);
  answer->status = code == SAFE_OK ? status_of(safe_explanation_verdict(why)) : EXIT_UNKNOWN;
  safe_explanation_free(why);
  return answer->status;
}

/* The one operand, unless --file has named it; false after a complaint. */
static bool read_operand(struct request *request, int count, char **operands) {
  if (count + (request->file != NULL) != 1) {
    cli_complain(count == 0 ? "there is no file and no process to look at" : "it looks at one file or process");
    return false;
  }
  if (count == 0) return true;
  if (operands[0][0] != '\0' && operands[0][strspn(operands[0], "0123456789")] == '\0')
    return looking_pid(operands[0], &request->pid);
  request->file = operands[0];
  return true;
}

int cli_why(int argc, char **argv) {
  static const struct option options[] = {
    LOOKING_OPTIONS, {"file", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
  struct request request = {LOOKING_INIT, NULL, 0};
  int option;

  while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
    if (option == 'h') return cli_print(help) != 0 ? EXIT_OWN_FAILURE : 0;
    if (option == 'f')
      request.file = optarg;
    else if (!looking_option(&request.looking, option))
      return cli_usage_error("why");
  }
  if (!looking_complete(&request.looking) || !read_operand(&request, argc - optind, argv + optind))
    return cli_usage_error("why");
  return look_and_tell(&request.looking, look, &request);
}
