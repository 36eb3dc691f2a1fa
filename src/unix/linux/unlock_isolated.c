/* SPDX-License-Identifier: MIT */
/*
 * The end of a lock on a file system that may not answer. Unlocking may block, and so may any close: FUSE and NFS are
 * told of each. A helper does both to a copy of the descriptor; once it has, the file system is alive, and closing our
 * own is safe. Until then our own is parked, open, together with the helper.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lock_calls.h"
#include "lock_raw.h"
#include "timed_wait.h"
#include "wait_helper.h"

struct farewell {
  struct safe__job job;
  struct safe__parked parked;
  struct safe__helper *helper; /* NULL: there is none at it, and another one is tried once a second */
  struct safe_lock *noted;
  struct safe__claim claim;
  int64_t next; /* when that is */
  int fd;
};

static int unlock(struct safe__job *job, int fd, int *reply) {
  struct farewell *farewell = (struct farewell *)job;

  (void)reply;
  return (int)-safe__raw_unlock(fd, &farewell->claim);
}

#define AGAIN (1000 * SAFE__MS)

/* False: there is no helper, and, unless it is stuck, never will be. */
static bool send_helper(struct farewell *farewell, bool *stuck) {
  farewell->next = safe__os_now() + AGAIN;
  farewell->helper = safe__helper_get(true, SAFE__HELPER_START_MS, stuck);
  if (farewell->helper == NULL) return false;
  if (safe__helper_post(farewell->helper, &farewell->job, farewell->fd, false)) return true;
  safe__helper_dismiss(farewell->helper);
  farewell->helper = NULL;
  *stuck = true;
  return false;
}

/* Whether the helper has come back, with errno of the unlock in *os_code. One that was killed has not done it. */
static bool has_parted(struct farewell *farewell, int64_t deadline, int *os_code) {
  if (farewell->helper == NULL || safe__helper_await(farewell->helper, deadline, NULL, false) != SAFE_OK) return false;
  *os_code = farewell->job.result;
  safe__helper_dismiss(farewell->helper);
  farewell->helper = NULL;
  return *os_code != EINTR;
}

static void end(struct farewell *farewell) {
  int fd = farewell->fd;

  farewell->fd = -1;
  safe__held_release(farewell->noted);
  close(fd);
  safe__free(farewell);
}

static bool collect(struct safe__parked *item) {
  struct farewell *farewell = (struct farewell *)((char *)item - offsetof(struct farewell, parked));
  bool stuck;
  int os_code;

  if (has_parted(farewell, 0, &os_code)) {
    end(farewell);
    return true;
  }
  if (farewell->helper == NULL && safe__os_now() >= farewell->next) send_helper(farewell, &stuck);
  return false;
}

static void park(struct farewell *farewell) {
  farewell->noted = safe__held_claim();
  if (farewell->noted != NULL) safe__held_note(farewell->noted, &farewell->fd, 1);
  farewell->parked.collect = collect;
  safe__park(&farewell->parked);
}

int safe__os_unlock_isolated(struct safe__file *file, const struct safe__claim *claim, int64_t deadline) {
  struct farewell *farewell = safe__alloc(sizeof(*farewell));
  bool stuck = false;
  int os_code;

  if (farewell == NULL) return safe__os_unlock(file, claim); /* rather a wait than a lock that is never given back */
  farewell->job.run = unlock;
  farewell->claim = *claim;
  farewell->fd = file->fd;
  if (!send_helper(farewell, &stuck) && !stuck) {
    safe__free(farewell);
    return safe__os_unlock(file, claim);
  }
  if (has_parted(farewell, deadline, &os_code)) {
    safe__free(farewell);
    return os_code == 0 ? SAFE_OK : safe__os_translate(os_code);
  }
  file->fd = -1;
  park(farewell);
  return SAFE_ESTUCK;
}
