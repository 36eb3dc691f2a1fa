/* SPDX-License-Identifier: MIT */
/* How PHP code waits: with a deadline, within max_execution_time, and so that signals of pcntl are handled meanwhile. */
#ifndef SAFEHOLD_PHP_WAIT_H
#define SAFEHOLD_PHP_WAIT_H

#include "php_safehold.h"

struct safehold_wait {
  double began;         /* CLOCK_MONOTONIC, seconds */
  double until;         /* the same clock; negative: never */
  bool until_execution; /* `until` is where max_execution_time is used up, and not the caller's deadline */
};

/* Begins a wait of at most `timeout` seconds (negative: for ever), cut short where max_execution_time has less left. */
void safehold_wait_begin(struct safehold_wait *wait, double timeout);
/* Milliseconds left, rounded up; SAFE_FOREVER, or 0 when the time is over. */
int64_t safehold_wait_left_ms(const struct safehold_wait *wait);
/* A system call came back with EINTR, or a library call with SAFE_EINTR: runs the handlers of pcntl_async_signals and,
   where the time limit struck, PHP's own fatal error (which does not return). true: go on waiting. false: a handler
   has thrown; the caller cleans up and returns. */
bool safehold_wait_go_on(struct safehold_wait *wait);
/* Ends it, and counts what it took for max_execution_time. When that is what ran out, PHP's fatal error "Maximum
   execution time of N seconds exceeded" is raised, and the call does not return: everything must have been cleaned up
   before. */
void safehold_wait_end(struct safehold_wait *wait);

#endif
