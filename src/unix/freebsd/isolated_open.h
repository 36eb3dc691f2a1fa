/* SPDX-License-Identifier: MIT */
/* What the helper of lock_isolated.c is asked to do, and does in a process of its own. */
#ifndef SAFEHOLD_ISOLATED_OPEN_H
#define SAFEHOLD_ISOLATED_OPEN_H

#include <sys/types.h>

#include "internal.h"

struct safe__isolated_order {
  const char *path;
  struct safe__claim claim;
  uint32_t flags, create_mode;
  uid_t user;
  bool waits;
};

/* One message over the socket, with the descriptor of the locked file if nothing failed. */
struct safe__isolated_answer {
  int stage, os_code; /* what failed, and errno; 0: nothing */
  int code;           /* a SAFE_E* where the system has no number for it */
  bool created;
  dev_t device;
  ino_t inode;
};

/* In the helper: opens, locks, compares with the path, answers and ends. */
_Noreturn void safe__isolated_serve(const struct safe__isolated_order *order, int socket);

#endif
