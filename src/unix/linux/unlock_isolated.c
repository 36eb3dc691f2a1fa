/* SPDX-License-Identifier: MIT */
/*
 * The end of a lock on a file system that may not answer. Unlocking may block, and so may any close: FUSE and NFS are
 * told of each. A helper does both to a copy of the descriptor; once it has, the file system is alive, and closing our
 * own is safe. Until then our own is parked, open.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "lock_calls.h"
#include "lock_raw.h"
#include "timed_wait.h"
#include "wait_helper.h"

struct farewell {
  struct safe__job job;
  struct safe__claim claim;
  struct flock range;
};

static int unlock(struct safe__job *job, int fd, int *reply) {
  struct farewell *farewell = (struct farewell *)job;

  (void)reply;
  if (farewell->claim.method == SAFE_METHOD_FLOCK) return (int)-safe__raw6(SYS_flock, fd, LOCK_UN, 0, 0, 0, 0);
  return (int)-safe__raw6(SYS_fcntl, fd, F_OFD_SETLK, (long)&farewell->range, 0, 0, 0);
}

static void free_farewell(struct safe__helper *helper) { safe__free(helper->parked_data); }

/* 0 or errno of the unlock; -1: the file system has not answered. */
static int try_to_part(int fd, const struct safe__claim *claim, int64_t deadline) {
  struct farewell *farewell = safe__alloc(sizeof(*farewell));
  struct safe__helper *helper = farewell == NULL ? NULL : safe__helper_get(true);
  int answer = -1;

  if (helper == NULL) { /* rather a wait than a lock that is never given back */
    safe__free(farewell);
    return safe__unlock_call(fd, claim);
  }
  farewell->job.run = unlock;
  farewell->claim = *claim;
  farewell->range = safe__record_range(claim, F_UNLCK);
  safe__helper_post(helper, &farewell->job, fd, false);
  if (safe__helper_await(helper, deadline, NULL, false) == SAFE_OK)
    answer = farewell->job.result;
  else
    safe__helper_kill(helper);
  if (safe__helper_put(helper, safe__deadline(SAFE__SETTLE_MS)))
    safe__free(farewell);
  else
    safe__helper_park(helper, free_farewell, farewell);
  return answer;
}

/* ---- What did not come to an end is tried again, once a second, whenever something parked is looked after. */

#define AGAIN (1000 * SAFE__MS)
#define TRY_MS 10

struct open_file {
  struct safe__parked parked;
  struct safe_lock *noted;
  struct safe__claim claim;
  int64_t next;
  int fd;
};

static bool collect(struct safe__parked *item) {
  struct open_file *file = (struct open_file *)item;
  int fd = file->fd;

  if (safe__os_now() < file->next) return false;
  file->next = safe__os_now() + AGAIN;
  if (try_to_part(fd, &file->claim, safe__deadline(TRY_MS)) == -1) return false;
  file->fd = -1;
  safe__held_release(file->noted);
  close(fd);
  safe__free(file);
  return true;
}

static void keep_open(struct safe__file *file, const struct safe__claim *claim) {
  struct open_file *kept = safe__alloc(sizeof(*kept));

  if (kept != NULL) {
    kept->fd = file->fd;
    kept->noted = safe__held_claim();
    if (kept->noted != NULL) {
      kept->noted->fds = &kept->fd;
      kept->noted->fd_count = 1;
    }
    kept->claim = *claim;
    kept->next = safe__os_now() + AGAIN;
    kept->parked.collect = collect;
    safe__park(&kept->parked);
  }
  file->fd = -1; /* without memory it stays open: a close could hang */
}

int safe__os_unlock_isolated(struct safe__file *file, const struct safe__claim *claim, int64_t deadline) {
  int os_code = try_to_part(file->fd, claim, deadline);

  if (os_code == -1) {
    keep_open(file, claim);
    return SAFE_ESTUCK;
  }
  return os_code == 0 ? SAFE_OK : safe__os_translate(os_code);
}
