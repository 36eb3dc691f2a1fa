/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_EXIT_KQUEUE_H
#define SAFEHOLD_EXIT_KQUEUE_H

#include <sys/types.h>

/* A kqueue that becomes readable at the exit of our child, and then knows its status; -1 when there can be none. Nobody
   inherits it: the kernel keeps a kqueue from fork and exec. */
int safe__watch_exit(pid_t pid);

#endif
