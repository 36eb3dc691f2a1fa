/* SPDX-License-Identifier: MIT */
/* The structs of process.h: read and checked here, and nowhere else (see options.c). */
#include <string.h>

#include "options.h"

/* What a list of the caller's may hold at most: a list without its closing NULL ends here, not in a crash far away. */
#define MAX_STRINGS 65536
#define MAX_STRING (128 * 1024 - 1) /* Linux's MAX_ARG_STRLEN; the other systems take less */

static int invalid(safe_error *error, int index, const char *sentence) {
  return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, index, "%s", sentence);
}

int safe__read_wait_options(safe_wait_options *into, const safe_wait_options *from, safe_error *error) {
  static const safe_wait_options defaults = SAFE_WAIT_OPTIONS_INIT;
  int code;

  *into = defaults;
  if (from == NULL) return SAFE_OK;
  code = safe__read_struct(into, sizeof(*into), from, "safe_wait_options", error);
  if (code == SAFE_OK) code = safe__check_flags(into->flags, 0, "safe_wait_options", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->timeout_ms, "The wait timeout", error);
  return code;
}

static int check_sink(const safe_sink *sink, int stream, safe_error *error) {
  int code = safe__check_choice(sink->kind, SAFE_SINK_LEAVE, "The kind of a sink", error);

  if (code == SAFE_OK) code = safe__check_choice(sink->keep, SAFE_KEEP_BOTH, "What a sink keeps", error);
  if (code != SAFE_OK) return code;
  if (sink->kind == SAFE_SINK_HANDLE && sink->handle == SAFE_INVALID_HANDLE)
    return safe__fail(error, SAFE_EBADF, SAFE_STAGE_ARGUMENTS, stream, "The sink of stream %d has no handle.", stream);
  if (sink->kind == SAFE_SINK_CALLBACK && sink->function == NULL)
    return invalid(error, stream, "A sink has no function to call.");
  return SAFE_OK;
}

static int check_source(const safe_communicate_options *options, safe_error *error) {
  if (options->input == NULL && options->input_length > 0)
    return invalid(error, -1, "The input is NULL, but its length is not 0.");
  if ((options->input != NULL) + (options->input_handle != SAFE_INVALID_HANDLE) + (options->input_function != NULL) > 1)
    return invalid(error, -1, "The input comes from memory, from a handle or from a function: only one of them.");
  return SAFE_OK;
}

int safe__read_communicate_options(safe_communicate_options *into, const safe_communicate_options *from,
                                   safe_error *error) {
  static const safe_communicate_options defaults = SAFE_COMMUNICATE_OPTIONS_INIT;
  int code;

  *into = defaults;
  if (from == NULL) return SAFE_OK;
  code = safe__read_struct(into, sizeof(*into), from, "safe_communicate_options", error);
  if (code == SAFE_OK) code = safe__check_flags(into->flags, 0, "safe_communicate_options", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->timeout_ms, "The communicate timeout", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->drain_ms, "The drain time", error);
  if (code == SAFE_OK) code = check_source(into, error);
  if (code == SAFE_OK) code = check_sink(&into->out, 1, error);
  if (code == SAFE_OK) code = check_sink(&into->err, 2, error);
  return code;
}

int safe__read_stop_options(safe_stop_options *into, const safe_stop_options *from, safe_error *error) {
  static const safe_stop_options defaults = SAFE_STOP_OPTIONS_INIT;
  int code;

  *into = defaults;
  if (from == NULL) return SAFE_OK;
  code = safe__read_struct(into, sizeof(*into), from, "safe_stop_options", error);
  if (code == SAFE_OK) code = safe__check_flags(into->flags, 0, "safe_stop_options", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->grace_ms, "The grace time", error);
  if (code == SAFE_OK && into->grace_ms == SAFE_FOREVER)
    code = safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The grace time cannot be SAFE_FOREVER.");
  return code;
}

/* index is the first bad string's place. */
enum what { ARGUMENTS, ENVIRONMENT, CHANGES };

static bool is_good(const char *string, enum what what) {
  if (what == ARGUMENTS) return true;
  if (string[0] == '\0') return false;
  /* A name may begin with '=' on Windows: "=C:=C:\\folder". */
  return what == CHANGES ? string[0] != '=' || string[1] != '\0' : strchr(string + 1, '=') != NULL;
}

static int check_strings(const char *const *strings, enum what kind, safe_error *error) {
  static const char *const names[] = {"argv", "The environment", "The list of changes to the environment"};
  const char *what = names[kind];
  int at;

  for (at = 0; strings[at] != NULL; at++) {
    if (at == MAX_STRINGS)
      return safe__fail(error, SAFE_E2BIG, SAFE_STAGE_ARGUMENTS, at,
                        "%s has no closing NULL within its first %d strings.", what, MAX_STRINGS);
    if (strnlen(strings[at], MAX_STRING + 1) > MAX_STRING)
      return safe__fail(error, SAFE_E2BIG, SAFE_STAGE_ARGUMENTS, at, "%s has a string of over %d bytes at %d.", what,
                        MAX_STRING, at);
    if (!is_good(strings[at], kind))
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, at, "%s has a string that is not %s at %d.", what,
                        kind == CHANGES ? "NAME=value or NAME" : "NAME=value", at);
  }
  return SAFE_OK;
}

static uint32_t stdio_flags(const safe_stdio *stdio, int index) {
  if (stdio->kind == SAFE_STDIO_PIPE) return SAFE_STDIO_BLOCKING | SAFE_STDIO_NON_BLOCKING_CHILD;
  return stdio->kind == SAFE_STDIO_PATH && index > 0 ? SAFE_STDIO_APPEND | SAFE_STDIO_NEW : 0;
}

static int check_stdio(const safe_stdio *stdio, int index, safe_error *error) {
  int code;

  if (stdio->kind < 0 || stdio->kind > SAFE_STDIO_PTY || (stdio->kind == SAFE_STDIO_TO_OUT && index != 2))
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, index,
                      "Standard stream %d has the unknown or unfitting kind %d.", index, (int)stdio->kind);
  if ((stdio->flags & ~stdio_flags(stdio, index)) != 0)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, index,
                      "Standard stream %d has flags that are unknown, or not for its kind: 0x%x.", index,
                      (unsigned)stdio->flags);
  if (stdio->kind == SAFE_STDIO_PATH) {
    code = safe__check_path(stdio->path, error);
    if (code != SAFE_OK) {
      error->index = index;
      return code;
    }
    if ((stdio->mode & ~07777u) != 0)
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, index, "The mode 0%o has bits beyond 07777.",
                        (unsigned)stdio->mode);
  }
  if (stdio->kind == SAFE_STDIO_HANDLE && stdio->handle == SAFE_INVALID_HANDLE)
    return safe__fail(error, SAFE_EBADF, SAFE_STAGE_ARGUMENTS, index, "Standard stream %d has no handle.", index);
  return SAFE_OK;
}

static int check_program(safe_spawn_options *options, safe_error *error) {
  bool argv = options->argv != NULL && options->argv[0] != NULL;
  const char *text = options->shell != NULL ? options->shell : options->file;

  if (options->shell != NULL && (options->file != NULL || options->argv != NULL))
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "A shell command line excludes a program and arguments.");
  if (options->shell == NULL && !argv)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "There is no program to start: argv is %s.",
                      options->argv == NULL ? "NULL" : "empty");
  if (options->shell == NULL && options->file == NULL) options->file = text = options->argv[0];
  if (text[0] == '\0')
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The program to start is an empty string.");
  if (strnlen(text, MAX_STRING + 1) > MAX_STRING)
    return safe__fail(error, SAFE_E2BIG, SAFE_STAGE_ARGUMENTS, -1, "The %s has over %d bytes.",
                      options->shell != NULL ? "shell command line" : "program's name", MAX_STRING);
  return argv ? check_strings(options->argv, ARGUMENTS, error) : SAFE_OK;
}

static int check_limits(const safe_spawn_options *options, safe_error *error) {
  const safe_limit *limit;
  size_t at, other;

  if (options->limits == NULL && options->limit_count > 0)
    return invalid(error, -1, "limits is NULL, but limit_count is not 0.");
  for (at = 0; at < options->limit_count; at++) {
    limit = &options->limits[at];
    if (limit->kind < 0 || limit->kind > SAFE_LIMIT_FILE_SIZE || limit->reserved != 0)
      return invalid(error, (int)at, "A resource limit is of an unknown kind.");
    if (limit->value < SAFE_UNLIMITED) return invalid(error, (int)at, "A resource limit is negative.");
    for (other = 0; other < at; other++)
      if (options->limits[other].kind == limit->kind)
        return invalid(error, (int)at, "Two resource limits are of the same kind.");
  }
  return SAFE_OK;
}

static int check_ids(const safe_spawn_options *options, safe_error *error) {
  if (options->uid < -1 || options->uid >= UINT32_MAX || options->gid < -1 || options->gid >= UINT32_MAX)
    return invalid(error, -1, "The uid or gid is not one.");
  if (options->groups == NULL && options->group_count > 0)
    return invalid(error, -1, "groups is NULL, but group_count is not 0.");
  if (options->group_count > 65536) return invalid(error, -1, "There are more than 65536 groups.");
  if (options->umask < -1 || options->umask > 0777) return invalid(error, -1, "The umask is not from 0 to 0777.");
  if (options->nice < -40 || options->nice > 40) return invalid(error, -1, "The niceness is not from -40 to 40.");
  return SAFE_OK;
}

/* What cannot be had together. */
static int check_combination(const safe_spawn_options *options, safe_error *error) {
  bool pty =
    options->in.kind == SAFE_STDIO_PTY || options->out.kind == SAFE_STDIO_PTY || options->err.kind == SAFE_STDIO_PTY;
  uint32_t flags = options->flags;

  if (pty && options->group == SAFE_GROUP_HOST)
    return invalid(error, -1, "A child with a pseudo-terminal gets a session of its own, not the host's group.");
  if (pty && (flags & SAFE_SPAWN_CONTROLLING_TERMINAL) != 0)
    return invalid(error, -1, "The pseudo-terminal is the controlling terminal already.");
  if ((flags & SAFE_SPAWN_CONTROLLING_TERMINAL) != 0 && options->group != SAFE_GROUP_SESSION)
    return invalid(error, -1, "Only the leader of a session can have a controlling terminal.");
  if (options->group == SAFE_GROUP_HOST && options->tree > SAFE_TREE_GROUP)
    return invalid(error, -1,
                   "With SAFE_GROUP_HOST only the child itself is ended: there is no tree to keep together.");
  if ((flags & SAFE_SPAWN_PROXY) != 0 && (flags & SAFE_SPAWN_NO_PROXY) != 0)
    return invalid(error, -1, "The proxy cannot be both asked for and refused.");
  if (options->pty_columns < 0 || options->pty_columns > 32767 || options->pty_rows < 0 || options->pty_rows > 32767)
    return invalid(error, -1, "The size of the pseudo-terminal is not from 0 to 32767.");
  return SAFE_OK;
}

#define SPAWN_FLAGS ((SAFE_SPAWN_NO_PROXY << 1) - 1) /* all of them */

int safe__read_spawn_options(safe_spawn_options *into, const safe_spawn_options *from, safe_error *error) {
  static const safe_spawn_options defaults = SAFE_SPAWN_OPTIONS_INIT;
  int code;

  if (from == NULL) return invalid(error, -1, "safe_spawn needs options that name a program.");
  *into = defaults;
  code = safe__read_struct(into, sizeof(*into), from, "safe_spawn_options", error);
  if (code == SAFE_OK) code = safe__check_flags(into->flags, SPAWN_FLAGS, "safe_spawn_options", error);
  if (code == SAFE_OK) code = check_program(into, error);
  if (code == SAFE_OK && into->env != NULL) code = check_strings(into->env, ENVIRONMENT, error);
  if (code == SAFE_OK && into->env_changes != NULL) code = check_strings(into->env_changes, CHANGES, error);
  if (code == SAFE_OK && into->cwd != NULL) code = safe__check_path(into->cwd, error);
  if (code == SAFE_OK && into->cgroup != NULL) code = safe__check_path(into->cgroup, error);
  if (code == SAFE_OK) code = check_stdio(&into->in, 0, error);
  if (code == SAFE_OK) code = check_stdio(&into->out, 1, error);
  if (code == SAFE_OK) code = check_stdio(&into->err, 2, error);
  if (code == SAFE_OK && into->handles == NULL && into->handle_count > 0)
    code = invalid(error, -1, "handles is NULL, but handle_count is not 0.");
  if (code == SAFE_OK) code = safe__check_timeout(into->timeout_ms, "The spawn timeout", error);
  if (code == SAFE_OK) code = safe__check_choice(into->group, SAFE_GROUP_HOST, "The process group", error);
  if (code == SAFE_OK) code = safe__check_choice(into->tree, SAFE_TREE_CGROUP, "The tree", error);
  if (code == SAFE_OK) code = check_limits(into, error);
  if (code == SAFE_OK) code = check_ids(into, error);
  if (code == SAFE_OK) code = check_combination(into, error);
  return code;
}
