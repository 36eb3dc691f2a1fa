/* SPDX-License-Identifier: MIT */
/*
 * Process descriptors, pdfork(2): a process that is known by a descriptor, and not merely by a number that may be given
 * away. Such a child sends no SIGCHLD, and waitpid(-1) does not see it; waitpid of its own number does (proc_to_reap in
 * kern_exit.c).
 */
#ifndef SAFEHOLD_PROCDESC_H
#define SAFEHOLD_PROCDESC_H

#include <sys/types.h>

#include "os.h"

/*
 * Makes a copy of this process: its number, 0 in the copy, or -1 and errno. In the copy all signals are blocked, so
 * that no handler of the host runs there, and no atfork handler has run: the host's are not for it, and ours would
 * close the very descriptors that it was made for. Not even libthr's own have: only what child_calls.h says may be
 * called.
 */
pid_t safe__procdesc_fork(int *fd, int flags);

/* What a copy does first: ends with its maker, and lets go of all descriptors but one (or none: -1). */
void safe__procdesc_begin(pid_t maker, int keep);

/* Whether the process has ended; waits for it at most until the deadline (0: looks). */
bool safe__procdesc_ended(int fd, int64_t deadline);

/* How it has ended, as wait(2) has it, also after somebody else has reaped it. */
bool safe__procdesc_status(int fd, int *status);

/* Whether somebody else has reaped it: its number may be a stranger's. */
bool safe__procdesc_reaped(int fd);

/* Reaps it if it has ended, and closes the descriptor. */
void safe__procdesc_close(int fd, pid_t pid);

/* The same, once it has ended. */
void safe__procdesc_park(int fd, pid_t pid);

#endif
