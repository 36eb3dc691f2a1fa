/* SPDX-License-Identifier: MIT */
/*
 * Handing over without the proxy. A child sees an inherited handle under the value that it has here, so that no copy
 * can stand in for a listed one: the caller's own handle has to be inheritable while CreateProcess runs, and as it was
 * before when that is over.
 *
 * That is the window of this mechanism: another thread of the host that meanwhile calls CreateProcess with
 * bInheritHandles TRUE, and without a list of its own, takes the handle. Our own spawns always have a list.
 */
#ifndef SAFEHOLD_WIN_INHERIT_H
#define SAFEHOLD_WIN_INHERIT_H

#include "win.h"

struct safe__win_inherit {
  HANDLE *handles; /* each at most once */
  size_t count;
  bool entered, closed;
};

/* ERROR_SUCCESS; ERROR_OPERATION_ABORTED after safe__win_inherit_close; or why not, with *bad the place of the handle
   that is none. */
DWORD safe__win_inherit_enter(struct safe__win_inherit *set, size_t *bad);
void safe__win_inherit_leave(struct safe__win_inherit *set);
/* Leaves, and lets nobody enter any more: from here on the handles may be closed by their owner. */
void safe__win_inherit_close(struct safe__win_inherit *set);

#endif
