/* SPDX-License-Identifier: MIT */
/* What a child gets on Windows, what it must not get, and what a spawn leaves behind. */
#include "test_win_child.h"

#include "launch.h"
#include "process.h"

static void exit_codes(void **state) {
  static const char *const codes[] = {"0", "3", "0xC0000005", "259", "0xFFFFFFFF"};
  static const int64_t expected[] = {0, 3, INT64_C(0xC0000005), 259, INT64_C(0xFFFFFFFF)};
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(codes); at++) {
    const char *argv[] = {self, "exit", codes[at], NULL};
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_process *process = start_child(argv, &options);

    assert_true(safe_process_pid(process) > 0);
    assert_int_equal(end_of(process), expected[at]);
    assert_int_equal(end_of(process), expected[at]);
    assert_int_equal(WaitForSingleObject(safe_process_exit_handle(process), 0), WAIT_OBJECT_0);
    safe_process_free(process);
  }
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
  options.flags = SAFE_SPAWN_NO_PROXY;
  output = say_of("handles", NULL, &options);

  /* Under the same value, as the contract says of a child without the proxy. */
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
  process = start_child(argv, &options);
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
  process = start_child(argv, &options);
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
  process = start_child(argv, &options);
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

/* ---- A CreateProcess that takes too long. */

static HANDLE gate;
static volatile LONG created_pid;

static BOOL WINAPI slow_create(const wchar_t *program, wchar_t *command, SECURITY_ATTRIBUTES *process,
                               SECURITY_ATTRIBUTES *thread, BOOL inherit, DWORD flags, void *environment,
                               const wchar_t *folder, STARTUPINFOW *startup, PROCESS_INFORMATION *made) {
  BOOL done;

  if ((flags & CREATE_SUSPENDED) == 0) WaitForSingleObject(gate, 20000); /* the proxy is quick */
  done = CreateProcessW(program, command, process, thread, inherit, flags, environment, folder, startup, made);
  if (done && (flags & CREATE_SUSPENDED) == 0) InterlockedExchange(&created_pid, (LONG)made->dwProcessId);
  return done;
}

static void block_a_spawn(uint32_t route) {
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe__win_creator real = safe__win_create_process;
  HANDLE file = decoy_file("listed", false), late;
  safe_child_handle listed = {file, -1};
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int64_t began;
  DWORD flags;

  gate = CreateEventW(NULL, TRUE, FALSE, NULL);
  created_pid = 0;
  safe__win_create_process = slow_create;
  options.argv = argv;
  options.flags = route;
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

static void a_spawn_that_blocks(void **state) {
  (void)state;
  block_a_spawn(SAFE_SPAWN_PROXY);
  block_a_spawn(SAFE_SPAWN_NO_PROXY);
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
  static const char *const changes[] = {"C=3", "A", NULL};
  safe_child_handle listed = {file, 5};
  int at, code = SAFE_ENOMEM;
  char path[1024];
  DWORD before;

  (void)state;
  join(path, sizeof(path), "memory.txt");
  assert_int_equal(spawn_code(self, &(safe_error){0}), SAFE_OK); /* makes the proxy, which stays */
  before = handle_count();
  real_realloc = safe__realloc;
  for (at = 0; code != SAFE_OK && at < 200; at++) {
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_process *process;

    options.argv = argv;
    options.env = env;
    options.env_changes = changes;
    options.flags = SAFE_SPAWN_CRT_HANDLES | SAFE_SPAWN_BATCH | SAFE_SPAWN_PATH_OF_CHILD;
    options.cwd = "C:\\";
    options.handles = &listed;
    options.handle_count = 1;
    options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
    options.err.kind = SAFE_STDIO_PATH;
    options.err.path = path;
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

int main(int count, char **args) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(exit_codes),
    cmocka_unit_test(only_listed_handles_arrive),
    cmocka_unit_test(decoys_are_decoys),
    cmocka_unit_test(a_pipe_of_the_host_ends),
    cmocka_unit_test(wrong_handles),
    cmocka_unit_test(wrong_target),
    cmocka_unit_test(in_a_job_from_the_start),
    cmocka_unit_test(a_spawn_that_blocks),
    cmocka_unit_test(failures_leave_nothing),
    cmocka_unit_test(successes_leave_nothing),
    cmocka_unit_test(memory_runs_out),
  };

  if (count > 1) return play_child(count, args);
  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
