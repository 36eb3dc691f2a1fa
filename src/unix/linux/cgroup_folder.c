/* SPDX-License-Identifier: MIT */
/* What lies in a cgroup's folder: its processes, and the cgroups that they have made in it. Raw calls only, as the
   guard removes what its host cannot any more. */
#include "child_calls.h"
#include "tree.h"

/* A guard's stack has room for so many folders within each other. */
#define DEEPEST 16

/* Or a negative errno. */
static int open_at(int folder, const char *name, int flags) {
  return (int)safe__raw6(SYS_openat, folder, (long)name, O_RDONLY | O_CLOEXEC | flags, 0, 0, 0);
}

/* ---- The cgroups in it. */
struct below {
  long at, length;
  char entries[1024] __attribute__((aligned(8)));
};

static const char *next_below(int folder, struct below *below) {
  const struct child_directory_entry *entry;

  for (;;) {
    if (below->at >= below->length) {
      below->at = 0;
      below->length = safe__raw6(SYS_getdents64, folder, (long)below->entries, sizeof(below->entries), 0, 0, 0);
      if (below->length <= 0) return NULL;
    }
    entry = (const struct child_directory_entry *)(below->entries + below->at);
    below->at += entry->length;
    if (entry->type == DT_DIR && entry->name[0] != '.') return entry->name;
  }
}

static void remove_below(int folder, int depth) {
  struct below below;
  const char *name;
  int inner;

  below.at = below.length = 0;
  while (depth < DEEPEST && (name = next_below(folder, &below)) != NULL) {
    inner = open_at(folder, name, O_DIRECTORY);
    if (inner >= 0) {
      remove_below(inner, depth + 1);
      child_close_one(inner);
    }
    safe__raw6(SYS_unlinkat, folder, (long)name, AT_REMOVEDIR, 0, 0, 0);
  }
}

bool safe__cgroup_remove(const char *path) {
  long result = safe__raw6(SYS_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR, 0, 0, 0);
  int folder;

  if (result == -EBUSY || result == -ENOTEMPTY) {
    folder = open_at(AT_FDCWD, path, O_DIRECTORY);
    if (folder < 0) return false;
    remove_below(folder, 0);
    child_close_one(folder);
    result = safe__raw6(SYS_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR, 0, 0, 0);
  }
  return result == 0 || result == -ENOENT;
}

/* ---- The processes in it. */
static int list_own(int folder, int64_t *pids, int room, int count) {
  int fd = open_at(folder, "cgroup.procs", 0);
  char text[1024];
  int64_t number = 0;
  long at, length;

  while (fd >= 0 && (length = safe__raw6(SYS_read, fd, (long)text, sizeof(text), 0, 0, 0)) > 0)
    for (at = 0; at < length; at++) {
      if (text[at] != '\n') {
        number = number * 10 + (text[at] - '0');
        continue;
      }
      if (count < room) pids[count] = number;
      count++;
      number = 0;
    }
  if (fd >= 0) child_close_one(fd);
  return count;
}

static int list(int folder, int64_t *pids, int room, int count, int depth) {
  struct below below;
  const char *name;
  int inner;

  count = list_own(folder, pids, room, count);
  below.at = below.length = 0;
  while (depth < DEEPEST && (name = next_below(folder, &below)) != NULL) {
    inner = open_at(folder, name, O_DIRECTORY);
    if (inner < 0) continue;
    count = list(inner, pids, room, count, depth + 1);
    child_close_one(inner);
  }
  return count;
}

int safe__cgroup_list(int folder, int64_t *pids, int room) {
  int again = open_at(folder, ".", O_DIRECTORY), count; /* an open folder remembers how far it was read */

  if (again < 0) return 0;
  count = list(again, pids, room, 0, 0);
  child_close_one(again);
  return count;
}

/* ---- Whether there are any: the kernel counts those below too, and no zombies. */

/* What is done in one that was removed while it is open answers ENODEV. */
static bool was_removed(long result) { return result == -ENOENT || result == -ENODEV; }

bool safe__cgroup_empty(int folder) {
  static const char wanted[] = "populated 1";
  int fd = open_at(folder, "cgroup.events", 0);
  char text[256];
  long length, at, matched = 0;

  if (fd < 0) return was_removed(fd);
  length = safe__raw6(SYS_read, fd, (long)text, sizeof(text), 0, 0, 0);
  child_close_one(fd);
  if (length <= 0) return was_removed(length);
  for (at = 0; at < length && wanted[matched] != '\0'; at++) matched = text[at] == wanted[matched] ? matched + 1 : 0;
  return wanted[matched] != '\0';
}
