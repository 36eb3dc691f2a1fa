/* SPDX-License-Identifier: MIT */
/*
 * The tree is found anew each time: the group or session; whoever descends from the child, or from one that was found
 * to before; and whoever the guard has, if there is one. A process that leaves the group, and whose parent ends before
 * anybody has looked, is not found without a guard.
 */
#include "members.h"

#include <signal.h>
#include <stdlib.h>

#include "process_start.h"
#include "tree.h"

static int by_pid(const void *one, const void *other) {
  int64_t difference = ((const struct safe__member *)one)->pid - ((const struct safe__member *)other)->pid;

  return (difference > 0) - (difference < 0);
}

static struct safe__member *find(const struct safe__members *all, int64_t pid) {
  struct safe__member key = {0};

  key.pid = pid;
  return bsearch(&key, all->items, all->count, sizeof(key), by_pid);
}

/* What a process is by itself known to belong by. */
static bool belongs(const struct safe__child *child, const struct safe__member *member) {
  if (member->pid == child->pid) return !child->stolen;
  if (!safe__group_is_ours(child)) return false;
  return member->group == child->pid || (child->group == SAFE_GROUP_SESSION && member->session == child->pid);
}

static void add_seen(const struct safe__members *seen, struct safe__members *all) {
  struct safe__member *member;
  size_t at;

  for (at = 0; at < seen->count; at++) {
    member = find(all, seen->items[at].pid);
    if (member != NULL && member->start == seen->items[at].start) member->in = true;
  }
}

static void add_adopted(const struct safe__guard *guard, struct safe__members *all) {
  struct safe__member *member;
  pid_t *pids;
  size_t at, count = safe__guard_list(guard, &pids);

  for (at = 0; at < count; at++) {
    member = find(all, pids[at]);
    if (member != NULL) member->in = true;
  }
  safe__free(pids);
}

/* A child may stand before its parent in the list. */
static void add_descendants(struct safe__members *all) {
  const struct safe__member *parent;
  bool more = true;
  size_t at;

  while (more) {
    more = false;
    for (at = 0; at < all->count; at++) {
      parent = all->items[at].in ? NULL : find(all, all->items[at].parent);
      if (parent == NULL || !parent->in) continue;
      all->items[at].in = more = true;
    }
  }
}

static void drop_others(struct safe__members *all) {
  size_t at, count = 0;

  for (at = 0; at < all->count; at++)
    if (all->items[at].in && !all->items[at].zombie) all->items[count++] = all->items[at];
  all->count = count;
}

static void remember(struct safe__members *seen, const struct safe__members *found) {
  struct safe__member *items = NULL;
  size_t at;

  if (found->count > 0) {
    items = safe__alloc(found->count * sizeof(*items));
    if (items == NULL) return; /* what is known already stays known */
    for (at = 0; at < found->count; at++) items[at] = found->items[at];
  }
  safe__free(seen->items);
  seen->items = items;
  seen->count = found->count;
}

bool safe__members_find(struct safe__child *child, struct safe__members *found) {
  size_t at;

  if (!safe__members_all(found, child->group == SAFE_GROUP_SESSION)) {
    found->items = NULL;
    found->count = 0;
    return false;
  }
  qsort(found->items, found->count, sizeof(*found->items), by_pid);
  for (at = 0; at < found->count; at++) found->items[at].in = belongs(child, &found->items[at]);
  if (safe__tree_has_descendants(child)) {
    add_seen(&child->tree->seen, found);
    add_adopted(child->tree->guard, found);
    add_descendants(found);
  }
  drop_others(found);
  remember(&child->tree->seen, found);
  return true;
}

/* Between the look and the signal pass microseconds, in which no system gives a number away again. */
void safe__member_signal(const struct safe__member *member, int signal) {
  uint64_t start;

  if (safe__process_start(member->pid, &start) && start == member->start) kill((pid_t)member->pid, signal);
}
