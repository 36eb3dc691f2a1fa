/* SPDX-License-Identifier: MIT */
/*
 * A process between us and the child: a copy of this one that never execs. It is the reaper of the child's tree
 * (PROC_REAP_ACQUIRE), to which everybody comes back whose parent has ended, and outlives us where the tree is to die
 * with the host. The host itself must not be a reaper: strangers' orphans would become its children.
 *
 * PROC_PDEATHSIG_CTL would not do: it reaches the child alone, and not even that, as closing the last descriptor of a
 * PD_DAEMON process gives it to init before the signal's turn comes (kern_exit.c: exit1).
 */
#ifndef SAFEHOLD_GUARD_H
#define SAFEHOLD_GUARD_H

#include <sys/types.h>

#include "plan.h"

struct safe__guard {
  pid_t pid;
  int fd;     /* its process descriptor */
  int socket; /* for orders, and what they are answered with */
};

enum safe__guard_order {
  SAFE__GUARD_KEEP = 'k',   /* the child has begun its program: it may stay */
  SAFE__GUARD_USAGE = 'u',  /* tell what the child, which has ended, has used */
  SAFE__GUARD_RELEASE = 'x' /* nobody will ask any more. Before SAFE__GUARD_KEEP: end the child */
};

/* Its first message, with the child's process descriptor. */
struct safe__guard_answer {
  int stage, os_code; /* what failed, and errno; 0: nothing */
  pid_t child;
};

/* What the guard is made with. */
struct safe__guard_post {
  struct safe__plan *plan;
  pid_t host;
  int socket;
  int32_t group, keeping; /* SAFE_GROUP_*, SAFE_TREE_*: who belongs to the tree */
  bool dies;              /* with the host */
};

/* In the guard, which makes the child (guard_serve.c). */
_Noreturn void safe__guard_serve(const struct safe__guard_post *post);

/* Makes a guard, and by it the child: pid and procdesc are the child's. */
int safe__guard_make(struct safe__guard **guard, const struct safe__child *child, struct safe__plan *plan,
                     int64_t deadline, pid_t *pid, int *procdesc, safe_error *error);
/* The child has begun its program. */
void safe__guard_keep(struct safe__guard *guard);
/* The child never got to its program: ends both. */
void safe__guard_abandon(struct safe__guard *guard);
/* It is not needed any more: it goes now, or, if the tree is to die with the host, once the tree or the host has gone.
   In a forked copy (own false) only closes. NULL is allowed. */
void safe__guard_release(struct safe__guard *guard, bool own);

bool safe__guard_lives(const struct safe__guard *guard);

static inline int64_t safe__guard_pid(const struct safe__guard *guard) { return guard->pid; }

/* Whoever is in its tree, zombies too: how many; pids is to be freed. */
size_t safe__guard_list(const struct safe__guard *guard, pid_t **pids);
/* To its own children, whom nobody but the guard reaps, so that no signal can reach a stranger. */
void safe__guard_signal_children(const struct safe__guard *guard, int signal);
/* What the child has used. Bounded; leaves the status as it is where the guard does not answer. */
void safe__guard_ask_usage(const struct safe__guard *guard, safe_exit *status);

#endif
