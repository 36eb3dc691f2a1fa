/* SPDX-License-Identifier: MIT */
#include "support.h"

#include "process.h"

#define MAX_WORDS 16
#define HELPER_MS 20000

const char *helper_path(void) {
  const char *path = getenv("SAFEHOLD_TEST_HELPER");

  if (path == NULL || path[0] == '\0') fail_msg("SAFEHOLD_TEST_HELPER does not name the helper");
  return path;
}

int slowness(void) {
  const char *factor = getenv("SAFEHOLD_TEST_SLOWNESS");

  return factor == NULL || atoi(factor) < 1 ? 1 : atoi(factor);
}

int64_t now_ms(void) { return safe__os_now() / SAFE__MS; }

void sleep_ms(int64_t ms) { safe__os_sleep(safe__deadline(ms), NULL, false); }

#define WINES_OWN 1359 /* ERROR_INTERNAL_ERROR */

int spawn_surely(safe_process **process, const safe_spawn_options *options, safe_error *error) {
  safe_error own = SAFE_ERROR_INIT;
  int tries, code = SAFE_OK;

  if (error == NULL) error = &own;
  for (tries = 0; tries < 3; tries++) {
    code = safe_spawn(process, options, error);
    if (code != SAFE_ESYSTEM || error->os_code != WINES_OWN || !on_wine()) break;
    print_message("once more: %s\n", error->message);
  }
  return code;
}

static safe_process *start(const char *word, va_list rest) {
  const char *argv[MAX_WORDS + 2] = {"helper"};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int count = 1;

  for (; word != NULL && count < MAX_WORDS; word = va_arg(rest, const char *)) argv[count++] = word;
  options.file = helper_path();
  options.argv = argv;
  options.in.kind = SAFE_STDIO_NULL;
  options.out.kind = SAFE_STDIO_PIPE;
  options.timeout_ms = HELPER_MS;
  if (spawn_surely(&process, &options, &error) != SAFE_OK) fail_msg("the helper does not start: %s", error.message);
  return process;
}

safe_process *start_helper(const char *word, ...) {
  va_list rest;
  safe_process *process;

  va_start(rest, word);
  process = start(word, rest);
  va_end(rest);
  return process;
}

char *helper_says(int *code, const char *word, ...) {
  safe_communicate_options options = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process;
  char *text;
  va_list rest;

  va_start(rest, word);
  process = start(word, rest);
  va_end(rest);
  options.timeout_ms = HELPER_MS;
  if (safe_process_communicate(process, &options, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_code(safe_process_wait(process, NULL, &status, &error), SAFE_OK);
  safe_process_free(process);
  if (code != NULL) *code = (int)status.code;
  text = malloc(output.out_length + 1);
  assert_non_null(text);
  memcpy(text, output.out, output.out_length + 1);
  safe_output_free(&output);
  return text;
}

void expect_line(safe_process *process, const char *expected) {
  struct safe__stream *out = &process->child.streams[1];
  const struct safe__awaited awaited = {out, false};
  int64_t deadline = safe__deadline(HELPER_MS), moved;
  char line[256];
  size_t length = 0;

  while (length < sizeof(line) - 1 && (length == 0 || line[length - 1] != '\n')) {
    moved = safe__os_stream_read(out, line + length, 1);
    if (moved > 0) length += (size_t)moved;
    if (moved == 0 || safe__os_now() > deadline) break;
    if (moved == SAFE__AGAIN) safe__os_stream_wait(&awaited, 1, NULL, NULL, deadline);
  }
  line[length] = '\0';
  if (strncmp(line, expected, strlen(expected)) != 0)
    fail_msg("the helper said \"%s\", expected \"%s\"", line, expected);
}

/* On a busy machine a process with many threads, such as a Java program, may take longer to go than a verdict. */
#define STOPS 50

void end_helper(safe_process *process) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int tries, code = SAFE_ESTUCK;

  options.grace_ms = 0;
  for (tries = 0; code == SAFE_ESTUCK && tries < STOPS; tries++)
    code = safe_process_stop(process, &options, NULL, &error);
  if (code != SAFE_OK) fail_msg("%s", error.message);
  safe_process_free(process);
}

void make_file(const char *path, const char *content) {
  FILE *file = fopen(path, "wb");

  assert_non_null(file);
  assert_int_equal(fwrite(content, 1, strlen(content), file), strlen(content));
  assert_int_equal(fclose(file), 0);
}

char *read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  char *text = calloc(1, 65536);

  assert_non_null(file);
  assert_non_null(text);
  text[fread(text, 1, 65535, file)] = '\0';
  fclose(file);
  return text;
}

void assert_code_at(int code, int expected, const char *file, int line) {
  if (code != expected)
    print_error("%s:%d: %s, expected %s\n", file, line, safe_code_name(code), safe_code_name(expected));
  _assert_int_equal((LargestIntegralType)code, (LargestIntegralType)expected, file, line);
}

struct taking {
  const char *path;
  const safe_lock_options *options;
  safe_lock *lock;
  int code;
};

static void take(void *argument) {
  struct taking *taking = argument;

  taking->code = safe_lock_file(&taking->lock, taking->path, taking->options, NULL);
}

safe_lock *locked_by_another_thread(const char *path, const safe_lock_options *options) {
  struct taking taking = {path, options, NULL, 0};

  in_another_thread(take, &taking);
  assert_code(taking.code, SAFE_OK);
  return taking.lock;
}
