/* SPDX-License-Identifier: MIT */
#include "fork.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "held.h"

/* An open that hangs must not hang the host's fork, nor a fork in a signal handler the code that it interrupted. */
#define PATIENCE (10 * SAFE__MS)

static atomic_int openings, forks;

static void wait_while(atomic_int *number) {
  int64_t until;

  if (atomic_load(number) == 0) return;
  until = safe__os_now() + PATIENCE;
  while (atomic_load(number) != 0 && safe__os_now() < until) sched_yield();
}

/* Not below 0, as in a child that a signal handler forked in between. */
void safe__fork_allow(void) {
  int count = atomic_load(&openings);

  while (count > 0 && !atomic_compare_exchange_weak(&openings, &count, count - 1)) continue;
}

/* Counted first and asked then, as a fork does: of two that begin together at least one sees the other. Who opens steps
   back; if forks follow one another without end, only so often. */
void safe__fork_hold(void) {
  int tries;

  for (tries = 0; tries < 10; tries++) {
    atomic_fetch_add(&openings, 1);
    if (atomic_load(&forks) == 0) return;
    safe__fork_allow();
    wait_while(&forks);
  }
  atomic_fetch_add(&openings, 1);
}

static void before(void) {
  atomic_fetch_add(&forks, 1);
  wait_while(&openings);
}

static void parent(void) { atomic_fetch_sub(&forks, 1); }

static void close_copies(struct safe_lock *held) {
  int at, fd;

  for (at = 0; held->fds != NULL && at < held->fd_count; at++) {
    fd = held->fds[at];
    held->fds[at] = -1;
    if (fd >= 0) close(fd);
  }
  held->claim_count = 0;
}

static void child(void) {
  atomic_store(&forks, 0);
  atomic_store(&openings, 0);
  safe__held_each(close_copies);
}

__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(before, parent, child); }
