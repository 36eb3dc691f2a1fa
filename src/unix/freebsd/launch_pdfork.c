/* SPDX-License-Identifier: MIT */
/*
 * A copy of the host that executes the program, and a pipe that tells of a failed exec and closes itself at a
 * successful one. A fork in another thread of the host, at this very moment and without exec, keeps that pipe open: the
 * deadline still holds, but the child is then killed for nothing.
 *
 * PD_DAEMON: without it the child would be killed with the last copy of its descriptor, and safe_process_free ends
 * nobody.
 */
#include <errno.h>
#include <signal.h>
#include <sys/types.h>

#include <sys/procdesc.h>
#include <unistd.h>

#include "error_pipe.h"
#include "pipe.h"
#include "procdesc.h"
#include "tree.h"

/* How long a killed child may take to go before it is parked. */
#define GOING_MS 100

struct made {
  struct safe__guard *guard; /* or NULL */
  pid_t pid;
  int procdesc;
};

static pid_t make_child(struct safe__plan *plan, struct made *made) {
  made->pid = safe__procdesc_fork(&made->procdesc, PD_CLOEXEC | PD_DAEMON);
  if (made->pid == 0) _exit(safe__child_run(plan));
  return made->pid;
}

static int make_by_any(const struct safe__child *child, struct safe__plan *plan, int64_t deadline, struct made *made,
                       safe_error *error) {
  bool needed = (plan->flags & SAFE_SPAWN_DIE_WITH_HOST) != 0;
  int code = SAFE_ENOTSUP;

  if (needed || child->keeping == SAFE_TREE_WHOLE)
    code = safe__guard_make(&made->guard, child, plan, deadline, &made->pid, &made->procdesc, error);
  /* The best there is: without a guard whoever can be found by his parents. */
  if (code == SAFE_OK || needed || code == SAFE_ETIMEDOUT) return code;
  if (make_child(plan, made) >= 0) return SAFE_OK;
  return safe__fail_os(error, errno, SAFE_STAGE_CREATE, -1, "No process can be made");
}

/* Ends a child that did not get to its program. It has memory of its own: the plan stays the caller's. */
static int abandon(const struct safe__plan *plan, const struct made *made, int code, safe_error *error) {
  pdkill(made->procdesc, SIGKILL);
  if (made->guard != NULL) safe__guard_abandon(made->guard);
  if (safe__procdesc_ended(made->procdesc, safe__deadline(GOING_MS))) {
    safe__procdesc_close(made->procdesc, made->pid);
    if (code != SAFE_ETIMEDOUT) return code; /* the child said why, and the error has it already */
    return safe__fail(error, code, SAFE_STAGE_EXEC, -1,
                      "%s had not been started when the time was over; the child was killed.", plan->candidates[0]);
  }
  safe__procdesc_park(made->procdesc, made->pid);
  return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_EXEC, -1,
                    "%s had not been started when the time was over, and the child (process %lld) cannot be killed.",
                    plan->candidates[0], (long long)made->pid);
}

/* With the pipe that the child reports through. */
static int make(const struct safe__child *child, struct safe__plan *plan, int64_t deadline, struct made *made, int *fd,
                safe_error *error) {
  int fds[2], code;

  if (safe__pipe(fds) != 0) return safe__fail_os(error, errno, SAFE_STAGE_CREATE, -1, "A pipe cannot be made");
  plan->shared = false;
  plan->error_fd = fds[1];
  if (fds[1] > plan->highest) plan->highest = fds[1];
  code = make_by_any(child, plan, deadline, made, error);
  close(fds[1]);
  if (code != SAFE_OK) close(fds[0]);
  *fd = fds[0];
  return code;
}

static int launch(struct safe__plan *plan, int64_t deadline, struct safe__child *child, safe_error *error) {
  struct safe__child_report report = {0, 0, 0};
  struct made made = {NULL, 0, -1};
  enum safe__heard heard;
  int fd, code = make(child, plan, deadline, &made, &fd, error);

  if (code != SAFE_OK) return code;
  heard = safe__error_pipe_hear(fd, &report, deadline);
  close(fd);
  if (heard == SAFE__HEARD_REPORT) return abandon(plan, &made, safe__plan_failure(plan, &report, error), error);
  if (heard == SAFE__HEARD_NOTHING) return abandon(plan, &made, SAFE_ETIMEDOUT, error);
  if (made.guard != NULL) safe__guard_keep(made.guard);
  child->tree->guard = made.guard;
  child->pid = made.pid;
  child->exit_fd = made.procdesc;
  return SAFE_OK;
}

int safe__launch(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error) {
  int code = safe__tree_begin(child, (*plan)->asked, error);

  if (code == SAFE_OK) code = launch(*plan, deadline, child, error);
  if (code != SAFE_OK) safe__tree_end(child, true);
  return code;
}
