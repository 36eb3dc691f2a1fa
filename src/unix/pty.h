/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PTY_H
#define SAFEHOLD_PTY_H

/* A pseudo-terminal of that size: ours (non-blocking) and the child's end, close-on-exec both, neither a standard
   stream's number. -1 and errno on failure. */
int safe__pty_open(int fds[2], int columns, int rows);

/* The other end of ours, not as anybody's controlling terminal; -1 and errno (one file per system). */
int safe__pty_peer(int ours);

#endif
