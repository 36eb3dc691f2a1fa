/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include "batch.h"
#include "program.h"
#include "pty.h"
#include "timed_wait.h"

static HANDLE WINAPI open_file(const wchar_t *path, DWORD access, DWORD share, SECURITY_ATTRIBUTES *security,
                               DWORD disposition, DWORD flags, HANDLE model) {
  return CreateFileW(path, access, share, security, disposition, flags, model);
}

safe__win_opener safe__win_open_file = open_file;

/* CreateProcess does not say what it missed. */
static bool folder_is_good(const struct safe__win_launch *launch, safe_error *error) {
  DWORD attributes;

  if (launch->folder == NULL) return true;
  attributes = GetFileAttributesW(launch->folder);
  if (attributes == INVALID_FILE_ATTRIBUTES)
    safe__fail_os(error, GetLastError(), SAFE_STAGE_CWD, -1, "The child's working directory cannot be used");
  else if ((attributes & FILE_ATTRIBUTE_DIRECTORY) == 0)
    safe__fail(error, SAFE_ENOTDIR, SAFE_STAGE_CWD, -1, "The child's working directory is no folder.");
  return error->code == SAFE_OK;
}

/* A batch file is what cmd.exe is started with, by its full path. */
static int use_shell(struct safe__win_launch *launch, wchar_t **program) {
  wchar_t *line;
  int code;

  if (launch->batch_error.code != SAFE_OK) launch->error = launch->batch_error;
  code = launch->error.code;
  if (code == SAFE_OK) code = safe__win_batch_line(*program, launch->batch, &line, &launch->error);
  if (code != SAFE_OK) return code;
  safe__free(launch->command);
  launch->command = line;
  safe__free(*program);
  return safe__win_program_shell(program, &launch->error);
}

static int find_program(struct safe__win_launch *launch, wchar_t **program) {
  bool allowed = launch->batch != NULL || launch->batch_error.code != SAFE_OK;
  int code;

  if (launch->name == NULL) return safe__win_program_shell(program, &launch->error);
  code = safe__win_program_find(launch->name, launch->path_of_child ? launch->environment : NULL, allowed, program,
                                &launch->error);
  return code == SAFE_OK && safe__win_is_batch(*program) ? use_shell(launch, program) : code;
}

/* Emptied only once it is open: CREATE_ALWAYS would give it the attributes of a new file, and fails for a hidden one.
 */
static HANDLE open_and_empty(const struct safe__win_file *file) {
  HANDLE handle = safe__win_open_file(file->path, file->access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                      NULL, file->disposition, FILE_ATTRIBUTE_NORMAL, NULL);
  DWORD failure;

  if (handle == INVALID_HANDLE_VALUE || !file->empty || SetEndOfFile(handle)) return handle;
  failure = GetLastError();
  CloseHandle(handle);
  SetLastError(failure);
  return INVALID_HANDLE_VALUE;
}

static bool open_files(struct safe__win_launch *launch) {
  DWORD failure;
  HANDLE handle;
  int at;

  for (at = 0; at < 3; at++) {
    if (launch->files[at].path == NULL) continue;
    handle = open_and_empty(&launch->files[at]);
    if (handle == INVALID_HANDLE_VALUE) {
      failure = GetLastError();
      safe__fail_os(&launch->error, failure, SAFE_STAGE_STDIO, at, "The file for standard stream %d cannot be opened",
                    at);
      return false;
    }
    launch->stdio[at] = handle;
  }
  if (launch->err_is_out) launch->stdio[2] = launch->stdio[1];
  return true;
}

static void end_unwanted(struct safe__win_launch *launch) {
  TerminateJobObject(launch->job, 1);
  safe__win_close(&launch->process);
}

static void run(struct safe__win_task *task) {
  struct safe__win_launch *launch = (struct safe__win_launch *)task;
  wchar_t *program = NULL;

  if (find_program(launch, &program) == SAFE_OK && folder_is_good(launch, &launch->error) && open_files(launch))
    safe__win_create(launch, program);
  safe__free(program);
  if (!safe__win_task_deliver(task) && launch->process != NULL) end_unwanted(launch);
}

/* On the caller's thread. Its handles become its own again; a process that is being made dies in its cradle. */
static void abandon(struct safe__win_task *task) {
  struct safe__win_launch *launch = (struct safe__win_launch *)task;

  safe__win_inherit_close(&launch->window);
  safe__win_proxy_close(&launch->proxied);
  TerminateJobObject(launch->job, 1);
}

static void free_task(struct safe__win_task *task) { safe__win_launch_free((struct safe__win_launch *)task); }

struct safe__win_launch *safe__win_launch_make(void) {
  struct safe__win_launch *launch = safe__alloc(sizeof(*launch));

  if (launch == NULL) return NULL;
  launch->task.run = run;
  launch->task.abandon = abandon;
  launch->task.free = free_task;
  safe__error_clear(&launch->error);
  safe__error_clear(&launch->batch_error);
  return launch;
}

static void close_handles(struct safe__win_launch *launch) {
  size_t at;

  if (launch->err_is_out) launch->stdio[2] = NULL;
  for (at = 0; at < 3; at++) safe__win_close(&launch->stdio[at]);
  if (launch->own_listed)
    for (at = 0; at < launch->listed_count; at++) safe__win_close(&launch->listed[at]);
  safe__win_close(&launch->pty_input);
  safe__win_close(&launch->job);
  safe__win_close(&launch->process);
}

void safe__win_launch_free(struct safe__win_launch *launch) {
  int at;

  close_handles(launch);
  safe__win_pty_free(launch->made_pty);
  for (at = 0; at < 3; at++) safe__free(launch->files[at].path);
  safe__free(launch->name);
  safe__free(launch->command);
  safe__free(launch->batch);
  safe__free(launch->environment);
  safe__free(launch->folder);
  safe__free(launch->listed);
  safe__free(launch->place);
  safe__free(launch->targets);
  safe__free(launch->proxied.values);
  safe__free(launch->table);
  safe__free(launch->seen);
  safe__free(launch);
}

static int hand_over(struct safe__win_launch *launch, struct safe__child *child, safe_error *error) {
  if (launch->task.failure != 0)
    return safe__fail_os(error, launch->task.failure, SAFE_STAGE_CREATE, -1, "The caller's rights cannot be used");
  if (launch->error.code != SAFE_OK) {
    *error = launch->error;
    return error->code;
  }
  child->process = launch->process;
  child->job = launch->job;
  child->pid = launch->pid;
  child->pty = launch->made_pty;
  child->console = launch->console;
  child->seen = launch->seen;
  child->seen_count = launch->count;
  launch->process = launch->job = NULL;
  launch->made_pty = NULL;
  launch->seen = NULL;
  return SAFE_OK;
}

int safe__win_launch_run(struct safe__win_launch *launch, int64_t deadline, struct safe__child *child,
                         safe_error *error) {
  int code = safe__win_task_start(&launch->task, SAFE_STAGE_CREATE, error);

  if (code == SAFE_OK) {
    code = safe__win_task_wait(&launch->task, deadline, SAFE__SETTLE_MS);
    if (code == SAFE_ETIMEDOUT)
      return safe__fail(error, code, SAFE_STAGE_CREATE, -1, "The system did not make the process in time.");
    if (code == SAFE_ESTUCK)
      return safe__fail(
        error, code, SAFE_STAGE_CREATE, -1,
        "The system did not make the process in time, and still tries; it will be ended if it appears.");
    code = hand_over(launch, child, error);
  }
  safe__win_launch_free(launch);
  return code;
}
