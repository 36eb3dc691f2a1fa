/* SPDX-License-Identifier: MIT */
/* How a child comes into its tree. On shared memory, like child.c: raw calls only. */
#include <stdatomic.h>
#include <sys/prctl.h>

#include "child_calls.h"
#include "tree.h"

/* The limits are those of a tree, and not of the way to make one: no other way would do better. */
static bool is_limit(long result) {
  return result == -EAGAIN || result == -ENOMEM || result == -EMFILE || result == -ENFILE;
}

static atomic_bool never_cleared; /* Linux before 5.5, or a policy */

/* Where ignored signals stay, the kernel sees to the rest: otherwise the child has to look at each of the 64. */
static uint64_t more_flags(const struct safe__plan *plan) {
  if ((plan->flags & SAFE_SPAWN_KEEP_IGNORED) == 0) return 0;
  return atomic_load_explicit(&never_cleared, memory_order_relaxed) ? 0 : CLONE_CLEAR_SIGHAND;
}

long safe__start_child(unsigned long flags, void *stack, int *pidfd, int *word, struct safe__plan *plan,
                       struct safe__tree *tree, int folder) {
  int (*run)(void *) = tree == NULL ? safe__child_run : safe__child_start;
  void *argument = tree == NULL ? (void *)plan : &tree->start;
  uint64_t more = more_flags(plan);
  long pid;

  if (tree != NULL) {
    tree->start.plan = plan;
    tree->start.join = NULL;
  }
  plan->handlers_cleared = more != 0;
  if (folder >= 0 || more != 0) {
    pid = safe__kernel.clone3(flags | more, stack, pidfd, word, run, argument, folder);
    if (pid > 0 || is_limit(pid)) return pid;
    plan->handlers_cleared = false;
    if (folder >= 0)
      tree->start.join = tree->cgroup.join; /* Linux before 5.7, or a policy: systemd/systemd#34005 has E2BIG too */
    else
      atomic_store(&never_cleared, true);
  }
  return safe__kernel.clone(flags, stack, pidfd, word, run, argument);
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
