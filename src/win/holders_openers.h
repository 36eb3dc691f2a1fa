/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_WIN_HOLDERS_OPENERS_H
#define SAFEHOLD_WIN_HOLDERS_OPENERS_H

#include "win.h"

/* As safe__os_holders. With an id it is said if another file is at the path now. */
int safe__win_find_holders(const char *path, const struct safe__file_id *expected, int64_t deadline,
                           safe_holder_list *list, safe_error *error);

#endif
