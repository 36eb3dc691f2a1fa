/* SPDX-License-Identifier: MIT */
/* What a child is made of, as CreateProcess takes it. All results are given back with safe__free. */
#ifndef SAFEHOLD_WIN_PROGRAM_H
#define SAFEHOLD_WIN_PROGRAM_H

#include "win.h"

/*
 * The full path of the program. A name with a folder in it is used as given, from the host's current directory; a
 * bare name is looked for in the absolute folders of PATH, and nowhere else: that of the child's environment block, or
 * for NULL the host's. Blocks as long as the file systems do. A batch file is SAFE_EBATCH, unless batch allows one
 * whose name is plainly that of one.
 */
int safe__win_program_find(const wchar_t *name, const wchar_t *block, bool batch, wchar_t **path, safe_error *error);
/* The full path of cmd.exe: never COMSPEC, never searched. */
int safe__win_program_shell(wchar_t **path, safe_error *error);

/* Whether a name ends in .bat or .cmd once CreateProcess has had its way with trailing dots, spaces and streams. */
bool safe__win_is_batch(const wchar_t *name);

/* The command line from which the C runtime's and CommandLineToArgvW's rules make these arguments again; verbatim: the
   arguments joined with spaces, whatever the rules make of that. */
int safe__win_command_line(const char *const *argv, bool verbatim, wchar_t **line, safe_error *error);
/* cmd.exe /d /s /c "line" */
int safe__win_shell_line(const char *shell, wchar_t **line, safe_error *error);

/* The environment block of "NAME=value" strings, or for NULL of the host's, with the changes, if any; NULL if both are
   NULL, which stands for the host's own. */
int safe__win_environment(const char *const *env, const char *const *changes, wchar_t **block, safe_error *error);
/* The value of a variable in a block, or NULL. */
const wchar_t *safe__win_environment_value(const wchar_t *block, const wchar_t *name);

#endif
