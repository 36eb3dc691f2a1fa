/* SPDX-License-Identifier: MIT */
/* A table of the kernel, by sysctl(3), in memory of its own: in a copy of the host malloc's lock may be held by a
   thread that did not come along. */
#ifndef SAFEHOLD_TABLE_H
#define SAFEHOLD_TABLE_H

#include <sys/types.h>

#include <sys/user.h>

struct safe__table {
  char *memory;
  size_t room, size;
};

/* 0 or errno. */
int safe__table_fetch(struct safe__table *table, const int *name, unsigned length);
void safe__table_drop(struct safe__table *table);

/* kern.proc.proc: a process once, and not once for each thread; of a process its threads; and kern.proc.filedesc.
   The kernel looks at every open file for the last, and may wait for a dead file server. */
int safe__table_processes(struct safe__table *table);
int safe__table_threads(struct safe__table *table, pid_t pid);
int safe__table_files(struct safe__table *table, pid_t pid);

/* The next of them, from *at = 0 on; NULL at the end. */
const struct kinfo_proc *safe__table_next_process(const struct safe__table *table, size_t *at);
const struct kinfo_file *safe__table_next_file(const struct safe__table *table, size_t *at);

#endif
