/* SPDX-License-Identifier: MIT */
/*
 * How a child's tree is kept together on Linux. Each of these is there or not:
 *
 *   a cgroup, which the child is born in and nobody leaves without rights to it (cgroup.c);
 *   a guard process, to which whoever loses his parent comes back (guard.c, guard_serve.c);
 *   what was seen of the tree, by which a process is known again whose parent has ended (members.c).
 */
#ifndef SAFEHOLD_TREE_H
#define SAFEHOLD_TREE_H

#include "kernel.h"
#include "plan.h"
#include "shared_stack.h"

/* ---- What a child does before safe__child_run, on whatever memory that runs (child_start.c). */
struct safe__start {
  struct safe__plan *plan;
  const char *join;      /* cgroup.procs of the cgroup that it is to enter by itself, or NULL */
  long parent;           /* the guard, with which it is to die; or 0 */
  bool ignores_children; /* SIGCHLD, which the guard does not */
};

int safe__child_start(void *start);

struct safe__tree;
/* Makes the child, in the tree's cgroup if there is one: by clone3, or else by its own first act. tree may be NULL.
   For use on shared memory too; the descriptor is the cgroup's folder in the calling process, or -1. */
long safe__start_child(unsigned long flags, void *stack, int *pidfd, int *word, struct safe__plan *plan,
                       struct safe__tree *tree, int folder);

/* ---- The cgroup. */
struct safe__cgroup {
  int folder;        /* -1: there is none */
  char *path, *join; /* of the folder, and of its cgroup.procs */
  uint32_t limits;   /* bit 1 << SAFE_LIMIT_*: set in it */
};

/* Where our own cgroup is mounted, from what /proc/self/cgroup and mountinfo say; both texts are taken apart. */
bool safe__cgroup_locate(char *own, char *mounts, char *folder, size_t size);
/* A new one below the folder that is asked for, or below our own (cgroup.c). */
int safe__cgroup_make(struct safe__cgroup *cgroup, const safe_spawn_options *asked, safe_error *error);
/* Waits until it may have become empty. */
void safe__cgroup_wait(int folder, int64_t deadline);
/* Sends the signal to each process in it and below. False if it reached nobody. */
bool safe__cgroup_signal(const struct safe__cgroup *cgroup, int signal);
/* Only forgets it. */
void safe__cgroup_close(struct safe__cgroup *cgroup);

/* Raw calls only (cgroup_folder.c). False also when that cannot be told, for want of a descriptor. */
bool safe__cgroup_empty(int folder);
/* The processes in it and below, at most room of them; returns how many there are, as far as the folders
   can be read. */
int safe__cgroup_list(int folder, int64_t *pids, int room);
/* Removes it, and those that the tree made in it. False while somebody is in them. */
bool safe__cgroup_remove(const char *path);

/* ---- The guard. */

/* On memory that is the host's and the guard's, also where the guard is a fork. Written by the guard. */
struct safe__guard_record {
  int child;        /* 0 until it has been made; then its number, or a negative errno */
  int stage;        /* where making it failed */
  int unwanted;     /* written by the host: the child is to be ended, and the guard to stay until it has */
  int adopts;       /* it is the reaper of all that is below it */
  int ended;        /* the child has, and the following is known */
  int code, status; /* si_code and si_status of waitid(2) */
  struct safe__usage used;
};

struct safe__guard {
  struct safe__guard_record *record;
  struct safe__shared_stack *stack, *child_stack; /* NULL where it is a fork */
  struct safe__tree *tree;
  int64_t host, pid;
  int pidfd;
  int pipe[2]; /* 0: the guard's end, -1 in the host once the guard has its own; 1: let go of when it is not needed */
  bool whole;  /* it is to be the reaper of the whole tree, and not of the child alone */
  bool die;    /* with the host */
  bool own_group; /* the child leads one */
};

/* What the guard itself runs (guard_serve.c). */
int safe__guard_serve(void *guard);

/* Whether its process is still there. */
bool safe__guard_lives(struct safe__guard *guard);
/* Waits until it has told of the child's end, or the deadline, or not at all if it is gone: false. */
bool safe__guard_tells(struct safe__guard *guard, int64_t deadline);
/* It is not needed any more; it goes now, or when the tree has if it is to die with the host. */
void safe__guard_release(struct safe__guard *guard);
/* False while it is there, or the child still runs on its stack. */
bool safe__guard_free(struct safe__guard *guard, int64_t deadline);

/* In a forked copy of the host: only closes. */
void safe__guard_forget(struct safe__guard *guard);

/* ---- Who was seen of the tree. */
struct safe__member {
  int64_t pid;
  uint64_t start; /* with the number the process itself: a number is not given away twice in one clock tick */
  int64_t parent, group, session;
  char state;
  bool in;
};

struct safe__members {
  struct safe__member *items;
  size_t count;
};

enum safe__group {
  SAFE__GROUP_GONE,
  SAFE__GROUP_OURS,
  SAFE__GROUP_IN_DOUBT /* the host reaped the leader, and the kernel cannot tell whose its number is by now */
};

/* Looks through /proc; what is found is remembered in the child's tree, unless it may be a stranger's. found->items is
   to be freed. False if not all could be looked at, for want of descriptors or memory: there may be more. */
bool safe__members_find(struct safe__child *child, enum safe__group group, struct safe__members *found);
/* To the one process or to nobody: by a pidfd, and only if it is the process that was seen. */
void safe__member_signal(const struct safe__member *member, int signal);

/* ---- All of it. */
struct safe__tree {
  struct safe__parked parked;
  struct safe__start start;
  struct safe__cgroup cgroup;
  struct safe__guard *guard;
  struct safe__members seen;
  struct safe__plan *plan; /* of a child that is stuck before exec, to be freed with it; else NULL */
};

static inline struct safe__guard *safe__guard_of(const struct safe__child *child) {
  return child->tree == NULL ? NULL : child->tree->guard;
}

/* NULL without memory. */
struct safe__tree *safe__tree_new(void);
/* Gives back what can be given back now, and parks the rest. In a forked copy (own false) only closes. NULL is
   allowed. */
void safe__tree_release(struct safe__tree *tree, bool own);

#endif
