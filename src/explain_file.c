/* SPDX-License-Identifier: MIT */
/* One file in words: who has it locked, how he comes to have it, and who waits for it. */
#include <stdio.h>
#include <string.h>

#include "explain.h"

#define MOST_HOLDERS 8 /* named with how they come to have it */
#define MOST_WAITERS 5 /* named; the rest is counted */

static void say_printable(struct safe__text *text, const char *from) {
  char copy[256];

  snprintf(copy, sizeof(copy), "%s", from);
  safe__make_printable(copy);
  safe__say(text, "%s", copy);
}

static void say_file(struct safe__text *text, const struct safe__scene *scene, int32_t object) {
  say_printable(text, scene->objects[object].name);
}

static const safe_holder *entry_of(const safe_holder_list *list, int64_t pid, int32_t role) {
  size_t at;

  for (at = 0; at < list->count; at++)
    if (list->items[at].pid == pid && list->items[at].role == role) return &list->items[at];
  return NULL;
}

/* Those of one role, each process once. */
static size_t collect(const safe_holder_list *list, int32_t role, int64_t *pids, size_t room) {
  size_t at, count = 0;

  for (at = 0; at < list->count && count < room; at++)
    if (list->items[at].role == role && entry_of(list, list->items[at].pid, role) == &list->items[at])
      pids[count++] = list->items[at].pid;
  return count;
}

static const char *method_name(int32_t method) {
  switch (method) {
  case SAFE_METHOD_FLOCK:
    return ", flock";
  case SAFE_METHOD_OFD:
    return ", OFD";
  case SAFE_METHOD_POSIX:
    return ", POSIX";
  default:
    return "";
  }
}

/* "(exclusive, flock, bytes 0 to 9)": as much of it as is the same for all. */
static void say_kind(struct safe__text *text, const safe_holder_list *list) {
  const safe_holder *first = NULL;
  bool method = true, mode = true, range = true;
  size_t at;

  for (at = 0; at < list->count; at++) {
    const safe_holder *holder = &list->items[at];
    if (holder->role != SAFE_HOLDER_HOLDS) continue;
    if (first == NULL) first = holder;
    method = method && holder->method == first->method;
    mode = mode && holder->mode == first->mode;
    range = range && holder->offset == first->offset && holder->length == first->length;
  }
  if (first == NULL || !mode || first->mode < 0) return;
  safe__say(text, " (%s%s", first->mode == SAFE_LOCK_SHARED ? "shared" : "exclusive",
            method ? method_name(first->method) : "");
  if (range && first->length != 0)
    safe__say(text, ", bytes %lld to %lld", (long long)first->offset, (long long)(first->offset + first->length - 1));
  else if (range && first->offset != 0)
    safe__say(text, ", from byte %lld", (long long)first->offset);
  safe__say(text, ")");
}

/* "took it 14 s ago", "inherited it as descriptor 7": nothing where that is not known. */
static void say_how(struct safe__text *text, const struct safe__scene *scene, const safe_holder *holder,
                    const char *before, const char *after) {
  const struct safe__actor *actor = safe__scene_find_actor(scene, holder->pid);
  const char *between = before;

  if (holder->via == SAFE_VIA_INHERITED) {
    safe__say(text, "%sinherited it", between);
    if (holder->handle >= 0) safe__say(text, " as descriptor %lld", (long long)holder->handle);
    between = ", ";
  } else if (holder->since_ms > 0) {
    safe__say(text, "%stook it ", between);
    if (!safe__say_age(text, "", holder->since_ms, " ago")) safe__say(text, "just now");
    between = ", ";
  }
  if (holder->via == SAFE_VIA_RECORD) {
    safe__say(text, "%ssays its owner record", between);
    between = ", ";
  }
  if (actor != NULL && (actor->state == 'T' || actor->state == 't')) {
    safe__say(text, "%sis stopped", between);
    between = ", ";
  }
  if (between != before) safe__say(text, "%s", after);
}

static bool shared_by_all(const safe_holder_list *list) {
  const safe_holder *first = NULL;
  size_t at;

  for (at = 0; at < list->count; at++) {
    const safe_holder *holder = &list->items[at];
    if (holder->role != SAFE_HOLDER_HOLDS) continue;
    if (first == NULL) first = holder;
    if (holder->method != first->method || holder->method == SAFE_METHOD_POSIX || holder->offset != first->offset ||
        holder->mode != SAFE_LOCK_EXCLUSIVE || first->mode != SAFE_LOCK_EXCLUSIVE || holder->length != first->length)
      return false;
  }
  return first != NULL;
}

static void say_holders(struct safe__text *text, const struct safe__scene *scene, const safe_holder_list *list,
                        const int64_t *pids, size_t count) {
  size_t shown = count > MOST_HOLDERS ? MOST_HOLDERS : count, at;

  for (at = 0; at < shown; at++) {
    const safe_holder *holder = entry_of(list, pids[at], SAFE_HOLDER_HOLDS);
    if (at > 0) safe__say(text, at + 1 < count ? ", " : " and ");
    safe__say_process(text, scene, pids[at], 0);
    if (count > 1)
      say_how(text, scene, holder, " (", ")");
    else
      say_how(text, scene, holder, ", which ", "");
  }
  if (count > shown) safe__say(text, " and %d more", (int)(count - shown));
  safe__say(text, ".\n");
}

/* Whoever asked for the lock has ended: it lives on in those that inherited it. */
static bool only_inherited(const safe_holder_list *list) {
  bool any = false;
  size_t at;

  for (at = 0; at < list->count; at++) {
    if (list->items[at].role != SAFE_HOLDER_HOLDS) continue;
    if (list->items[at].via != SAFE_VIA_INHERITED) return false;
    any = true;
  }
  return any;
}

static void say_held(struct safe__text *text, const struct safe__scene *scene, int32_t object, const int64_t *pids,
                     size_t count) {
  const safe_holder_list *list = &scene->objects[object].holders;

  say_file(text, scene, object);
  safe__say(text, " is locked");
  say_kind(text, list);
  if (count > 1 && shared_by_all(list))
    safe__say(text, " through an open file shared by %d processes: ", (int)count);
  else if (count > 1)
    safe__say(text, " by %d processes: ", (int)count);
  else
    safe__say(text, " by ");
  say_holders(text, scene, list, pids, count);
  if (only_inherited(list)) safe__say(text, "The process that took the lock has ended.\n");
}

static void say_not_held(struct safe__text *text, const struct safe__scene *scene, int32_t object, const int64_t *pids,
                         size_t count, size_t waiting) {
  if (count > 0) {
    say_file(text, scene, object);
    safe__say(text, " is open in ");
    safe__say_processes(text, scene, pids, count, 0);
    safe__say(text, "; whether they have it locked, the system does not tell.\n");
  } else if (waiting > 0 || scene->unknown_count > 0 || scene->objects[object].holders.unsure) {
    safe__say(text, "Nobody that can be seen has ");
    say_file(text, scene, object);
    safe__say(text, " locked.\n");
  } else {
    say_file(text, scene, object);
    safe__say(text, " is not locked.\n");
  }
}

static void say_waiters(struct safe__text *text, const struct safe__scene *scene, const safe_holder_list *list,
                        const int64_t *pids, size_t count) {
  size_t shown = count > MOST_WAITERS ? MOST_WAITERS : count, at;

  if (count == 0) return;
  if (count == 1) {
    safe__say_process(text, scene, pids[0], 0);
    if (!safe__say_age(text, " has waited for it for ", entry_of(list, pids[0], SAFE_HOLDER_WAITS)->since_ms, ".\n"))
      safe__say(text, " waits for it.\n");
    return;
  }
  safe__say(text, "%d processes wait for it: ", (int)count);
  for (at = 0; at < shown; at++) {
    if (at > 0) safe__say(text, at + 1 < count ? ", " : " and ");
    safe__say_process(text, scene, pids[at], 0);
    safe__say_age(text, " (for ", entry_of(list, pids[at], SAFE_HOLDER_WAITS)->since_ms, ")");
  }
  if (count > shown) safe__say(text, " and %d more", (int)(count - shown));
  safe__say(text, ".\n");
}

void safe__tell_file(struct safe__text *text, const struct safe__scene *scene, int32_t object) {
  const safe_holder_list *list = &scene->objects[object].holders;
  int64_t *pids = safe__alloc((list->count + 1) * sizeof(*pids));
  size_t count, waiting;

  if (pids == NULL) {
    text->no_memory = true;
    return;
  }
  waiting = collect(list, SAFE_HOLDER_WAITS, pids, list->count);
  count = collect(list, SAFE_HOLDER_HOLDS, pids, list->count);
  if (count > 0)
    say_held(text, scene, object, pids, count);
  else
    say_not_held(text, scene, object, pids, collect(list, SAFE_HOLDER_OPENS, pids, list->count), waiting);
  say_waiters(text, scene, list, pids, collect(list, SAFE_HOLDER_WAITS, pids, list->count));
  safe__free(pids);
  if (!list->unsure && list->unknown[0] != '\0') {
    say_printable(text, list->unknown);
    safe__say(text, "\n");
  }
}
