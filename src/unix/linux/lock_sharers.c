/* SPDX-License-Identifier: MIT */
/*
 * Who of those that have a locked open file description has asked for the lock, and who has merely inherited it.
 *
 * For an flock the kernel tells who asked. That is nobody of them where a child did it and has ended, as flock(1) does
 * on a shell's descriptor, or a helper of this library; or where a parent did it that has ended. Numbers of processes
 * ascend: the first two have a higher one than who is left, the last a lower one. For an OFD lock it tells nothing:
 * among parents and children it is the parent.
 */
#include <linux/kcmp.h>
#include <string.h>

#include "holder_query.h"
#include "in_exec.h"
#include "kernel.h"

/* Whether two descriptors are of one open file description: kcmp(2), which asks for the rights of a debugger. */
static bool is_same_file(const struct safe__found *one, const struct safe__found *other) {
  if (safe__is_in_exec(one->process) || safe__is_in_exec(other->process)) return false; /* it would wait for the end */
  return safe__raw6(SYS_kcmp, one->process, other->process, KCMP_FILE, one->number, other->number, 0) == 0;
}

/* Two that both have an exclusive lock on the same bytes share it. */
static bool shares(const struct safe__found *one, const struct safe__found *other) {
  if (one == other) return true;
  if (other->gone || !safe__is_same_line(&one->line, &other->line)) return false;
  return one->line.mode == SAFE_LOCK_EXCLUSIVE || is_same_file(one, other);
}

#define MOST_STEPS 64 /* up the tree: a table of processes that changes meanwhile has no circles, but may seem to */

static bool descends(const struct safe__holder_query *query, const struct safe__found *from, int64_t ancestor) {
  struct safe__proc_stat stat = from->stat;
  int steps;

  for (steps = 0; steps < MOST_STEPS && stat.parent > 0 && safe__os_now() < query->deadline; steps++) {
    if (stat.parent == ancestor) return true;
    if (!safe__calm_stat(stat.parent, &stat)) return false;
  }
  return false;
}

/* The one from whom all others descend; NULL if they are no such family. */
static const struct safe__found *eldest_of(const struct safe__holder_query *query, struct safe__found *const *group,
                                           size_t count) {
  const struct safe__found *eldest = group[0];
  size_t at;

  for (at = 1; at < count; at++)
    if (group[at]->stat.start < eldest->stat.start ||
        (group[at]->stat.start == eldest->stat.start && group[at]->host < eldest->host))
      eldest = group[at];
  for (at = 0; at < count; at++)
    if (group[at]->host != eldest->host && !descends(query, group[at], eldest->host)) return NULL;
  return eldest;
}

/* One that was left to the first process, and did not begin a session of its own, has lost its parent: it may have
   inherited all that it has. */
static bool is_orphan(const struct safe__found *found) {
  return found->stat.parent == 1 && found->stat.session != found->host;
}

/* Whose lock it is if none of them is the one that the kernel names, or it names none. */
static int32_t via_of_eldest(const struct safe__found *eldest, size_t others) {
  int64_t asker = eldest->line.pid;

  if (asker > 0) return asker > eldest->host ? SAFE_VIA_LOCKED : SAFE_VIA_INHERITED;
  if (asker == 0 || (others == 0 && is_orphan(eldest))) return SAFE_VIA_UNKNOWN;
  return SAFE_VIA_LOCKED;
}

static bool has_asked(const struct safe__found *found) {
  return found->line.method == SAFE_METHOD_POSIX || found->line.pid == found->host || found->line.pid == found->process;
}

static void tell_group(const struct safe__holder_query *query, struct safe__found **group, size_t count) {
  const struct safe__found *eldest;
  bool asked = false;
  size_t at, others = 0;
  int32_t via;

  for (at = 0; at < count; at++) asked = asked || has_asked(group[at]);
  eldest = asked ? NULL : eldest_of(query, group, count);
  for (at = 0; at < count && eldest != NULL; at++) others += group[at]->host != eldest->host;
  for (at = 0; at < count; at++) {
    via = asked && has_asked(group[at]) ? SAFE_VIA_LOCKED : SAFE_VIA_INHERITED;
    if (!asked && eldest == NULL) via = SAFE_VIA_UNKNOWN;
    if (eldest != NULL && group[at]->host == eldest->host) via = via_of_eldest(eldest, others);
    group[at]->via = via;
  }
}

void safe__tell_sharers(struct safe__holder_query *query) {
  size_t count = query->found_count, at, next, members;
  struct safe__found **group = count == 0 ? NULL : safe__alloc(count * sizeof(void *));
  bool *told = count == 0 ? NULL : safe__alloc(count * sizeof(*told));

  query->no_memory = query->no_memory || (count > 0 && (group == NULL || told == NULL));
  for (at = 0; group != NULL && told != NULL && at < count; at++) {
    if (told[at] || query->found[at].gone) continue;
    for (next = at, members = 0; next < count; next++) {
      if (told[next] || !shares(&query->found[at], &query->found[next])) continue;
      told[next] = true;
      group[members++] = &query->found[next];
    }
    tell_group(query, group, members);
  }
  safe__free(group);
  safe__free(told);
}
