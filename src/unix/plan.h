/* SPDX-License-Identifier: MIT */
/* Everything that a child needs between clone and exec, prepared by its parent in one block of memory that outlives
   the call if the child does not get out of it in time. */
#ifndef SAFEHOLD_PLAN_H
#define SAFEHOLD_PLAN_H

#include "os.h"

struct safe__move {
  int source; /* the parent's descriptor; -1 for a path, until the child has opened it */
  int target; /* its number in the child */
  int stage, index;
  bool cleared;     /* source is target, and stays open on exec as it is */
  const char *path; /* or NULL */
  int open_flags;   /* of a path; SAFE__LIKE_OUT: the same as standard output */
  unsigned mode;
};
#define SAFE__LIKE_OUT (-1)

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
  uint32_t flags; /* SAFE_SPAWN_* */
  int group;
  int terminal;      /* the number in the child of what becomes its controlling terminal, or -1 */
  bool changes_user; /* which a child on our memory must not do: it would make the host undumpable */
  bool sets_groups;
  int64_t uid, gid; /* -1 as in the options; nice and umask likewise */
  const uint32_t *groups;
  size_t group_count;
  int umask, nice;
  const safe_limit *limits;
  int limit_count;
  int highest;                     /* the largest source, and error_fd if larger */
  bool shared;                     /* the child runs on our memory and begins with our descriptor table */
  int error_fd;                    /* where it reports otherwise */
  const safe_spawn_options *asked; /* the caller's: only until the launch has returned */
  uint32_t tree_limits;            /* bit 1 << SAFE_LIMIT_*: set for the tree as a whole, by the launch. Then the child
                                      itself needs no RLIMIT_NPROC */
  bool handlers_cleared;           /* the child was born without the host's signal handlers */
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
