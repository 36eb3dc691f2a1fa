/* SPDX-License-Identifier: MIT */
/* Everything that a child needs between clone and exec, prepared by its parent in one block of memory that outlives
   the call if the child does not get out of it in time. */
#ifndef SAFEHOLD_PLAN_H
#define SAFEHOLD_PLAN_H

#include "os.h"

struct safe__move {
  int source; /* the parent's descriptor */
  int target; /* its number in the child */
  int stage, index;
};

/* Written by the child, read by the parent: through shared memory, or through a pipe. stage 0 = no failure. */
struct safe__child_report {
  int stage, index, os_code;
};

struct safe__plan {
  char **argv, **envp;
  char **candidates;        /* full paths to try, in PATH's order; ends with NULL */
  const char *cwd;          /* or NULL */
  struct safe__move *moves; /* by target, the standard streams first */
  int move_count;
  int group;
  int highest;                     /* the largest source, and error_fd if larger */
  bool shared;                     /* the child runs on our memory and begins with our descriptor table */
  int error_fd;                    /* where it reports otherwise */
  const safe_spawn_options *asked; /* the caller's: only until the launch has returned */
  uint32_t tree_limits;            /* bit 1 << SAFE_LIMIT_*: set for the tree as a whole, by the launch. Then the child
                                      itself needs no RLIMIT_NPROC */
  volatile struct safe__child_report report;
};

/* Copies what the options name, and finds the candidates. The moves are the caller's to fill in, from index 3 on
   they are the listed handles already. Released with safe__free. */
int safe__plan_make(struct safe__plan **plan, const safe_spawn_options *options, safe_error *error);

/* The child's side (child.c): never returns to its caller's caller; runs with all signals blocked. The result is
   an exit status, for when there was no exec. */
int safe__child_run(void *plan);

/* Starts the child (one file per mechanism): 0 with pid and exit_fd set; SAFE_ETIMEDOUT, SAFE_ESTUCK with the
   plan parked (*plan becomes NULL), or what the child reported. */
int safe__launch(struct safe__plan **plan, int64_t deadline, struct safe__child *child, safe_error *error);

/* Turns the child's report into the caller's error. */
int safe__plan_failure(const struct safe__plan *plan, const struct safe__child_report *report, safe_error *error);

#endif
