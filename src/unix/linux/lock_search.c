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

static bool is_opened(const struct safe__holder_query *query, const struct safe__descriptor *descriptor) {
  char link[sizeof(query->file->name)] = "";
  uint64_t inode;

  if (safe__info_number(descriptor->text, "ino", &inode))
    return inode == query->file->id.low && safe__is_seen_file(query->file, descriptor->pid, descriptor->text, NULL);
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
  if (!query->wants_openers || !is_opened(query, descriptor)) return;
  safe__descriptors_enter(walk);
  keep_opener(query, descriptor);
  safe__descriptors_leave(walk);
}

#define MOST_NAMED 128

/* Those who asked for a lock on the file; if there is none, on any. */
static size_t list_named(const struct safe__holder_query *query, int64_t *pids) {
  size_t lines = query->own_lines > 0 ? query->own_lines : query->lines, at, count = 0;

  for (at = 0; at < lines && count < MOST_NAMED; at++)
    if (!query->table[at].waits && query->table[at].pid > 0) pids[count++] = query->table[at].pid;
  return count;
}

static bool has_nameless_waiters(const struct safe__holder_query *query) {
  size_t at;

  for (at = 0; at < query->own_lines; at++)
    if (query->table[at].waits && query->table[at].pid < 0) return true;
  return false;
}

void safe__search(struct safe__holder_query *query, enum safe__extent extent) {
  int64_t named[MOST_NAMED];
  struct safe__descriptor_walk walk = {
    .wanted = SAFE__DESCRIPTOR_INFO, .deadline = query->deadline, .visit = visit, .context = query, .first = named};

  if (extent == SAFE__NOBODY) return;
  walk.first_count = list_named(query, named);
  walk.only_first = extent == SAFE__NAMED && walk.first_count < MOST_NAMED;
  query->wants_openers = has_nameless_waiters(query);
  safe__descriptors_walk(&walk);
  query->unreadable = walk.unreadable;
  query->late = walk.late;
  query->no_memory = query->no_memory || walk.no_memory;
  if (walk.no_proc) safe__holder_unknown(query->list, "/proc cannot be read.");
}
