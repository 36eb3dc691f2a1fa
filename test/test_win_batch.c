/* SPDX-License-Identifier: MIT */
/*
 * Batch files: what would reach cmd.exe unasked, however it is named, and what may reach it when asked. And arguments,
 * at random and in numbers: twenty thousand, a million with SAFEHOLD_LONG=1.
 */
#include "test_win_child.h"

#include <shellapi.h>
#include <wchar.h>

#include "batch.h"
#include "program.h"

/* ---- Names. The bypasses that were found in other programs after their first mending are among them. */

static const char *const hostile_names[] = {"x.bat",
                                            "x.BAT",
                                            "x.bAt",
                                            "x.cmd",
                                            "x.CMD",
                                            "x.Cmd",
                                            "x.bat.",
                                            "x.bat..",
                                            "x.bat ",
                                            "x.bat  ",
                                            "x.bat. ",
                                            "x.bat .",
                                            "x.bat. . .",
                                            "x.cmd...",
                                            "x.cmd ",
                                            "x.bat::$DATA",
                                            "x.bat::$data",
                                            "x.bat:stream",
                                            "x.bat:s:$DATA",
                                            "x.exe:y.bat",
                                            "x.exe:y.cmd ",
                                            "x.bat .:a",
                                            "x.bat.:$DATA",
                                            "x.bat ::$DATA",
                                            ".bat",
                                            ".cmd",
                                            "..bat",
                                            "x.bat\\",
                                            "x.bat/",
                                            "x.bat\\.",
                                            "x.bat/. ",
                                            "x.bat\\\\",
                                            "sub\\..\\x.bat",
                                            ".\\x.bat",
                                            "./x.cmd",
                                            "x y.bat",
                                            "x%CMDCMDLINE%.bat",
                                            "x&calc.bat",
                                            "x.exe.bat",
                                            "x.bat\t.cmd",
                                            "XLONGN~1.BAT",
                                            "\\\\?\\C:\\x.bat",
                                            "\\\\.\\C:\\x.cmd",
                                            "C:x.bat",
                                            "\\x.bat",
                                            "//server/a/x.bat"};

static void hostile_names_are_refused(void **state) {
  safe_error error;
  char path[1024];
  size_t at;

  (void)state;
  make_file_at("x.bat", "@echo off\r\necho planted> planted.txt\r\n");
  make_file_at("x.cmd", "@echo off\r\necho planted> planted.txt\r\n");
  make_file_at("x.exe", "no program\r\n");
  for (at = 0; at < COUNT(hostile_names); at++) {
    if (spawn_code(hostile_names[at], &error) != SAFE_EBATCH) fail_msg("%s: %s", hostile_names[at], error.message);
    assert_int_equal(error.stage, SAFE_STAGE_EXEC);
    join(path, sizeof(path), hostile_names[at]);
    if (spawn_code(path, &error) != SAFE_EBATCH) fail_msg("%s: %s", path, error.message);
  }
  join(path, sizeof(path), "planted.txt");
  assert_int_equal(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES);
}

static void what_only_looks_alike(void **state) {
  static const wchar_t *const names[] = {L"x.exe", L"bat",       L"cmd",          L"x.bath",
                                         L"xbat",  L"x.bat.exe", L"x.bat\\y.exe", L"C:\\bat.cmd\\tool"};
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(names); at++) assert_false(safe__win_is_batch(names[at]));
  /* Refused on the way there already, for its quotation mark. */
  assert_true(safe__win_is_batch(L"x.bat\""));
}

/* ---- The checked route. */

static int run_batch(const char *file, const char *const *args, safe_output *output, safe_error *error) {
  const char *argv[16] = {file};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_process *process;
  size_t at;
  int code;

  for (at = 0; args[at] != NULL; at++) argv[at + 1] = args[at];
  options.argv = argv;
  options.flags = SAFE_SPAWN_BATCH;
  options.out.kind = SAFE_STDIO_PIPE;
  options.timeout_ms = talk.timeout_ms = slow(20000);
  error->size = sizeof(*error);
  code = safe_spawn(&process, &options, error);
  if (code != SAFE_OK) return code;
  if (safe_process_communicate(process, &talk, output, error) != SAFE_OK) fail_msg("%s", error->message);
  safe_process_free(process);
  return SAFE_OK;
}

static void a_batch_file_that_was_asked_for(void **state) {
  static const char *const args[] = {"plain", "with space", "a,b;c=d", "", "C:\\folder\\", "(x)", "\xc3\xa4", NULL};
  static const char *const lines[] = {"plain", "with space", "a,b;c=d", "none", "C:\\folder\\", "(x)"};
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error;
  char path[1024], line[64], *from;
  size_t at;

  (void)state;
  make_file_at("say.bat", "@echo off\r\n"
                          "echo [%~1]\r\necho [%~2]\r\necho [%~3]\r\n"
                          "if \"%~4\"==\"\" (echo [none]) else (echo [some])\r\n"
                          "echo [%~5]\r\necho [%~6]\r\n");
  join(path, sizeof(path), "say.bat");
  if (run_batch(path, args, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  for (at = 0, from = output.out; at < COUNT(lines); at++) {
    snprintf(line, sizeof(line), "[%s]", lines[at]);
    from = strstr(from, line);
    if (from == NULL) fail_msg("%s is not there, or out of order: %s", line, output.out);
  }
  safe_output_free(&output);
}

static void arguments_that_cmd_would_parse(void **state) {
  static const char *const bad[] = {"%PATH%",
                                    "%",
                                    "100%",
                                    "\"",
                                    "a\"&calc&\"b",
                                    "\"&calc.exe",
                                    "a&b",
                                    "a|b",
                                    "a<b",
                                    "a>b",
                                    "a^b",
                                    "!x!",
                                    "a\rb",
                                    "a\nb",
                                    "a\tb",
                                    "\x1a",
                                    "\x01",
                                    "a b\\",
                                    "%CMDCMDLINE:~-1%&calc.exe",
                                    "\" & calc \"",
                                    "^\"&calc",
                                    "\\\"&calc",
                                    "a\r\n&calc"};
  safe_output output = SAFE_OUTPUT_INIT;
  const char *args[] = {"good", NULL, NULL};
  safe_error error;
  char path[1024];
  size_t at;

  (void)state;
  make_file_at("never.bat", "@echo off\r\necho ran> never.txt\r\n");
  join(path, sizeof(path), "never.bat");
  for (at = 0; at < COUNT(bad); at++) {
    args[1] = bad[at];
    if (run_batch(path, args, &output, &error) != SAFE_EBATCH) fail_msg("%s was let through", bad[at]);
    assert_int_equal(error.index, 2);
  }
  join(path, sizeof(path), "never.txt");
  assert_int_equal(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES);
}

/* Also with the flag a name has to be what it is; and a program is still started as one, with any argument. */
static void the_flag_lets_nothing_else_through(void **state) {
  static const char *const disguised[] = {"x.bat.", "x.bat ", "x.bat::$DATA", "x.exe:y.bat", "x.bat\\", "x.bat. ."};
  static const char *const none[] = {NULL};
  const char *argv[] = {"x.bat", "a", NULL}, *program[] = {self, "args", "a&b%", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;
  safe_error error;
  char path[1024];
  size_t at;

  (void)state;
  make_file_at("x.bat", "@exit /b 0\r\n");
  for (at = 0; at < COUNT(disguised); at++) {
    join(path, sizeof(path), disguised[at]);
    assert_int_equal(run_batch(path, none, &output, &error), SAFE_EBATCH);
  }
  make_file_at("a%b.bat", "@exit /b 0\r\n");
  join(path, sizeof(path), "a%b.bat");
  assert_int_equal(run_batch(path, none, &output, &error), SAFE_EBATCH);
  join(path, sizeof(path), "x.bat");
  argv[0] = path;
  options.argv = argv;
  options.flags = SAFE_SPAWN_BATCH | SAFE_SPAWN_VERBATIM;
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_EBATCH);
  options.flags = SAFE_SPAWN_BATCH;
  output = output_of(program, &options);
  assert_string_equal(output.out, "[a&b%]\n--\n[a&b%]\n");
  safe_output_free(&output);
}

/* ---- Arguments at random. */

static uint32_t next_random(uint64_t *state) {
  *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (uint32_t)(*state >> 33);
}

/* The rules of the C runtime (from 2008 on), written down once more: msvcrt's own parser runs once a process. */
static const wchar_t *runtime_argument(const wchar_t *at, wchar_t *into) {
  bool quoted = false;
  size_t slashes;

  while (*at == L' ' || *at == L'\t') at++;
  for (; *at != L'\0' && (quoted || (*at != L' ' && *at != L'\t'));) {
    for (slashes = 0; *at == L'\\'; at++) slashes++;
    if (*at != L'"') {
      while (slashes-- > 0) *into++ = L'\\';
      if (*at != L'\0' && (quoted || (*at != L' ' && *at != L'\t'))) *into++ = *at++;
      continue;
    }
    for (size_t half = slashes / 2; half > 0; half--) *into++ = L'\\';
    if (slashes % 2 == 1) {
      *into++ = L'"';
    } else if (quoted && at[1] == L'"') {
      *into++ = L'"';
      at++;
    } else {
      quoted = !quoted;
    }
    at++;
  }
  *into = L'\0';
  return at;
}

static void check_vector(const char *const *argv) {
  wchar_t *line, **wide, expected[64], again[256];
  const wchar_t *rest;
  safe_error error;
  int at, count;

  assert_int_equal(safe__win_command_line(argv, false, &line, &error), SAFE_OK);
  wide = CommandLineToArgvW(line, &count);
  rest = wcschr(line + 1, L'"') + 1; /* behind the program's name */
  for (at = 1; argv[at] != NULL; at++) {
    MultiByteToWideChar(CP_UTF8, 0, argv[at], -1, expected, COUNT(expected));
    rest = runtime_argument(rest, again);
    if (at >= count || wcscmp(wide[at], expected) != 0 || wcscmp(again, expected) != 0)
      fail_msg("argument %d of %ls", at, line);
  }
  assert_int_equal(at, count);
  assert_int_equal(*rest, 0);
  LocalFree(wide);
  safe__free(line);
}

static void arguments_at_random(void **state) {
  static const char *const pieces[] = {"a",
                                       "b",
                                       " ",
                                       "\\",
                                       "\\",
                                       "\\\\",
                                       "\"",
                                       "\"\"",
                                       "\t",
                                       "%",
                                       "'",
                                       "*",
                                       "?",
                                       "/",
                                       ":",
                                       "\n",
                                       "^",
                                       "\xc3\xa4",
                                       "\xf0\x9f\x98\x80",
                                       "&",
                                       "--x="};
  const char *tier = getenv("SAFEHOLD_LONG");
  uint32_t rounds = tier != NULL && strcmp(tier, "1") == 0 ? 1000000 : 20000, round;
  const char *argv[10] = {"c:\\program files\\x y\\z.exe"};
  uint64_t random = 20260101;
  char text[8][64];

  (void)state;
  for (round = 0; round < rounds; round++) {
    uint32_t at, piece, count = 1 + next_random(&random) % 8;

    for (at = 0; at < count; at++) {
      text[at][0] = '\0';
      for (piece = next_random(&random) % 10; piece > 0; piece--)
        strcat(text[at], pieces[next_random(&random) % COUNT(pieces)]);
      argv[at + 1] = text[at];
    }
    argv[count + 1] = NULL;
    check_vector(argv);
  }
  print_message("%lu argument vectors came back as they were\n", (unsigned long)rounds);
}

/* ---- The environment, and the PATH in it. */

static void changes_to_the_environment(void **state) {
  static const char *const base[] = {"Keep=1", "Drop=2", "Path=C:\\x", NULL};
  static const char *const changes[] = {"DROP", "new=3", "NEW=4", "gone=5", "Gone", "PATH=C:\\y", "SystemRoot", NULL};
  wchar_t *block, *at;
  char lines[1024] = "", narrow[256];
  safe_error error;

  (void)state;
  assert_int_equal(safe__win_environment(base, changes, &block, &error), SAFE_OK);
  for (at = block; *at != L'\0'; at += wcslen(at) + 1) {
    safe__win_narrow(at, narrow, sizeof(narrow));
    if (_strnicmp(narrow, "SystemRoot=", 11) == 0) strcpy(narrow, "SystemRoot=...");
    snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "%s\n", narrow);
  }
  assert_string_equal(lines, "Keep=1\nNEW=4\nPATH=C:\\y\nSystemRoot=...\n");
  assert_int_equal(wcscmp(safe__win_environment_value(block, L"path"), L"C:\\y"), 0);
  assert_null(safe__win_environment_value(block, L"drop"));
  safe__free(block);
}

static void changes_to_the_host_environment(void **state) {
  static const char *const changes[] = {"SAFEHOLD_TEST_GONE", "SAFEHOLD_TEST_SET=new", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_output output;

  (void)state;
  SetEnvironmentVariableA("SAFEHOLD_TEST_GONE", "here");
  SetEnvironmentVariableA("SAFEHOLD_TEST_SET", "old");
  SetEnvironmentVariableA("SAFEHOLD_TEST_KEPT", "yes");
  options.env_changes = changes;
  output = say_of("env", NULL, &options);
  assert_null(strstr(output.out, "SAFEHOLD_TEST_GONE"));
  assert_non_null(strstr(output.out, "[SAFEHOLD_TEST_SET=new]\n"));
  assert_null(strstr(output.out, "=old]"));
  assert_non_null(strstr(output.out, "[SAFEHOLD_TEST_KEPT=yes]\n"));
  safe_output_free(&output);
}

static void the_path_of_the_child(void **state) {
  const char *argv[] = {"only-for-the-child", "exit", "0", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  char folder[1024], copy[1100], path[1100];
  const char *changes[] = {path, NULL};
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  GetCurrentDirectoryA(sizeof(folder), folder);
  snprintf(copy, sizeof(copy), "%s\\only-for-the-child.exe", folder);
  assert_true(CopyFileA(self, copy, FALSE));
  snprintf(path, sizeof(path), "PATH=.;%s", folder);
  options.argv = argv;
  options.env_changes = changes;
  options.timeout_ms = slow(10000);
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  options.flags = SAFE_SPAWN_PATH_OF_CHILD;
  if (safe_spawn(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
  strcpy(path, "PATH=.;relative");
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_ENOENT);
}

int main(int count, char **args) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(hostile_names_are_refused),
    cmocka_unit_test(what_only_looks_alike),
    cmocka_unit_test(a_batch_file_that_was_asked_for),
    cmocka_unit_test(arguments_that_cmd_would_parse),
    cmocka_unit_test(the_flag_lets_nothing_else_through),
    cmocka_unit_test(arguments_at_random),
    cmocka_unit_test(changes_to_the_environment),
    cmocka_unit_test(changes_to_the_host_environment),
    cmocka_unit_test(the_path_of_the_child),
  };

  if (count > 1) return play_child(count, args);
  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
