/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_HOLDERS_OPENERS_H
#define SAFEHOLD_HOLDERS_OPENERS_H

#include "os.h"

/* As safe__os_holders, of a file that is known by device and inode. */
int safe__openers_of(const struct safe__file_id *id, int64_t deadline, safe_holder_list *list, safe_error *error);

/* Which file is at the path. SAFE_ESTUCK: its file system has not answered. */
int safe__openers_file(const char *path, int64_t deadline, struct safe__file_id *id, safe_error *error);

/* The state of a process, as in safe_holder. */
char safe__openers_state(int64_t pid);

#endif
