/* SPDX-License-Identifier: MIT */
#include "group.h"

#include <stdlib.h>

static void on_close(uv_handle_t *handle) {
  struct safe__uv_group *group = handle->data;

  group->open--;
  if (group->open == 0 && group->closing) group->closed(group);
}

void safe__uv_group_add(struct safe__uv_group *group, uv_handle_t *handle) {
  handle->data = group;
  group->open++;
  if (group->unreferenced) uv_unref(handle);
}

/* A host that closes all it finds by uv_walk has closed it already, with a close callback that is not ours: nothing
   tells when libuv will have let go of it, so that the block is never freed. */
void safe__uv_group_close(uv_handle_t *handle) {
  struct safe__uv_group *group = handle->data;

  if (uv_is_closing(handle)) {
    group->open--;
    group->lost = true;
  } else {
    uv_close(handle, on_close);
  }
}

void safe__uv_group_end(struct safe__uv_group *group, void (*closed)(struct safe__uv_group *)) {
  group->closing = true;
  group->closed = closed;
}

void safe__uv_group_free(struct safe__uv_group *group) {
  if (!group->lost) free(group);
}

int safe_uv_owns(const uv_handle_t *handle) {
  return safe__uv_lock_owns(handle) || safe__uv_stop_owns(handle) || safe__uv_watch_owns(handle) ||
         safe__uv_like_owns(handle);
}
