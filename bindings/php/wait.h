/* SPDX-License-Identifier: MIT */
/* How PHP code waits: with a deadline, within max_execution_time, and so that signals of pcntl are handled meanwhile.
 */
#ifndef SAFEHOLD_PHP_WAIT_H
#define SAFEHOLD_PHP_WAIT_H

#include "php_safehold.h"

struct safehold_wait {
  double began;         /* CLOCK_MONOTONIC, seconds: what was waited before is counted already */
  double until;         /* the same clock; negative: never */
  double deadline;      /* the caller's own; negative: none */
  double pause;         /* the same clock: where safehold_wait_a_while returns; 0: nowhere */
  bool until_execution; /* `until` is where max_execution_time is used up, and not the caller's deadline */
  bool unlimited;       /* max_execution_time neither bounds nor counts it */
  bool bailed_out;      /* a handler ended the request by a fatal error */
  bool interrupted;     /* a signal came whose handler was installed without SA_RESTART: a system call in place of this
                           wait would have returned EINTR. Set by safehold_wait_for only */
};

/* The memory limit is exceeded, and the engine waits for the end of the function to say so (PHP 8.2.36, which ends the
   process without a word where memory_hard_limit_percent is exceeded, too). Who collects something stops then. */
static inline bool safehold_out_of_memory(void) {
#ifdef ZEND_HAS_OOM
  return EG(delayed_oom).state == ZEND_OOM_STATE_PENDING;
#else
  return false;
#endif
}

/* Begins a wait of at most `timeout` seconds (negative: for ever), cut short where max_execution_time has less left. */
void safehold_wait_begin(struct safehold_wait *wait, double timeout);
/* For a child: at most safehold.exec_timeout. Where PHP counts CPU time, scripts rely on max_execution_time to leave
   the time of commands out, as its manual says. */
void safehold_wait_begin_child(struct safehold_wait *wait);
/* Milliseconds left, rounded up; SAFE_FOREVER, or 0 when the time is over. */
int64_t safehold_wait_left_ms(const struct safehold_wait *wait);
/* A system call came back with EINTR, or a library call with SAFE_EINTR: runs the handlers of pcntl_async_signals.
   Always returns, even where a handler ends the request. true: go on waiting. false: a handler has thrown or ended the
   request, or the time limit struck; the caller cleans up, calls safehold_wait_end and returns. */
bool safehold_wait_go_on(struct safehold_wait *wait);
/* Sleeps until `handle` is readable (POSIX) or signalled (Windows), and handles signals meanwhile, without the race of
   a signal that comes just before the system call. SAFE_OK; SAFE_ETIMEDOUT; SAFE_EINTR where safehold_wait_go_on says
   false, and also where a signal came without SA_RESTART, if `stop_on_signal`. */
int safehold_wait_for(struct safehold_wait *wait, safe_handle handle, bool stop_on_signal);
/* The same, but SAFE_EAGAIN after `ms` milliseconds. */
int safehold_wait_a_while(struct safehold_wait *wait, safe_handle handle, bool stop_on_signal, int ms);
/* Ends it, and counts what it took for max_execution_time. When that is what ran out, PHP's fatal error "Maximum
   execution time of N seconds exceeded" is raised, and when a handler ended the request it goes on to end: then the
   call does not return. What was not got must have been cleaned up before, and what was got must belong to something
   that goes with the request. */
void safehold_wait_end(struct safehold_wait *wait);

/* In MINIT and MSHUTDOWN: set_time_limit() starts the count anew. */
void safehold_wait_startup(void);
void safehold_wait_shutdown(void);

#endif
