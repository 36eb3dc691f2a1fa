/* SPDX-License-Identifier: MIT */
/* The only files that read or write structs of the caller, whose header may be older or newer than this library: this
   one, which has what the locks need, options_process.c and options_inspect.c. */
#include "options.h"

#include <string.h>

/* Larger than any struct of any version will be, smaller than a size field that holds a pointer or garbage. */
#define MAX_STRUCT 65536

#define PATH_LIMIT 32767 /* of Windows; elsewhere the system refuses sooner */

static uint32_t size_of(const void *caller) {
  uint32_t size;

  memcpy(&size, caller, sizeof(size));
  return size;
}

int safe__check_size(const void *caller, const char *name, safe_error *error) {
  uint32_t size = size_of(caller);

  if (size < sizeof(size) || size > MAX_STRUCT)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "The size field of %s is %u: the struct was not initialised with its _INIT macro.", name,
                      (unsigned)size);
  return SAFE_OK;
}

/* What a shorter struct does not have stays as it is: the caller has filled in the defaults. */
int safe__read_struct(void *into, size_t full, const void *from, const char *name, safe_error *error) {
  const unsigned char *bytes = from;
  uint32_t size, at;
  int code = safe__check_size(from, name, error);

  if (code != SAFE_OK) return code;
  size = size_of(from);
  for (at = (uint32_t)full; at < size; at++)
    if (bytes[at] != 0)
      return safe__fail(error, SAFE_ENEWER, SAFE_STAGE_ARGUMENTS, -1,
                        "%s has a field beyond byte %u that this version of the library does not know.", name,
                        (unsigned)full);
  memcpy(into, from, size < full ? size : full);
  return SAFE_OK;
}

int safe__check_flags(uint32_t flags, uint32_t known, const char *name, safe_error *error) {
  if ((flags & ~known) == 0) return SAFE_OK;
  return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "%s has unknown flags: 0x%x.", name,
                    (unsigned)(flags & ~known));
}

int safe__check_choice(int32_t value, int32_t last, const char *name, safe_error *error) {
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
  return caller == NULL ? SAFE_OK : safe__check_size(caller, name, error);
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
    *into = defaults;
    code = safe__read_struct(into, sizeof(*into), from, "safe_lock_options", error);
  }
  if (code == SAFE_OK) code = safe__check_flags(into->flags, LOCK_FLAGS, "safe_lock_options", error);
  if (code == SAFE_OK) code = safe__check_choice(into->mode, SAFE_LOCK_SHARED, "The lock mode", error);
  if (code == SAFE_OK) code = safe__check_choice(into->method, SAFE_METHOD_COMPAT, "The lock method", error);
  if (code == SAFE_OK) code = safe__check_timeout(into->timeout_ms, "The lock timeout", error);
  if (code == SAFE_OK && (into->create_mode & ~07777u) != 0)
    code = safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The create mode 0%o has bits beyond 07777.",
                      (unsigned)into->create_mode);
  if (code == SAFE_OK) code = check_range(into, error);
  if (code == SAFE_OK) code = check_combination(into, handle, error);
  return code;
}

int safe__read_allocator(safe_allocator *into, const safe_allocator *from) {
  safe_error ignored;
  int code = from == NULL ? SAFE_EINVAL : safe__read_struct(into, sizeof(*into), from, "safe_allocator", &ignored);

  if (code != SAFE_OK) return code;
  return into->reallocate != NULL && into->release != NULL ? SAFE_OK : SAFE_EINVAL;
}

int safe__check_tracer(const safe_tracer *tracer) {
  safe_error ignored;
  int code = safe__check_size(tracer, "safe_tracer", &ignored);

  if (code != SAFE_OK) return code;
  return size_of(tracer) >= sizeof(*tracer) && tracer->trace != NULL ? SAFE_OK : SAFE_EINVAL;
}
