/* SPDX-License-Identifier: MIT */
/* The only file that reads or writes structs of the caller, whose header may be older or newer than this library. */
#include <string.h>

#include "internal.h"

/* Larger than any struct of any version will be, smaller than a size field that holds a pointer or garbage. */
#define MAX_STRUCT 65536

/* What a list of the caller's may hold at most: a list without its closing NULL ends here, not in a crash far away. */
#define MAX_STRINGS 65536
#define MAX_STRING (128 * 1024 - 1) /* Linux's MAX_ARG_STRLEN; the other systems take less */

#define PATH_LIMIT 32767 /* of Windows; elsewhere the system refuses sooner */

static uint32_t size_of(const void *caller) {
  uint32_t size;

  memcpy(&size, caller, sizeof(size));
  return size;
}

static int check_size(const void *caller, const char *name, safe_error *error) {
  uint32_t size = size_of(caller);

  if (size < sizeof(size) || size > MAX_STRUCT)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "The size field of %s is %u: the struct was not initialised with its _INIT macro.", name,
                      (unsigned)size);
  return SAFE_OK;
}

static int read_struct(void *into, size_t full, const void *from, const char *name, safe_error *error) {
  const unsigned char *bytes = from;
  uint32_t size, at;
  int code = check_size(from, name, error);

  if (code != SAFE_OK) return code;
  size = size_of(from);
  for (at = (uint32_t)full; at < size; at++)
    if (bytes[at] != 0)
      return safe__fail(error, SAFE_ENEWER, SAFE_STAGE_ARGUMENTS, -1,
                        "%s has a field beyond byte %u that this version of the library does not know.", name,
                        (unsigned)full);
  memset(into, 0, full);
  memcpy(into, from, size < full ? size : full);
  return SAFE_OK;
}

static int check_flags(uint32_t flags, uint32_t known, const char *name, safe_error *error) {
  if ((flags & ~known) == 0) return SAFE_OK;
  return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "%s has unknown flags: 0x%x.", name,
                    (unsigned)(flags & ~known));
}

static int check_choice(int32_t value, int32_t last, const char *name, safe_error *error) {
  if (value >= 0 && value <= last) return SAFE_OK;
  return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "%s has the unknown value %d.", name, (int)value);
}

int safe__check_timeout(int64_t timeout_ms, const char *name, safe_error *error) {
  if (timeout_ms >= SAFE_FOREVER) return SAFE_OK;
  return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                    "%s is %lld: it must be a number of milliseconds, SAFE_NO_WAIT or SAFE_FOREVER.", name,
                    (long long)timeout_ms);
}

int safe__check_path(const char *path, safe_error *error) {
  if (path == NULL) return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The path is NULL.");
  if (path[0] == '\0') return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The path is empty.");
  if (strnlen(path, PATH_LIMIT + 1) > PATH_LIMIT)
    return safe__fail(error, SAFE_ENAMETOOLONG, SAFE_STAGE_ARGUMENTS, -1, "The path is longer than %d bytes.",
                      PATH_LIMIT);
  return SAFE_OK;
}

int safe__check_out(const void *caller, const char *name, safe_error *error) {
  return caller == NULL ? SAFE_OK : check_size(caller, name, error);
}

int safe__check_output(const safe_output *caller, safe_error *error) {
  int code = safe__check_out(caller, "safe_output", error);

  if (code != SAFE_OK || caller == NULL || size_of(caller) >= sizeof(*caller)) return code;
  return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                    "safe_output has %u bytes: too few to take over what was read.", (unsigned)size_of(caller));
}

void safe__write_out(void *caller, const void *from, size_t full) {
  uint32_t size;

  if (caller == NULL) return;
  size = size_of(caller);
  if (size < sizeof(size) || size > MAX_STRUCT) return;
  memcpy((char *)caller + sizeof(size), (const char *)from + sizeof(size), (size < full ? size : full) - sizeof(size));
}

#define LOCK_FLAGS ((SAFE_LOCK_REGULAR_ONLY << 1) - 1) /* all of them */
#define PATH_FLAGS (SAFE_LOCK_FOLLOW_SYMLINKS | SAFE_LOCK_ISOLATE | SAFE_LOCK_REMOVE_ON_UNLOCK | SAFE_LOCK_RECORD_OWNER)

static int invalid(safe_error *error, const char *sentence) {
  return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "%s", sentence);
}

static int check_range(const safe_lock_options *options, safe_error *error) {
  if (options->offset < 0 || options->length < 0 || options->length > INT64_MAX - options->offset)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "The range of %lld bytes from %lld is not one that a file can have.", (long long)options->length,
                      (long long)options->offset);
  if (options->offset == 0 && options->length == 0) return SAFE_OK;
  if (options->method == SAFE_METHOD_FLOCK || options->method == SAFE_METHOD_BOTH ||
      options->method == SAFE_METHOD_COMPAT)
    return invalid(error, "This lock method knows no byte ranges: offset and length must be 0.");
  if ((options->flags & SAFE_LOCK_FAIR) != 0)
    return invalid(error, "SAFE_LOCK_FAIR is for whole files: offset and length must be 0.");
  return SAFE_OK;
}

/* What cannot be had together. */
static int check_combination(const safe_lock_options *options, bool handle, safe_error *error) {
  uint32_t flags = options->flags;

  if (handle && (flags & PATH_FLAGS) != 0)
    return invalid(error, "A flag was set that speaks of a path, and there is only a handle.");
  if ((flags & SAFE_LOCK_REMOVE_ON_UNLOCK) != 0 && options->mode != SAFE_LOCK_EXCLUSIVE)
    return invalid(error, "Only the holder of an exclusive lock may remove the file.");
  if ((flags & SAFE_LOCK_ISOLATE) != 0 &&
      ((flags & SAFE_LOCK_FAIR) != 0 || options->method == SAFE_METHOD_BOTH || options->method == SAFE_METHOD_POSIX))
    return invalid(error, "SAFE_LOCK_ISOLATE cannot be had with SAFE_LOCK_FAIR or with method BOTH or POSIX.");
  if ((flags & SAFE_LOCK_ISOLATE) != 0 && (flags & (SAFE_LOCK_REMOVE_ON_UNLOCK | SAFE_LOCK_RECORD_OWNER)) != 0)
    return invalid(error, "SAFE_LOCK_ISOLATE cannot be had with an owner record or with removing the file.");
  if ((flags & SAFE_LOCK_RECORD_OWNER) != 0 && options->mode != SAFE_LOCK_EXCLUSIVE)
    return invalid(error, "Only the holder of an exclusive lock may write an owner record.");
  if (options->label != NULL && strnlen(options->label, SAFE__LABEL_BYTES + 1) > SAFE__LABEL_BYTES)
    return invalid(error, "The label is longer than 64 bytes.");
  return SAFE_OK;
}

/* Nothing that would have to be looked at more closely: the way of most calls, which are counted in nanoseconds. */
static bool is_plain(const safe_lock_options *options) {
  return (options->flags & ~(uint32_t)SAFE_LOCK_CREATE) == 0 && (uint32_t)options->mode <= SAFE_LOCK_SHARED &&
         (uint32_t)options->method <= SAFE_METHOD_COMPAT && options->timeout_ms >= SAFE_FOREVER &&
         (options->create_mode & ~07777u) == 0 && (options->offset | options->length) == 0 && options->label == NULL;
}

int safe__read_lock_options(safe_lock_options *into, const safe_lock_options *from, bool handle, safe_error *error) {
  static const safe_lock_options defaults = SAFE_LOCK_OPTIONS_INIT;
  int code = SAFE_OK;

  if (from == NULL) {
    *into = defaults;
    return SAFE_OK;
  }
  if (size_of(from) == sizeof(*into)) {
    memcpy(into, from, sizeof(*into)); /* of a length that the compiler knows */
    if (is_plain(into)) return SAFE_OK;
  } else {
    code = read_struct(into, sizeof(*into), from, "safe_lock_options", error);
  }
  if (code == SAFE_OK) code = check_flags(into->flags, LOCK_FLAGS, "safe_lock_options", error);
  if (code == SAFE_OK) code = check_choice(into->mode, SAFE_LOCK_SHARED, "The lock mode", error);
  if (code == SAFE_OK) code = check_choice(into->method, SAFE_METHOD_COMPAT, "The lock method", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->timeout_ms, "The lock timeout", error);
  if (code == SAFE_OK && (into->create_mode & ~07777u) != 0)
    code = safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The create mode 0%o has bits beyond 07777.",
                      (unsigned)into->create_mode);
  if (code == SAFE_OK) code = check_range(into, error);
  if (code == SAFE_OK) code = check_combination(into, handle, error);
  return code;
}

int safe__read_wait_options(safe_wait_options *into, const safe_wait_options *from, safe_error *error) {
  static const safe_wait_options defaults = SAFE_WAIT_OPTIONS_INIT;
  int code;

  *into = defaults;
  if (from == NULL) return SAFE_OK;
  code = read_struct(into, sizeof(*into), from, "safe_wait_options", error);
  if (code == SAFE_OK) code = check_flags(into->flags, 0, "safe_wait_options", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->timeout_ms, "The wait timeout", error);
  return code;
}

int safe__read_communicate_options(safe_communicate_options *into, const safe_communicate_options *from,
                                   safe_error *error) {
  static const safe_communicate_options defaults = SAFE_COMMUNICATE_OPTIONS_INIT;
  int code;

  *into = defaults;
  if (from == NULL) return SAFE_OK;
  code = read_struct(into, sizeof(*into), from, "safe_communicate_options", error);
  if (code == SAFE_OK) code = check_flags(into->flags, 0, "safe_communicate_options", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->timeout_ms, "The communicate timeout", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->drain_ms, "The drain time", error);
  if (code == SAFE_OK && into->input == NULL && into->input_length > 0)
    code = safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The input is NULL, but its length is not 0.");
  return code;
}

int safe__read_stop_options(safe_stop_options *into, const safe_stop_options *from, safe_error *error) {
  static const safe_stop_options defaults = SAFE_STOP_OPTIONS_INIT;
  int code;

  *into = defaults;
  if (from == NULL) return SAFE_OK;
  code = read_struct(into, sizeof(*into), from, "safe_stop_options", error);
  if (code == SAFE_OK) code = check_flags(into->flags, 0, "safe_stop_options", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->grace_ms, "The grace time", error);
  if (code == SAFE_OK && into->grace_ms == SAFE_FOREVER)
    code = safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The grace time cannot be SAFE_FOREVER.");
  return code;
}

/* index is the first bad string's place. */
static int check_strings(const char *const *strings, bool variables, safe_error *error) {
  const char *what = variables ? "The environment" : "argv";
  int at;

  for (at = 0; strings[at] != NULL; at++) {
    if (at == MAX_STRINGS)
      return safe__fail(error, SAFE_E2BIG, SAFE_STAGE_ARGUMENTS, at,
                        "%s has no closing NULL within its first %d strings.", what, MAX_STRINGS);
    if (strnlen(strings[at], MAX_STRING + 1) > MAX_STRING)
      return safe__fail(error, SAFE_E2BIG, SAFE_STAGE_ARGUMENTS, at, "%s has a string of over %d bytes at %d.", what,
                        MAX_STRING, at);
    /* A name may begin with '=' on Windows: "=C:=C:\\folder". */
    if (variables && (strings[at][0] == '\0' || strchr(strings[at] + 1, '=') == NULL))
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, at,
                        "The environment has a string that is not NAME=value at %d.", at);
  }
  return SAFE_OK;
}

static int check_stdio(const safe_stdio *stdio, int index, safe_error *error) {
  int32_t last = index == 2 ? SAFE_STDIO_TO_OUT : SAFE_STDIO_HANDLE;

  if (stdio->kind < 0 || stdio->kind > last)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, index,
                      "Standard stream %d has the unknown or unfitting kind %d.", index, (int)stdio->kind);
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
  return argv ? check_strings(options->argv, false, error) : SAFE_OK;
}

int safe__read_spawn_options(safe_spawn_options *into, const safe_spawn_options *from, safe_error *error) {
  int code;

  if (from == NULL)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "safe_spawn needs options that name a program.");
  code = read_struct(into, sizeof(*into), from, "safe_spawn_options", error);
  if (code == SAFE_OK) code = check_flags(into->flags, 0, "safe_spawn_options", error);
  if (code == SAFE_OK) code = check_program(into, error);
  if (code == SAFE_OK && into->env != NULL) code = check_strings(into->env, true, error);
  if (code == SAFE_OK && into->cwd != NULL) code = safe__check_path(into->cwd, error);
  if (code == SAFE_OK) code = check_stdio(&into->in, 0, error);
  if (code == SAFE_OK) code = check_stdio(&into->out, 1, error);
  if (code == SAFE_OK) code = check_stdio(&into->err, 2, error);
  if (code == SAFE_OK && into->handles == NULL && into->handle_count > 0)
    code = safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "handles is NULL, but handle_count is not 0.");
  if (code == SAFE_OK) code = safe__check_timeout(into->timeout_ms, "The spawn timeout", error);
  if (code == SAFE_OK) code = check_choice(into->group, SAFE_GROUP_HOST, "The process group", error);
  return code;
}
