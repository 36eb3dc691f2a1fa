/* SPDX-License-Identifier: MIT */
/*
 * The libuv handles of one pending lock or one child. They lie in one block, which can be freed once libuv has told of
 * each of them that it is closed.
 */
#ifndef SAFEHOLD_UV_GROUP_H
#define SAFEHOLD_UV_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "safehold/uv.h"

struct safe__uv_group {
  int open;                                /* handles that libuv has not let go of */
  bool unreferenced;                       /* what is added does not keep the loop alive */
  bool lost;                               /* somebody else has closed a handle of ours */
  bool closing;                            /* closed is called when the last handle has gone */
  void (*closed)(struct safe__uv_group *); /* the group is its owner's first member */
};

/* The handle was initialised just now: it belongs to the group until it is closed. */
void safe__uv_group_add(struct safe__uv_group *group, uv_handle_t *handle);
/* Once for each handle that was added. */
void safe__uv_group_close(uv_handle_t *handle);
/* Nothing is added any more: closed is called in the loop, once every handle has gone, never within this call. There
   has to be one, though it may be closing. */
void safe__uv_group_end(struct safe__uv_group *group, void (*closed)(struct safe__uv_group *));
/* The owner, which the group is the first member of and which came from malloc. */
void safe__uv_group_free(struct safe__uv_group *group);

/* ---- Whether a handle is one that this file makes. */
bool safe__uv_lock_owns(const uv_handle_t *handle);
bool safe__uv_stop_owns(const uv_handle_t *handle);
bool safe__uv_watch_owns(const uv_handle_t *handle);
bool safe__uv_like_owns(const uv_handle_t *handle);

#endif
