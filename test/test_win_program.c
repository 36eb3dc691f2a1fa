/* SPDX-License-Identifier: MIT */
/* Which program is started on Windows, with which arguments, environment and working directory. */
#include "test_win_child.h"

#include <shellapi.h>

#include "program.h"

/* ---- Arguments. */

static const char *const corpus[] = {
  "",
  " ",
  "a b",
  "\"",
  "\"\"",
  "a\"b",
  "\\",
  "\\\\",
  "a\\",
  "a b\\",
  "\\\"",
  "\\\\\"",
  "a\\\"b",
  "a\\\\\"b",
  "\ta\t",
  "c:\\x y\\",
  "%PATH%",
  "^&|<>!",
  "*.c",
  "?",
  "'",
  "a'b c'd",
  "\xc3\xa4",
  "\xe2\x82\xac \xf0\x9f\x98\x80",
  "--x=\"y z\"",
  "\\\\host\\share\\",
  "@file",
  "\n",
};

static uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

static void random_argument(uint32_t *state, char *text) {
  static const char alphabet[] = "ab \\\\\\\"\"\t%'*?/:";
  uint32_t at, length = next_random(state) % 12;

  for (at = 0; at < length; at++) text[at] = alphabet[next_random(state) % (sizeof(alphabet) - 1)];
  text[length] = '\0';
}

static void same_again(const char *const *argv) {
  safe_error error;
  wchar_t *line, **wide;
  char narrow[256];
  int at, count;

  assert_int_equal(safe__win_command_line(argv, false, &line, &error), SAFE_OK);
  wide = CommandLineToArgvW(line, &count);
  assert_non_null(wide);
  for (at = 0; argv[at] != NULL; at++) {
    assert_true(at < count);
    safe__win_narrow(wide[at], narrow, sizeof(narrow));
    assert_string_equal(narrow, argv[at]);
  }
  assert_int_equal(at, count);
  LocalFree(wide);
  safe__free(line);
}

static void arguments_by_the_shell_library(void **state) {
  char text[8][16];
  const char *argv[9];
  uint32_t random = 20260101;
  size_t at, round;

  (void)state;
  argv[0] = "c:\\program files\\x y\\z.exe";
  for (at = 0; at < COUNT(corpus); at++) {
    argv[1] = corpus[at];
    argv[2] = "end";
    argv[3] = NULL;
    same_again(argv);
  }
  for (round = 0; round < 2000; round++) {
    size_t count = 1 + next_random(&random) % 7;

    for (at = 1; at <= count; at++) {
      random_argument(&random, text[at]);
      argv[at] = text[at];
    }
    argv[count + 1] = NULL;
    same_again(argv);
  }
}

/* By a real child, with CommandLineToArgvW and with the C runtime. */
static void check_child_args(const char *const *args, size_t count) {
  const char *argv[64] = {self, "args"};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  char expected[4096] = "";
  safe_output output;
  size_t at, half;

  for (at = 0; at < count; at++) {
    argv[at + 2] = args[at];
    snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "[%s]\n", args[at]);
  }
  half = strlen(expected);
  snprintf(expected + half, sizeof(expected) - half, "--\n%.*s", (int)half, expected);
  output = output_of(argv, &options);
  assert_string_equal(output.out, expected);
  safe_output_free(&output);
}

static void arguments_by_a_child(void **state) {
  static char text[40][16];
  const char *args[40];
  uint32_t random = 4711;
  int round;
  size_t at;

  (void)state;
  check_child_args(corpus, COUNT(corpus));
  for (round = 0; round < 10; round++) {
    for (at = 0; at < 40; at++) {
      random_argument(&random, text[at]);
      args[at] = text[at];
    }
    check_child_args(args, 40);
  }
}

static void arguments_that_do_not_fit(void **state) {
  static char big[40000];
  const char *argv[] = {self, "exit", "0", big, NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  memset(big, 'x', sizeof(big) - 1);
  options.argv = argv;
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_E2BIG);
  argv[3] = "\xff\xfe";
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  assert_int_equal(error.index, 3);
  argv[0] = "a\"b";
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  assert_int_equal(error.index, 0);
  big[9000] = '\0';
  options.argv = NULL;
  options.shell = big;
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_E2BIG);
  options.shell = "echo a\necho b";
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_EINVAL);
}

static void a_shell_line(void **state) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  char line[1200];

  (void)state;
  snprintf(line, sizeof(line), "\"%s\" args \"a b\" c&& exit 7", self);
  options.shell = line;
  options.out.kind = SAFE_STDIO_PIPE;
  options.timeout_ms = talk.timeout_ms = slow(20000);
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_OK);
  assert_int_equal(safe_process_communicate(process, &talk, &output, &error), SAFE_OK);
  assert_string_equal(output.out, "[a b]\n[c]\n--\n[a b]\n[c]\n");
  assert_int_equal(end_of(process), 7);
  safe_output_free(&output);
  safe_process_free(process);
}

/* ---- Programs. */

static void batch_files_are_refused(void **state) {
  static const char *const names[] = {"x.bat",       "x.BAT",     "x.cmd",        "x.Cmd",        "x.bat.",
                                      "x.bat ",      "x.bat. . ", "x.cmd...",     "x.bat::$DATA", "x.cmd:stream",
                                      "x.exe:y.bat", "x.bat .:a", "x.bat.:$DATA", ".bat",         "x.bat\t.cmd"};
  safe_error error;
  char path[1024];
  size_t at;

  (void)state;
  make_file_at("x.bat", "@echo off\r\necho planted> planted.txt\r\n");
  make_file_at("x.cmd", "@echo off\r\necho planted> planted.txt\r\n");
  for (at = 0; at < COUNT(names); at++) {
    assert_int_equal(spawn_code(names[at], &error), SAFE_EBATCH);
    join(path, sizeof(path), names[at]);
    assert_int_equal(spawn_code(path, &error), SAFE_EBATCH);
    assert_int_equal(error.stage, SAFE_STAGE_EXEC);
  }
  join(path, sizeof(path), "planted.txt");
  assert_int_equal(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES);
}

static void the_current_directory_is_not_searched(void **state) {
  wchar_t path[8192], longer[9000], target[1024], *own = NULL;
  const char *folder = getenv("SAFEHOLD_TEST_DIR");
  safe_error error;
  char name[1024];

  (void)state;
  join(name, sizeof(name), "planted-here.exe");
  assert_int_equal(safe__win_wide(name, &own), SAFE_OK);
  GetModuleFileNameW(NULL, target, COUNT(target));
  assert_true(CopyFileW(target, own, FALSE));
  GetEnvironmentVariableW(L"PATH", path, COUNT(path));
  if (folder != NULL) assert_true(SetCurrentDirectoryA(folder));

  assert_int_equal(spawn_code("planted-here", &error), SAFE_ENOENT);
  assert_int_equal(error.stage, SAFE_STAGE_EXEC);
  swprintf(longer, COUNT(longer), L";.;.\\;relative;\\;C:;;\"\";%ls;", path);
  assert_true(SetEnvironmentVariableW(L"PATH", longer));
  assert_int_equal(spawn_code("planted-here", &error), SAFE_ENOENT);
  assert_int_equal(spawn_code("planted-here.exe", &error), SAFE_ENOENT);
  assert_true(SetEnvironmentVariableW(L"PATH", L".;;relative"));
  assert_int_equal(spawn_code("planted-here", &error), SAFE_ENOENT);
  assert_int_equal(error.stage, SAFE_STAGE_SEARCH);
  /* With a folder it is what was asked for; and on PATH it is found, quoted or not. */
  assert_int_equal(spawn_code(".\\planted-here.exe", &error), SAFE_OK);
  assert_int_equal(spawn_code(".\\planted-here", &error), SAFE_OK);
  *wcsrchr(own, L'\\') = L'\0';
  swprintf(longer, COUNT(longer), L".;\"%ls\"", own);
  assert_true(SetEnvironmentVariableW(L"PATH", longer));
  if (folder != NULL) assert_int_equal(spawn_code("planted-here", &error), SAFE_OK);
  SetEnvironmentVariableW(L"PATH", path);
  safe__free(own);
}

static void programs_that_are_none(void **state) {
  safe_error error;
  char path[1024];

  (void)state;
  make_file_at("text.exe", "this is no program\n");
  join(path, sizeof(path), "text.exe");
  assert_int_equal(spawn_code(path, &error), SAFE_ENOEXEC);
  assert_int_equal(error.stage, SAFE_STAGE_EXEC);
  join(path, sizeof(path), "no-such-program.exe");
  assert_int_equal(spawn_code(path, &error), SAFE_ENOENT);
  assert_int_equal(error.stage, SAFE_STAGE_EXEC);
  join(path, sizeof(path), "no-such-folder\\program.exe");
  assert_int_equal(spawn_code(path, &error), SAFE_ENOENT);
  assert_int_equal(spawn_code("no-such-program-anywhere", &error), SAFE_ENOENT);
}

/* ---- Environment and directory. */

static void environment_is_sorted(void **state) {
  static const char *const env[] = {"zeta=1", "=C:=C:\\windows", "Alpha=old",       "beta=b=c", "ALPHA=new",
                                    "_x=1",   "empty=",          "\xc3\xa4=umlaut", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error;
  wchar_t *block, *at;
  char lines[4096] = "", narrow[512];
  safe_output output;

  (void)state;
  assert_int_equal(safe__win_environment(env, NULL, &block, &error), SAFE_OK);
  for (at = block; *at != L'\0'; at += wcslen(at) + 1) {
    safe__win_narrow(at, narrow, sizeof(narrow));
    if (strncmp(narrow, "SystemRoot=", 11) == 0) strcpy(narrow, "SystemRoot=...");
    snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "%s\n", narrow);
  }
  safe__free(block);
  assert_string_equal(lines, "=C:=C:\\windows\nALPHA=new\nbeta=b=c\nempty=\nSystemRoot=...\nzeta=1\n_x=1\n"
                             "\xc3\xa4=umlaut\n");
  options.env = env;
  output = say_of("env", NULL, &options);
  assert_non_null(strstr(output.out, "[ALPHA=new]\n"));
  assert_null(strstr(output.out, "=old"));
  assert_non_null(strstr(output.out, "[\xc3\xa4=umlaut]\n"));
  assert_non_null(strstr(output.out, "ystemRoot="));
  assert_null(strstr(output.out, "SAFEHOLD_TEST_DIR"));
  safe_output_free(&output);
}

static void an_empty_environment(void **state) {
  static const char *const none[] = {NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_output output;

  (void)state;
  options.env = none;
  output = say_of("env", NULL, &options);
  assert_null(strstr(output.out, "SAFEHOLD_TEST_DIR"));
  safe_output_free(&output);
  options.env = NULL;
  SetEnvironmentVariableA("SAFEHOLD_TEST_PASSED_ON", "yes");
  output = say_of("env", NULL, &options);
  assert_non_null(strstr(output.out, "[SAFEHOLD_TEST_PASSED_ON=yes]\n"));
  safe_output_free(&output);
}

static void working_directory(void **state) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  const char *argv[] = {self, "exit", "0", NULL};
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  safe_output output;
  char path[1024];

  (void)state;
  options.cwd = "C:\\windows";
  output = say_of("cwd", NULL, &options);
  assert_int_equal(_stricmp(output.out, "[C:\\windows]\n"), 0);
  safe_output_free(&output);
  options.argv = argv;
  options.cwd = "C:\\no such folder";
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  assert_int_equal(error.stage, SAFE_STAGE_CWD);
  make_file_at("a file", "");
  join(path, sizeof(path), "a file");
  options.cwd = path;
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_ENOTDIR);
  assert_int_equal(error.stage, SAFE_STAGE_CWD);
}

int main(int count, char **args) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(arguments_by_the_shell_library), cmocka_unit_test(arguments_by_a_child),
    cmocka_unit_test(arguments_that_do_not_fit),      cmocka_unit_test(a_shell_line),
    cmocka_unit_test(batch_files_are_refused),        cmocka_unit_test(the_current_directory_is_not_searched),
    cmocka_unit_test(programs_that_are_none),         cmocka_unit_test(environment_is_sorted),
    cmocka_unit_test(an_empty_environment),           cmocka_unit_test(working_directory),
  };

  if (count > 1) return play_child(count, args);
  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
