/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_HOLDERS_LOCKF_H
#define SAFEHOLD_HOLDERS_LOCKF_H

#include "os.h"

/* As safe__os_holders, of a file that is known by device and inode. */
int safe__lockf_holders(const struct safe__file_id *id, int64_t deadline, safe_holder_list *list, safe_error *error);

/* Which file is at the path. SAFE_ESTUCK: its file system has not answered. */
int safe__lockf_file(const char *path, int64_t deadline, struct safe__file_id *id, safe_error *error);

#endif
