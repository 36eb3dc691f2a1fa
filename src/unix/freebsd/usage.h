/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_USAGE_H
#define SAFEHOLD_USAGE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>

struct safe__usage {
  int64_t user_us, system_us, peak_memory; /* as in safe_exit */
};

/* What a child of the calling process has used that has ended; it is not reaped. False: it is not a zombie of ours.
   Plain system calls only, see child_calls.h. */
bool safe__usage_of(pid_t pid, struct safe__usage *usage);

#endif
