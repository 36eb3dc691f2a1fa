/* SPDX-License-Identifier: MIT */
/* Everything that can be prepared without blocking is made here; launch.c does the rest. */
#include "batch.h"
#include "job.h"
#include "order.h"
#include "priority.h"
#include "program.h"
#include "pty.h"

static int lacking(int stage, const char *what, safe_error *error) {
  return safe__fail(error, SAFE_ENOTSUP, stage, -1, "Windows has no %s.", what);
}

/* What the options can say, and this system not do. */
static int check_supported(const safe_spawn_options *options, safe_error *error) {
  uint32_t flags = options->flags;

  if (options->uid != -1) return lacking(SAFE_STAGE_UID, "user numbers for a child", error);
  if (options->gid != -1) return lacking(SAFE_STAGE_GID, "group numbers for a child", error);
  if (options->group_count > 0) return lacking(SAFE_STAGE_GROUPS, "supplementary groups for a child", error);
  if (options->umask != -1) return lacking(SAFE_STAGE_ARGUMENTS, "umask", error);
  if (options->tree == SAFE_TREE_CGROUP || options->cgroup != NULL)
    return lacking(SAFE_STAGE_CGROUP, "cgroups; SAFE_TREE_WHOLE is a job object there", error);
  if ((flags & SAFE_SPAWN_CONTROLLING_TERMINAL) != 0)
    return lacking(SAFE_STAGE_TERMINAL, "controlling terminals", error);
  if ((flags & SAFE_SPAWN_KEEP_IGNORED) != 0) return lacking(SAFE_STAGE_ARGUMENTS, "ignored signals to keep", error);
  if ((flags & SAFE_SPAWN_NO_NEW_PRIVILEGES) != 0)
    return lacking(SAFE_STAGE_PRIVILEGES, "way to give up new privileges", error);
  if ((flags & SAFE_SPAWN_NO_WINDOW) != 0 && (flags & SAFE_SPAWN_NEW_CONSOLE) != 0)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "A new console in a window and one without a window exclude each other.");
  return SAFE_OK;
}

static bool has_console(void) {
  DWORD pid;

  return GetConsoleProcessList(&pid, 1) > 0;
}

static bool is_console(HANDLE handle) {
  DWORD mode;

  return handle != NULL && GetConsoleMode(handle, &mode);
}

/*
 * The proxy's children have no part in our console. So it is not for those that read from it or write to it, nor for
 * one that is to stay in the host's group: the user's Ctrl-C has to reach it.
 */
static int choose_route(struct safe__win_launch *launch, const safe_spawn_options *options, bool on_console,
                        safe_error *error) {
  launch->route = SAFE__ROUTE_EITHER;
  if (on_console || launch->pty || (options->flags & SAFE_SPAWN_NO_PROXY) != 0 ||
      (options->group == SAFE_GROUP_HOST && has_console()))
    launch->route = SAFE__ROUTE_WINDOW;
  if ((options->flags & SAFE_SPAWN_PROXY) == 0) return SAFE_OK;
  launch->route = SAFE__ROUTE_PROXY;
  if (!on_console) return SAFE_OK;
  return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_PROXY, -1,
                    "A standard stream is a console, in which a child of the proxy has no part.");
}

/*
 * A child without CREATE_NO_WINDOW shares our console, where a CTRL_BREAK reaches it; but where we have none, Windows
 * would open a window for it. In a session of its own it has no part in our console, unless a stream is one. On a
 * pseudo-console it is in no group of its own, as there Ctrl-C would be ignored.
 */
static void choose_flags(struct safe__win_launch *launch, const safe_spawn_options *options, bool on_console) {
  bool console = has_console(), apart = options->group == SAFE_GROUP_SESSION;
  DWORD *flags = &launch->flags;

  *flags = safe__win_priority(GetPriorityClass(GetCurrentProcess()), options->nice);
  launch->hidden = (options->flags & SAFE_SPAWN_HIDDEN) != 0;
  if (launch->pty) return;
  if ((options->flags & SAFE_SPAWN_NEW_CONSOLE) != 0)
    *flags |= CREATE_NEW_CONSOLE;
  else if ((options->flags & SAFE_SPAWN_NO_WINDOW) != 0 || (!on_console && (!console || apart)))
    *flags |= CREATE_NO_WINDOW;
  if (options->group != SAFE_GROUP_HOST) *flags |= CREATE_NEW_PROCESS_GROUP;
  launch->console =
    console && options->group != SAFE_GROUP_HOST && (*flags & (CREATE_NO_WINDOW | CREATE_NEW_CONSOLE)) == 0;
}

static int copy_text(const char *text, const char *what, int stage, wchar_t **into, safe_error *error) {
  int code = text == NULL ? SAFE_OK : safe__win_wide(text, into);

  if (code == SAFE_ENOMEM) return safe__fail_memory(error, stage);
  if (code != SAFE_OK) return safe__fail(error, code, stage, -1, "%s is not UTF-8.", what);
  return SAFE_OK;
}

/* Whether the program is a batch file is known once it is found: until then its arguments' fault is only kept. */
static int prepare_batch(struct safe__win_launch *launch, const safe_spawn_options *options, safe_error *error) {
  int code;

  if ((options->flags & SAFE_SPAWN_BATCH) == 0) return SAFE_OK;
  if ((options->flags & SAFE_SPAWN_VERBATIM) != 0) {
    safe__fail(&launch->batch_error, SAFE_EBATCH, SAFE_STAGE_PREPARE, -1,
               "The arguments of a batch file cannot be verbatim: they have to be checked.");
    return SAFE_OK;
  }
  code = safe__win_batch_arguments(options->argv, &launch->batch, &launch->batch_error);
  if (code != SAFE_ENOMEM) return SAFE_OK;
  *error = launch->batch_error;
  return code;
}

static int prepare_texts(struct safe__win_launch *launch, const safe_spawn_options *options, safe_error *error) {
  int code;

  if (options->shell != NULL) {
    code = safe__win_shell_line(options->shell, &launch->command, error);
  } else {
    code = safe__win_command_line(options->argv, (options->flags & SAFE_SPAWN_VERBATIM) != 0, &launch->command, error);
    if (code == SAFE_OK) code = prepare_batch(launch, options, error);
    if (code == SAFE_OK) code = copy_text(options->file, "The program's name", SAFE_STAGE_SEARCH, &launch->name, error);
  }
  if (code == SAFE_OK) code = copy_text(options->cwd, "The working directory", SAFE_STAGE_CWD, &launch->folder, error);
  if (code == SAFE_OK) code = safe__win_environment(options->env, options->env_changes, &launch->environment, error);
  launch->path_of_child = (options->flags & SAFE_SPAWN_PATH_OF_CHILD) != 0;
  return code;
}

static int prepare(struct safe__child *child, struct safe__win_launch *launch, const safe_spawn_options *options,
                   safe_error *error) {
  bool on_console;
  int code = check_supported(options, error);

  if (code == SAFE_OK) code = safe__win_check_handles(options, error);
  if (code == SAFE_OK) code = prepare_texts(launch, options, error);
  if (code == SAFE_OK) code = safe__win_order_streams(child, launch, options, error);
  if (code == SAFE_OK) code = safe__win_order_handles(launch, options, error);
  if (code == SAFE_OK && (options->flags & SAFE_SPAWN_DIE_WITH_HOST) != 0) {
    child->leash = safe__win_leash_make();
    if (child->leash == NULL) code = safe__fail_memory(error, SAFE_STAGE_PREPARE);
  }
  if (code != SAFE_OK) return code;
  on_console = is_console(launch->stdio[0]) || is_console(launch->stdio[1]) || is_console(launch->stdio[2]);
  choose_flags(launch, options, on_console);
  code = choose_route(launch, options, on_console, error);
  return code == SAFE_OK ? safe__win_job_make(options, &launch->job, error) : code;
}

int safe__os_spawn(struct safe__child *child, const safe_spawn_options *options, int64_t deadline, safe_error *error) {
  struct safe__win_launch *launch = safe__win_launch_make();
  int at, code;

  if (launch == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  child->alone = options->group == SAFE_GROUP_HOST;
  code = prepare(child, launch, options, error);
  if (code == SAFE_OK)
    code = safe__win_launch_run(launch, deadline, child, error);
  else
    safe__win_launch_free(launch);
  if (code == SAFE_OK) return SAFE_OK;
  for (at = 0; at < 3; at++) safe__os_stream_close(&child->streams[at]);
  safe__win_leash_free(child->leash);
  return code;
}

safe_handle safe__os_child_handle(const struct safe__child *child, size_t index) {
  return index < child->seen_count ? child->seen[index] : SAFE_INVALID_HANDLE;
}

int safe__os_child_resize(struct safe__child *child, int columns, int rows) {
  return child->pty != NULL ? safe__win_pty_resize(child->pty, columns, rows) : SAFE_EINVAL;
}

int safe__os_reserve_descriptors(int count) {
  (void)count;
  return SAFE_ENOTSUP; /* handles have no order that would cost anything */
}
