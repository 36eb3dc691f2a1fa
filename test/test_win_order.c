/* SPDX-License-Identifier: MIT */
/* What a caller may ask for a child on Windows besides program and handles, and what Windows does not have. */
#include "test_win_child.h"

#include "job.h"
#include "launch.h"
#include "priority.h"

static void expect_failure(safe_spawn_options *options, int code, int stage, int index) {
  static const char *const argv[] = {"cmd.exe", "/c", "exit", NULL};
  safe_error error = SAFE_ERROR_INIT;
  DWORD before = handle_count();
  safe_process *process;

  if (options->argv == NULL) options->argv = argv;
  assert_int_equal(safe_spawn(&process, options, &error), code);
  assert_null(process);
  assert_int_equal(error.stage, stage);
  assert_int_equal(error.index, index);
  assert_true(strlen(error.message) > 10);
  assert_int_equal(handle_count(), before);
}

static void what_windows_lacks(void **state) {
  static const uint32_t groups[] = {1};
  static const safe_limit files = {SAFE_LIMIT_OPEN_FILES, 0, 10}, none = {SAFE_LIMIT_PROCESSES, 0, 0};
  safe_spawn_options plain = SAFE_SPAWN_OPTIONS_INIT, options;

  (void)state;
  options = plain, options.uid = 1;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_UID, -1);
  options = plain, options.gid = 1;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_GID, -1);
  options = plain, options.groups = groups, options.group_count = 1;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_GROUPS, -1);
  options = plain, options.umask = 022;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1);
  options = plain, options.tree = SAFE_TREE_CGROUP;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_CGROUP, -1);
  options = plain, options.flags = SAFE_SPAWN_NO_NEW_PRIVILEGES;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_PRIVILEGES, -1);
  options = plain, options.flags = SAFE_SPAWN_KEEP_IGNORED;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1);
  options = plain, options.flags = SAFE_SPAWN_CONTROLLING_TERMINAL, options.group = SAFE_GROUP_SESSION;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_TERMINAL, -1);
  options = plain, options.flags = SAFE_SPAWN_NO_WINDOW | SAFE_SPAWN_NEW_CONSOLE;
  expect_failure(&options, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1);
  options = plain, options.limits = &files, options.limit_count = 1;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_LIMIT, 0);
  options = plain, options.limits = &none, options.limit_count = 1;
  expect_failure(&options, SAFE_EINVAL, SAFE_STAGE_LIMIT, 0);
  options = plain, options.in.kind = SAFE_STDIO_PIPE, options.in.flags = SAFE_STDIO_NON_BLOCKING_CHILD;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_PIPE, 0);
}

/* Wine keeps no limits, so that what a job is told is looked at here; that it takes them, by a spawn. */
static void limits_of_a_job(void **state) {
  static const safe_limit limits[] = {
    {SAFE_LIMIT_MEMORY, 0, INT64_C(1) << 30}, {SAFE_LIMIT_CPU_TIME, 0, 60}, {SAFE_LIMIT_PROCESSES, 0, 5}};
  static const safe_limit endless[] = {{SAFE_LIMIT_MEMORY, 0, SAFE_UNLIMITED},
                                       {SAFE_LIMIT_CPU_TIME, 0, INT64_MAX},
                                       {SAFE_LIMIT_PROCESSES, 0, INT64_C(1) << 40}};
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION wanted = {0}, nothing = {0};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  const char *argv[] = {self, "exit", "0", NULL};
  safe_process *process;
  size_t at;

  (void)state;
  for (at = 0; at < 3; at++) assert_int_equal(safe__win_job_limit(&wanted, &limits[at]), SAFE_OK);
  assert_int_equal(wanted.BasicLimitInformation.LimitFlags,
                   JOB_OBJECT_LIMIT_JOB_MEMORY | JOB_OBJECT_LIMIT_JOB_TIME | JOB_OBJECT_LIMIT_ACTIVE_PROCESS);
  assert_int_equal(wanted.JobMemoryLimit, INT64_C(1) << 30);
  assert_int_equal(wanted.BasicLimitInformation.PerJobUserTimeLimit.QuadPart, INT64_C(600000000));
  assert_int_equal(wanted.BasicLimitInformation.ActiveProcessLimit, 5);
  for (at = 0; at < 3; at++) assert_int_equal(safe__win_job_limit(&nothing, &endless[at]), SAFE_OK);
  assert_int_equal(nothing.BasicLimitInformation.LimitFlags, 0);
  options.limits = limits;
  options.limit_count = 3;
  process = start_child(argv, &options);
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
}

/* What a child gets by a plain CreateProcess with this class: Wine 8 lets it have another. */
static DWORD plain_class(DWORD class) {
  STARTUPINFOA startup = {0};
  PROCESS_INFORMATION made;
  DWORD code = 0;
  char line[1200];

  startup.cb = sizeof(startup);
  snprintf(line, sizeof(line), "\"%s\" priority", self);
  assert_true(CreateProcessA(self, line, NULL, NULL, FALSE, class, NULL, NULL, &startup, &made));
  assert_int_equal(WaitForSingleObject(made.hProcess, 20000), WAIT_OBJECT_0);
  GetExitCodeProcess(made.hProcess, &code);
  CloseHandle(made.hProcess);
  CloseHandle(made.hThread);
  return code;
}

static void niceness_is_a_priority_class(void **state) {
  static const struct {
    int32_t nice;
    DWORD class;
  } expected[] = {{0, NORMAL_PRIORITY_CLASS},        {9, NORMAL_PRIORITY_CLASS},
                  {10, BELOW_NORMAL_PRIORITY_CLASS}, {19, IDLE_PRIORITY_CLASS},
                  {40, IDLE_PRIORITY_CLASS},         {-6, NORMAL_PRIORITY_CLASS},
                  {-7, ABOVE_NORMAL_PRIORITY_CLASS}, {-13, ABOVE_NORMAL_PRIORITY_CLASS},
                  {-14, HIGH_PRIORITY_CLASS},        {-40, HIGH_PRIORITY_CLASS}};
  const char *argv[] = {self, "priority", NULL};
  DWORD class = plain_class(BELOW_NORMAL_PRIORITY_CLASS);
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(expected); at++)
    assert_int_equal(safe__win_priority(NORMAL_PRIORITY_CLASS, expected[at].nice), expected[at].class);
  assert_int_equal(safe__win_priority(IDLE_PRIORITY_CLASS, 0), IDLE_PRIORITY_CLASS);
  assert_int_equal(safe__win_priority(HIGH_PRIORITY_CLASS, 0), NORMAL_PRIORITY_CLASS);
  assert_int_equal(safe__win_priority(REALTIME_PRIORITY_CLASS, 1), ABOVE_NORMAL_PRIORITY_CLASS);
  assert_int_equal(safe__win_priority(BELOW_NORMAL_PRIORITY_CLASS, 9), IDLE_PRIORITY_CLASS);
  for (at = 0; at < 2; at++) {
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_process *process;

    options.nice = 12;
    options.flags = at == 0 ? SAFE_SPAWN_PROXY : SAFE_SPAWN_NO_PROXY;
    process = start_child(argv, &options);
    assert_int_equal(end_of(process), class);
    safe_process_free(process);
  }
}

static char *content_of(const char *path) {
  static char text[256];
  FILE *file = fopen(path, "rb");

  assert_non_null(file);
  text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
  fclose(file);
  return text;
}

static int echo_between(const char *in, const char *out, uint32_t flags, safe_error *error) {
  const char *argv[] = {self, "both", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;
  int code;

  options.argv = argv;
  options.timeout_ms = slow(10000);
  options.in.kind = options.out.kind = SAFE_STDIO_PATH;
  options.in.path = in;
  options.out.path = out;
  options.out.flags = flags;
  options.err.kind = SAFE_STDIO_TO_OUT;
  code = safe_spawn(&process, &options, error);
  if (code != SAFE_OK) return code;
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
  return SAFE_OK;
}

static void streams_by_path(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  char in[1024], out[1024];
  DWORD before;

  (void)state;
  make_file_at("in.txt", "hello ");
  make_file_at("out.txt", "something longer than that, which goes");
  join(in, sizeof(in), "in.txt");
  join(out, sizeof(out), "out.txt");
  assert_int_equal(echo_between(in, out, 0, &error), SAFE_OK);
  assert_string_equal(content_of(out), "hello hello ");
  before = handle_count();
  assert_int_equal(echo_between(in, out, SAFE_STDIO_APPEND, &error), SAFE_OK);
  assert_string_equal(content_of(out), "hello hello hello hello ");
  assert_int_equal(echo_between(in, out, SAFE_STDIO_NEW, &error), SAFE_ESYSTEM);
  assert_int_equal(error.os_code, ERROR_FILE_EXISTS);
  assert_int_equal(error.stage, SAFE_STAGE_STDIO);
  assert_int_equal(error.index, 1);
  assert_string_equal(content_of(out), "hello hello hello hello ");
  join(out, sizeof(out), "new.txt");
  assert_int_equal(echo_between(in, out, SAFE_STDIO_NEW | SAFE_STDIO_APPEND, &error), SAFE_OK);
  assert_string_equal(content_of(out), "hello hello ");
  join(in, sizeof(in), "no-such-file");
  assert_int_equal(echo_between(in, out, 0, &error), SAFE_ENOENT);
  assert_int_equal(error.index, 0);
  assert_int_equal(echo_between("NUL", out, 0, &error), SAFE_ENOTREG);
  assert_int_equal(handle_count(), before);
}

/* ---- A file that does not open: a dead server's. */

static HANDLE gate;

static HANDLE WINAPI slow_open(const wchar_t *path, DWORD access, DWORD share, SECURITY_ATTRIBUTES *security,
                               DWORD disposition, DWORD flags, HANDLE model) {
  WaitForSingleObject(gate, 20000);
  return CreateFileW(path, access, share, security, disposition, flags, model);
}

static void a_file_that_does_not_open(void **state) {
  safe__win_opener real = safe__win_open_file;
  const char *argv[] = {self, "exit", "0", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int64_t began;
  char path[1024];

  (void)state;
  make_file_at("slow.txt", "");
  join(path, sizeof(path), "slow.txt");
  gate = CreateEventW(NULL, TRUE, FALSE, NULL);
  options.argv = argv;
  options.timeout_ms = 100;
  options.in.kind = SAFE_STDIO_PATH;
  options.in.path = path;
  safe__win_open_file = slow_open;
  began = safe__os_now();
  assert_int_equal(safe_spawn(&process, &options, &error), SAFE_ESTUCK);
  assert_in_range(ms_since(began), 99, 250 + slow(200));
  safe__win_open_file = real;
  SetEvent(gate);
  assert_int_equal(safe_shutdown(slow(20000)), SAFE_OK);
  CloseHandle(gate);
}

static void descriptors_of_the_runtime(void **state) {
  static const uint32_t routes[] = {SAFE_SPAWN_PROXY, SAFE_SPAWN_NO_PROXY};
  const char *argv[] = {self, "crt", NULL};
  safe_child_handle listed[2];
  HANDLE pipe[2], out;
  char path[1024];
  size_t at;

  (void)state;
  join(path, sizeof(path), "seven.txt");
  for (at = 0; at < 2; at++) {
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_process *process;
    DWORD put, flags;

    out = decoy_file("seven.txt", false);
    assert_true(CreatePipe(&pipe[0], &pipe[1], NULL, 0));
    assert_true(WriteFile(pipe[1], "by number\n", 10, &put, NULL));
    listed[0].handle = out, listed[0].target = 7;
    listed[1].handle = pipe[0], listed[1].target = 3;
    options.flags = routes[at] | SAFE_SPAWN_CRT_HANDLES;
    options.handles = listed;
    options.handle_count = 2;
    process = start_child(argv, &options);
    assert_int_equal(end_of(process), 0);
    assert_true(GetHandleInformation(out, &flags) && (flags & HANDLE_FLAG_INHERIT) == 0);
    safe_process_free(process);
    CloseHandle(out);
    CloseHandle(pipe[0]);
    CloseHandle(pipe[1]);
    assert_string_equal(content_of(path), "by number\n");
  }
}

static void wrong_descriptors(void **state) {
  static const int bad[][2] = {{2, 3}, {256, 3}, {-1, 3}, {3, 3}};
  HANDLE file = decoy_file("wrong", false);
  safe_child_handle listed[2];
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(bad); at++) {
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

    listed[0].handle = listed[1].handle = file;
    listed[0].target = bad[at][0];
    listed[1].target = bad[at][1];
    options.flags = SAFE_SPAWN_CRT_HANDLES;
    options.handles = listed;
    options.handle_count = 2;
    expect_failure(&options, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, at == 3 ? 1 : 0);
  }
  CloseHandle(file);
}

static void a_blocking_pipe(void **state) {
  const char *argv[] = {self, "echo", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;
  HANDLE in, out;
  char text[16];
  DWORD moved;

  (void)state;
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  options.in.flags = options.out.flags = SAFE_STDIO_BLOCKING;
  options.in.pipe_size = options.out.pipe_size = 4096;
  process = start_child(argv, &options);
  in = safe_process_take_pipe(process, 0);
  out = safe_process_take_pipe(process, 1);
  /* Without an OVERLAPPED, which a handle for overlapped I/O would not take. */
  assert_true(WriteFile(in, "to and fro", 10, &moved, NULL));
  assert_true(ReadFile(out, text, sizeof(text), &moved, NULL));
  assert_int_equal(moved, 10);
  CloseHandle(in);
  CloseHandle(out);
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
}

static void verbatim_arguments(void **state) {
  const char *argv[] = {"name", "line", "a\"b  c\\", "'d", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_output output;

  (void)state;
  options.file = self;
  options.flags = SAFE_SPAWN_VERBATIM;
  output = output_of(argv, &options);
  assert_string_equal(output.out, "[name line a\"b  c\\ 'd]\n");
  safe_output_free(&output);
}

/* ---- A pseudo-console. */

static void on_a_pseudo_console(void **state) {
  const char *argv[] = {self, "pty", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int code;

  (void)state;
  if (safe__win_find(L"kernel32.dll", "CreatePseudoConsole") == NULL) {
    print_message("there are no pseudo-consoles here\n");
    skip();
  }
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PTY;
  options.pty_columns = 100;
  options.pty_rows = 30;
  talk.timeout_ms = slow(20000);
  process = start_child(argv, &options);
  code = safe_process_resize(process, 90, 40);
  assert_true(code == SAFE_OK || code == SAFE_ENOTSUP); /* Wine 8 */
  code = safe_process_communicate(process, &talk, &output, &error);
  if (code != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(end_of(process), 0);
  assert_int_equal(output.flags & SAFE_OUTPUT_HELD_OPEN, 0);
  assert_non_null(strstr(output.out, "size 100x30"));
  assert_int_equal(safe_process_resize(process, 90, 40), SAFE_EPIPE);
  safe_output_free(&output);
  safe_process_free(process);
}

static void pseudo_consoles_that_cannot_be(void **state) {
  HANDLE file = decoy_file("beside", false);
  safe_child_handle listed = {file, -1};
  safe_spawn_options plain = SAFE_SPAWN_OPTIONS_INIT, options;

  (void)state;
  plain.in.kind = plain.out.kind = plain.err.kind = SAFE_STDIO_PTY;
  options = plain, options.out.kind = SAFE_STDIO_PIPE;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_TERMINAL, 1);
  options = plain, options.handles = &listed, options.handle_count = 1;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_TERMINAL, -1);
  options = plain, options.flags = SAFE_SPAWN_NEW_CONSOLE;
  expect_failure(&options, SAFE_EINVAL, SAFE_STAGE_TERMINAL, -1);
  options = plain, options.flags = SAFE_SPAWN_PROXY;
  expect_failure(&options, SAFE_ENOTSUP, SAFE_STAGE_PROXY, -1);
  CloseHandle(file);
}

int main(int count, char **args) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_windows_lacks),
    cmocka_unit_test(limits_of_a_job),
    cmocka_unit_test(niceness_is_a_priority_class),
    cmocka_unit_test(streams_by_path),
    cmocka_unit_test(a_file_that_does_not_open),
    cmocka_unit_test(descriptors_of_the_runtime),
    cmocka_unit_test(wrong_descriptors),
    cmocka_unit_test(a_blocking_pipe),
    cmocka_unit_test(verbatim_arguments),
    cmocka_unit_test(on_a_pseudo_console),
    cmocka_unit_test(pseudo_consoles_that_cannot_be),
  };

  if (count > 1) return play_child(count, args);
  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
