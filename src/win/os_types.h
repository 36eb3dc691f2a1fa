/* SPDX-License-Identifier: MIT */
/* The structs of the seam. They hold plain pointers, so that the portable files are compiled without windows.h. */
#ifndef SAFEHOLD_WIN_OS_TYPES_H
#define SAFEHOLD_WIN_OS_TYPES_H

#include <stdbool.h>
#include <stdint.h>

struct safe__win_request; /* wait_overlapped.h */
struct safe__win_stream;  /* stream.c */

struct safe__file {
  struct safe__win_request *request; /* the open file and its one lock request; NULL once parked or closed */
};

struct safe__stream {
  struct safe__win_stream *open; /* NULL: no pipe, closed, or taken */
};

struct safe__child {
  struct safe__stream streams[3];
  void *process, *job;
  int64_t pid;
  bool alone;   /* SAFE_GROUP_HOST: only the child itself is ended */
  bool console; /* leads a process group on our console, where a CTRL_BREAK reaches it */
};

#endif
