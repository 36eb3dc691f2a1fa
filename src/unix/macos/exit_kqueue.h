/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_EXIT_KQUEUE_H
#define SAFEHOLD_EXIT_KQUEUE_H

#include <sys/types.h>

#include "os.h"

/* A kqueue that becomes readable at the exit of our child, and then knows its status; -1 when there can be none. Nobody
   inherits it: the kernel keeps a kqueue from fork and exec. */
int safe__watch_exit(pid_t pid);

/* Reaps the child if it has ended, and else leaves it to be reaped later. */
void safe__child_let_go(struct safe__child *child);

#endif
