/* SPDX-License-Identifier: MIT */
/* The one call of CreateProcess, and what it takes: by the proxy, in the window of inherit.h, or on a pseudo-console.
 */
#include "launch.h"
#include "pty.h"

static BOOL WINAPI create(const wchar_t *program, wchar_t *command, SECURITY_ATTRIBUTES *process,
                          SECURITY_ATTRIBUTES *thread, BOOL inherit, DWORD flags, void *environment,
                          const wchar_t *folder, STARTUPINFOW *startup, PROCESS_INFORMATION *made) {
  return CreateProcessW(program, command, process, thread, inherit, flags, environment, folder, startup, made);
}

safe__win_creator safe__win_create_process = create;

/* At most: the parent, the list of handles, the job, the console. */
#define ATTRIBUTES 4

/* Not in every SDK's or MinGW's headers. */
#define PSEUDOCONSOLE_ATTRIBUTE 0x00020016

/* What one CreateProcess is given. The handles are those that the child will see, and parent's. */
struct call {
  LPPROC_THREAD_ATTRIBUTE_LIST attributes;
  HANDLE parent; /* or NULL for this process */
  HANDLE *handles;
  size_t count;
  HANDLE stdio[3];
  DWORD flags;
};

static bool put(const struct call *call, DWORD_PTR attribute, void *value, size_t size) {
  return UpdateProcThreadAttribute(call->attributes, 0, attribute, value, size, NULL, NULL);
}

static DWORD set_attributes(struct safe__win_launch *launch, struct call *call) {
  if (!put(call, PROC_THREAD_ATTRIBUTE_JOB_LIST, &launch->job, sizeof(launch->job))) return GetLastError();
  if (call->parent != NULL && !put(call, PROC_THREAD_ATTRIBUTE_PARENT_PROCESS, &call->parent, sizeof(call->parent)))
    return GetLastError();
  if (call->count > 0 &&
      !put(call, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, call->handles, call->count * sizeof(*call->handles)))
    return GetLastError();
  if (launch->pty && !put(call, PSEUDOCONSOLE_ATTRIBUTE, safe__win_pty_console(launch->made_pty), sizeof(void *)))
    return GetLastError();
  return ERROR_SUCCESS;
}

static DWORD call_system(struct safe__win_launch *launch, const wchar_t *program, struct call *call) {
  STARTUPINFOEXW startup = {0};
  PROCESS_INFORMATION made;
  DWORD failure = set_attributes(launch, call);

  if (failure != ERROR_SUCCESS) return failure;
  startup.lpAttributeList = call->attributes;
  startup.StartupInfo.cb = sizeof(startup);
  /* Without the flag the handles of a host whose streams are redirected would find their way to a pseudo-console's
     child; with it and with none its streams are that console's. */
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES | (launch->hidden ? STARTF_USESHOWWINDOW : 0);
  startup.StartupInfo.wShowWindow = SW_HIDE;
  startup.StartupInfo.hStdInput = call->stdio[0];
  startup.StartupInfo.hStdOutput = call->stdio[1];
  startup.StartupInfo.hStdError = call->stdio[2];
  if (launch->table != NULL) {
    startup.StartupInfo.cbReserved2 = launch->table->size;
    startup.StartupInfo.lpReserved2 = launch->table->bytes;
  }
  /* EXTENDED_STARTUPINFO_PRESENT belongs here. In dwFlags it means nothing, and the lists would be ignored. */
  if (!safe__win_create_process(program, launch->command, NULL, NULL, call->count > 0,
                                call->flags | EXTENDED_STARTUPINFO_PRESENT | CREATE_UNICODE_ENVIRONMENT,
                                launch->environment, launch->folder, &startup.StartupInfo, &made))
    return GetLastError();
  CloseHandle(made.hThread);
  launch->process = made.hProcess;
  launch->pid = made.dwProcessId;
  return ERROR_SUCCESS;
}

static DWORD call_with_attributes(struct safe__win_launch *launch, const wchar_t *program, struct call *call) {
  DWORD failure = ERROR_NOT_ENOUGH_MEMORY;
  SIZE_T size = 0;

  InitializeProcThreadAttributeList(NULL, ATTRIBUTES, 0, &size);
  call->attributes = safe__alloc(size);
  if (call->attributes != NULL && InitializeProcThreadAttributeList(call->attributes, ATTRIBUTES, 0, &size)) {
    failure = call_system(launch, program, call);
    DeleteProcThreadAttributeList(call->attributes);
  }
  safe__free(call->attributes);
  return failure;
}

/* Each handle once, as CreateProcess takes no list in which one is named twice. Those that are listed are the caller's,
   or copies: none of them can be one of our standard streams. */
static size_t list_handles(const struct safe__win_launch *launch, HANDLE *handles) {
  size_t at, used = 0;

  for (at = 0; at < 3; at++)
    if (at != 2 || !launch->err_is_out) handles[used++] = launch->stdio[at];
  for (at = 0; at < launch->listed_count; at++) handles[used++] = launch->listed[at];
  return used;
}

/* What the child will see, as laid out by list_handles. */
static void note_values(struct safe__win_launch *launch, struct call *call, const HANDLE *values) {
  size_t at, streams = launch->err_is_out ? 2 : 3;

  for (at = 0; at < 3; at++) call->stdio[at] = values[at < streams ? at : 1];
  for (at = 0; at < launch->count; at++) {
    launch->seen[at] = values[streams + launch->place[at]];
    if (launch->table != NULL)
      safe__win_crt_set(launch->table, launch->targets[at], launch->listed[launch->place[at]], launch->seen[at]);
  }
}

/* A failure that is about the program. */
static bool is_about(DWORD failure) {
  int code = safe__os_translate(failure);

  return code == SAFE_ENOENT || code == SAFE_EACCES || code == SAFE_ENOEXEC || code == SAFE_ENOTDIR ||
         code == SAFE_ENAMETOOLONG;
}

static void say_why(struct safe__win_launch *launch, DWORD failure, const wchar_t *program) {
  char text[200];

  safe__win_narrow(program, text, sizeof(text));
  safe__fail_os(&launch->error, failure, is_about(failure) ? SAFE_STAGE_EXEC : SAFE_STAGE_CREATE, -1,
                "%s could not be started", text);
}

/* Of the handle at this place in the list: a standard stream, or one of the caller's. */
static void say_which(struct safe__win_launch *launch, DWORD failure, size_t bad) {
  size_t streams = launch->err_is_out ? 2 : 3, at;

  if (bad < streams) {
    safe__fail_os(&launch->error, failure, SAFE_STAGE_STDIO, (int)bad, "Standard stream %d cannot be inherited",
                  (int)bad);
    return;
  }
  for (at = 0; at + 1 < launch->count && launch->place[at] != bad - streams; at++) continue;
  safe__fail_os(&launch->error, failure, SAFE_STAGE_HANDLE, (int)at, "Listed handle %d cannot be inherited", (int)at);
}

/* The window of inherit.h is open between enter and leave: also for our own ends of the child's streams. */
static void create_in_window(struct safe__win_launch *launch, const wchar_t *program, struct call *call) {
  size_t bad = SIZE_MAX;
  DWORD failure;

  launch->window.handles = call->handles;
  launch->window.count = call->count;
  failure = safe__win_inherit_enter(&launch->window, &bad);
  if (failure == ERROR_SUCCESS) {
    note_values(launch, call, call->handles);
    failure = call_with_attributes(launch, program, call);
    safe__win_inherit_leave(&launch->window);
  }
  if (bad != SIZE_MAX)
    say_which(launch, failure, bad);
  else if (failure != ERROR_SUCCESS)
    say_why(launch, failure, program);
}

/* What the window could not do better: the program is none, or a handle is none. A refusal may be about the proxy. */
static bool is_final(DWORD failure, bool entered, size_t bad) {
  if (failure == ERROR_SUCCESS || failure == ERROR_OPERATION_ABORTED || bad != SIZE_MAX) return true;
  return entered && is_about(failure) && safe__os_translate(failure) != SAFE_EACCES;
}

/* False: the other route is to be tried. *lost: the proxy was ended meanwhile, by whoever. */
static bool create_by_proxy(struct safe__win_launch *launch, const wchar_t *program, struct call *call, bool *lost) {
  bool must = launch->route == SAFE__ROUTE_PROXY, entered;
  DWORD failure, shared = call->flags;
  HANDLE *handles = call->handles;
  size_t bad;

  failure = safe__win_proxy_enter(&launch->proxied, handles, call->count, &bad);
  entered = failure == ERROR_SUCCESS;
  *lost = false;
  if (entered) {
    note_values(launch, call, launch->proxied.values);
    call->parent = safe__win_proxy_process(&launch->proxied);
    call->handles = launch->proxied.values;
    /* Our console is none of the proxy's; without the flag the child would be given one in a window, or none. */
    if ((call->flags & CREATE_NEW_CONSOLE) == 0) call->flags |= CREATE_NO_WINDOW;
    /* Asked first, as Wine's server does not outlive a child of a parent that is gone. */
    failure =
      safe__win_proxy_is_lost(&launch->proxied) ? ERROR_PROCESS_ABORTED : call_with_attributes(launch, program, call);
    *lost = failure != ERROR_SUCCESS && safe__win_proxy_is_lost(&launch->proxied);
    safe__win_proxy_leave(&launch->proxied);
    call->parent = NULL;
    call->handles = handles;
    call->flags = shared;
  }
  if (failure == ERROR_SUCCESS) launch->console = false;
  if (!must && !is_final(failure, entered, bad)) return false;
  if (bad != SIZE_MAX)
    say_which(launch, failure, bad);
  else if (failure != ERROR_SUCCESS && !entered)
    safe__fail_os(&launch->error, failure, SAFE_STAGE_PROXY, -1, "The proxy parent could not be made");
  else if (failure != ERROR_SUCCESS)
    say_why(launch, failure, program);
  return true;
}

static void create_with_handles(struct safe__win_launch *launch, const wchar_t *program, struct call *call) {
  bool lost = false, done = false;

  call->count = list_handles(launch, call->handles);
  if (launch->route != SAFE__ROUTE_WINDOW) {
    done = create_by_proxy(launch, program, call, &lost);
    if (lost && !launch->proxied.closed) {
      safe__error_clear(&launch->error);
      done = create_by_proxy(launch, program, call, &lost);
    }
  }
  if (!done) create_in_window(launch, program, call);
}

/* Nothing is inherited there: the console is the child's streams, and it has no other handle. */
static void create_on_pty(struct safe__win_launch *launch, const wchar_t *program, struct call *call) {
  DWORD failure;

  if (safe__win_pty_make(launch->columns, launch->rows, launch->stdio[0], launch->stdio[1], &launch->made_pty,
                         &launch->error) != SAFE_OK)
    return;
  safe__win_pty_keep(launch->made_pty, &launch->pty_input);
  failure = call_with_attributes(launch, program, call);
  if (failure != ERROR_SUCCESS) say_why(launch, failure, program);
}

void safe__win_create(struct safe__win_launch *launch, const wchar_t *program) {
  struct call call = {0};

  call.flags = launch->flags;
  if (launch->pty) {
    create_on_pty(launch, program, &call);
    return;
  }
  call.handles = safe__alloc((3 + launch->listed_count) * sizeof(*call.handles));
  if (call.handles != NULL)
    create_with_handles(launch, program, &call);
  else
    safe__fail_memory(&launch->error, SAFE_STAGE_CREATE);
  safe__free(call.handles);
}
