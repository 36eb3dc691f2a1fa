/* SPDX-License-Identifier: MIT */
/*
 * Who waits for whom, from /proc: the parts of it. Nothing that is read there by ourselves can block. What might, since
 * it takes a lock that a process may hold while its file system does not answer, is read by a helper (look_peek.h).
 */
#ifndef SAFEHOLD_LOOK_H
#define SAFEHOLD_LOOK_H

#include "os.h"

/* When a thread fell asleep: milliseconds since 1970, or 0 where the kernel does not tell (CONFIG_SCHED_DEBUG before
   Linux 6.15), as for one that runs. Of a zombie: when it ended. */
int64_t safe__asleep_since(int64_t pid, int64_t thread);

/* Adds who has the ends of a pipe open. */
void safe__look_pipe(struct safe__scene *scene, int32_t object, int64_t deadline);

#endif
