/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PROCESS_PRIVATE_H
#define SAFEHOLD_PROCESS_PRIVATE_H

#include "os.h"

/* Bytes on their way between a pipe of the child's and a handle or function of the caller's. What a call of
   safe_process_communicate could not deliver in time is left here for the next one. */
struct safe__carry {
  void *block; /* NULL, or where SAFE__CARRY bytes are */
  char *bytes; /* in the block */
  size_t at, length;
};
#define SAFE__CARRY ((size_t)256 * 1024)

/* The kernel copies to and from a pipe a seventh faster where our side begins at such an address. */
#define SAFE__ALIGNMENT 64

struct safe_process {
  struct safe__child child; /* its member streams[3] holds our ends of the pipes */
  int64_t owner;            /* the process that spawned: a forked copy may only close */
  bool ended;
  safe_exit status;       /* once ended */
  struct safe_stop *stop; /* one that was begun, and is not finished */
  struct safe__carry carry[3];
};

/* 0, or SAFE_EINVAL for NULL and SAFE_EOWNER in a forked child, with the error filled. */
int safe__check_process(const safe_process *process, safe_error *error);

/* safe_process_wait without the caller's structs. */
int safe__process_wait(safe_process *process, int64_t deadline, safe_cancel *cancel, safe_error *error);

#endif
