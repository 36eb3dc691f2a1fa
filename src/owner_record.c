/* SPDX-License-Identifier: MIT */
#include "owner_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 512
#define FIRST_LINE "safehold owner 1\n"
#define FIRST_LENGTH (sizeof(FIRST_LINE) - 1)

/* ---- The text. */

static uint64_t fnv1a(const char *text, size_t length) {
  uint64_t hash = UINT64_C(14695981039346656037);
  size_t at;

  for (at = 0; at < length; at++) hash = (hash ^ (unsigned char)text[at]) * UINT64_C(1099511628211);
  return hash;
}

/* One line a field: what is no printable character could forge another. */
static void clean(char *text) {
  for (; *text != '\0'; text++)
    if ((unsigned char)*text < ' ' || *text == 0x7f) *text = '?';
}

/* Returns the check. */
static uint64_t compose(char *text, const safe_owner *owner) {
  uint64_t check;
  int length;

  memset(text, '\n', BYTES);
  length = snprintf(text, BYTES,
                    FIRST_LINE "pid=%" PRId64 "\nstart=%" PRIu64 "\nboot=%s\nhost=%s\nthread=%" PRId64
                               "\nsince=%" PRId64 "\nlabel=%s\n",
                    owner->pid, owner->start, owner->boot, owner->host, owner->thread, owner->since_ms, owner->label);
  check = fnv1a(text, (size_t)length);
  length += snprintf(text + length, (size_t)(BYTES - length), "check=%016" PRIx64 "\n", check);
  text[length] = '\n'; /* where snprintf put its NUL */
  return check;
}

/* The rest of the line that begins with the name; NULL if there is none. */
static const char *field(const char *text, const char *name) {
  size_t length = strlen(name);
  const char *line;

  for (line = text; line != NULL; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (strncmp(line, name, length) == 0) return line + length;
    if (*line == '\0') break;
  }
  return NULL;
}

static void copy_field(char *into, size_t size, const char *text, const char *name) {
  const char *from = field(text, name);
  size_t length = from == NULL ? 0 : strcspn(from, "\n");

  if (length >= size) length = size - 1;
  if (length > 0) memcpy(into, from, length);
  into[length] = '\0';
}

static int64_t number_field(const char *text, const char *name) {
  const char *from = field(text, name);

  return from == NULL ? 0 : strtoll(from, NULL, 10);
}

/* False for a text that is no record, a cleared one, or one that is being written. */
static bool parse(const char *text, safe_owner *owner) {
  const char *check = field(text, "check=");

  if (check == NULL || strtoull(check, NULL, 16) != fnv1a(text, (size_t)(check - text) - 6)) return false;
  owner->pid = number_field(text, "pid=");
  owner->thread = number_field(text, "thread=");
  owner->since_ms = number_field(text, "since=");
  owner->start = (uint64_t)number_field(text, "start=");
  copy_field(owner->boot, sizeof(owner->boot), text, "boot=");
  copy_field(owner->host, sizeof(owner->host), text, "host=");
  copy_field(owner->label, sizeof(owner->label), text, "label=");
  return true;
}

/* ---- Where it is. */

static bool is_ours(const char *text) { return strncmp(text, FIRST_LINE, FIRST_LENGTH) == 0; }

/* What is there of a record; always ends with a NUL. The number of bytes, or a SAFE_E*. */
static int64_t read_text(const struct safe__file *file, char *text) {
  int64_t length = safe__os_file_read(file, text, BYTES, 0);

  text[length < 0 ? 0 : length] = '\0';
  return length;
}

/* A host's data are not ours to write in: only a file that we made, and nobody has written in since, or one that has
   had a record before. */
static bool belongs_to_us(const struct safe__file *file, bool when_empty) {
  char text[BYTES + 1];
  int64_t length = read_text(file, text);

  return (length == 0 && when_empty) || (length > 0 && is_ours(text));
}

static uint64_t check_in(const char *text) {
  const char *check = field(text, "check=");

  return check == NULL ? 0 : strtoull(check, NULL, 16);
}

static char *beside(const char *path) {
  size_t size = strlen(path) + sizeof(".owner");
  char *sidecar = safe__alloc(size);

  if (sidecar != NULL) snprintf(sidecar, size, "%s.owner", path);
  return sidecar;
}

static int open_beside(struct safe__file *file, const char *path, uint32_t flags, safe_error *error) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  char *sidecar = beside(path);
  int code;

  if (sidecar == NULL) return safe__fail_memory(error, SAFE_STAGE_OPEN);
  options.flags = flags;
  options.method = SAFE_METHOD_FLOCK; /* reading is enough to look */
  safe__os_file_none(file);
  code = safe__os_file_open(file, sidecar, &options, error);
  safe__free(sidecar);
  return code;
}

/* ---- Writing it. */

static int write_beside(const char *path, const char *text, safe_error *error) {
  struct safe__file file;
  int64_t written;
  int code = open_beside(&file, path, SAFE_LOCK_CREATE, error);

  if (code != SAFE_OK) {
    safe__add(error, " (The owner record beside it.)");
    return code;
  }
  if (!belongs_to_us(&file, true)) { /* an empty one is what is left of an attempt that failed */
    safe__os_file_close(&file);
    return safe__fail(error, SAFE_EACCES, SAFE_STAGE_LOCK, -1,
                      "The owner record cannot be written: there is a file of its name that is none.");
  }
  written = safe__os_file_write(&file, text, BYTES, 0);
  safe__os_file_close(&file);
  if (written == BYTES) return SAFE_OK;
  return safe__fail(error, (int)written, SAFE_STAGE_LOCK, -1, "The owner record beside the file could not be written.");
}

int safe__owner_record_write(struct safe_lock *lock, const char *label, safe_error *error) {
  safe_owner owner = SAFE_OWNER_INIT;
  char text[BYTES + 1];
  int64_t written;
  int code;

  safe__os_identify(&owner);
  if (label != NULL) strncpy(owner.label, label, sizeof(owner.label) - 1);
  clean(owner.label);
  clean(owner.host);
  lock->record = compose(text, &owner);
  lock->recorded_inside = belongs_to_us(&lock->file, safe__os_file_created(&lock->file));
  if (lock->recorded_inside) {
    written = safe__os_file_write(&lock->file, text, BYTES, 0);
    code = written == BYTES ? SAFE_OK
                            : safe__fail(error, (int)written, SAFE_STAGE_LOCK, -1,
                                         "The owner record could not be written into the file.");
  } else {
    code = write_beside(lock->path, text, error);
  }
  lock->recorded = code == SAFE_OK;
  return code;
}

/* Only the very record that was written: a path that is relative may be another one's by now. */
static void remove_beside(const char *path, uint64_t record) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  char text[BYTES + 1], *sidecar = beside(path);
  struct safe__file file;
  safe_error ignored;

  if (sidecar != NULL && open_beside(&file, path, 0, &ignored) == SAFE_OK) {
    read_text(&file, text);
    if (is_ours(text) && check_in(text) == record) safe__os_file_remove(&file, sidecar, &options);
    safe__os_file_close(&file);
  }
  safe__free(sidecar);
}

void safe__owner_record_clear(struct safe_lock *lock) {
  char text[BYTES];

  lock->recorded = false;
  if (!lock->recorded_inside) {
    remove_beside(lock->path, lock->record);
    return;
  }
  memset(text, '\n', BYTES);
  memcpy(text, FIRST_LINE, FIRST_LENGTH);
  safe__os_file_write(&lock->file, text, BYTES, 0);
}

/* ---- Reading it. */

static int look_into(const char *path, safe_owner *owner, safe_error *error) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  struct safe__file file;
  char text[BYTES + 1];
  bool found;
  int code;

  options.flags = SAFE_LOCK_FOLLOW_SYMLINKS | SAFE__READ_ONLY;
  options.mode = SAFE_LOCK_SHARED;
  safe__os_file_none(&file);
  code = safe__os_file_open(&file, path, &options, error);
  if (code != SAFE_OK) return code;
  read_text(&file, text);
  safe__os_file_close(&file);
  found = is_ours(text) && parse(text, owner);
  if (!found && open_beside(&file, path, SAFE__READ_ONLY, error) == SAFE_OK) {
    read_text(&file, text);
    safe__os_file_close(&file);
    found = is_ours(text) && parse(text, owner);
  }
  owner->state = found ? SAFE_OWNER_ALIVE : SAFE_OWNER_NONE;
  return SAFE_OK;
}

/* A record outlives a process that was killed, and a machine that was switched off. */
static void judge(safe_owner *owner) {
  safe_owner self = SAFE_OWNER_INIT;

  if (owner->state == SAFE_OWNER_NONE) return;
  safe__os_identify(&self);
  if (strcmp(self.host, owner->host) != 0)
    owner->state = SAFE_OWNER_ELSEWHERE;
  else if (strcmp(self.boot, owner->boot) != 0 || !safe__os_is_alive(owner))
    owner->state = SAFE_OWNER_GONE;
}

static bool find_in(const char *path, int64_t deadline, safe_owner *owner) {
  char text[BYTES + 1];
  int64_t length = safe__os_read_start(path, text, BYTES, deadline);

  if (length <= 0) return false;
  text[length] = '\0';
  if (!is_ours(text) || !parse(text, owner)) return false;
  owner->state = SAFE_OWNER_ALIVE;
  judge(owner);
  return owner->state == SAFE_OWNER_ALIVE;
}

bool safe__owner_record_find(const char *path, int64_t deadline, safe_owner *owner) {
  char *sidecar;
  bool found;

  if (find_in(path, deadline, owner)) return true;
  sidecar = beside(path);
  found = sidecar != NULL && find_in(sidecar, deadline, owner);
  safe__free(sidecar);
  return found;
}

int safe_lock_owner(const char *path, safe_owner *caller, safe_error *caller_error) {
  safe_owner owner = SAFE_OWNER_INIT;
  safe_error error;
  int held, code;

  safe__error_clear(&error);
  if (safe__check_out(caller_error, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  code = safe__check_path(path, &error);
  if (code == SAFE_OK && caller == NULL)
    code = safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the owner is NULL.");
  if (code == SAFE_OK) code = safe__check_out(caller, "safe_owner", &error);
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    code = look_into(path, &owner, &error);
    if (code == SAFE_OK) judge(&owner);
    safe__os_allow_cancellation(held);
  }
  if (code == SAFE_OK) safe__write_out(caller, &owner, sizeof(owner));
  return safe__deliver(caller_error, &error, code);
}
