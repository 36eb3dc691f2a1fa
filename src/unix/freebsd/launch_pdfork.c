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
#include <sys/procdesc.h>
#include <unistd.h>

#include "error_pipe.h"
#include "pipe.h"
#include "procdesc.h"

/* How long a killed child may take to go before it is parked. */
#define GOING_MS 100

static pid_t make_child(struct safe__plan *plan, int *procdesc) {
  pid_t pid = safe__procdesc_fork(procdesc, PD_CLOEXEC | PD_DAEMON);

  if (pid == 0) _exit(safe__child_run(plan));
  return pid;
}

/* Ends a child that did not get to its program. It has memory of its own: the plan stays the caller's. */
static int abandon(const struct safe__plan *plan, int procdesc, pid_t pid, int code, safe_error *error) {
  pdkill(procdesc, SIGKILL);
  if (safe__procdesc_ended(procdesc, safe__deadline(GOING_MS))) {
    safe__procdesc_close(procdesc, pid);
    if (code != SAFE_ETIMEDOUT) return code; /* the child said why, and the error has it already */
    return safe__fail(error, code, SAFE_STAGE_EXEC, -1,
                      "%s had not been started when the time was over; the child was killed.", plan->candidates[0]);
  }
  safe__procdesc_park(procdesc, pid);
  return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_EXEC, -1,
                    "%s had not been started when the time was over, and the child (process %lld) cannot be killed.",
                    plan->candidates[0], (long long)pid);
}

int safe__launch(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error) {
  struct safe__child_report report = {0, 0, 0};
  enum safe__heard heard;
  int fds[2], procdesc, saved;
  pid_t pid;

  if (safe__pipe(fds) != 0) return safe__fail_os(error, errno, SAFE_STAGE_CREATE, -1, "A pipe cannot be made");
  (*plan)->shared = false;
  (*plan)->error_fd = fds[1];
  if (fds[1] > (*plan)->highest) (*plan)->highest = fds[1];
  pid = make_child(*plan, &procdesc);
  saved = errno;
  close(fds[1]);
  if (pid < 0) {
    close(fds[0]);
    return safe__fail_os(error, saved, SAFE_STAGE_CREATE, -1, "No process can be made");
  }
  heard = safe__error_pipe_hear(fds[0], &report, deadline);
  close(fds[0]);
  if (heard == SAFE__HEARD_EXEC) {
    child->pid = pid;
    child->exit_fd = procdesc;
    return SAFE_OK;
  }
  return abandon(*plan, procdesc, pid,
                 heard == SAFE__HEARD_NOTHING ? SAFE_ETIMEDOUT : safe__plan_failure(*plan, &report, error), error);
}
