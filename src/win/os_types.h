/* SPDX-License-Identifier: MIT */
/* The structs of the seam. They hold plain pointers, so that the portable files are compiled without windows.h. */
#ifndef SAFEHOLD_WIN_OS_TYPES_H
#define SAFEHOLD_WIN_OS_TYPES_H

#include <stdbool.h>
#include <stdint.h>

/* The turnstile of SAFE_LOCK_FAIR: in the space that lock_ranges.c has for a file's locks, behind all that is locked
   then. */
#define SAFE__GATE ((INT64_C(1) << 62) - 2)

struct safe__win_request; /* wait_overlapped.h */
struct safe__win_poller;  /* poller_threadpool.c */
struct safe__win_stream;  /* stream.c */
struct safe__win_pty;     /* pty.c */
struct safe__win_leash;   /* leash.c */
struct safe__win_lent;    /* lent.c */

struct safe__file {
  struct safe__win_request *request; /* the open file and its one lock request; NULL once parked or closed */
};

struct safe__poller {
  struct safe__win_poller *made; /* NULL until it is armed for the first time */
};

struct safe__stream {
  struct safe__win_stream *open; /* NULL: no pipe, closed, or taken */
  struct safe__win_lent *lent;   /* a handle of the caller's instead */
};

struct safe__child {
  struct safe__stream streams[3];
  void *process, *job;
  int64_t pid;
  void **seen; /* the listed handles, under the values that the child knows them by */
  size_t seen_count;
  struct safe__win_pty *pty;     /* or NULL */
  struct safe__win_leash *leash; /* SAFE_SPAWN_DIE_WITH_HOST: what keeps the job open once we are not asked any more */
  bool alone;                    /* SAFE_GROUP_HOST: only the child itself is ended */
  bool console;                  /* leads a process group on our console, where a CTRL_BREAK reaches it */
};

#endif
