/* SPDX-License-Identifier: MIT */
/* The life of what belongs to a child's tree, which can be longer than the child's. */
#include "tree.h"

struct safe__tree *safe__tree_new(void) {
  struct safe__tree *tree = safe__alloc(sizeof(*tree));

  if (tree != NULL) tree->cgroup.folder = -1;
  return tree;
}

static void free_tree(struct safe__tree *tree) {
  safe__cgroup_close(&tree->cgroup);
  safe__free(tree->seen.items);
  safe__free(tree->plan);
  safe__free(tree);
}

/* The guard first: it may have the cgroup to remove yet, and looks for it here. */
static bool end(struct safe__tree *tree, int64_t deadline) {
  if (tree->guard != NULL && !safe__guard_free(tree->guard, deadline)) return false;
  tree->guard = NULL;
  if (tree->cgroup.path != NULL && !safe__cgroup_remove(tree->cgroup.path)) return false;
  free_tree(tree);
  return true;
}

static bool collect(struct safe__parked *item) { return end((struct safe__tree *)item, 0); }

#define GOING_MS 20 /* for a guard that has nothing to wait for */

static bool is_going(const struct safe__tree *tree) {
  return tree->guard != NULL && (!tree->guard->die || __atomic_load_n(&tree->guard->record->ended, __ATOMIC_ACQUIRE));
}

void safe__tree_release(struct safe__tree *tree, bool own) {
  if (tree == NULL) return;
  if (tree->guard != NULL && own) safe__guard_release(tree->guard);
  if (!own) {
    if (tree->guard != NULL) safe__guard_forget(tree->guard);
    free_tree(tree);
  } else if (!end(tree, is_going(tree) ? safe__deadline(GOING_MS) : 0)) {
    tree->parked.collect = collect;
    safe__park(&tree->parked);
  }
}
