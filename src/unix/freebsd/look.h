/* SPDX-License-Identifier: MIT */
/*
 * What FreeBSD tells of a process, in plain numbers, and what its threads want by that (look_wants.c). The wait message
 * says what a thread sleeps for, and the sleep address for a pipe which one: it is the address of the end whose buffer
 * is read from, or written to (sys_pipe.c: piperd, pipewr), and kern.proc.filedesc has the addresses of all ends.
 */
#ifndef SAFEHOLD_LOOK_H
#define SAFEHOLD_LOOK_H

#include <stdatomic.h>

#include "os.h"

struct safe__seen_process {
  int64_t pid, parent, tracer; /* tracer: or 0 */
  char name[64];
  char state; /* as in safe_holder */
};

struct safe__seen_thread {
  int64_t number;
  char state;
  char channel[64];
  uint64_t address;
  int64_t slept_s;
};

struct safe__seen_pipe {
  int fd;
  uint64_t address, peer; /* of this end, and of the other one */
};

/* A file that flock(2) was called for, by the process or by a helper of it. */
struct safe__seen_flock {
  int64_t helper; /* its pid, or 0 for the process itself */
  int fd;
  int64_t slept_s; /* of the helper */
  struct safe__file_id id;
  char name[256];
};

#define SAFE__MOST_SEEN_PIPES 64
#define SAFE__MOST_SEEN_FLOCKS 32

/* Of a process its pipes, and the files that it may be waiting to lock. */
struct safe__seen_files {
  bool known;        /* they could be looked at, in time */
  bool record_locks; /* it has called fcntl(F_SETLK) or the like, of which no table tells the file */
  int pipe_count, flock_count;
  struct safe__seen_pipe pipes[SAFE__MOST_SEEN_PIPES];
  struct safe__seen_flock flocks[SAFE__MOST_SEEN_FLOCKS];
};

/* ---- look_wants.c */

/* Whether a want of this thread depends on descriptors. */
bool safe__look_needs_files(const struct safe__seen_thread *thread);
/* Fills in the actor, and adds the wants. now_ms: since 1970. */
void safe__look_wants(struct safe__scene *scene, const struct safe__seen_process *process,
                      const struct safe__seen_thread *threads, size_t count, const struct safe__seen_files *files,
                      int64_t now_ms);

/* ---- look_files.c: for safe__aside. */

struct safe__files_order {
  int64_t pid;
  atomic_int os_code; /* of the process's own table */
  atomic_bool done;   /* what follows is complete */
  struct safe__seen_files files;
};
void safe__look_files(void *shared);

#define SAFE__MOST_ENDS 512

struct safe__ends_order {
  uint64_t pipe; /* address of the end that is read from */
  atomic_bool all, too_many;
  atomic_int unreadable, count; /* the count grows after what it counts */
  struct {
    int64_t pid;
    int fd;
    bool writes;
    char name[20];
  } ends[SAFE__MOST_ENDS];
};
void safe__look_ends(void *shared);

#endif
