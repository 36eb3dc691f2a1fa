/* SPDX-License-Identifier: MIT */
/*
 * Who belongs to a child's tree, as far as /proc tells: its group or session, its descendants, or all that is below its
 * guard. Whoever was found is remembered, by number and start time: when his parent ends he is somebody else's child,
 * and no link leads to him any more.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "in_exec.h"
#include "proc_stat.h"
#include "tree.h"

/* A zombie with threads left is a process whose first thread alone has ended. */
static bool is_dead(const struct safe__proc_stat *stat) {
  return (stat->state == 'Z' || stat->state == 'X') && stat->threads <= 1;
}

/* ---- The table of all processes, by ascending numbers as /proc lists them. */
static bool add(struct safe__members *all, size_t *room, int64_t pid, const struct safe__proc_stat *stat) {
  struct safe__member *member;

  if (all->count == *room) {
    member = safe__realloc(all->items, (*room == 0 ? 256 : *room * 2) * sizeof(*member));
    if (member == NULL) return false;
    all->items = member;
    *room = *room == 0 ? 256 : *room * 2;
  }
  member = &all->items[all->count++];
  member->pid = pid;
  member->start = stat->start;
  member->parent = stat->parent;
  member->group = stat->group;
  member->session = stat->session;
  member->state = is_dead(stat) ? 'Z' : stat->state;
  member->in = false;
  return true;
}

/* For now, and not because there is no such process, or no /proc. */
static bool is_want(long result) { return result == -EMFILE || result == -ENFILE || result == -ENOMEM; }

enum look { LOOKED, GONE, IN_WANT };

static enum look look_at(int64_t pid, struct safe__proc_stat *stat) {
  char text[16];
  long result = 1;
  int tries;

  /* What can be read the moment after was not to be read for want of a descriptor. */
  for (tries = 0; tries < 2 && result > 0; tries++) {
    if (safe__calm_stat(pid, stat)) return LOOKED;
    result = safe__proc_read(pid, 0, "status", text, sizeof(text));
  }
  return is_want(result) ? IN_WANT : GONE;
}

/* False if not all could be looked at. */
static bool read_all(struct safe__members *all) {
  struct safe__proc_stat stat;
  struct safe__proc_walk walk;
  bool complete = true;
  enum look result;
  size_t room = 0;
  int64_t pid;

  safe__proc_open(&walk);
  if (walk.folder < 0) return !is_want(walk.folder);
  while (complete && (pid = safe__proc_walk_next(&walk)) != 0) {
    result = look_at(pid, &stat);
    complete = result == GONE || (result == LOOKED && add(all, &room, pid, &stat));
  }
  safe__proc_close(&walk);
  return complete && walk.length >= 0;
}

static struct safe__member *lookup(const struct safe__members *all, int64_t pid) {
  size_t low = 0, high = all->count, middle;

  while (low < high) {
    middle = low + (high - low) / 2;
    if (all->items[middle].pid == pid) return &all->items[middle];
    if (all->items[middle].pid < pid)
      low = middle + 1;
    else
      high = middle;
  }
  return NULL;
}

/* ---- Who is in it by himself. */
static bool is_seed(const struct safe__child *child, const struct safe__member *member, enum safe__group group) {
  const struct safe__guard *guard = safe__guard_of(child);

  if (guard != NULL && guard->record->adopts != 0 && guard->pid > 0 && member->parent == guard->pid) return true;
  if (group != SAFE__GROUP_OURS) return false;
  if (member->group == child->pid) return true;
  return child->keeping != SAFE_TREE_GROUP && (member->session == child->pid || member->pid == child->pid);
}

static void mark_seeds(const struct safe__child *child, struct safe__members *all, enum safe__group group) {
  const struct safe__member *seen;
  struct safe__member *member;
  size_t at;

  for (at = 0; at < all->count; at++) all->items[at].in = is_seed(child, &all->items[at], group);
  for (at = 0; child->tree != NULL && at < child->tree->seen.count; at++) {
    seen = &child->tree->seen.items[at];
    member = lookup(all, seen->pid);
    if (member == NULL || (member->start != 0 && member->start != seen->start)) continue;
    member->start = seen->start; /* in the middle of exec nobody tells when it was started */
    member->in = true;
  }
}

static void mark_group(const struct safe__child *child, struct safe__members *all) {
  size_t at;

  for (at = 0; at < all->count; at++)
    if (all->items[at].group == child->pid) all->items[at].in = true;
}

/* Whose parent is in it, is in it too; over again until nobody is added, as a number that has been round again makes a
   child precede its parent. */
static void mark_descendants(struct safe__members *all) {
  const struct safe__member *parent;
  bool added = true;
  size_t at;

  while (added) {
    added = false;
    for (at = 0; at < all->count; at++) {
      if (all->items[at].in) continue;
      parent = lookup(all, all->items[at].parent);
      if (parent == NULL || !parent->in) continue;
      all->items[at].in = added = true;
    }
  }
}

static bool lives(const struct safe__member *member) { return member->in && member->state != 'Z'; }

/* Those that live, and no one else. */
static void keep_living(struct safe__members *all) {
  size_t at, kept = 0;

  for (at = 0; at < all->count; at++)
    if (lives(&all->items[at])) all->items[kept++] = all->items[at];
  all->count = kept;
}

/* Instead of those that were seen before; of an incomplete look together with those that it did not come to. False
   without memory: then those from before stay. */
static bool remember(struct safe__child *child, const struct safe__members *all, bool complete) {
  size_t at, count = 0, kept = 0, before = 0;
  const struct safe__member *seen;
  struct safe__member *copy;

  for (at = 0; at < all->count; at++) count += lives(&all->items[at]);
  if (child->tree == NULL && count == 0) return true;
  if (child->tree == NULL) child->tree = safe__tree_new();
  if (child->tree == NULL) return false;
  seen = child->tree->seen.items;
  if (!complete) before = child->tree->seen.count;
  copy = count + before == 0 ? NULL : safe__alloc((count + before) * sizeof(*copy));
  if (copy == NULL && count + before > 0) return false;
  for (at = 0; at < all->count; at++)
    if (lives(&all->items[at])) copy[kept++] = all->items[at];
  for (at = 0; at < before; at++)
    if (lookup(all, seen[at].pid) == NULL) copy[kept++] = seen[at];
  safe__free(child->tree->seen.items);
  child->tree->seen.items = copy;
  child->tree->seen.count = kept;
  return true;
}

bool safe__members_find(struct safe__child *child, enum safe__group group, struct safe__members *found) {
  bool complete;

  found->items = NULL;
  found->count = 0;
  complete = read_all(found);
  mark_seeds(child, found, group);
  if (child->keeping != SAFE_TREE_GROUP) {
    mark_descendants(found);
    complete = remember(child, found, complete) && complete;
  }
  /* Named, but not remembered: whoever is remembered is signalled. */
  if (group == SAFE__GROUP_IN_DOUBT) mark_group(child, found);
  keep_living(found);
  child->listed = child->listed || complete;
  return complete;
}

void safe__member_signal(const struct safe__member *member, int signal) {
  struct safe__proc_stat stat;
  int pidfd = safe__pidfd_open(member->pid);

  if (pidfd < 0) return;
  if (safe__calm_stat(member->pid, &stat) && stat.start == member->start) safe__kernel.signal(pidfd, signal);
  close(pidfd);
}
