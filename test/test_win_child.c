/* SPDX-License-Identifier: MIT */
/* The child that the tests of spawn on Windows start, which is the test program itself, and how they start it. */
#include "test_win_child.h"
#include "support.h"

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>

char self[1024];

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

/* What comes on descriptor 3 of the C runtime goes out on 7. */
static int child_crt(void) {
  char buffer[256];
  int got = _read(3, buffer, sizeof(buffer));

  return got > 0 && _write(7, buffer, (unsigned)got) == got ? 0 : 1;
}

/* Says the size of its console on the console itself: Wine leaves the standard streams empty on a pseudo-console. */
static int child_pty(void) {
  HANDLE out = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                           OPEN_EXISTING, 0, NULL);
  CONSOLE_SCREEN_BUFFER_INFO info;
  DWORD written;
  char text[64];

  if (!GetConsoleScreenBufferInfo(out, &info)) return 1;
  snprintf(text, sizeof(text), "size %dx%d", info.srWindow.Right - info.srWindow.Left + 1,
           info.srWindow.Bottom - info.srWindow.Top + 1);
  return WriteConsoleA(out, text, (DWORD)strlen(text), &written, NULL) ? 0 : 2;
}

static bool start_twin(const char *words, DWORD flags) {
  STARTUPINFOA startup = {0};
  PROCESS_INFORMATION made;
  char program[MAX_PATH], line[MAX_PATH + 64];

  GetModuleFileNameA(NULL, program, sizeof(program));
  snprintf(line, sizeof(line), "\"%s\" %s", program, words);
  startup.cb = sizeof(startup);
  startup.dwFlags = STARTF_USESTDHANDLES;
  startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  if (!CreateProcessA(program, line, NULL, NULL, TRUE, flags, NULL, NULL, &startup, &made)) return false;
  CloseHandle(made.hThread);
  CloseHandle(made.hProcess);
  return true;
}

/* Two more, each of which starts two more, so many generations deep; each says its number and stays. */
static int child_bomb(const char *depth) {
  char words[32];
  int left = atoi(depth);

  say("%lu\n", GetCurrentProcessId());
  snprintf(words, sizeof(words), "bomb %d", left - 1);
  if (left > 0 && start_twin(words, CREATE_NEW_PROCESS_GROUP)) start_twin(words, DETACHED_PROCESS);
  Sleep(120000);
  return 0;
}

/* Starts one outside the job, and says whether it could. */
static int child_break_away(void) {
  say("%d\n", start_twin("pid 60000", CREATE_BREAKAWAY_FROM_JOB));
  Sleep(60000);
  return 0;
}

static int child_pid(const char *ms) {
  say("pid %lu\n", GetCurrentProcessId());
  Sleep((DWORD)atoi(ms));
  return 0;
}

/* A host of its own: its child is to die with it. Says the child's number, and is killed. */
static int child_host(void) {
  const char *argv[] = {self, "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;

  set_up_group(NULL);
  options.argv = argv;
  options.flags = SAFE_SPAWN_DIE_WITH_HOST;
  options.out.kind = SAFE_STDIO_NULL;
  options.timeout_ms = 30000;
  if (safe_spawn(&process, &options, NULL) != SAFE_OK) return 1;
  say("%lld\n", (long long)safe_process_pid(process));
  safe_process_free(process); /* ends nobody, and keeps the promise */
  Sleep(60000);
  return 0;
}

int play_child(int count, char **args) {
  wchar_t folder[1024], **wide = CommandLineToArgvW(GetCommandLineW(), &count);

  if (strcmp(args[1], "handles") == 0) return child_handles();
  if (strcmp(args[1], "event") == 0) return child_event(wide[2]);
  if (strcmp(args[1], "args") == 0) return child_args();
  if (strcmp(args[1], "env") == 0) return child_env();
  if (strcmp(args[1], "job") == 0) return child_job();
  if (strcmp(args[1], "echo") == 0) return child_echo(false);
  if (strcmp(args[1], "both") == 0) return child_echo(true);
  if (strcmp(args[1], "crt") == 0) return child_crt();
  if (strcmp(args[1], "pty") == 0) return child_pty();
  if (strcmp(args[1], "bomb") == 0) return child_bomb(args[2]);
  if (strcmp(args[1], "break-away") == 0) return child_break_away();
  if (strcmp(args[1], "pid") == 0) return child_pid(args[2]);
  if (strcmp(args[1], "host") == 0) return child_host();
  if (strcmp(args[1], "priority") == 0) ExitProcess(GetPriorityClass(GetCurrentProcess()));
  if (strcmp(args[1], "line") == 0) {
    say_wide(GetCommandLineW());
    return 0;
  }
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

safe_process *start_child(const char *const *argv, safe_spawn_options *options) {
  safe_process *process;
  safe_error error = SAFE_ERROR_INIT;

  options->argv = argv;
  options->timeout_ms = slow(10000);
  if (spawn_surely(&process, options, &error) != SAFE_OK) fail_msg("%s: %s", safe_code_name(error.code), error.message);
  return process;
}

int64_t end_of(safe_process *process) {
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;

  options.timeout_ms = slow(20000);
  if (safe_process_wait(process, &options, &status, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(status.kind, SAFE_EXIT_CODE);
  return status.code;
}

/* What a child of these words writes, to be freed with safe_output_free; it must end with 0. */
safe_output output_of(const char *const *argv, safe_spawn_options *options) {
  safe_output output = SAFE_OUTPUT_INIT;
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options->out.kind = SAFE_STDIO_PIPE;
  talk.timeout_ms = slow(20000);
  process = start_child(argv, options);
  if (safe_process_communicate(process, &talk, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(end_of(process), 0);
  safe_process_free(process);
  return output;
}

safe_output say_of(const char *first, const char *second, safe_spawn_options *options) {
  const char *argv[] = {self, first, second, NULL};

  return output_of(argv, options);
}

int spawn_code(const char *file, safe_error *error) {
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

HANDLE decoy_file(const char *name, bool inherit) {
  SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, inherit};
  char path[1024];
  HANDLE file;

  join(path, sizeof(path), name);
  file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                     &attributes, CREATE_ALWAYS, 0, NULL);
  assert_true(file != INVALID_HANDLE_VALUE);
  return file;
}

void make_file_at(const char *name, const char *content) {
  char path[1024];
  FILE *file;

  join(path, sizeof(path), name);
  file = fopen(path, "wb");
  assert_non_null(file);
  fputs(content, file);
  fclose(file);
}

int set_up_group(void **state) {
  wchar_t path[1024];

  (void)state;
  GetModuleFileNameW(NULL, path, COUNT(path));
  safe__win_narrow(path, self, sizeof(self));
  return 0;
}
