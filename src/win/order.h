/* SPDX-License-Identifier: MIT */
/* What a launch is told to do, made of the caller's options: everything that can be made without blocking. */
#ifndef SAFEHOLD_WIN_ORDER_H
#define SAFEHOLD_WIN_ORDER_H

#include "launch.h"

/* ---- order_streams.c: the child's ends of its streams, or what they are to be made from; our ends go to the child. */
int safe__win_order_streams(struct safe__child *child, struct safe__win_launch *launch,
                            const safe_spawn_options *options, safe_error *error);

/* ---- order_handles.c: the handles listed besides. To be checked before the first handle of our own is made: it may
   get the number of one that the caller has closed. */
int safe__win_check_handles(const safe_spawn_options *options, safe_error *error);
int safe__win_order_handles(struct safe__win_launch *launch, const safe_spawn_options *options, safe_error *error);

/* A copy of a handle, not inheritable; false if it is none, or one of the small negative numbers that stand for this
   process, its threads and its tokens: copied they become real, and the child would get our process in its hands. */
bool safe__win_copy_handle(HANDLE from, HANDLE *into);
bool safe__win_handle_is_open(HANDLE handle);

#endif
