/* SPDX-License-Identifier: MIT */
/* What a careless child would inherit: the list, and the calls; what there is the system tells (safe__os_audit). */
#include <stdio.h>
#include <string.h>

#include "os.h"

/* A process chooses the names of its files, and the list goes to logs and terminals. */
void safe__leak_name(safe_leak *leak, const char *name) {
  static const char cut[] = "...";
  size_t at, length = strlen(name), room = sizeof(leak->what);

  if (length < room) {
    memcpy(leak->what, name, length + 1);
  } else {
    at = room - sizeof(cut);
    while (at > 0 && ((unsigned char)name[at] & 0xc0) == 0x80) at--; /* not in the middle of a UTF-8 character */
    memcpy(leak->what, name, at);
    memcpy(leak->what + at, cut, sizeof(cut));
  }
  safe__make_printable(leak->what);
}

bool safe__leak_add(safe_handle_list *list, const safe_leak *leak) {
  safe_leak *items;
  size_t room;

  if (list->count == list->room) {
    room = list->room == 0 ? 8 : list->room * 2;
    items = safe__realloc(list->items, room * sizeof(*items));
    if (items == NULL) return false;
    list->items = items;
    list->room = room;
  }
  list->items[list->count++] = *leak;
  return true;
}

void safe__leak_unknown(safe_handle_list *list, const char *format, ...) {
  size_t length = strlen(list->unknown);
  va_list arguments;

  if (length > 0 && length + 2 < sizeof(list->unknown)) list->unknown[length++] = ' ';
  va_start(arguments, format);
  vsnprintf(list->unknown + length, sizeof(list->unknown) - length, format, arguments);
  va_end(arguments);
}

static int audit(const safe_audit_options *options, safe_handle_list **out, safe_error *error) {
  safe_handle_list *list = safe__alloc(sizeof(*list));
  int64_t pid = options->pid == 0 ? safe__os_self() : options->pid;
  int code;

  if (list == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  code = safe__os_audit(pid, options->flags, safe__deadline(options->timeout_ms), list, error);
  if (code == SAFE_OK)
    *out = list;
  else
    safe_handle_list_free(list);
  return code;
}

int safe_audit_handles(const safe_audit_options *caller, safe_handle_list **leaks, safe_error *caller_error) {
  safe_audit_options options;
  safe_error error;
  int code, held;

  safe__error_clear(&error);
  if (safe__check_out(caller_error, "safe_error", &error) != SAFE_OK) return SAFE_EINVAL;
  if (leaks != NULL) *leaks = NULL;
  code = safe__read_audit_options(&options, caller, &error);
  if (code == SAFE_OK && leaks == NULL)
    code = safe__fail(&error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1, "The place for the list is NULL.");
  if (code == SAFE_OK) {
    held = safe__os_hold_cancellation();
    code = audit(&options, leaks, &error);
    safe__os_allow_cancellation(held);
  }
  return safe__deliver(caller_error, &error, code);
}

size_t safe_handle_list_count(const safe_handle_list *list) { return list == NULL ? 0 : list->count; }

const safe_leak *safe_handle_list_get(const safe_handle_list *list, size_t index) {
  return list == NULL || index >= list->count ? NULL : &list->items[index];
}

const char *safe_handle_list_unknown(const safe_handle_list *list) {
  return list == NULL || list->unknown[0] == '\0' ? NULL : list->unknown;
}

void safe_handle_list_free(safe_handle_list *list) {
  if (list == NULL) return;
  safe__free(list->items);
  safe__free(list);
}
