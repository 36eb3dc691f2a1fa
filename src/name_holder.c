/* SPDX-License-Identifier: MIT */
/* The end of the message of a lock that was not got: who holds it. */
#include "internal.h"

#define MOST_NAMED 4 /* of each kind: the message has 512 bytes, and the path its part of them */

/* An flock and a record lock do not see each other. */
static bool conflicts(int32_t asked, const safe_holder *holder) {
  if (holder->role == SAFE_HOLDER_WAITS) return false;
  if (asked == SAFE_METHOD_FLOCK) return holder->method == SAFE_METHOD_FLOCK || holder->role == SAFE_HOLDER_OPENS;
  if (asked == SAFE_METHOD_OFD) return holder->method != SAFE_METHOD_FLOCK || holder->role == SAFE_HOLDER_OPENS;
  return true;
}

enum kind { LOCKED, INHERITED, OPENED };

static enum kind kind_of(const safe_holder *holder) {
  if (holder->role == SAFE_HOLDER_OPENS) return OPENED;
  return holder->via == SAFE_VIA_INHERITED ? INHERITED : LOCKED;
}

/* A process may have it by several descriptors, or by both methods. */
static bool is_first(const safe_holder_list *list, size_t at, int32_t method) {
  const safe_holder *holder = &list->items[at];
  size_t before;

  if (!conflicts(method, holder)) return false;
  for (before = 0; before < at; before++)
    if (list->items[before].pid == holder->pid && kind_of(&list->items[before]) == kind_of(holder) &&
        conflicts(method, &list->items[before]))
      return false;
  return true;
}

static void add_name(const safe_holder *holder, safe_error *error) {
  safe__add(error, "%s[%lld]", holder->name[0] != '\0' ? holder->name : "process", (long long)holder->pid);
  if (holder->state == 'T' || holder->state == 't') safe__add(error, ", which is stopped");
  if (holder->state == 'D') safe__add(error, ", which no signal reaches");
}

/* How many there are of the kind; they are named after `before`. */
static int add_names(const safe_holder_list *list, int32_t method, enum kind kind, const char *before,
                     safe_error *error) {
  int count = 0;
  size_t at;

  for (at = 0; at < list->count; at++) {
    if (kind_of(&list->items[at]) != kind || !is_first(list, at, method)) continue;
    if (count < MOST_NAMED) {
      safe__add(error, "%s", count == 0 ? before : ", ");
      add_name(&list->items[at], error);
    }
    if (error->holder_pid == 0 && kind != OPENED) error->holder_pid = list->items[at].pid;
    count++;
  }
  if (count > MOST_NAMED) safe__add(error, " and %d more", count - MOST_NAMED);
  return count;
}

/* "Held by php-fpm[101]; rrdtool[117] inherited it." */
static bool add_holders(const safe_holder_list *list, int32_t method, safe_error *error) {
  int locked = add_names(list, method, LOCKED, " Held by ", error);
  int inherited = add_names(list, method, INHERITED, locked > 0 ? "; " : " Held by ", error);

  if (inherited > 0) safe__add(error, locked > 0 ? " inherited it" : ", who inherited it");
  if (locked + inherited == 0 && add_names(list, method, OPENED, " Opened by ", error) == 0) return false;
  safe__add(error, ".");
  return true;
}

static const char nobody[] = "no process that can be seen has it locked: it was let go of just now, or is locked in "
                             "another container or on another machine.";

void safe__name_holder(const char *path, const struct safe__file *file, int32_t method, int64_t deadline,
                       safe_error *error) {
  safe_holder_list *list = NULL;
  safe_error ignored;

  safe__error_clear(&ignored);
  if (safe__find_holders_of(path, file, method, deadline, &list, &ignored) != SAFE_OK) {
    safe__add(error, " Who holds it is unknown: %s", ignored.message);
    return;
  }
  if (!add_holders(list, method, error))
    safe__add(error, " Who holds it is unknown: %s", list->unknown[0] != '\0' ? list->unknown : nobody);
  safe_holder_list_free(list);
}
