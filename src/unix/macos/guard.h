/* SPDX-License-Identifier: MIT */
/* macOS knows no reaper but launchd: nobody can have the orphans of a tree come back to him, and so there is no guard.
 */
#ifndef SAFEHOLD_GUARD_H
#define SAFEHOLD_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct safe__guard; /* always NULL */

static inline void safe__guard_release(struct safe__guard *guard, bool own) { (void)guard, (void)own; }

static inline bool safe__guard_lives(const struct safe__guard *guard) {
  (void)guard;
  return false;
}

static inline int64_t safe__guard_pid(const struct safe__guard *guard) {
  (void)guard;
  return 0;
}

static inline size_t safe__guard_list(const struct safe__guard *guard, pid_t **pids) {
  (void)guard;
  *pids = NULL;
  return 0;
}

static inline void safe__guard_signal_children(const struct safe__guard *guard, int signal) {
  (void)guard, (void)signal;
}

#endif
