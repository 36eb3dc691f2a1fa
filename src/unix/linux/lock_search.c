/* SPDX-License-Identifier: MIT */
/*
 * The search of processes' descriptors for those that hold a lock on a file, or have it open. By fdinfo alone: the
 * links would be read three times as fast, but to read one may take as long as an exec (in_exec.h).
 */
#include <string.h>
#include <sys/stat.h>

#include "descriptors.h"
#include "holder_query.h"
#include "in_exec.h"

#define REMOVED " (deleted)" /* d_path, fs/d_path.c */

static void *grow(struct safe__holder_query *query, void *items, size_t size, size_t count, size_t *room) {
  size_t wanted = *room == 0 ? 16 : *room * 2;
  void *grown;

  if (count < *room) return items;
  grown = safe__realloc(items, wanted * size);
  if (grown == NULL)
    query->no_memory = true;
  else
    *room = wanted;
  return grown;
}

static void keep_found(struct safe__holder_query *query, const struct safe__descriptor *descriptor,
                       const struct safe__lock_line *line) {
  struct safe__found *found = grow(query, query->found, sizeof(*query->found), query->found_count, &query->found_room);

  if (found == NULL) return;
  query->found = found;
  found += query->found_count++;
  memset(found, 0, sizeof(*found));
  found->line = *line;
  found->process = descriptor->pid;
  found->number = descriptor->number;
}

static void keep_opener(struct safe__holder_query *query, const struct safe__descriptor *descriptor) {
  struct safe__opener *opener =
    grow(query, query->openers, sizeof(*query->openers), query->opener_count, &query->opener_room);

  if (opener == NULL) return;
  query->openers = opener;
  opener += query->opener_count++;
  opener->process = descriptor->pid;
  opener->number = descriptor->number;
}

/* Paths mean the same to both. */
static bool has_our_mounts(int process) {
  struct stat ours, theirs;

  return stat("/proc/self/ns/mnt", &ours) == 0 && fstatat(process, "ns/mnt", &theirs, 0) == 0 &&
         ours.st_ino == theirs.st_ino;
}

/* Of a descriptor that has a lock on another file: whether that was at our path once. */
static bool was_at_path(const struct safe__holder_query *query, const struct safe__descriptor *descriptor) {
  size_t length = strlen(query->file->name);
  char link[sizeof(query->file->name) + 16];

  if (length == 0 || safe__is_in_exec(descriptor->pid) || !safe__descriptor_link(descriptor, link, sizeof(link)))
    return false;
  if (strncmp(link, query->file->name, length) != 0) return false;
  if (link[length] != '\0' && strcmp(link + length, REMOVED) != 0) return false;
  return has_our_mounts(descriptor->process);
}

/* By its inode alone, where that is told: of which file system it is takes long to find out, and is asked of those that
   it matters of. Another file has the same one seldom enough. */
static bool may_be_opened(const struct safe__holder_query *query, const struct safe__descriptor *descriptor) {
  char link[sizeof(query->file->name)] = "";
  uint64_t inode;

  if (safe__info_number(descriptor->text, "ino", &inode)) return inode == query->file->id.low;
  return !safe__is_in_exec(descriptor->pid) && safe__descriptor_link(descriptor, link, sizeof(link)) &&
         safe__is_seen_file(query->file, descriptor->pid, descriptor->text, link);
}

static void visit(struct safe__descriptor_walk *walk, const struct safe__descriptor *descriptor) {
  struct safe__holder_query *query = walk->context;
  struct safe__lock_line line;
  const char *at = descriptor->text;

  while ((at = safe__lock_line_next(at, &line)) != NULL) {
    bool own = safe__is_own_line(query, &line), before = !own && was_at_path(query, descriptor);
    if (!own && !before) continue;
    safe__descriptors_enter(walk);
    if (own)
      keep_found(query, descriptor, &line);
    else
      query->replaced_by = descriptor->pid;
    safe__descriptors_leave(walk);
  }
  if (!query->wants_openers || !may_be_opened(query, descriptor)) return;
  safe__descriptors_enter(walk);
  keep_opener(query, descriptor);
  safe__descriptors_leave(walk);
}

/* ---- Whom to look at. */

#define MOST_NAMED 128
#define MOST_FIRST 512

struct first {
  int64_t pids[MOST_FIRST];
  size_t count;
};

/* Those who asked for a lock on the file; if there is none, on any. */
static void list_named(const struct safe__holder_query *query, struct first *first) {
  size_t lines = query->own_lines > 0 ? query->own_lines : query->lines, at;

  for (at = 0; at < lines && first->count < MOST_NAMED; at++)
    if (!query->table[at].waits && query->table[at].pid > 0) first->pids[first->count++] = query->table[at].pid;
}

static bool is_listed(const struct first *first, int64_t pid) {
  size_t at;

  for (at = 0; at < first->count; at++)
    if (first->pids[at] == pid) return true;
  return false;
}

static void list_openers(const struct safe__holder_query *query, struct first *first) {
  size_t at;

  for (at = 0; at < query->opener_count && first->count < MOST_FIRST; at++)
    if (!is_listed(first, query->openers[at].process)) first->pids[first->count++] = query->openers[at].process;
}

/* Those who may well be it. False: they may not be all, or there are too many, and so everybody is looked at. */
static bool list_first(const struct safe__holder_query *query, enum safe__extent extent, struct first *first) {
  bool all_named;

  first->count = 0;
  if (extent != SAFE__OPENERS) list_named(query, first);
  all_named = first->count < MOST_NAMED;
  if (extent != SAFE__NAMED) list_openers(query, first);
  return extent != SAFE__EVERY && all_named && first->count < MOST_FIRST;
}

static bool is_no_opener(const struct safe__descriptor_walk *walk, const struct safe__descriptor *descriptor) {
  const struct safe__holder_query *query = walk->context;
  size_t at;

  for (at = 0; at < query->opener_count; at++)
    if (query->openers[at].process == descriptor->pid && query->openers[at].number == descriptor->number) return false;
  return true;
}

void safe__search(struct safe__holder_query *query, enum safe__extent extent) {
  struct first first;
  struct safe__descriptor_walk walk = {.wanted = SAFE__DESCRIPTOR_INFO,
                                       .deadline = query->deadline,
                                       .visit = visit,
                                       .context = query,
                                       .first = first.pids};

  query->found_count = 0;
  query->partly = false;
  if (extent == SAFE__NOBODY) return;
  walk.only_first = list_first(query, extent, &first);
  walk.first_count = first.count;
  query->partly = extent == SAFE__LIKELY && walk.only_first;
  if (extent == SAFE__OPENERS && walk.only_first)
    walk.skips = is_no_opener;
  else
    query->opener_count = 0;
  safe__descriptors_walk(&walk);
  if (walk.unreadable > query->unreadable) query->unreadable = walk.unreadable; /* of some it may be fewer */
  query->late = query->late || walk.late;
  query->no_memory = query->no_memory || walk.no_memory;
  if (walk.no_proc) safe__holder_unknown(query->list, "/proc cannot be read.");
}
