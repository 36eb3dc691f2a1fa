/* SPDX-License-Identifier: MIT */
/* Child processes on Windows: what they get, what they must not get, and what is left afterwards. */
#include "test_win.h"

#include <shellapi.h>

#include "launch.h"
#include "process.h"
#include "program.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char self[1024];

/* ---- The child: this very program, started with a word. */

static void say(const char *format, ...) SAFE__PRINTF(1, 2);
static void say(const char *format, ...) {
  HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
  char text[4096];
  va_list arguments;
  DWORD written;
  int length;

  va_start(arguments, format);
  length = vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  if (length > 0) WriteFile(out, text, (DWORD)length, &written, NULL);
}

static void say_wide(const wchar_t *text) {
  char narrow[8192];

  safe__win_narrow(text, narrow, sizeof(narrow));
  say("[%s]\n", narrow);
}

/* Every value that is a handle. Files are named by their identity, as a value alone may be a handle of our own. */
static int child_handles(void) {
  BY_HANDLE_FILE_INFORMATION file;
  UINT_PTR value;
  DWORD flags;

  for (value = 4; value < 0x4000; value += 4) {
    HANDLE handle = (HANDLE)value;

    if (!GetHandleInformation(handle, &flags)) continue;
    if (GetFileType(handle) == FILE_TYPE_DISK && GetFileInformationByHandle(handle, &file))
      say("file %lu %lu:%lu at %llu\n", file.dwVolumeSerialNumber, file.nFileIndexHigh, file.nFileIndexLow,
          (unsigned long long)value);
    if (GetFileType(handle) == FILE_TYPE_PIPE) say("pipe at %llu\n", (unsigned long long)value);
  }
  return 0;
}

/* Whether one of the handles is the named event. */
static int child_event(const wchar_t *name) {
  typedef BOOL(WINAPI * compare_handles)(HANDLE one, HANDLE other);
  compare_handles compare = (compare_handles)safe__win_find(L"kernelbase.dll", "CompareObjectHandles");
  HANDLE event = OpenEventW(EVENT_ALL_ACCESS, FALSE, name);
  UINT_PTR value;
  DWORD flags;

  if (compare == NULL || event == NULL) return 3;
  for (value = 4; value < 0x4000; value += 4)
    if ((HANDLE)value != event && GetHandleInformation((HANDLE)value, &flags) && compare((HANDLE)value, event))
      return 1;
  return 0;
}

static int child_args(void) {
  typedef int(__cdecl * get_main_args)(int *count, wchar_t ***args, wchar_t ***env, int expand, int *start);
  get_main_args by_runtime = (get_main_args)safe__win_find(L"msvcrt.dll", "__wgetmainargs");
  int at, count = 0, start = 0;
  wchar_t **args = CommandLineToArgvW(GetCommandLineW(), &count), **env;

  for (at = 2; args != NULL && at < count; at++) say_wide(args[at]);
  say("--\n");
  if (by_runtime == NULL || by_runtime(&count, &args, &env, 0, &start) != 0) return 1;
  for (at = 2; at < count; at++) say_wide(args[at]);
  return 0;
}

static int child_env(void) {
  wchar_t *block = GetEnvironmentStringsW(), *at;

  for (at = block; at != NULL && *at != L'\0'; at += wcslen(at) + 1) say_wide(at);
  return 0;
}

static int child_job(void) {
  BOOL in_job = FALSE;

  IsProcessInJob(GetCurrentProcess(), NULL, &in_job);
  say("%d\n", in_job);
  return 0;
}

static int child_echo(bool both) {
  static char buffer[50000];
  DWORD got, put;

  while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), buffer, sizeof(buffer), &got, NULL) && got > 0) {
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), buffer, got, &put, NULL);
    if (both) WriteFile(GetStdHandle(STD_ERROR_HANDLE), buffer, got, &put, NULL);
  }
  return 0;
}

/* Starts one more, which inherits all there is, and lives for ms. */
static int child_leave(const char *ms, bool stay) {
  STARTUPINFOA startup = {0};
  PROCESS_INFORMATION made;
  char program[MAX_PATH], line[MAX_PATH + 64];

  GetModuleFileNameA(NULL, program, sizeof(program));
  snprintf(line, sizeof(line), "\"%s\" sleep %s", program, ms);
  startup.cb = sizeof(startup);
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  if (!CreateProcessA(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made)) return 1;
  say("%lu\n", made.dwProcessId);
  if (stay) Sleep((DWORD)atoi(ms));
  return 0;
}

static int child(int count, char **args) {
  wchar_t folder[1024], **wide = CommandLineToArgvW(GetCommandLineW(), &count);

  if (strcmp(args[1], "handles") == 0) return child_handles();
  if (strcmp(args[1], "event") == 0) return child_event(wide[2]);
  if (strcmp(args[1], "args") == 0) return child_args();
  if (strcmp(args[1], "env") == 0) return child_env();
  if (strcmp(args[1], "job") == 0) return child_job();
  if (strcmp(args[1], "echo") == 0) return child_echo(false);
  if (strcmp(args[1], "both") == 0) return child_echo(true);
  if (strcmp(args[1], "leave") == 0) return child_leave(args[2], false);
  if (strcmp(args[1], "pair") == 0) return child_leave(args[2], true);
  if (strcmp(args[1], "exit") == 0) ExitProcess((UINT)strtoul(args[2], NULL, 0));
  if (strcmp(args[1], "sleep") == 0) {
    Sleep((DWORD)atoi(args[2]));
    return 0;
  }
  if (strcmp(args[1], "cwd") == 0) {
    GetCurrentDirectoryW(COUNT(folder), folder);
    say_wide(folder);
    return 0;
  }
  return 98;
}

/* ---- The parent. */

static safe_process *start(const char *const *argv, safe_spawn_options *options) {
  safe_process *process;
  safe_error error = SAFE_ERROR_INIT;

  options->argv = argv;
  options->timeout_ms = slow(10000);
  if (safe_spawn(&process, options, &error) != SAFE_OK) fail_msg("%s: %s", safe_code_name(error.code), error.message);
  return process;
}

static int64_t end_of(safe_process *process) {
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;

  options.timeout_ms = slow(20000);
  if (safe_process_wait(process, &options, &status, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(status.kind, SAFE_EXIT_CODE);
  return status.code;
}

/* What a child of these words writes, to be freed with safe_output_free; it must end with 0. */
static safe_output output_of(const char *const *argv, safe_spawn_options *options) {
  safe_output output = SAFE_OUTPUT_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options->out.kind = SAFE_STDIO_PIPE;
  talk.timeout_ms = slow(20000);
  process = start(argv, options);
  if (safe_process_communicate(process, &talk, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
  return output;
}

static safe_output say_of(const char *first, const char *second, safe_spawn_options *options) {
  const char *argv[] = {self, first, second, NULL};

  return output_of(argv, options);
}

static int spawn_code(const char *file, safe_error *error) {
  const char *argv[] = {file, "exit", "0", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;
  int code;

  options.argv = argv;
  options.out.kind = SAFE_STDIO_NULL;
  options.timeout_ms = slow(10000);
  error->size = sizeof(*error);
  code = safe_spawn(&process, &options, error);
  if (code == SAFE_OK) {
    end_of(process);
    safe_process_free(process);
  }
  return code;
}

static void exit_codes(void **state) {
  static const char *const codes[] = {"0", "3", "0xC0000005", "259", "0xFFFFFFFF"};
  static const int64_t expected[] = {0, 3, INT64_C(0xC0000005), 259, INT64_C(0xFFFFFFFF)};
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(codes); at++) {
    const char *argv[] = {self, "exit", codes[at], NULL};
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_process *process = start(argv, &options);

    assert_true(safe_process_pid(process) > 0);
    assert_int_equal(end_of(process), expected[at]);
    assert_int_equal(end_of(process), expected[at]);
    assert_int_equal(WaitForSingleObject(safe_process_exit_handle(process), 0), WAIT_OBJECT_0);
    safe_process_free(process);
  }
}

static HANDLE decoy_file(const char *name, bool inherit) {
  SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, inherit};
  char path[1024];
  HANDLE file;

  join(path, sizeof(path), name);
  file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                     &attributes, CREATE_ALWAYS, 0, NULL);
  assert_true(file != INVALID_HANDLE_VALUE);
  return file;
}

static void identity(HANDLE file, char *text, size_t size) {
  BY_HANDLE_FILE_INFORMATION found;

  assert_true(GetFileInformationByHandle(file, &found));
  snprintf(text, size, "file %lu %lu:%lu at ", found.dwVolumeSerialNumber, found.nFileIndexHigh, found.nFileIndexLow);
}

static void only_listed_handles_arrive(void **state) {
  SECURITY_ATTRIBUTES inheritable = {sizeof(inheritable), NULL, TRUE};
  HANDLE decoy = decoy_file("decoy", true), plain = decoy_file("plain", false), twin = decoy_file("twin", true);
  HANDLE pipe[2];
  safe_child_handle listed[3];
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_output output;
  char expected[128], unwanted[128];
  DWORD before, after;

  (void)state;
  assert_true(CreatePipe(&pipe[0], &pipe[1], &inheritable, 0));
  listed[0].handle = listed[2].handle = plain; /* twice: once is enough, and Windows would refuse the second */
  listed[1].handle = twin;
  listed[0].target = listed[1].target = listed[2].target = -1;
  options.handles = listed;
  options.handle_count = 3;
  options.in.kind = options.err.kind = SAFE_STDIO_NULL;
  output = say_of("handles", NULL, &options);

  /* Under the same value, as the contract says. */
  identity(plain, expected, sizeof(expected));
  snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%llu\n",
           (unsigned long long)(UINT_PTR)plain);
  assert_non_null(strstr(output.out, expected));
  identity(twin, expected, sizeof(expected));
  snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%llu\n",
           (unsigned long long)(UINT_PTR)twin);
  assert_non_null(strstr(output.out, expected));
  identity(decoy, unwanted, sizeof(unwanted));
  assert_null(strstr(output.out, unwanted));
  /* Of all pipes only its own stdout. */
  assert_non_null(strstr(output.out, "pipe at "));
  assert_null(strstr(strstr(output.out, "pipe at ") + 1, "pipe at "));
  safe_output_free(&output);

  assert_true(GetHandleInformation(plain, &before));
  assert_int_equal(before & HANDLE_FLAG_INHERIT, 0);
  assert_true(GetHandleInformation(twin, &after));
  assert_int_equal(after & HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  CloseHandle(decoy);
  CloseHandle(plain);
  CloseHandle(twin);
  CloseHandle(pipe[0]);
  CloseHandle(pipe[1]);
}

/* The same child by a plain CreateProcess gets them: the test can tell. */
static void decoys_are_decoys(void **state) {
  SECURITY_ATTRIBUTES inheritable = {sizeof(inheritable), NULL, TRUE};
  HANDLE event = CreateEventW(&inheritable, TRUE, FALSE, L"safehold-test-decoy");
  STARTUPINFOA startup = {0};
  const char *argv[] = {self, "event", "safehold-test-decoy", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  PROCESS_INFORMATION made;
  safe_process *process;
  char line[1200];
  DWORD code = 98;

  (void)state;
  assert_non_null(event);
  startup.cb = sizeof(startup);
  snprintf(line, sizeof(line), "\"%s\" event safehold-test-decoy", self);
  assert_true(CreateProcessA(self, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made));
  assert_int_equal(WaitForSingleObject(made.hProcess, 20000), WAIT_OBJECT_0);
  GetExitCodeProcess(made.hProcess, &code);
  CloseHandle(made.hProcess);
  CloseHandle(made.hThread);
  process = start(argv, &options);
  if (code == 3) {
    assert_int_equal(end_of(process), 3);
    print_message("CompareObjectHandles is missing here\n");
  } else {
    assert_int_equal(code, 1);
    assert_int_equal(end_of(process), 0);
  }
  safe_process_free(process);
  CloseHandle(event);
}

/* The practical side: a reader sees the end of a pipe although a child, started meanwhile, still runs. */
static void a_pipe_of_the_host_ends(void **state) {
  SECURITY_ATTRIBUTES inheritable = {sizeof(inheritable), NULL, TRUE};
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_process *process;
  HANDLE pipe[2];
  DWORD got;
  char byte;

  (void)state;
  assert_true(CreatePipe(&pipe[0], &pipe[1], &inheritable, 0));
  process = start(argv, &options);
  CloseHandle(pipe[1]);
  assert_false(ReadFile(pipe[0], &byte, 1, &got, NULL));
  assert_int_equal(GetLastError(), ERROR_BROKEN_PIPE);
  CloseHandle(pipe[0]);
  stop.grace_ms = 0;
  assert_int_equal(safe_process_stop(process, &stop, NULL, NULL), SAFE_OK);
  safe_process_free(process);
}

static void wrong_handles(void **state) {
  const char *argv[] = {self, "exit", "0", NULL};
  HANDLE closed = CreateEventW(NULL, TRUE, FALSE, NULL);
  const HANDLE bad[] = {NULL, GetCurrentProcess(), GetCurrentThread(), (HANDLE)(LONG_PTR)-6, closed, (HANDLE)0x7770};
  size_t at;

  (void)state;
  CloseHandle(closed);
  for (at = 0; at < COUNT(bad); at++) {
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_child_handle listed = {bad[at], -1};
    safe_error error = SAFE_ERROR_INIT;
    safe_process *process;

    options.argv = argv;
    options.handles = &listed;
    options.handle_count = 1;
    assert_int_equal(safe_spawn(&process, &options, &error), SAFE_EBADF);
    assert_int_equal(error.stage, SAFE_STAGE_HANDLE);
    assert_int_equal(error.index, 0);
    options.handle_count = 0;
    options.out.kind = SAFE_STDIO_HANDLE;
    options.out.handle = bad[at];
    assert_int_equal(safe_spawn(&process, &options, &error), SAFE_EBADF);
    assert_int_equal(error.index, 1);
  }
}

static void wrong_target(void **state) {
  const char *argv[] = {self, "exit", "0", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_child_handle listed = {NULL, 3};
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  options.argv = argv;
  options.handles = &listed;
  options.handle_count = 1;
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_EINVAL);
}

static void in_a_job_from_the_start(void **state) {
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_process *process;
  safe_output output;
  JOBOBJECT_BASIC_ACCOUNTING_INFORMATION found;
  BOOL in_job = FALSE;

  (void)state;
  output = say_of("job", NULL, &options);
  assert_string_equal(output.out, "1\n");
  safe_output_free(&output);
  options.out.kind = SAFE_STDIO_NULL;
  process = start(argv, &options);
  assert_true(IsProcessInJob(process->child.process, process->child.job, &in_job));
  assert_true(in_job);
  /* A job of its own, with nobody else in it; but Wine starts the console's host there, too. */
  assert_true(
    QueryInformationJobObject(process->child.job, JobObjectBasicAccountingInformation, &found, sizeof(found), NULL));
  assert_in_range(found.TotalProcesses, 1, 2);
  stop.grace_ms = 0;
  assert_int_equal(safe_process_stop(process, &stop, NULL, NULL), SAFE_OK);
  safe_process_free(process);
}

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

  assert_int_equal(safe__win_command_line(argv, &line, &error), SAFE_OK);
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

static void make_file_at(const char *name, const char *content) {
  char path[1024];
  FILE *file;

  join(path, sizeof(path), name);
  file = fopen(path, "wb");
  assert_non_null(file);
  fputs(content, file);
  fclose(file);
}

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
  assert_int_equal(safe__win_environment(env, &block, &error), SAFE_OK);
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

/* ---- Streams. */

#define MEBI ((size_t)1024 * 1024)

static void communicate_both_ways(void **state) {
  const char *argv[] = {self, "both", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  char *input = malloc(MEBI);
  size_t at;

  (void)state;
  assert_non_null(input);
  for (at = 0; at < MEBI; at++) input[at] = (char)(at * 31 + at / 251);
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  process = start(argv, &options);
  talk.input = input;
  talk.input_length = MEBI;
  talk.timeout_ms = slow(30000);
  if (safe_process_communicate(process, &talk, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(output.input_used, MEBI);
  assert_int_equal(output.flags, 0);
  assert_int_equal(output.out_length, MEBI);
  assert_int_equal(output.err_length, MEBI);
  assert_memory_equal(output.out, input, MEBI);
  assert_memory_equal(output.err, input, MEBI);
  assert_int_equal(end_of(process), 0);
  safe_output_free(&output);
  safe_process_free(process);
  free(input);
}

/* A timed-out exchange goes on where it was, though a write was under way when it ended. */
static void communicate_goes_on(void **state) {
  const char *argv[] = {self, "echo", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  size_t used = 0, got = 0, at;
  safe_process *process;
  char *input = malloc(MEBI), *all = malloc(MEBI);
  int code = SAFE_ETIMEDOUT, rounds = 0;

  (void)state;
  for (at = 0; at < MEBI; at++) input[at] = (char)(at * 7 + at / 509);
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  process = start(argv, &options);
  for (; code == SAFE_ETIMEDOUT && rounds < 10000; rounds++) {
    safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
    safe_output output = SAFE_OUTPUT_INIT;

    talk.input = input + used;
    talk.input_length = MEBI - used;
    talk.timeout_ms = rounds < 20 ? 1 : slow(20000);
    code = safe_process_communicate(process, &talk, &output, &error);
    used += output.input_used;
    assert_true(got + output.out_length <= MEBI);
    memcpy(all + got, output.out, output.out_length);
    got += output.out_length;
    safe_output_free(&output);
  }
  assert_int_equal(code, SAFE_OK);
  assert_true(rounds > 1);
  assert_int_equal(used, MEBI);
  assert_int_equal(got, MEBI);
  assert_memory_equal(all, input, MEBI);
  safe_process_free(process);
  free(input);
  free(all);
}

static void input_is_refused(void **state) {
  const char *argv[] = {self, "exit", "0", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  char *input = calloc(1, MEBI);

  (void)state;
  options.in.kind = SAFE_STDIO_PIPE;
  process = start(argv, &options);
  talk.input = input;
  talk.input_length = MEBI;
  assert_int_equal(safe_process_communicate(process, &talk, &output, &error), SAFE_OK);
  assert_int_equal(output.flags, SAFE_OUTPUT_IN_REFUSED);
  assert_true(output.input_used < MEBI);
  safe_output_free(&output);
  safe_process_free(process);
  free(input);
}

static void a_grandchild_keeps_the_pipe(void **state) {
  const char *argv[] = {self, "leave", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  HANDLE grandchild;
  int64_t began;

  (void)state;
  options.out.kind = SAFE_STDIO_PIPE;
  process = start(argv, &options);
  talk.drain_ms = 200;
  talk.timeout_ms = slow(20000);
  assert_int_equal(safe_process_communicate(process, &talk, &output, &error), SAFE_OK);
  assert_int_equal(output.flags, SAFE_OUTPUT_HELD_OPEN);
  grandchild = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)atoi(output.out));
  assert_non_null(grandchild);
  assert_int_equal(WaitForSingleObject(grandchild, 0), WAIT_TIMEOUT);
  stop.grace_ms = 0;
  began = safe__os_now();
  assert_int_equal(safe_process_stop(process, &stop, &report, &error), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  assert_true(ms_since(began) <= slow(200));
  assert_int_equal(WaitForSingleObject(grandchild, 1000), WAIT_OBJECT_0);
  assert_int_equal(end_of(process), 0); /* its own end was before that */
  CloseHandle(grandchild);
  safe_output_free(&output);
  safe_process_free(process);
}

static void a_taken_pipe(void **state) {
  const char *argv[] = {self, "echo", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;
  OVERLAPPED overlapped = {0};
  HANDLE in, out;
  char text[16];
  DWORD flags, moved = 0;

  (void)state;
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  process = start(argv, &options);
  in = safe_process_take_pipe(process, 0);
  assert_true(in != SAFE_INVALID_HANDLE);
  assert_true(safe_process_take_pipe(process, 0) == SAFE_INVALID_HANDLE);
  assert_true(safe_process_take_pipe(process, 2) == SAFE_INVALID_HANDLE);
  assert_true(GetHandleInformation(in, &flags));
  assert_int_equal(flags & HANDLE_FLAG_INHERIT, 0);
  /* Somebody waits for output before the pipe is taken: nothing may get lost. */
  talk.timeout_ms = 1;
  assert_int_equal(safe_process_communicate(process, &talk, &output, NULL), SAFE_ETIMEDOUT);
  assert_int_equal(output.out_length, 0);
  safe_output_free(&output);
  overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (!WriteFile(in, "hello", 5, NULL, &overlapped)) assert_int_equal(GetLastError(), ERROR_IO_PENDING);
  assert_true(GetOverlappedResult(in, &overlapped, &moved, TRUE));
  out = safe_process_take_pipe(process, 1);
  assert_true(out != SAFE_INVALID_HANDLE);
  if (!ReadFile(out, text, sizeof(text), NULL, &overlapped)) assert_int_equal(GetLastError(), ERROR_IO_PENDING);
  assert_true(GetOverlappedResult(out, &overlapped, &moved, TRUE));
  assert_int_equal(moved, 5);
  assert_memory_equal(text, "hello", 5);
  CloseHandle(overlapped.hEvent);
  CloseHandle(in);
  CloseHandle(out);
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
}

static void given_handles_as_streams(void **state) {
  const char *argv[] = {self, "echo", NULL};
  HANDLE in = decoy_file("input", false), out = decoy_file("output", false);
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;
  DWORD moved, flags;
  char text[16];

  (void)state;
  assert_true(WriteFile(in, "from a file", 11, &moved, NULL));
  SetFilePointer(in, 0, NULL, FILE_BEGIN);
  options.in.kind = options.out.kind = SAFE_STDIO_HANDLE;
  options.in.handle = in;
  options.out.handle = out;
  options.err.kind = SAFE_STDIO_TO_OUT;
  process = start(argv, &options);
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
  SetFilePointer(out, 0, NULL, FILE_BEGIN);
  assert_true(ReadFile(out, text, sizeof(text), &moved, NULL));
  assert_int_equal(moved, 11);
  assert_memory_equal(text, "from a file", 11);
  assert_true(GetHandleInformation(in, &flags) && (flags & HANDLE_FLAG_INHERIT) == 0);
  CloseHandle(in);
  CloseHandle(out);
}

/* ---- Ends. */

static void stop_by_force(void **state) {
  const char *argv[] = {self, "pair", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  safe_handle out;
  HANDLE grandchild;
  OVERLAPPED overlapped = {0};
  char text[32] = "";
  DWORD moved = 0;
  int64_t began;

  (void)state;
  options.out.kind = SAFE_STDIO_PIPE;
  process = start(argv, &options);
  out = safe_process_take_pipe(process, 1);
  overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  ReadFile(out, text, sizeof(text) - 1, NULL, &overlapped);
  assert_true(GetOverlappedResult(out, &overlapped, &moved, TRUE));
  grandchild = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)atoi(text));
  assert_non_null(grandchild);
  stop.grace_ms = 100;
  began = safe__os_now();
  assert_int_equal(safe_process_stop(process, &stop, &report, &error), SAFE_OK);
  assert_in_range(ms_since(began), 0, 100 + slow(100));
  assert_true(report.verdict == SAFE_STOP_FORCED || report.verdict == SAFE_STOP_POLITE);
  assert_int_equal(report.left_count, 0);
  assert_int_equal(WaitForSingleObject(grandchild, 1000), WAIT_OBJECT_0);
  assert_int_equal(safe_process_stop(process, &stop, &report, &error), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_WAS_GONE);
  CloseHandle(grandchild);
  CloseHandle(out);
  CloseHandle(overlapped.hEvent);
  safe_process_free(process);
}

/* A program that reads its input ends when the polite stop closes it, console or not. */
static void stop_politely(void **state) {
  const char *argv[] = {self, "echo", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process;

  (void)state;
  options.in.kind = SAFE_STDIO_PIPE;
  options.out.kind = SAFE_STDIO_NULL;
  process = start(argv, &options);
  stop.grace_ms = slow(10000);
  assert_int_equal(safe_process_stop(process, &stop, &report, NULL), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_POLITE);
  safe_process_free(process);
}

static void stop_the_child_alone(void **state) {
  const char *argv[] = {self, "leave", "3000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_process *process;
  HANDLE grandchild;

  (void)state;
  options.group = SAFE_GROUP_HOST;
  options.out.kind = SAFE_STDIO_PIPE;
  process = start(argv, &options);
  talk.drain_ms = 1;
  assert_int_equal(safe_process_communicate(process, &talk, &output, NULL), SAFE_OK);
  grandchild = OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, (DWORD)atoi(output.out));
  assert_non_null(grandchild);
  assert_int_equal(safe_process_stop(process, &stop, &report, NULL), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_WAS_GONE);
  assert_int_equal(WaitForSingleObject(grandchild, 0), WAIT_TIMEOUT);
  TerminateProcess(grandchild, 0);
  WaitForSingleObject(grandchild, 5000);
  CloseHandle(grandchild);
  safe_output_free(&output);
  safe_process_free(process);
}

static void waiting_ends_in_time(void **state) {
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_wait_options wait = SAFE_WAIT_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_cancel *cancel;
  safe_process *process = start(argv, &options);
  int64_t began = safe__os_now();

  (void)state;
  wait.timeout_ms = 100;
  assert_int_equal(safe_process_wait(process, &wait, NULL, NULL), SAFE_ETIMEDOUT);
  assert_in_range(ms_since(began), 99, 100 + slow(200));
  assert_int_equal(safe_cancel_create(&cancel), SAFE_OK);
  safe_cancel_trigger(cancel);
  wait.cancel = cancel;
  wait.timeout_ms = SAFE_FOREVER;
  assert_int_equal(safe_process_wait(process, &wait, NULL, NULL), SAFE_ECANCELED);
  stop.grace_ms = 0;
  assert_int_equal(safe_process_stop(process, &stop, NULL, NULL), SAFE_OK);
  safe_cancel_free(cancel);
  safe_process_free(process);
}

static void freeing_ends_nobody(void **state) {
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process = start(argv, &options);
  HANDLE kept = OpenProcess(SYNCHRONIZE | PROCESS_TERMINATE, FALSE, (DWORD)safe_process_pid(process));

  (void)state;
  assert_non_null(kept);
  safe_process_free(process);
  assert_int_equal(WaitForSingleObject(kept, 200), WAIT_TIMEOUT);
  TerminateProcess(kept, 0);
  assert_int_equal(WaitForSingleObject(kept, 5000), WAIT_OBJECT_0);
  CloseHandle(kept);
}

/* ---- A CreateProcess that takes too long. */

static HANDLE gate;
static volatile LONG created_pid;

static BOOL WINAPI slow_create(const wchar_t *program, wchar_t *command, SECURITY_ATTRIBUTES *process,
                               SECURITY_ATTRIBUTES *thread, BOOL inherit, DWORD flags, void *environment,
                               const wchar_t *folder, STARTUPINFOW *startup, PROCESS_INFORMATION *made) {
  BOOL done;

  WaitForSingleObject(gate, 20000);
  done = CreateProcessW(program, command, process, thread, inherit, flags, environment, folder, startup, made);
  if (done) InterlockedExchange(&created_pid, (LONG)made->dwProcessId);
  return done;
}

static void a_spawn_that_blocks(void **state) {
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe__win_create real = safe__win_create_process;
  HANDLE file = decoy_file("listed", false), late;
  safe_child_handle listed = {file, -1};
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int64_t began;
  DWORD flags;

  (void)state;
  gate = CreateEventW(NULL, TRUE, FALSE, NULL);
  created_pid = 0;
  safe__win_create_process = slow_create;
  options.argv = argv;
  options.timeout_ms = 100;
  options.handles = &listed;
  options.handle_count = 1;
  options.out.kind = SAFE_STDIO_PIPE;
  began = safe__os_now();
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_ESTUCK);
  assert_in_range(ms_since(began), 99, 200 + slow(200));
  assert_int_equal(error.stage, SAFE_STAGE_CREATE);
  assert_null(process);
  assert_int_equal(safe_parked_count(), 1);
  /* The listed handle is the caller's again, and another spawn is not held up. */
  assert_true(GetHandleInformation(file, &flags) && (flags & HANDLE_FLAG_INHERIT) == 0);
  safe__win_create_process = real;
  assert_int_equal(spawn_code(self, &error), SAFE_OK);
  SetEvent(gate);
  assert_int_equal(safe_shutdown(slow(20000)), SAFE_OK);
  assert_int_equal(safe_parked_count(), 0);
  /* Windows may refuse to make it, as a listed handle is not inheritable any more. If it was made, it is gone. */
  if (created_pid != 0) {
    late = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)created_pid);
    if (late != NULL) {
      assert_int_equal(WaitForSingleObject(late, 5000), WAIT_OBJECT_0);
      CloseHandle(late);
    }
  }
  CloseHandle(gate);
  CloseHandle(file);
}

/* ---- Nothing is left. */

static void failures_leave_nothing(void **state) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  const char *argv[] = {"no-such-program-anywhere", NULL};
  safe_process *process;
  DWORD before = 0;
  int round;

  (void)state;
  options.argv = argv;
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  for (round = 0; round < 20; round++) {
    if (round == 2) before = handle_count();
    argv[0] = round % 2 == 0 ? "no-such-program-anywhere" : "x.bat";
    assert_int_not_equal(safe_spawn(&process, &options, &error), SAFE_OK);
    assert_null(process);
  }
  assert_int_equal(handle_count(), before);
}

static void successes_leave_nothing(void **state) {
  static const DWORD names[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  DWORD flags[3] = {0}, now, before = 0;
  int round, at;

  (void)state;
  for (at = 0; at < 3; at++) GetHandleInformation(GetStdHandle(names[at]), &flags[at]);
  for (round = 0; round < 12; round++) {
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_output output;

    if (round == 2) before = handle_count();
    if (round % 2 == 0) options.err.kind = options.in.kind = SAFE_STDIO_PIPE;
    output = say_of("cwd", NULL, &options);
    safe_output_free(&output);
    for (at = 0; at < 3; at++) {
      now = 0;
      GetHandleInformation(GetStdHandle(names[at]), &now);
      assert_int_equal(now, flags[at]);
    }
  }
  assert_int_equal(handle_count(), before);
  assert_int_equal(safe_parked_count(), 0);
}

/* Every request for memory on the way fails once: an error, and nothing left. */
static void *(*real_realloc)(void *memory, size_t size);
static volatile LONG requests_left;

static void *failing_realloc(void *memory, size_t size) {
  return InterlockedDecrement(&requests_left) < 0 ? NULL : real_realloc(memory, size);
}

static void memory_runs_out(void **state) {
  static const char *const env[] = {"A=1", "B=2", NULL};
  const char *argv[] = {self, "exit", "0", NULL};
  HANDLE file = decoy_file("listed2", false);
  safe_child_handle listed = {file, -1};
  DWORD before = handle_count();
  int at, code = SAFE_ENOMEM;

  (void)state;
  real_realloc = safe__realloc;
  for (at = 0; code != SAFE_OK && at < 200; at++) {
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_process *process;

    options.argv = argv;
    options.env = env;
    options.cwd = "C:\\";
    options.handles = &listed;
    options.handle_count = 1;
    options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
    options.timeout_ms = slow(10000);
    requests_left = at;
    safe__realloc = failing_realloc;
    code = safe_spawn(&process, &options, NULL);
    safe__realloc = real_realloc;
    if (code == SAFE_OK) {
      end_of(process);
      safe_process_free(process);
    } else {
      assert_int_equal(code, SAFE_ENOMEM);
    }
    assert_int_equal(handle_count(), before);
  }
  assert_int_equal(code, SAFE_OK);
  assert_true(at > 10);
  CloseHandle(file);
}

static int set_up_group(void **state) {
  wchar_t path[1024];

  (void)state;
  GetModuleFileNameW(NULL, path, COUNT(path));
  safe__win_narrow(path, self, sizeof(self));
  return 0;
}

int main(int count, char **args) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(exit_codes),
    cmocka_unit_test(only_listed_handles_arrive),
    cmocka_unit_test(decoys_are_decoys),
    cmocka_unit_test(a_pipe_of_the_host_ends),
    cmocka_unit_test(wrong_handles),
    cmocka_unit_test(wrong_target),
    cmocka_unit_test(in_a_job_from_the_start),
    cmocka_unit_test(arguments_by_the_shell_library),
    cmocka_unit_test(arguments_by_a_child),
    cmocka_unit_test(arguments_that_do_not_fit),
    cmocka_unit_test(a_shell_line),
    cmocka_unit_test(batch_files_are_refused),
    cmocka_unit_test(the_current_directory_is_not_searched),
    cmocka_unit_test(programs_that_are_none),
    cmocka_unit_test(environment_is_sorted),
    cmocka_unit_test(an_empty_environment),
    cmocka_unit_test(working_directory),
    cmocka_unit_test(communicate_both_ways),
    cmocka_unit_test(communicate_goes_on),
    cmocka_unit_test(input_is_refused),
    cmocka_unit_test(a_grandchild_keeps_the_pipe),
    cmocka_unit_test(a_taken_pipe),
    cmocka_unit_test(given_handles_as_streams),
    cmocka_unit_test(stop_by_force),
    cmocka_unit_test(stop_politely),
    cmocka_unit_test(stop_the_child_alone),
    cmocka_unit_test(waiting_ends_in_time),
    cmocka_unit_test(freeing_ends_nobody),
    cmocka_unit_test(a_spawn_that_blocks),
    cmocka_unit_test(failures_leave_nothing),
    cmocka_unit_test(successes_leave_nothing),
    cmocka_unit_test(memory_runs_out),
  };

  if (count > 1) return child(count, args);
  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
