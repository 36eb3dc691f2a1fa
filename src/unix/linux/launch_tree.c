/* SPDX-License-Identifier: MIT */
/* What a child's tree needs beside the child: a cgroup, a guard, or both; and what is done with the next best. */
#include "launch.h"

static void drop_cgroup(struct safe__tree *tree, struct safe__plan *plan) {
  if (tree->cgroup.path != NULL) safe__cgroup_remove(tree->cgroup.path);
  safe__cgroup_close(&tree->cgroup);
  tree->cgroup.limits = plan->tree_limits = 0;
}

/* With a cgroup or nothing. Of a folder that the caller named he is told what is wrong with it. */
static int no_cgroup(const safe_spawn_options *asked, int code, safe_error *error) {
  if (asked->cgroup != NULL || code == SAFE_ENOMEM || code == SAFE_EMFILE) return code;
  error->code = SAFE_ENOTSUP;
  return SAFE_ENOTSUP;
}

static int no_guard(safe_error *error) {
  return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_GUARD, -1,
                    "No guard process can be made here, without which the child cannot be started as asked for.");
}

/* SAFE__REFUSED: there can be no guard. */
static int launch_with(struct safe__plan **plan, struct safe__tree *tree, bool guard, int64_t deadline,
                       struct safe__child *child, safe_error *error) {
  (*plan)->tree_limits = tree->cgroup.limits;
  return guard ? safe__launch_guarded(plan, tree, deadline, child, error)
               : safe__launch_either(plan, tree, deadline, child, error);
}

static int launch(struct safe__plan **plan, struct safe__tree *tree, int64_t deadline, struct safe__child *child,
                  safe_error *error) {
  const safe_spawn_options *asked = (*plan)->asked;
  bool needed = (asked->flags & (SAFE_SPAWN_DIE_WITH_HOST | SAFE_SPAWN_GUARD)) != 0;
  int code = SAFE_ENOTSUP;

  if (asked->tree >= SAFE_TREE_WHOLE) {
    code = safe__cgroup_make(&tree->cgroup, asked, error);
    if (code == SAFE_OK) code = launch_with(plan, tree, needed, deadline, child, error);
    if (code == SAFE_OK || *plan == NULL) return code;
    if (code != SAFE__REFUSED && error->stage != SAFE_STAGE_CGROUP) return code;
    if (code != SAFE__REFUSED && asked->tree == SAFE_TREE_CGROUP) return no_cgroup(asked, code, error);
    if (code == SAFE__REFUSED) return no_guard(error);
    drop_cgroup(tree, *plan);
  }
  code = launch_with(plan, tree, true, deadline, child, error);
  if (code != SAFE__REFUSED) return code;
  return needed ? no_guard(error) : launch_with(plan, tree, false, deadline, child, error);
}

int safe__launch_tree(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error) {
  struct safe__tree *tree = safe__tree_new();
  struct safe__plan *before = *plan;
  int code;

  if (tree == NULL) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  code = launch(plan, tree, deadline, child, error);
  if (code == SAFE_OK)
    child->tree = tree;
  else if (*plan == before)
    safe__tree_release(tree, true);
  return code;
}
