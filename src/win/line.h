/* SPDX-License-Identifier: MIT */
/* A command line under construction. What does not fit is counted, and not written. */
#ifndef SAFEHOLD_WIN_LINE_H
#define SAFEHOLD_WIN_LINE_H

#include "win.h"

#define SAFE__LINE_LIMIT 32767 /* of CreateProcess, with the NUL */
#define SAFE__SHELL_LIMIT 8191 /* of cmd.exe, which drops the rest */

struct safe__win_line {
  wchar_t *text; /* given back with safe__free */
  size_t length;
};

int safe__win_line_begin(struct safe__win_line *line, safe_error *error);
void safe__win_line_put(struct safe__win_line *line, size_t count, wchar_t character);
void safe__win_line_text(struct safe__win_line *line, const wchar_t *text);
/* Hands the text over if code is SAFE_OK and it is not longer than the limit, which who has; else frees it. */
int safe__win_line_end(struct safe__win_line *line, int code, size_t limit, const char *who, wchar_t **out,
                       safe_error *error);
/* Text of the caller's; index is its place, or -1 for the shell's line. */
int safe__win_line_wide(const char *text, int index, wchar_t **wide, safe_error *error);

#endif
