/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_WIN_BATCH_H
#define SAFEHOLD_WIN_BATCH_H

#include "win.h"

/* What comes behind the batch file's name: SAFE_EBATCH, with the index, for an argument that it would not get as it is.
   Given back with safe__free. */
int safe__win_batch_arguments(const char *const *argv, wchar_t **arguments, safe_error *error);
/* The command line for cmd.exe. */
int safe__win_batch_line(const wchar_t *path, const wchar_t *arguments, wchar_t **line, safe_error *error);

#endif
