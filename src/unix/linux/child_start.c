/* SPDX-License-Identifier: MIT */
/* How a child comes into its tree. On shared memory, like child.c: raw calls only. */
#include <sys/prctl.h>

#include "child_calls.h"
#include "tree.h"

/* The limits are those of a tree, and not of the way to make one: no other way would do better. */
static bool is_limit(long result) {
  return result == -EAGAIN || result == -ENOMEM || result == -EMFILE || result == -ENFILE;
}

long safe__start_child(unsigned long flags, void *stack, int *pidfd, int *word, struct safe__plan *plan,
                       struct safe__tree *tree, int folder) {
  long pid;

  if (tree == NULL) return safe__kernel.clone(flags, stack, pidfd, word, safe__child_run, plan);
  tree->start.plan = plan;
  tree->start.join = NULL;
  if (folder >= 0) {
    pid = safe__kernel.clone_into(flags, stack, pidfd, word, safe__child_start, &tree->start, folder);
    if (pid > 0 || is_limit(pid)) return pid;
    tree->start.join = tree->cgroup.join; /* Linux before 5.7, or a policy: systemd/systemd#34005 has E2BIG too */
  }
  return safe__kernel.clone(flags, stack, pidfd, word, safe__child_start, &tree->start);
}

static long join(const struct safe__start *start) {
  long result, fd = safe__raw6(SYS_openat, AT_FDCWD, (long)start->join, O_WRONLY | O_CLOEXEC, 0, 0, 0);

  if (fd < 0) return fd;
  result = safe__raw6(SYS_write, fd, (long)"0", 1, 0, 0, 0);
  child_close_one((int)fd);
  return result < 0 ? result : 0;
}

static int fails(struct safe__plan *plan, int stage, long result) {
  const int words[3] = {stage, -1, (int)-result};

  if (plan->error_fd >= 0) {
    child_send(plan->error_fd, words, sizeof(words));
  } else {
    plan->report.index = -1;
    plan->report.os_code = (int)-result;
    plan->report.stage = stage;
  }
  return 127;
}

int safe__child_start(void *argument) {
  const struct safe__start *start = argument;
  static const uint64_t ignored[4] = {(uint64_t)(uintptr_t)SIG_IGN, 0, 0, 0};
  struct safe__plan *plan = start->plan;
  long result;

  if (start->join != NULL) {
    result = plan->shared ? child_own_table(plan->highest + 1) : 0; /* not to open it in the host's own */
    if (result < 0) return fails(plan, SAFE_STAGE_DESCRIPTORS, result);
    result = join(start);
    if (result < 0) return fails(plan, SAFE_STAGE_CGROUP, result);
  }
  if (start->parent != 0) {
    /* The guard has one thread, so that this is its process's end, and not merely a thread's. Asked after, as that may
       have been before. */
    result = safe__raw6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
    if (result < 0) return fails(plan, SAFE_STAGE_GUARD, result);
    if (safe__raw6(SYS_getppid, 0, 0, 0, 0, 0, 0) != start->parent) return fails(plan, SAFE_STAGE_GUARD, -ESRCH);
  }
  if (start->ignores_children) safe__raw6(SYS_rt_sigaction, SIGCHLD, (long)ignored, 0, 8, 0, 0);
  return safe__child_run(plan);
}
