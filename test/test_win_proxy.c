/* SPDX-License-Identifier: MIT */
/* The proxy parent: what children get through it, and what nobody else gets. */
#include "test_win_child.h"

#include <wchar.h>

#include "launch.h"

static bool is_alive(DWORD pid) {
  HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, pid);
  bool alive = process != NULL && WaitForSingleObject(process, 0) == WAIT_TIMEOUT;

  if (process != NULL) CloseHandle(process);
  return alive;
}

static void expect_exit(uint32_t flags, int64_t code) {
  const char *argv[] = {self, "exit", "5", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;

  options.flags = flags;
  process = start_child(argv, &options);
  assert_int_equal(end_of(process), code);
  safe_process_free(process);
}

static void values_are_told(void **state) {
  HANDLE file = decoy_file("told", false);
  safe_child_handle listed[2] = {{file, -1}, {file, -1}};
  const char *argv[] = {self, "handles", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  BY_HANDLE_FILE_INFORMATION found;
  safe_process *process;
  char expected[128];
  DWORD flags;

  (void)state;
  options.flags = SAFE_SPAWN_PROXY;
  options.handles = listed;
  options.handle_count = 2;
  options.out.kind = SAFE_STDIO_PIPE;
  process = start_child(argv, &options);
  assert_int_equal(safe_process_communicate(process, NULL, &output, NULL), SAFE_OK);
  assert_true(GetFileInformationByHandle(file, &found));
  snprintf(expected, sizeof(expected), "file %lu %lu:%lu at %llu\n", found.dwVolumeSerialNumber, found.nFileIndexHigh,
           found.nFileIndexLow, (unsigned long long)(UINT_PTR)safe_process_handle(process, 0));
  assert_non_null(strstr(output.out, expected));
  assert_ptr_equal(safe_process_handle(process, 0), safe_process_handle(process, 1));
  assert_ptr_equal(safe_process_handle(process, 2), SAFE_INVALID_HANDLE);
  assert_true(GetHandleInformation(file, &flags) && (flags & HANDLE_FLAG_INHERIT) == 0);
  safe_output_free(&output);
  safe_process_free(process);
  CloseHandle(file);
}

static void one_proxy_serves_all(void **state) {
  DWORD pid;

  (void)state;
  expect_exit(SAFE_SPAWN_PROXY, 5);
  pid = safe__win_proxy_pid();
  assert_true(pid != 0 && is_alive(pid));
  expect_exit(0, 5);
  assert_int_equal(safe__win_proxy_pid(), pid);
  expect_exit(SAFE_SPAWN_NO_PROXY, 5);
  assert_int_equal(safe__win_proxy_pid(), pid);
}

static void a_dead_one_is_made_anew(void **state) {
  DWORD pid = safe__win_proxy_pid();
  HANDLE process = OpenProcess(PROCESS_TERMINATE | SYNCHRONIZE, FALSE, pid);

  (void)state;
  assert_non_null(process);
  assert_true(TerminateProcess(process, 9));
  assert_int_equal(WaitForSingleObject(process, 5000), WAIT_OBJECT_0);
  CloseHandle(process);
  expect_exit(SAFE_SPAWN_PROXY, 5);
  assert_int_not_equal(safe__win_proxy_pid(), pid);
}

/* A child takes the error mode from its parent: from a proxy that was made before it was changed it would be the old.
 */
static void a_host_that_changes_gets_another(void **state) {
  DWORD pid = safe__win_proxy_pid();
  UINT mode = GetErrorMode();

  (void)state;
  SetErrorMode(mode ^ SEM_FAILCRITICALERRORS);
  expect_exit(SAFE_SPAWN_PROXY, 5);
  assert_int_not_equal(safe__win_proxy_pid(), pid);
  assert_false(is_alive(pid));
  SetErrorMode(mode);
}

/* A host that gives a privilege up must not have it come back in its children. */
static void a_host_that_gives_up_a_privilege(void **state) {
  TOKEN_PRIVILEGES wanted = {1, {{{0, 0}, SE_PRIVILEGE_ENABLED}}}, before;
  DWORD pid, size = sizeof(before);
  HANDLE token;

  (void)state;
  expect_exit(SAFE_SPAWN_PROXY, 5);
  pid = safe__win_proxy_pid();
  assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES | TOKEN_QUERY, &token));
  assert_true(LookupPrivilegeValueW(NULL, L"SeChangeNotifyPrivilege", &wanted.Privileges[0].Luid));
  wanted.Privileges[0].Attributes = 0;
  assert_true(AdjustTokenPrivileges(token, FALSE, &wanted, sizeof(before), &before, &size));
  expect_exit(SAFE_SPAWN_PROXY, 5);
  assert_int_not_equal(safe__win_proxy_pid(), pid);
  AdjustTokenPrivileges(token, FALSE, &before, 0, NULL, NULL);
  CloseHandle(token);
}

static void shutdown_ends_it(void **state) {
  DWORD before = 0, pid;
  int round;

  (void)state;
  for (round = 0; round < 4; round++) {
    expect_exit(SAFE_SPAWN_PROXY, 5);
    pid = safe__win_proxy_pid();
    assert_int_equal(safe_shutdown(slow(1000)), SAFE_OK);
    assert_int_equal(safe__win_proxy_pid(), 0);
    assert_false(is_alive(pid));
    if (round == 1) before = handle_count();
  }
  assert_int_equal(handle_count(), before);
}

/* A policy may forbid it: whoever insists is told, and all others have the window. */
static safe__win_creator real_create;

static BOOL WINAPI refuse_proxies(const wchar_t *program, wchar_t *command, SECURITY_ATTRIBUTES *process,
                                  SECURITY_ATTRIBUTES *thread, BOOL inherit, DWORD flags, void *environment,
                                  const wchar_t *folder, STARTUPINFOW *startup, PROCESS_INFORMATION *made) {
  if ((flags & CREATE_SUSPENDED) == 0)
    return real_create(program, command, process, thread, inherit, flags, environment, folder, startup, made);
  SetLastError(ERROR_ACCESS_DISABLED_BY_POLICY);
  return FALSE;
}

static void a_proxy_that_cannot_be(void **state) {
  const char *argv[] = {self, "exit", "5", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  DWORD before;
  int round;

  (void)state;
  assert_int_equal(safe_shutdown(slow(1000)), SAFE_OK);
  real_create = safe__win_create_process;
  safe__win_create_process = refuse_proxies;
  options.argv = argv;
  options.flags = SAFE_SPAWN_PROXY;
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  before = handle_count();
  for (round = 0; round < 3; round++) { /* the second time it is not even tried */
    assert_int_equal(safe_spawn(&process, &options, &error), SAFE_EACCES);
    assert_int_equal(error.stage, SAFE_STAGE_PROXY);
    assert_int_equal(error.os_code, ERROR_ACCESS_DISABLED_BY_POLICY);
    expect_exit(0, 5);
  }
  assert_int_equal(handle_count(), before);
  safe__win_create_process = real_create;
  assert_int_equal(safe_shutdown(slow(1000)), SAFE_OK); /* forgets the refusal, too */
  expect_exit(SAFE_SPAWN_PROXY, 5);
}

/* ---- A host that meanwhile starts children of its own, which inherit all they can. */

struct stranger {
  volatile LONG stop;
  LONG children, caught;
};

static DWORD WINAPI start_strangers(void *data) {
  struct stranger *stranger = data;
  char line[1200];

  snprintf(line, sizeof(line), "\"%s\" event safehold-test-listed", self);
  while (InterlockedCompareExchange(&stranger->stop, 0, 0) == 0) {
    STARTUPINFOA startup = {0};
    PROCESS_INFORMATION made;
    DWORD code = 0;

    startup.cb = sizeof(startup);
    if (!CreateProcessA(self, line, NULL, NULL, TRUE, 0, NULL, NULL, &startup, &made)) continue;
    WaitForSingleObject(made.hProcess, 20000);
    GetExitCodeProcess(made.hProcess, &code);
    CloseHandle(made.hProcess);
    CloseHandle(made.hThread);
    stranger->children++;
    if (code == 1) stranger->caught++;
  }
  return 0;
}

static struct stranger watch_strangers(uint32_t flags, int spawns) {
  HANDLE event = CreateEventW(NULL, TRUE, FALSE, L"safehold-test-listed"), thread;
  struct stranger stranger = {0};
  safe_child_handle listed = {event, -1};
  const char *argv[] = {self, "exit", "5", NULL};
  int at;

  assert_non_null(event);
  thread = CreateThread(NULL, 0, start_strangers, &stranger, 0, NULL);
  assert_non_null(thread);
  for (at = 0; at < spawns; at++) {
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_process *process;

    options.flags = flags;
    options.handles = &listed;
    options.handle_count = 1;
    process = start_child(argv, &options);
    assert_int_equal(end_of(process), 5);
    safe_process_free(process);
  }
  InterlockedExchange(&stranger.stop, 1);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  CloseHandle(event);
  return stranger;
}

static void strangers_get_nothing(void **state) {
  struct stranger proxy = watch_strangers(SAFE_SPAWN_PROXY, 40), window;

  (void)state;
  assert_true(proxy.children > 0);
  assert_int_equal(proxy.caught, 0);
  window = watch_strangers(SAFE_SPAWN_NO_PROXY, 40);
  print_message("caught by children of a stranger: with the proxy %ld of %ld, without it %ld of %ld\n", proxy.caught,
                proxy.children, window.caught, window.children);
}

/* ---- The host stays as it was. */

struct picture {
  UINT error_mode;
  DWORD std_flags[3];
  HANDLE std[3];
  wchar_t folder[MAX_PATH], environment[16384];
  DWORD handles;
};

static void take_picture(struct picture *picture) {
  static const DWORD names[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  wchar_t *block = GetEnvironmentStringsW(), *at;
  size_t length;
  int stream;

  memset(picture, 0, sizeof(*picture));
  picture->error_mode = GetErrorMode();
  for (stream = 0; stream < 3; stream++) {
    picture->std[stream] = GetStdHandle(names[stream]);
    GetHandleInformation(picture->std[stream], &picture->std_flags[stream]);
  }
  GetCurrentDirectoryW(MAX_PATH, picture->folder);
  for (at = block; *at != L'\0'; at += wcslen(at) + 1) continue;
  length = (size_t)(at - block);
  wmemcpy(picture->environment, block, length < 16384 ? length : 16384);
  FreeEnvironmentStringsW(block);
  picture->handles = handle_count();
}

static void the_host_stays_as_it_was(void **state) {
  static const uint32_t routes[] = {SAFE_SPAWN_PROXY, SAFE_SPAWN_NO_PROXY};
  static const char *const changes[] = {"NEW=1", "PATH=C:\\", NULL};
  static struct picture before, after;
  HANDLE file = decoy_file("unchanged", false);
  safe_child_handle listed = {file, -1};
  int round;

  (void)state;
  expect_exit(SAFE_SPAWN_PROXY, 5); /* it stays, with its two handles */
  take_picture(&before);
  for (round = 0; round < 6; round++) {
    const char *argv[] = {self, "exit", "5", NULL};
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_process *process;

    options.flags = routes[round % 2];
    options.env_changes = changes;
    options.cwd = "C:\\windows";
    options.handles = &listed;
    options.handle_count = 1;
    options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
    process = start_child(argv, &options);
    assert_int_equal(end_of(process), 5);
    safe_process_free(process);
  }
  take_picture(&after);
  assert_memory_equal(&before, &after, sizeof(before));
  CloseHandle(file);
}

int main(int count, char **args) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_are_told),
    cmocka_unit_test(one_proxy_serves_all),
    cmocka_unit_test(a_dead_one_is_made_anew),
    cmocka_unit_test(a_host_that_changes_gets_another),
    cmocka_unit_test(a_host_that_gives_up_a_privilege),
    cmocka_unit_test(shutdown_ends_it),
    cmocka_unit_test(a_proxy_that_cannot_be),
    cmocka_unit_test(strangers_get_nothing),
    cmocka_unit_test(the_host_stays_as_it_was),
  };

  if (count > 1) return play_child(count, args);
  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
