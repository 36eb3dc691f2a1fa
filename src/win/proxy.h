/* SPDX-License-Identifier: MIT */
/*
 * The proxy parent: one process of the system's, suspended before its first instruction, that owns the inheritable
 * copies of what children are given. This process then owns none, and no CreateProcess of the host's can catch one,
 * whoever calls it and when; nor has anything to be locked meanwhile.
 *
 * A child takes from such a parent what it otherwise takes from us: the access token, the processors, the error mode,
 * the jobs. So the proxy is made anew when ours are not those any more that it was made with. What it cannot give is
 * our console: its children have one of their own, without a window.
 */
#ifndef SAFEHOLD_WIN_PROXY_H
#define SAFEHOLD_WIN_PROXY_H

#include "win.h"

struct safe__win_proxy;

/* The handles of one spawn in the proxy. All zeroes but values, which has room for count of them. */
struct safe__win_proxied {
  struct safe__win_proxy *proxy; /* while entered */
  HANDLE *values;                /* as the child will see them */
  size_t count;
  bool closed;
};

/*
 * Gets the proxy, made anew if there is none that fits, and copies into it. ERROR_SUCCESS; ERROR_OPERATION_ABORTED
 * after safe__win_proxy_close; or why not, with *bad the place of the handle that could not be copied, or else
 * SIZE_MAX. Blocks as long as it takes to start a process.
 */
DWORD safe__win_proxy_enter(struct safe__win_proxied *set, const HANDLE *handles, size_t count, size_t *bad);
HANDLE safe__win_proxy_process(const struct safe__win_proxied *set);
/* Whether somebody has ended it since. */
bool safe__win_proxy_is_lost(const struct safe__win_proxied *set);
/* Closes the copies. May block where the close of a file does. */
void safe__win_proxy_leave(struct safe__win_proxied *set);
/* From another thread, and without waiting: lets the set enter no more. If it has, its copies stay until it leaves: to
   close them may block, and a CreateProcess that is under way may have given them to its child already. */
void safe__win_proxy_close(struct safe__win_proxied *set);

/* The process number of the present one, or 0. For tests. */
DWORD safe__win_proxy_pid(void);

#endif
