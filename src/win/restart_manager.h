/* SPDX-License-Identifier: MIT */
/* The Restart Manager, which installers ask who has a file open. */
#ifndef SAFEHOLD_WIN_RESTART_MANAGER_H
#define SAFEHOLD_WIN_RESTART_MANAGER_H

#include "look_calls.h"

/*
 * Adds whoever has the file at path open, but this process: with role OPENS, and the name that the system knows it by.
 * ERROR_SUCCESS; or why that is not known: ERROR_NO_DATA where it answered, but not even with this process, which must
 * have the file open. Blocks for as long as it takes.
 */
DWORD safe__win_ask_restart_manager(const wchar_t *path, safe_holder_list *list);

#endif
