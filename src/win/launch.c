/* SPDX-License-Identifier: MIT */
#include "launch.h"

#include "program.h"
#include "timed_wait.h"

static BOOL WINAPI create(const wchar_t *program, wchar_t *command, SECURITY_ATTRIBUTES *process,
                          SECURITY_ATTRIBUTES *thread, BOOL inherit, DWORD flags, void *environment,
                          const wchar_t *folder, STARTUPINFOW *startup, PROCESS_INFORMATION *made) {
  return CreateProcessW(program, command, process, thread, inherit, flags, environment, folder, startup, made);
}

safe__win_create safe__win_create_process = create;

/* The handle list, which CreateProcess refuses with a duplicate or a NULL in it, and the job. */
struct attributes {
  LPPROC_THREAD_ATTRIBUTE_LIST list;
  HANDLE *handles;
};

static void free_attributes(struct attributes *attributes) {
  if (attributes->list != NULL) DeleteProcThreadAttributeList(attributes->list);
  safe__free(attributes->list);
  safe__free(attributes->handles);
}

static size_t list_handles(const struct safe__win_launch *launch, HANDLE *handles) {
  size_t at, used = 0;

  for (at = 0; at < 3; at++)
    if (at != 2 || launch->stdio[2] != launch->stdio[1]) handles[used++] = launch->stdio[at];
  /* Our standard streams are handles of their own: none of the caller's can be the same. */
  for (at = 0; at < launch->listed.count; at++) handles[used++] = launch->listed.handles[at];
  return used;
}

static DWORD make_attributes(struct safe__win_launch *launch, struct attributes *attributes) {
  LPPROC_THREAD_ATTRIBUTE_LIST list;
  SIZE_T size = 0;
  size_t count;

  InitializeProcThreadAttributeList(NULL, 2, 0, &size);
  list = safe__alloc(size);
  attributes->list = NULL;
  attributes->handles = safe__alloc((3 + launch->listed.count) * sizeof(HANDLE));
  if (list == NULL || attributes->handles == NULL || !InitializeProcThreadAttributeList(list, 2, 0, &size)) {
    safe__free(list);
    return ERROR_NOT_ENOUGH_MEMORY;
  }
  attributes->list = list;
  count = list_handles(launch, attributes->handles);
  if (!UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, attributes->handles,
                                 count * sizeof(HANDLE), NULL, NULL) ||
      !UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, &launch->job, sizeof(launch->job), NULL,
                                 NULL))
    return GetLastError();
  return ERROR_SUCCESS;
}

static void set_stdio_inheritable(const struct safe__win_launch *launch, bool inheritable) {
  size_t at;

  for (at = 0; at < 3; at++)
    SetHandleInformation(launch->stdio[at], HANDLE_FLAG_INHERIT, inheritable ? HANDLE_FLAG_INHERIT : 0);
}

/* A failure that is about the program has its own stage. */
static int say_why(DWORD failure, const wchar_t *program, safe_error *error) {
  char text[200];
  int code = safe__os_translate(failure);
  bool about = code == SAFE_ENOENT || code == SAFE_EACCES || code == SAFE_ENOEXEC || code == SAFE_ENOTDIR ||
               code == SAFE_ENAMETOOLONG;

  safe__win_narrow(program, text, sizeof(text));
  return safe__fail_os(error, failure, about ? SAFE_STAGE_EXEC : SAFE_STAGE_CREATE, -1, "%s could not be started",
                       text);
}

/*
 * The window of inherit.h is open between enter and leave: also our own ends of the child's streams are inheritable
 * there. Only a parent that is another process (PROC_THREAD_ATTRIBUTE_PARENT_PROCESS) could hold them for us.
 */
static DWORD create_in_window(struct safe__win_launch *launch, const wchar_t *program, STARTUPINFOEXW *startup,
                              PROCESS_INFORMATION *made, size_t *bad) {
  DWORD failure = safe__win_inherit_enter(&launch->listed, bad);

  if (failure != ERROR_SUCCESS) return failure;
  set_stdio_inheritable(launch, true);
  /* EXTENDED_STARTUPINFO_PRESENT belongs here. In dwFlags it means nothing, and the lists would be ignored. */
  if (!safe__win_create_process(program, launch->command, NULL, NULL, TRUE,
                                launch->flags | EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT,
                                launch->environment, launch->folder, &startup->StartupInfo, made))
    failure = GetLastError();
  set_stdio_inheritable(launch, false);
  safe__win_inherit_leave(&launch->listed);
  return failure;
}

static void start(struct safe__win_launch *launch, const wchar_t *program) {
  STARTUPINFOEXW startup = {0};
  PROCESS_INFORMATION made;
  struct attributes attributes;
  size_t bad = SIZE_MAX;
  DWORD failure = make_attributes(launch, &attributes);

  startup.StartupInfo.cb = sizeof(startup);
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  startup.StartupInfo.hStdInput = launch->stdio[0];
  startup.StartupInfo.hStdOutput = launch->stdio[1];
  startup.StartupInfo.hStdError = launch->stdio[2];
  startup.lpAttributeList = attributes.list;
  if (failure == ERROR_SUCCESS) failure = create_in_window(launch, program, &startup, &made, &bad);
  free_attributes(&attributes);
  if (failure == ERROR_SUCCESS) {
    CloseHandle(made.hThread);
    launch->process = made.hProcess;
    launch->pid = made.dwProcessId;
  } else if (bad != SIZE_MAX) {
    safe__fail_os(&launch->error, failure, SAFE_STAGE_HANDLE, (int)bad, "Listed handle %d cannot be inherited",
                  (int)bad);
  } else {
    say_why(failure, program, &launch->error);
  }
}

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

static void end_unwanted(struct safe__win_launch *launch) {
  TerminateJobObject(launch->job, 1);
  safe__win_close(&launch->process);
}

static void run(struct safe__win_task *task) {
  struct safe__win_launch *launch = (struct safe__win_launch *)task;
  wchar_t *program = NULL;
  int code = launch->name == NULL ? safe__win_program_shell(&program, &launch->error)
                                  : safe__win_program_find(launch->name, &program, &launch->error);

  if (code == SAFE_OK && folder_is_good(launch, &launch->error)) start(launch, program);
  safe__free(program);
  if (!safe__win_task_deliver(task) && launch->process != NULL) end_unwanted(launch);
}

/* On the caller's thread. Its handles become its own again; a process that is being made dies in its cradle. */
static void abandon(struct safe__win_task *task) {
  struct safe__win_launch *launch = (struct safe__win_launch *)task;

  safe__win_inherit_close(&launch->listed);
  set_stdio_inheritable(launch, false);
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
  return launch;
}

void safe__win_launch_free(struct safe__win_launch *launch) {
  if (launch->stdio[2] == launch->stdio[1]) launch->stdio[2] = NULL;
  safe__win_close(&launch->stdio[0]);
  safe__win_close(&launch->stdio[1]);
  safe__win_close(&launch->stdio[2]);
  safe__win_close(&launch->job);
  safe__win_close(&launch->process);
  safe__free(launch->name);
  safe__free(launch->command);
  safe__free(launch->environment);
  safe__free(launch->folder);
  safe__free(launch->listed.handles);
  safe__free(launch);
}

static int hand_over(struct safe__win_launch *launch, HANDLE *process, HANDLE *job, DWORD *pid, safe_error *error) {
  if (launch->task.failure != 0)
    return safe__fail_os(error, launch->task.failure, SAFE_STAGE_CREATE, -1, "The caller's rights cannot be used");
  if (launch->error.code != SAFE_OK) {
    *error = launch->error;
    return error->code;
  }
  *process = launch->process;
  *job = launch->job;
  *pid = launch->pid;
  launch->process = launch->job = NULL;
  return SAFE_OK;
}

int safe__win_launch_run(struct safe__win_launch *launch, int64_t deadline, HANDLE *process, HANDLE *job, DWORD *pid,
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
    code = hand_over(launch, process, job, pid, error);
  }
  safe__win_launch_free(launch);
  return code;
}
