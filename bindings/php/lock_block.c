/* SPDX-License-Identifier: MIT */
#include "lock_block.h"

#if defined(__linux__) && !defined(ZTS) && !defined(ZEND_MAX_EXECUTION_TIMERS)

#include <signal.h>

#include "zend_signal.h"

/* What ends the wait in time (safe_use_signal). Lent at the first wait, and not in a process that never has one. */
#define BELL (SIGRTMAX - 3)

static bool has_handler(const struct sigaction *action) {
  return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* A script may have put its own handler there by now (pcntl_signal), or taken it away again. */
static bool has_bell(void) {
  static void (*handler)(int);
  static bool asked;
  struct sigaction action;

  if (!asked) {
    asked = true;
    if (safe_use_signal(BELL) == SAFE_OK && sigaction(BELL, NULL, &action) == 0) handler = action.sa_handler;
  }
  return handler != NULL && sigaction(BELL, NULL, &action) == 0 && action.sa_handler == handler;
}

/* Of PHP's code. The library asks again for what a signal has interrupted, so that they would run after the wait only.
   SIGPROF is max_execution_time's: a thread that is blocked uses no CPU time. */
static bool handlers_may_run(void) {
  struct sigaction action;
  int number;

  if (zend_interrupt_function == NULL) return false;
  for (number = 1; number < NSIG; number++) {
    if (number == SIGPROF || number == BELL || number == SIGKILL || number == SIGSTOP) continue;
    memset(&action, 0, sizeof(action));
    zend_sigaction(number, NULL, &action);
    if (has_handler(&action)) return true;
  }
  return false;
}

int safehold_lock_block(const struct safehold_lock_ask *ask, const struct safehold_wait *wait, safe_lock **lock,
                        safe_error *error) {
  safe_lock_options options = ask->options;

  if (handlers_may_run() || !has_bell()) return SAFE_EAGAIN;
  options.timeout_ms = safehold_wait_left_ms(wait);
  if (ask->path != NULL) return safe_lock_file(lock, ask->path, &options, error);
  return safe_lock_handle(lock, ask->file, &options, error);
}

#else

int safehold_lock_block(const struct safehold_lock_ask *ask, const struct safehold_wait *wait, safe_lock **lock,
                        safe_error *error) {
  (void)ask, (void)wait, (void)lock, (void)error;
  return SAFE_EAGAIN;
}

#endif
