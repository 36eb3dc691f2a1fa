/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_WIN_PIPE_H
#define SAFEHOLD_WIN_PIPE_H

#include "win.h"

/*
 * A pipe in one direction. *ours is for overlapped I/O; *theirs is not, because hardly any child expects it. Neither
 * is inheritable. 0, or the GetLastError.
 */
DWORD safe__win_pipe(bool child_reads, HANDLE *ours, HANDLE *theirs);

/* The stream takes over the handle, also when it fails. */
int safe__win_stream_make(struct safe__stream *stream, HANDLE ours, bool writes, int index, safe_error *error);

#endif
