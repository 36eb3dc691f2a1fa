/* SPDX-License-Identifier: MIT */
/*
 * A pseudo-console (ConPTY), which Windows 10 1809 and later have. The system runs a process for it, that turns what
 * the child does with its console into bytes on two pipes. It closes them only when it is told to: so the console is
 * closed as soon as the child is known to have ended, and the reader gets its end of file.
 */
#ifndef SAFEHOLD_WIN_PTY_H
#define SAFEHOLD_WIN_PTY_H

#include "win.h"

/* Whether this system has any. */
bool safe__win_pty_exists(void);
/* Blocks as long as it takes to start the system's process. The two handles are its own copies afterwards. */
int safe__win_pty_make(int columns, int rows, HANDLE input, HANDLE output, struct safe__win_pty **pty,
                       safe_error *error);
/* Takes over a handle of our end of the input: at the end of its input the console would end, and the child with it, so
   that a caller who has no more to say must not be able to close the last one. */
void safe__win_pty_keep(struct safe__win_pty *pty, HANDLE *input);
/* What PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE takes. */
void *safe__win_pty_console(const struct safe__win_pty *pty);
int safe__win_pty_resize(struct safe__win_pty *pty, int columns, int rows);
/* Begins to close it, which processes on it are told of, and never waits. Any number of times, from any thread. */
void safe__win_pty_hang_up(struct safe__win_pty *pty);
/* Parks it if the system takes longer than a moment. NULL does nothing. */
void safe__win_pty_free(struct safe__win_pty *pty);

#endif
