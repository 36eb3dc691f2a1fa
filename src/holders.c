/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner_record.h"

/* One process may have several locks on the file by one descriptor. Of two that wait it has as a rule two threads. */
static bool is_same(const safe_holder *one, const safe_holder *other) {
  if (one->pid != other->pid || one->role != other->role || one->handle != other->handle) return false;
  if (one->role == SAFE_HOLDER_WAITS) return one->handle >= 0;
  return one->role == SAFE_HOLDER_OPENS ||
         (one->method == other->method && one->offset == other->offset && one->length == other->length);
}

bool safe__holder_add(safe_holder_list *list, const safe_holder *holder) {
  safe_holder *items;
  size_t at, room;

  for (at = 0; at < list->count; at++)
    if (is_same(&list->items[at], holder)) return true;
  if (list->count == list->room) {
    room = list->room == 0 ? 8 : list->room * 2;
    items = safe__realloc(list->items, room * sizeof(*items));
    if (items == NULL) return false;
    list->items = items;
    list->room = room;
  }
  list->items[list->count] = *holder;
  /* A process chooses its own name, and the message that has it goes to logs and terminals. */
  safe__make_printable(list->items[list->count++].name);
  return true;
}

static void keep(safe_holder_list *list, const char *format, va_list arguments) {
  size_t length = strlen(list->unknown);

  if (length > 0 && length + 2 < sizeof(list->unknown)) list->unknown[length++] = ' ';
  vsnprintf(list->unknown + length, sizeof(list->unknown) - length, format, arguments);
}

static int compare(int64_t left, int64_t right) { return (left > right) - (left < right); }

static int before(const void *left, const void *right) {
  static const int rank[] = {
    [SAFE_VIA_LOCKED] = 0, [SAFE_VIA_RECORD] = 1, [SAFE_VIA_UNKNOWN] = 2, [SAFE_VIA_INHERITED] = 3};
  const safe_holder *one = left, *other = right;
  int order = compare(one->role, other->role);

  if (order == 0) order = compare(rank[one->via], rank[other->via]);
  if (order == 0) order = compare(one->pid, other->pid);
  if (order == 0) order = compare(one->handle, other->handle);
  return order == 0 ? compare(one->offset, other->offset) : order;
}

void safe__holder_order(safe_holder_list *list) {
  safe_holder *copy = list->count < 2 ? NULL : safe__alloc(list->count * sizeof(*copy));
  size_t at, waiting, holding = 0;

  if (copy == NULL) return;
  for (at = 0; at < list->count; at++)
    if (list->items[at].role != SAFE_HOLDER_WAITS) copy[holding++] = list->items[at];
  for (waiting = holding, at = 0; at < list->count; at++)
    if (list->items[at].role == SAFE_HOLDER_WAITS) copy[waiting++] = list->items[at];
  qsort(copy, holding, sizeof(*copy), before);
  memcpy(list->items, copy, list->count * sizeof(*copy));
  safe__free(copy);
}

void safe__holder_unknown(safe_holder_list *list, const char *format, ...) {
  va_list arguments;

  list->unsure = true;
  va_start(arguments, format);
  keep(list, format, arguments);
  va_end(arguments);
}

void safe__holder_note(safe_holder_list *list, const char *format, ...) {
  va_list arguments;

  va_start(arguments, format);
  keep(list, format, arguments);
  va_end(arguments);
}

int safe__find_holders_of(const char *path, const struct safe__file *file, int32_t method, int64_t deadline,
                          safe_holder_list **out, safe_error *error) {
  safe_holder_list *list = safe__alloc(sizeof(*list));
  int code;

  if (list == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  list->file = file;
  list->method = method;
  code = safe__os_holders(path, deadline, list, error);
  safe__holder_order(list);
  if (code == SAFE_OK)
    *out = list;
  else
    safe_holder_list_free(list);
  return code;
}

/* ---- The owner record: since when, and where the system does not name who locks, who. */

static bool is_worth_asking(const safe_holder_list *list) {
  size_t at;

  for (at = 0; at < list->count; at++)
    if (list->items[at].role != SAFE_HOLDER_WAITS) return true;
  return list->unsure;
}

/* Whoever has it confirms the record; else it is believed only where nobody was seen that holds a lock. */
static void fold(safe_holder_list *list, const safe_owner *owner) {
  safe_holder added = {0}, *opener = NULL;
  bool held = false;
  size_t at;

  for (at = 0; at < list->count; at++) {
    safe_holder *holder = &list->items[at];
    held = held || holder->role == SAFE_HOLDER_HOLDS;
    if (holder->pid != owner->pid || holder->role == SAFE_HOLDER_WAITS || holder->via == SAFE_VIA_INHERITED) continue;
    holder->since_ms = owner->since_ms;
    if (holder->role == SAFE_HOLDER_OPENS) opener = holder;
  }
  if (held) return;
  if (opener != NULL) {
    opener->role = SAFE_HOLDER_HOLDS;
    opener->via = SAFE_VIA_RECORD;
    opener->mode = SAFE_LOCK_EXCLUSIVE; /* nobody else leaves a record */
    return;
  }
  added.pid = owner->pid;
  added.handle = added.method = -1;
  added.role = SAFE_HOLDER_HOLDS;
  added.mode = SAFE_LOCK_EXCLUSIVE;
  added.via = SAFE_VIA_RECORD;
  added.since_ms = owner->since_ms;
  if (!safe__holder_add(list, &added)) safe__holder_unknown(list, "There was not enough memory for all of them.");
}

void safe__holders_fold_record(safe_holder_list *list, const char *path, int64_t deadline) {
  safe_owner owner = SAFE_OWNER_INIT;

  if (is_worth_asking(list) && safe__owner_record_find(path, deadline, &owner)) fold(list, &owner);
}

int safe_lock_holders(const char *path, int64_t timeout_ms, safe_holder_list **list, safe_error *caller) {
  safe_error error;
  int64_t deadline;
  int code, held;

  safe__error_clear(&error);
  if (safe__check_out(caller, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  code = safe__check_path(path, &error);
  if (code == SAFE_OK && list == NULL)
    code = safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the list is NULL.");
  if (code == SAFE_OK && timeout_ms < 0)
    code = safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "A holder query needs a bounded timeout.");
  if (list != NULL) *list = NULL;
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    deadline = safe__deadline(timeout_ms);
    code = safe__find_holders_of(path, NULL, SAFE_METHOD_DEFAULT, deadline, list, &error);
    if (code == SAFE_OK) safe__holders_fold_record(*list, path, deadline);
    safe__os_allow_cancellation(held);
  }
  return safe__deliver(caller, &error, code);
}

size_t safe_holder_list_count(const safe_holder_list *list) { return list == NULL ? 0 : list->count; }

const safe_holder *safe_holder_list_get(const safe_holder_list *list, size_t index) {
  return list == NULL || index >= list->count ? NULL : &list->items[index];
}

const char *safe_holder_list_unknown(const safe_holder_list *list) {
  return list == NULL || list->unknown[0] == '\0' ? NULL : list->unknown;
}

void safe_holder_list_free(safe_holder_list *list) {
  if (list == NULL) return;
  safe__free(list->items);
  safe__free(list);
}
