/* SPDX-License-Identifier: MIT */
/*
 * A walk over the descriptors of all processes, or of some, as /proc shows them.
 *
 * It opens and stats none of the files behind them, which could block on a dead file system: their links and fdinfo
 * are the kernel's own memory. Links of a process in the middle of exec are left alone (in_exec.h): whoever must not be
 * kept waiting in any case reads the fdinfo. On a machine with many processes a second thread takes part, so that
 * 44,000 descriptors of 2,100 processes take 0.1 s on two processors.
 */
#ifndef SAFEHOLD_DESCRIPTORS_H
#define SAFEHOLD_DESCRIPTORS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One that is visited. Good for the length of the visit. */
struct safe__descriptor {
  int64_t pid;
  int number;
  const char *digits; /* the number, as a name */
  int process;        /* the folder /proc/PID, or of one of its threads, open for lookups only (O_PATH) */
  const char *text;   /* what was asked for: its link or its fdinfo, a string */
};

enum safe__descriptor_text { SAFE__DESCRIPTOR_LINK, SAFE__DESCRIPTOR_INFO };

struct safe__descriptor_walk {
  /* To be filled in; the rest with zeroes. */
  enum safe__descriptor_text wanted;
  int64_t deadline;
  const int64_t *first; /* processes to be looked at before all others: those who may well be it */
  size_t first_count;
  bool only_first; /* and no others */
  /* Called for each descriptor, by two threads at a time, for different processes: what they share is to be changed
     between safe__descriptors_enter and safe__descriptors_leave. */
  void (*visit)(struct safe__descriptor_walk *walk, const struct safe__descriptor *descriptor);
  /* Or NULL: those that are not even read, by their process and number. */
  bool (*skips)(const struct safe__descriptor_walk *walk, const struct safe__descriptor *descriptor);
  void *context; /* the visitor's */
  /* What came of it. */
  int unreadable; /* processes whose descriptors this user may not see */
  bool late;      /* the deadline came before all was seen */
  bool no_memory; /* nothing, or not all, was seen for want of it, or of descriptors of our own */
  bool no_proc;   /* there is no /proc here */
  pthread_mutex_t turn;
};

void safe__descriptors_walk(struct safe__descriptor_walk *walk);
void safe__descriptors_enter(struct safe__descriptor_walk *walk);
void safe__descriptors_leave(struct safe__descriptor_walk *walk);

/* The other text of one that is visited. False if it cannot be read; a link that is too long is cut off. */
bool safe__descriptor_link(const struct safe__descriptor *descriptor, char *text, size_t size);
bool safe__descriptor_info(const struct safe__descriptor *descriptor, char *text, size_t size);

#endif
