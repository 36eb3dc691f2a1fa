/* SPDX-License-Identifier: MIT */
/* Who a process's children are: listed for each thread (CONFIG_PROC_CHILDREN), or else found by their parent's number.
 */
#include <dirent.h>
#include <stdio.h>

#include "in_exec.h"
#include "look.h"

struct brood {
  int64_t *pids;
  size_t room, count;
};

static void add(struct brood *brood, int64_t pid) {
  if (brood->count < brood->room) brood->pids[brood->count] = pid;
  brood->count++;
}

static bool read_list(int64_t pid, int64_t thread, struct brood *brood) {
  char path[64];
  long long child;
  FILE *list;

  snprintf(path, sizeof(path), "/proc/%lld/task/%lld/children", (long long)pid, (long long)thread);
  list = fopen(path, "re");
  if (list == NULL) return false;
  while (fscanf(list, "%lld", &child) == 1) add(brood, child);
  fclose(list);
  return true;
}

static void walk_all(int64_t pid, struct brood *brood) {
  struct safe__proc_walk walk;
  struct safe__proc_stat stat;
  int64_t child;

  safe__proc_open(&walk);
  while ((child = safe__proc_walk_next(&walk)) != 0)
    if (safe__calm_stat(child, &stat) && stat.parent == pid) add(brood, child);
  safe__proc_close(&walk);
}

size_t safe__look_children_of(int64_t pid, int64_t thread, int64_t *children, size_t room) {
  struct brood brood = {.pids = children, .room = room};

  if (!read_list(pid, thread, &brood)) walk_all(pid, &brood);
  return brood.count;
}

#define MOST (SAFE__MOST_ACTORS + 1)

/* A thread may wait for what another one has started. */
static void gather(int64_t pid, struct brood *brood) {
  int64_t thread;
  char path[64];
  bool listed = true;
  DIR *folder;

  snprintf(path, sizeof(path), "/proc/%lld/task", (long long)pid);
  folder = opendir(path);
  while (folder != NULL && listed && (thread = safe__proc_next(folder)) != 0) listed = read_list(pid, thread, brood);
  if (folder != NULL) closedir(folder);
  if (!listed) walk_all(pid, brood);
}

void safe__os_look_children(struct safe__scene *scene, int64_t pid, int64_t deadline) {
  struct brood brood = {.room = MOST};
  struct safe__proc_stat stat;
  struct safe__actor *actor;
  size_t at;

  brood.pids = safe__alloc(MOST * sizeof(*brood.pids));
  if (brood.pids == NULL) {
    scene->no_memory = true;
    return;
  }
  gather(pid, &brood);
  for (at = 0; at < brood.count && at < MOST; at++) {
    if (safe__os_now() >= deadline) {
      safe__scene_unknown(scene, "The time for looking was over before all children of process %lld were seen.",
                          (long long)pid);
      break;
    }
    if (!safe__calm_stat(brood.pids[at], &stat) || stat.exit_signal == 0) continue; /* waitpid(2) does not see it */
    actor = safe__scene_actor(scene, brood.pids[at]);
    if (actor == NULL) break;
    safe__look_actor(actor);
  }
  safe__free(brood.pids);
}
