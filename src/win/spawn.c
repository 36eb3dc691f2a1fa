/* SPDX-License-Identifier: MIT */
/* Everything that can be prepared without blocking is made here; launch.c does the rest. */
#include "launch.h"
#include "pipe.h"
#include "program.h"

static int no_handle(int stage, int index, safe_error *error) {
  return safe__fail(error, SAFE_EBADF, stage, index, "%s %d is no open handle.",
                    stage == SAFE_STAGE_HANDLE ? "Listed handle" : "The handle of standard stream", index);
}

/* Pseudo handles (this process, its threads, its tokens) are small negative numbers. Copied they become real, and
   the child would get our process in its hands. */
static bool is_real(HANDLE handle) { return (LONG_PTR)handle > 0; }

static bool is_open(HANDLE handle) {
  DWORD flags;

  return is_real(handle) && GetHandleInformation(handle, &flags);
}

static bool copy_handle(HANDLE from, HANDLE *into) {
  HANDLE self = GetCurrentProcess();

  return is_real(from) && DuplicateHandle(self, from, self, into, 0, FALSE, DUPLICATE_SAME_ACCESS);
}

/* Before the first handle of our own is made: it may get the number of one that the caller has closed. */
static int check_handles(const safe_spawn_options *options, const safe_stdio *const *stdio, safe_error *error) {
  size_t at;

  for (at = 0; at < options->handle_count; at++) {
    if (options->handles[at].target != -1)
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, (int)at,
                        "Listed handle %d has the target %d: on Windows it must be -1.", (int)at,
                        (int)options->handles[at].target);
    if (!is_open(options->handles[at].handle)) return no_handle(SAFE_STAGE_HANDLE, (int)at, error);
  }
  for (at = 0; at < 3; at++)
    if (stdio[at]->kind == SAFE_STDIO_HANDLE && !is_open(stdio[at]->handle))
      return no_handle(SAFE_STAGE_STDIO, (int)at, error);
  return SAFE_OK;
}

static int open_nul(int index, HANDLE *into, safe_error *error) {
  DWORD access = index == 0 ? GENERIC_READ : GENERIC_WRITE | FILE_READ_ATTRIBUTES;

  *into = CreateFileW(L"\\\\.\\NUL", access, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
  if (*into != INVALID_HANDLE_VALUE) return SAFE_OK;
  *into = NULL;
  return safe__fail_os(error, GetLastError(), SAFE_STAGE_STDIO, index, "The null device cannot be opened");
}

static int make_pipe(struct safe__child *child, int index, HANDLE *theirs, safe_error *error) {
  HANDLE ours;
  DWORD failure = safe__win_pipe(index == 0, &ours, theirs);

  if (failure != ERROR_SUCCESS)
    return safe__fail_os(error, failure, SAFE_STAGE_PIPE, index, "No pipe could be made for stream %d", index);
  return safe__win_stream_make(&child->streams[index], ours, index == 0, index, error);
}

static int make_stdio(struct safe__child *child, struct safe__win_launch *launch, const safe_stdio *stdio, int index,
                      safe_error *error) {
  static const DWORD names[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
  HANDLE *into = &launch->stdio[index];

  switch (stdio->kind) {
  case SAFE_STDIO_PIPE:
    return make_pipe(child, index, into, error);
  case SAFE_STDIO_TO_OUT:
    *into = launch->stdio[1];
    return SAFE_OK;
  case SAFE_STDIO_HANDLE:
    return copy_handle(stdio->handle, into) ? SAFE_OK : no_handle(SAFE_STAGE_STDIO, index, error);
  case SAFE_STDIO_INHERIT:
    /* A program with windows has none, or what is left of them. */
    if (copy_handle(GetStdHandle(names[index]), into)) return SAFE_OK;
    return open_nul(index, into, error);
  default:
    return open_nul(index, into, error);
  }
}

/* The two lowest bits of a handle are the application's, and not looked at by the system. */
static HANDLE plain(HANDLE handle) { return (HANDLE)((ULONG_PTR)handle & ~(ULONG_PTR)3); }

static int copy_list(struct safe__win_inherit *listed, const safe_spawn_options *options, safe_error *error) {
  size_t at, other;
  HANDLE handle;

  if (options->handle_count == 0) return SAFE_OK;
  listed->handles = safe__alloc(options->handle_count * sizeof(HANDLE));
  if (listed->handles == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  for (at = 0; at < options->handle_count; at++) {
    handle = plain(options->handles[at].handle);
    for (other = 0; other < listed->count && listed->handles[other] != handle; other++) continue;
    if (other == listed->count) listed->handles[listed->count++] = handle;
  }
  return SAFE_OK;
}

static bool has_console(void) {
  DWORD pid;

  return GetConsoleProcessList(&pid, 1) > 0;
}

static bool is_console(HANDLE handle) {
  DWORD mode;

  return GetConsoleMode(handle, &mode);
}

/*
 * A child without CREATE_NO_WINDOW shares our console, where a CTRL_BREAK reaches it; but where we have none, Windows
 * would open a window for it. In a session of its own it has no part in our console, unless a stream is one.
 */
static void choose_flags(struct safe__child *child, struct safe__win_launch *launch, int32_t group) {
  bool console = has_console(), shown = false;
  size_t at;

  for (at = 0; at < 3; at++) shown = shown || is_console(launch->stdio[at]);
  if (!shown && (!console || group == SAFE_GROUP_SESSION)) launch->flags |= CREATE_NO_WINDOW;
  if (group != SAFE_GROUP_HOST) launch->flags |= CREATE_NEW_PROCESS_GROUP;
  child->alone = group == SAFE_GROUP_HOST;
  child->console = console && group != SAFE_GROUP_HOST && (launch->flags & CREATE_NO_WINDOW) == 0;
}

static int copy_text(const char *text, const char *what, int stage, wchar_t **into, safe_error *error) {
  int code = text == NULL ? SAFE_OK : safe__win_wide(text, into);

  if (code == SAFE_ENOMEM) return safe__fail_memory(error, stage);
  if (code != SAFE_OK) return safe__fail(error, code, stage, -1, "%s is not UTF-8.", what);
  return SAFE_OK;
}

static int prepare(struct safe__child *child, struct safe__win_launch *launch, const safe_spawn_options *options,
                   safe_error *error) {
  const safe_stdio *stdio[] = {&options->in, &options->out, &options->err};
  int at, code = check_handles(options, stdio, error);

  if (code != SAFE_OK) return code;
  if (options->shell != NULL)
    code = safe__win_shell_line(options->shell, &launch->command, error);
  else
    code = safe__win_command_line(options->argv, &launch->command, error);
  if (code == SAFE_OK && options->shell == NULL)
    code = copy_text(options->file, "The program's name", SAFE_STAGE_SEARCH, &launch->name, error);
  if (code == SAFE_OK) code = copy_text(options->cwd, "The working directory", SAFE_STAGE_CWD, &launch->folder, error);
  if (code == SAFE_OK) code = safe__win_environment(options->env, &launch->environment, error);
  if (code == SAFE_OK) code = copy_list(&launch->listed, options, error);
  for (at = 0; code == SAFE_OK && at < 3; at++) code = make_stdio(child, launch, stdio[at], at, error);
  if (code != SAFE_OK) return code;
  choose_flags(child, launch, options->group);
  launch->job = CreateJobObjectW(NULL, NULL);
  if (launch->job == NULL)
    return safe__fail_os(error, GetLastError(), SAFE_STAGE_JOB, -1, "No job object could be made");
  return SAFE_OK;
}

int safe__os_spawn(struct safe__child *child, const safe_spawn_options *options, int64_t deadline, safe_error *error) {
  struct safe__win_launch *launch = safe__win_launch_make();
  HANDLE process, job;
  DWORD pid;
  int at, code;

  if (launch == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  code = prepare(child, launch, options, error);
  if (code == SAFE_OK)
    code = safe__win_launch_run(launch, deadline, &process, &job, &pid, error);
  else
    safe__win_launch_free(launch);
  if (code == SAFE_OK) {
    child->process = process;
    child->job = job;
    child->pid = pid;
  } else {
    for (at = 0; at < 3; at++) safe__os_stream_close(&child->streams[at]);
  }
  return code;
}

safe_handle safe__os_child_handle(const struct safe__child *child, size_t index) {
  (void)child, (void)index;
  return SAFE_INVALID_HANDLE;
}

int safe__os_child_resize(struct safe__child *child, int columns, int rows) {
  (void)child, (void)columns, (void)rows;
  return SAFE_EINVAL;
}

int safe__os_reserve_descriptors(int count) {
  (void)count;
  return SAFE_ENOTSUP; /* handles have no order that would cost anything */
}
