/* SPDX-License-Identifier: MIT */
#include "command.h"

#define MAX_WORDS 16

static const char *command_path(void) {
  const char *path = getenv("SAFEHOLD_COMMAND");

  if (path == NULL || path[0] == '\0') fail_msg("SAFEHOLD_COMMAND does not name the command");
  return path;
}

struct result run(const char *word, ...) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  const char *argv[MAX_WORDS + 2] = {"safehold"};
  safe_process *process;
  struct result result;
  int count = 1;
  va_list rest;

  va_start(rest, word);
  for (; word != NULL && count < MAX_WORDS; word = va_arg(rest, const char *)) argv[count++] = word;
  va_end(rest);
  options.file = command_path();
  options.argv = argv;
  options.in.kind = SAFE_STDIO_NULL;
  options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  if (safe_spawn(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  talk.timeout_ms = 60000;
  if (safe_process_communicate(process, &talk, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.kind, SAFE_EXIT_CODE);
  safe_process_free(process);
  result.status = (int)status.code;
  result.out = output.out;
  result.err = output.err;
  return result;
}

void done(struct result *result) {
  free(result->out);
  free(result->err);
}

void assert_status_at(struct result got, int expected, const char *file, int line) {
  if (got.status != expected) print_error("line %d: stdout: %s\nstderr: %s\n", line, got.out, got.err);
  _assert_int_equal((LargestIntegralType)got.status, (LargestIntegralType)expected, file, line);
  done(&got);
}
