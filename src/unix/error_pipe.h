/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_ERROR_PIPE_H
#define SAFEHOLD_ERROR_PIPE_H

#include "plan.h"

enum safe__heard {
  SAFE__HEARD_EXEC = 0,   /* the pipe closed itself: the program has been loaded, or the child was killed */
  SAFE__HEARD_REPORT = 1, /* the child said what failed */
  SAFE__HEARD_NOTHING = 2 /* neither by the deadline */
};

/* What a child with memory of its own says through the pipe of plan->error_fd, whose other end this is. */
enum safe__heard safe__error_pipe_hear(int fd, struct safe__child_report *report, int64_t deadline);

#endif
