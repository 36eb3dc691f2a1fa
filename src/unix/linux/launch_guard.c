/* SPDX-License-Identifier: MIT */
/*
 * A child under a guard. The guard is made as the child itself would be, on our memory or as a copy of it, and makes
 * the child; we wait for the child as if it were ours. Its pidfd is opened by its number, which stays its own as the
 * guard reaps it only when it is told to.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "above_stdio.h"
#include "launch.h"
#include "pipe.h"

static void close_one(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* On our memory, and the child too unless it is to change its user. */
static struct safe__guard *prepare(struct safe__tree *tree, const struct safe__plan *plan, bool shared,
                                   safe_error *error) {
  const safe_spawn_options *asked = plan->asked;
  bool child_shared = shared && !plan->changes_user;
  struct safe__guard *guard = safe__alloc(sizeof(*guard));

  if (guard == NULL) {
    safe__fail_memory(error, SAFE_STAGE_GUARD);
    return NULL;
  }
  guard->pidfd = guard->pipe[0] = guard->pipe[1] = -1;
  guard->tree = tree;
  guard->host = safe__os_self();
  guard->die = (asked->flags & SAFE_SPAWN_DIE_WITH_HOST) != 0;
  guard->own_group = asked->group != SAFE_GROUP_HOST;
  guard->whole = guard->own_group && asked->tree != SAFE_TREE_GROUP;
  guard->record = mmap(NULL, sizeof(*guard->record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (guard->record == MAP_FAILED) guard->record = NULL;
  if (shared) guard->stack = safe__shared_stack_get();
  if (child_shared) guard->child_stack = safe__shared_stack_get();
  if (guard->child_stack != NULL) guard->child_stack->word = 0;
  if (guard->record == NULL || (shared && guard->stack == NULL) || (child_shared && guard->child_stack == NULL))
    safe__fail_memory(error, SAFE_STAGE_GUARD);
  else if (safe__pipe(guard->pipe) != 0)
    safe__fail_os(error, errno, SAFE_STAGE_GUARD, -1, "A pipe cannot be made");
  else
    return guard;
  safe__guard_free(guard, 0);
  return NULL;
}

/* No exit signal where there can be none: the host's SIGCHLD and its waitpid(-1) then do not see the guard. */
static long make(struct safe__guard *guard) {
  unsigned long flags = CLONE_PIDFD;
  uint64_t mask = safe__block_signals();
  long pid;

  if (guard->stack != NULL) {
    pid = safe__kernel.clone(flags | CLONE_VM | CLONE_FILES, guard->stack->top, &guard->pidfd, NULL, safe__guard_serve,
                             guard);
  } else {
    pid = safe__kernel.clone(flags, NULL, &guard->pidfd, NULL, safe__guard_serve, guard);
    if (pid == -EINVAL && SAFE__RAW_CLONE) { /* an older kernel, or qemu-user */
      pid = fork();
      if (pid == 0) _exit(safe__guard_serve(guard));
      if (pid < 0) pid = -errno;
      guard->pidfd = pid < 0 ? -1 : safe__pidfd_open(pid);
    }
  }
  safe__restore_signals(mask);
  if (pid < 0) guard->pidfd = -1; /* a clone that fails late has written one that is not open */
  guard->pidfd = safe__above_stdio(guard->pidfd);
  guard->pid = pid < 0 ? 0 : pid;
  return pid;
}

#define LOOK_AGAIN_MS 20 /* whether the guard was killed from outside */

/* The child's number; 0: not by the deadline, or the guard is gone; or a negative errno. */
static int await_child(struct safe__guard *guard, int64_t deadline) {
  int *word = &guard->record->child;

  while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0 && safe__os_now() < deadline && safe__guard_lives(guard))
    safe__futex_wait(word, 0, safe__deadline_min(deadline, safe__deadline(LOOK_AGAIN_MS)));
  return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* Ends the child, if there is one, and the guard; parks both with the plan if they do not go. code is what is to be
   said if they do. */
static int abandon(struct safe__plan **plan, struct safe__guard *guard, int pidfd, int code, safe_error *error) {
  struct safe__tree *tree = guard->tree;
  int child;

  __atomic_store_n(&guard->record->unwanted, 1, __ATOMIC_SEQ_CST);
  child = __atomic_load_n(&guard->record->child, __ATOMIC_SEQ_CST);
  if (child > 0) safe__kernel.kill(pidfd, child, SIGKILL);
  safe__guard_release(guard);
  if (pidfd >= 0) close(pidfd);
  if (safe__guard_free(guard, safe__deadline(SAFE__GOING_MS))) {
    tree->guard = NULL;
    return code == SAFE_ETIMEDOUT ? safe__launch_late(*plan, error) : code;
  }
  safe__launch_stuck(*plan, child, error);
  tree->plan = *plan;
  *plan = NULL;
  safe__tree_release(tree, true);
  return SAFE_ESTUCK;
}

static int not_made(const struct safe__guard_record *record, safe_error *error) {
  if (record->child == 0)
    return safe__fail(error, SAFE_ESYSTEM, SAFE_STAGE_GUARD, -1, "The guard ended before it had made the child.");
  return safe__launch_refused(record->child, record->stage, error);
}

/* Whether the child has got to its program. */
static int started(struct safe__plan *plan, struct safe__guard *guard, int error_fd, int64_t deadline,
                   safe_error *error) {
  struct safe__child_report report = {0, 0, 0};
  int heard;

  if (guard->child_stack != NULL)
    return safe__launch_left(&guard->child_stack->word, deadline) ? safe__launch_reported(plan, error) : SAFE_ETIMEDOUT;
  heard = safe__launch_hear(error_fd, &report, deadline);
  if (heard < 0) return SAFE_ETIMEDOUT;
  return heard == 0 ? SAFE_OK : safe__plan_failure(plan, &report, error);
}

static int launch(struct safe__plan **plan, struct safe__guard *guard, int fds[2], int64_t deadline,
                  struct safe__child *child, safe_error *error) {
  int number = await_child(guard, deadline), pidfd, code;

  if (number <= 0)
    return abandon(plan, guard, -1,
                   number == 0 && safe__os_now() >= deadline ? SAFE_ETIMEDOUT : not_made(guard->record, error), error);
  pidfd = safe__above_stdio(safe__pidfd_open(number));
  close_one(&guard->pipe[0]); /* the guard has its own by now */
  close_one(&fds[1]);         /* and the child has */
  code = started(*plan, guard, fds[0], deadline, error);
  if (code != SAFE_OK) return abandon(plan, guard, pidfd, code, error);
  safe__shared_stack_put(guard->child_stack);
  guard->child_stack = NULL;
  child->pid = number;
  child->exit_fd = pidfd;
  return SAFE_OK;
}

static int launch_by(struct safe__plan **plan, struct safe__tree *tree, bool shared, int64_t deadline,
                     struct safe__child *child, safe_error *error) {
  struct safe__guard *guard = prepare(tree, *plan, shared, error);
  int fds[2] = {-1, -1}, code; /* by which a child on memory of its own reports */
  long pid;

  if (guard == NULL) return error->code;
  if (guard->child_stack == NULL && safe__pipe(fds) != 0) {
    code = safe__fail_os(error, errno, SAFE_STAGE_GUARD, -1, "A pipe cannot be made");
    safe__guard_free(guard, 0);
    return code;
  }
  (*plan)->shared = guard->child_stack != NULL;
  (*plan)->error_fd = fds[1];
  if (guard->pipe[0] > (*plan)->highest) (*plan)->highest = guard->pipe[0];
  if (fds[1] > (*plan)->highest) (*plan)->highest = fds[1];
  tree->guard = guard;
  tree->start.plan = *plan;
  pid = make(guard);
  if (fds[1] >= 0 && (pid < 0 || guard->stack == NULL)) close_one(&fds[1]);
  if (pid > 0) {
    code = launch(plan, guard, fds, deadline, child, error);
  } else {
    safe__guard_free(guard, 0);
    tree->guard = NULL;
    code = safe__launch_refused(pid, SAFE_STAGE_GUARD, error);
  }
  if (*plan != NULL) (*plan)->error_fd = -1;
  close_one(&fds[0]);
  close_one(&fds[1]);
  return code;
}

int safe__launch_guarded(struct safe__plan **plan, struct safe__tree *tree, int64_t deadline, struct safe__child *child,
                         safe_error *error) {
  int code = SAFE__REFUSED;

  if (safe__clone_works()) code = launch_by(plan, tree, true, deadline, child, error);
  if (code != SAFE__REFUSED || !SAFE__RAW_CLONE) return code;
  return launch_by(plan, tree, false, deadline, child, error);
}
