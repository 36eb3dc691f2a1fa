/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_WIN_PIPE_H
#define SAFEHOLD_WIN_PIPE_H

#include "win.h"

/*
 * A pipe in one direction, that is to hold size bytes (0: as many as usual). *ours is for overlapped I/O, unless it is
 * to be blocking; *theirs is not, because hardly any child expects it. Neither is inheritable. 0, or the GetLastError.
 */
DWORD safe__win_pipe(bool child_reads, bool blocking, uint32_t size, HANDLE *ours, HANDLE *theirs);

/* The stream takes over the handle, also when it fails. One that is blocking can only be taken or closed. */
int safe__win_stream_make(struct safe__stream *stream, HANDLE ours, bool writes, bool blocking, int index,
                          safe_error *error);

#endif
