/* SPDX-License-Identifier: MIT */
/*
 * What the C runtime of a child makes its descriptors from (STARTUPINFO.lpReserved2): the number of entries, a byte of
 * flags for each, and a handle for each. Documented nowhere, and the same from MSVCRT to the UCRT, as each of them
 * starts programs of the others.
 */
#ifndef SAFEHOLD_WIN_CRT_TABLE_H
#define SAFEHOLD_WIN_CRT_TABLE_H

#include "win.h"

#define SAFE__CRT_LIMIT 256 /* descriptors; more than 3 and fewer than 2,048, which is where the runtimes end */

struct safe__win_crt_table {
  WORD size;
  BYTE bytes[sizeof(int) + SAFE__CRT_LIMIT * (1 + sizeof(HANDLE))];
};

/* file: the same open object, in this process; handle: its value in the child. Each target once, from 3 on. */
void safe__win_crt_begin(struct safe__win_crt_table *table, int highest);
void safe__win_crt_set(struct safe__win_crt_table *table, int target, HANDLE file, HANDLE handle);

#endif
