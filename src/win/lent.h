/* SPDX-License-Identifier: MIT */
/*
 * Handles that the caller lends to safe_process_communicate. Whether they are for overlapped I/O or not, and whatever
 * they are of, a call on them may block: it is made on a thread of its own, which can be left behind. The answers are
 * those of the functions of os.h with the same names.
 */
#ifndef SAFEHOLD_WIN_LENT_H
#define SAFEHOLD_WIN_LENT_H

#include "task.h"

int64_t safe__win_lent_read(struct safe__win_lent *lent, void *buffer, size_t length);
int64_t safe__win_lent_write(struct safe__win_lent *lent, const void *bytes, size_t length);
bool safe__win_lent_ready(const struct safe__win_lent *lent);
bool safe__win_lent_settle(struct safe__win_lent *lent);
void safe__win_lent_close(struct safe__win_lent *lent);

/* Set once what is under way is done; NULL if nothing is. */
HANDLE safe__win_lent_event(const struct safe__win_lent *lent);

#endif
