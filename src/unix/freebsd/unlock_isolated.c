/* SPDX-License-Identifier: MIT */
/*
 * The end of a lock on a file system that may not answer. Unlocking may block, and so may any close, as NFS and FUSE
 * are told of each. A helper, a process of pdfork, does both to its copy of the descriptor; once it has, the file
 * system is alive, and closing our own is safe. Until then our own is parked, open.
 */
#include <signal.h>
#include <sys/procdesc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "held.h"
#include "lock_ask.h"
#include "lock_calls.h"
#include "own_locks.h"
#include "procdesc.h"
#include "timed_wait.h"

/* 0 or errno of the unlock; -1: the file system has not answered. */
static int try_to_part(int fd, const struct safe__claim *claim, int64_t deadline) {
  pid_t pid, maker = (pid_t)safe__os_self();
  int procdesc, status, answer = -1;

  pid = safe__procdesc_fork(&procdesc, PD_CLOEXEC);
  if (pid == 0) {
    safe__procdesc_begin(maker, fd);
    _exit(safe__lock_drop(fd, claim));
  }
  if (pid < 0) return safe__lock_drop(fd, claim); /* rather a wait than a lock that is never given back */
  if (safe__procdesc_ended(procdesc, deadline)) {
    if (safe__procdesc_status(procdesc, &status) && WIFEXITED(status)) answer = WEXITSTATUS(status);
    safe__procdesc_close(procdesc, pid);
    return answer;
  }
  pdkill(procdesc, SIGKILL);
  if (safe__procdesc_ended(procdesc, safe__deadline(SAFE__SETTLE_MS)))
    safe__procdesc_close(procdesc, pid);
  else
    safe__procdesc_park(procdesc, pid);
  return -1;
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

/* Never blocks longer than it takes to end the helper. */
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
  int os_code;

  safe__own_lock_forget(file->fd, claim);
  os_code = try_to_part(file->fd, claim, deadline);
  if (os_code == -1) {
    keep_open(file, claim);
    return SAFE_ESTUCK;
  }
  return os_code == 0 ? SAFE_OK : safe__os_translate(os_code);
}
