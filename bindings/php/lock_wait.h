/* SPDX-License-Identifier: MIT */
/* A lock that was not free at once: how flock() and sessions wait for it. */
#ifndef SAFEHOLD_PHP_LOCK_WAIT_H
#define SAFEHOLD_PHP_LOCK_WAIT_H

#include "wait.h"

struct safehold_lock_ask {
  const char *path;          /* of the file to open and lock; or NULL, and */
  safe_handle file;          /* the open file to lock */
  safe_lock_options options; /* but for the timeout */
  bool stop_on_signal;       /* as in safehold_wait_for */
};

/* Waits in the kernel's queue until the time of `wait` is over. The codes of safe_lock_file; SAFE_EDEADLK, after a few
   milliseconds, also where this process itself has the lock by another descriptor and nobody else could give it back;
   SAFE_EINTR as from safehold_wait_for. The caller ends `wait`. */
int safehold_lock_wait(const struct safehold_lock_ask *ask, struct safehold_wait *wait, safe_lock **lock,
                       safe_error *error);

#endif
