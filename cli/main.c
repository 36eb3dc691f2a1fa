/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static const char help[] =
  "Usage: safehold lock [OPTION]... FILE COMMAND [ARGUMENT]...\n"
  "       safehold run [OPTION]... [--] COMMAND [ARGUMENT]...\n"
  "       safehold why [OPTION]... FILE | PID\n"
  "       safehold holders [OPTION]... FILE\n"
  "       safehold leaks [OPTION]... [PID]\n"
  "       safehold --version | --help\n"
  "\n"
  "lock     runs a command while holding the lock of a file; says who holds it otherwise\n"
  "run      runs a command with a time limit, and leaves nothing of it behind\n"
  "why      explains why a lock is not to be had, or a process does not go on: who waits for whom\n"
  "holders  lists who holds a lock on a file, and who waits for it\n"
  "leaks    lists the open files that a process would leak into its children\n"
  "\n"
  "'safehold VERB --help' tells the options of each.\n";

static const struct {
  const char *name;
  int (*run)(int argc, char **argv);
} verbs[] = {
  {"lock", cli_lock}, {"run", cli_run}, {"why", cli_why}, {"holders", cli_holders}, {"leaks", cli_leaks},
};

void cli_complain(const char *format, ...) {
  va_list arguments;

  fputs("safehold: ", stderr);
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
}

static void say(void *unused, int32_t kind, const char *line) {
  (void)unused;
  if (kind != SAFE_TRACE_FAILURE) cli_complain("%s", line); /* which the verb complains about itself */
}

void cli_be_verbose(void) {
  static const safe_tracer tracer = {sizeof(tracer), say, NULL};

  safe_use_tracer(&tracer);
}

int cli_print(const char *text) {
  if (fputs(text, stdout) >= 0 && fflush(stdout) == 0) return 0;
  cli_complain("stdout cannot be written");
  return -1;
}

int cli_usage_error(const char *verb) {
  fprintf(stderr, "Try 'safehold %s%s--help'.\n", verb, verb[0] == '\0' ? "" : " ");
  return EXIT_OWN_FAILURE;
}

int main(int argc, char **argv) {
  const char *verb = argc < 2 ? "" : argv[1];
  size_t at;

  cli_tidy_up();
  for (at = 0; at < sizeof(verbs) / sizeof(verbs[0]); at++)
    if (strcmp(verb, verbs[at].name) == 0) return verbs[at].run(argc - 1, argv + 1);
  if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0) return cli_print(help) != 0 ? EXIT_OWN_FAILURE : 0;
  if (strcmp(verb, "--version") == 0 || strcmp(verb, "-V") == 0)
    return cli_print("safehold ") != 0 || cli_print(safe_version()) != 0 || cli_print("\n") != 0 ? EXIT_OWN_FAILURE : 0;
  if (verb[0] == '\0')
    cli_complain("there is no verb");
  else
    cli_complain("'%s' is not a verb", verb);
  return cli_usage_error("");
}
