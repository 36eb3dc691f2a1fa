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

#include "pipe.h"
#include "plan.h"
#include "poll_wait.h"
#include "procdesc.h"

/* How long a killed child may take to go before it is parked. */
#define GOING_MS 100

static pid_t make_child(struct safe__plan *plan, int *procdesc) {
  pid_t pid = safe__procdesc_fork(procdesc, PD_CLOEXEC | PD_DAEMON);

  if (pid == 0) _exit(safe__child_run(plan));
  return pid;
}

/* 1: the child reported. 0: the pipe closed itself. -1: neither by the deadline. */
static int hear(int fd, struct safe__child_report *report, int64_t deadline) {
  struct pollfd ready = {fd, POLLIN, 0};
  int words[3];
  ssize_t length;

  for (;;) {
    if (safe__poll(&ready, 1, deadline) > 0) {
      length = read(fd, words, sizeof(words)); /* 12 bytes, less than PIPE_BUF: all or nothing */
      if (length < 0 && errno == EINTR) continue;
      if (length < (ssize_t)sizeof(words)) return 0;
      report->stage = words[0];
      report->index = words[1];
      report->os_code = words[2];
      return 1;
    }
    if (safe__os_now() >= deadline) return -1;
  }
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
  int fds[2], heard, procdesc, saved;
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
  heard = hear(fds[0], &report, deadline);
  close(fds[0]);
  if (heard == 0) {
    child->pid = pid;
    child->exit_fd = procdesc;
    return SAFE_OK;
  }
  return abandon(*plan, procdesc, pid, heard < 0 ? SAFE_ETIMEDOUT : safe__plan_failure(*plan, &report, error), error);
}
