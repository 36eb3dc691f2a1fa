/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_LAUNCH_H
#define SAFEHOLD_LAUNCH_H

#include <sys/types.h>

#include "helper.h"
#include "plan.h"
#include "trampoline.h"

#define SAFE__TRAMPOLINE_BYTES 1024

/* On the heap, as the thread may outlive the call; then the plan is its own too. */
struct safe__launch {
  struct safe__helper helper;
  struct safe__plan *plan;
  int *sources; /* copies of the moves' sources, above every target: nothing is overwritten before its turn, and what
                   the caller closes, or opens under the same number, while the thread is late, makes no difference.
                   -1: a path that is not open yet, or one that is like another */
  int least;    /* above every target */
  char **arguments; /* of the trampoline; NULL: the program itself is spawned */
  char trampoline[SAFE__TRAMPOLINE_BYTES];
  int error_source, error_target; /* where the trampoline reports: here, and there */
  struct safe__child_report report;
  pid_t pid;
  int exit_fd;
};

/* On the thread: opens what is named by its path, and makes the child, suspended. 0 with the pid, or errno with the
   report. */
int safe__launch_call(struct safe__launch *launch);

#endif
