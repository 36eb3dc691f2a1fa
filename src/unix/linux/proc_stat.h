/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PROC_STAT_H
#define SAFEHOLD_PROC_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fields of /proc/PID/stat that are asked for here; see proc(5). */
struct safe__proc_stat {
  char name[64];
  char state;
  int64_t parent, group, session;
  unsigned flags; /* PF_* of the kernel's include/linux/sched.h */
  int64_t threads;
  uint64_t start;  /* clock ticks since boot */
  int exit_signal; /* 0: a helper that shares its parent's memory, as wait_helper.c makes it */
};

/* False when there is no such process, or it may not be seen. Blocks while it is in the middle of exec (in_exec.h).
   Like the walk it makes raw calls only, for use on shared memory. */
bool safe__proc_stat(int64_t pid, struct safe__proc_stat *stat);

/* The same of one thread: its name, and its state. */
bool safe__proc_thread_stat(int64_t pid, int64_t thread, struct safe__proc_stat *stat);

/* The text of /proc/PID/NAME, or of /proc/PID/task/THREAD/NAME if thread is not 0, as much as there is room for: its
   length, or a negative errno. */
long safe__proc_read(int64_t pid, int64_t thread, const char *name, char *text, size_t size);

/* The first line of /proc/PID/NAME; "" when it cannot be read. */
void safe__proc_line(int64_t pid, const char *name, char *line, size_t size);

/* The beginning of /proc/PID/NAME, as much as there is room for. */
bool safe__proc_text(int64_t pid, const char *name, char *text, size_t size);

/* The next number in /proc, from the DIR that is passed as folder; 0 at the end. */
int64_t safe__proc_next(void *folder);

/* All processes, by ascending numbers. */
struct safe__proc_walk {
  int folder;
  long at, length;
  char entries[4096] __attribute__((aligned(8)));
};

void safe__proc_open(struct safe__proc_walk *walk);
int64_t safe__proc_walk_next(struct safe__proc_walk *walk); /* the next one; 0 at the end */
void safe__proc_close(struct safe__proc_walk *walk);

#endif
