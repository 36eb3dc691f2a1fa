/* SPDX-License-Identifier: MIT */
/* Wait Chain Traversal: whose thread another thread waits for, where Windows knows that. */
#ifndef SAFEHOLD_WIN_WAIT_CHAIN_H
#define SAFEHOLD_WIN_WAIT_CHAIN_H

#include "look_calls.h"

struct safe__win_wait_chain {
  HWCT session; /* NULL: there is none */
  HMODULE library;
  DWORD failure; /* why there is none, or why the last thread could not be looked at */
};

/* One step: what a thread waits for, and who has to act. */
struct safe__win_waits {
  int64_t pid;   /* whose thread, or which process, is waited for; 0: not told */
  DWORD thread;  /* or 0 */
  bool process;  /* for the end of that process */
  bool circle;   /* it leads into a circle of waits */
  bool hidden;   /* who is waited for is not told to this user */
  char what[64]; /* "the mutex Global\\x", "a window message", ... */
};

bool safe__win_wait_chain_open(struct safe__win_wait_chain *chain);
void safe__win_wait_chain_close(struct safe__win_wait_chain *chain);
/* False: the system does not tell what this thread waits for, if at all; failure 0: it did not fail. */
bool safe__win_wait_chain_ask(struct safe__win_wait_chain *chain, DWORD thread, struct safe__win_waits *waits);

#endif
