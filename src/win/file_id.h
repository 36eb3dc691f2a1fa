/* SPDX-License-Identifier: MIT */
/* Which file an open handle belongs to, whatever its path. */
#ifndef SAFEHOLD_WIN_FILE_ID_H
#define SAFEHOLD_WIN_FILE_ID_H

#include "win.h"

/* False where the file system has no such thing. */
bool safe__win_file_id(HANDLE file, struct safe__file_id *id);
bool safe__win_same_file(const struct safe__file_id *one, const struct safe__file_id *other);

#endif
