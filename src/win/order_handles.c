/* SPDX-License-Identifier: MIT */
#include "order.h"

static bool is_real(HANDLE handle) { return (LONG_PTR)handle > 0; }

bool safe__win_handle_is_open(HANDLE handle) {
  DWORD flags;

  return is_real(handle) && GetHandleInformation(handle, &flags);
}

bool safe__win_copy_handle(HANDLE from, HANDLE *into) {
  HANDLE self = GetCurrentProcess();

  return is_real(from) && DuplicateHandle(self, from, self, into, 0, FALSE, DUPLICATE_SAME_ACCESS);
}

static int no_handle(size_t at, safe_error *error) {
  return safe__fail(error, SAFE_EBADF, SAFE_STAGE_HANDLE, (int)at, "Listed handle %d is no open handle.", (int)at);
}

static int check_target(const safe_spawn_options *options, size_t at, safe_error *error) {
  bool numbered = (options->flags & SAFE_SPAWN_CRT_HANDLES) != 0;
  int target = options->handles[at].target;
  size_t other;

  if (!numbered && target != -1)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, (int)at,
                      "Listed handle %d has the target %d: on Windows it must be -1.", (int)at, target);
  if (!numbered) return SAFE_OK;
  if (target < 3 || target >= SAFE__CRT_LIMIT)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, (int)at,
                      "Listed handle %d has the target %d: descriptors of the C runtime are from 3 to %d.", (int)at,
                      target, SAFE__CRT_LIMIT - 1);
  for (other = 0; other < at; other++)
    if (options->handles[other].target == target)
      return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, (int)at, "Two listed handles have the target %d.",
                        target);
  return SAFE_OK;
}

int safe__win_check_handles(const safe_spawn_options *options, safe_error *error) {
  size_t at;
  int code;

  for (at = 0; at < options->handle_count; at++) {
    code = check_target(options, at, error);
    if (code != SAFE_OK) return code;
    if (!safe__win_handle_is_open(options->handles[at].handle)) return no_handle(at, error);
  }
  return SAFE_OK;
}

/* The two lowest bits of a handle are the application's, and not looked at by the system. */
static HANDLE plain(HANDLE handle) { return (HANDLE)((ULONG_PTR)handle & ~(ULONG_PTR)3); }

static void list_each_once(struct safe__win_launch *launch, const safe_spawn_options *options) {
  size_t at, other;
  HANDLE handle;

  for (at = 0; at < options->handle_count; at++) {
    handle = plain(options->handles[at].handle);
    for (other = 0; other < launch->listed_count && launch->listed[other] != handle; other++) continue;
    if (other == launch->listed_count) launch->listed[launch->listed_count++] = handle;
    launch->place[at] = other;
  }
}

/* A copy for each descriptor, as the child's runtime closes each of them; it never asks for the value. */
static int list_copies(struct safe__win_launch *launch, const safe_spawn_options *options, safe_error *error) {
  int highest = 2;
  size_t at;

  launch->own_listed = true;
  for (at = 0; at < options->handle_count; at++) {
    if (!safe__win_copy_handle(options->handles[at].handle, &launch->listed[at])) return no_handle(at, error);
    launch->listed_count++;
    launch->place[at] = at;
    launch->targets[at] = options->handles[at].target;
    if (launch->targets[at] > highest) highest = launch->targets[at];
  }
  safe__win_crt_begin(launch->table, highest);
  return SAFE_OK;
}

static bool make_room(struct safe__win_launch *launch, bool numbered) {
  size_t count = launch->count;

  launch->proxied.values = safe__alloc((3 + count) * sizeof(HANDLE));
  if (count == 0) return launch->proxied.values != NULL;
  launch->listed = safe__alloc(count * sizeof(HANDLE));
  launch->place = safe__alloc(count * sizeof(*launch->place));
  launch->seen = safe__alloc(count * sizeof(HANDLE));
  if (numbered) {
    launch->targets = safe__alloc(count * sizeof(*launch->targets));
    launch->table = safe__alloc(sizeof(*launch->table));
  }
  return launch->proxied.values != NULL && launch->listed != NULL && launch->place != NULL && launch->seen != NULL &&
         (!numbered || (launch->targets != NULL && launch->table != NULL));
}

int safe__win_order_handles(struct safe__win_launch *launch, const safe_spawn_options *options, safe_error *error) {
  bool numbered = (options->flags & SAFE_SPAWN_CRT_HANDLES) != 0 && options->handle_count > 0;

  launch->count = options->handle_count;
  if (!make_room(launch, numbered)) return safe__fail_memory(error, SAFE_STAGE_PREPARE);
  if (numbered) return list_copies(launch, options, error);
  list_each_once(launch, options);
  return SAFE_OK;
}
