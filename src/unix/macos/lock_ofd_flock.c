/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "lock_ask.h"
#include "lock_calls.h"
#include "lock_ofd.h"

static int unsupported(safe_error *error, const char *sentence) {
  return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1, "%s", sentence);
}

int safe__os_lock_supported(safe_lock_options *options, safe_error *error) {
  if (options->method == SAFE_METHOD_DEFAULT) options->method = SAFE_METHOD_OFD;
  if (options->method == SAFE_METHOD_BOTH)
    return unsupported(error,
                       "macOS has no lock method BOTH: there an flock and an OFD lock exclude each other, so that "
                       "method OFD alone is seen by the users of either.");
  if (options->method == SAFE_METHOD_FAR || options->method == SAFE_METHOD_COMPAT)
    return unsupported(error, "The lock methods FAR and COMPAT are Windows' own: macOS has OFD, FLOCK and POSIX.");
  if ((options->flags & SAFE_LOCK_FAIR) != 0 && options->method != SAFE_METHOD_OFD)
    return unsupported(error, "SAFE_LOCK_FAIR needs method OFD.");
  /* A thread that a dead file system does not let go of cannot be ended, and until it is gone the process neither
     exits nor closes a single descriptor, its listening sockets included (kern_exit.c: proc_exit is its last thread's).
     Only a process can be left behind, and a forked one is the host's child here: its SIGCHLD and its waitpid(-1)
     would see it, and its atfork handlers, and Apple's, would run for it. */
  if ((options->flags & SAFE_LOCK_ISOLATE) != 0)
    return unsupported(error,
                       "SAFE_LOCK_ISOLATE cannot be had on macOS, which has no process that could be left behind "
                       "on a dead file system without being seen as a child of this one.");
  return SAFE_OK;
}

/* A file system that does not lock says so when it is asked to. */
int safe__os_lock_fits(const struct safe__file *file, const safe_lock_options *options, safe_error *error) {
  (void)file, (void)options, (void)error;
  return SAFE_OK;
}

/*
 * xnu drops a shared flock before it sleeps for an exclusive one, but not when it refuses at once (kern_lockf.c:
 * lf_setlock), and a wait for an flock that can be given up never sleeps in there (wait_thread.c). A record lock of
 * either kind stays until it is replaced.
 */
bool safe__os_convert_keeps(const struct safe__claim *held, const struct safe__claim *wanted, bool waited) {
  (void)held, (void)wanted, (void)waited;
  return true;
}

struct flock safe__ofd_range(const struct safe__claim *claim, short type) {
  struct flock range;

  memset(&range, 0, sizeof(range));
  range.l_type = claim->mode == SAFE_LOCK_SHARED ? F_RDLCK : F_WRLCK;
  if (type != 0) range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = (off_t)claim->offset;
  range.l_len = (off_t)claim->length;
  return range;
}

static int flock_call(int fd, const struct safe__claim *claim, bool wait) {
  return flock(fd, (claim->mode == SAFE_LOCK_SHARED ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB));
}

static int ofd_call(int fd, const struct safe__claim *claim, short type, bool wait) {
  struct flock range = safe__ofd_range(claim, type);
  int result, held = safe__os_hold_cancellation(); /* on macOS every fcntl is a cancellation point */

  result = fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &range);
  safe__os_allow_cancellation(held);
  return result;
}

int safe__lock_ask(int fd, const struct safe__claim *claim, bool wait) {
  int result;

  do result = claim->method == SAFE_METHOD_FLOCK ? flock_call(fd, claim, wait) : ofd_call(fd, claim, 0, wait);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

int safe__lock_drop(int fd, const struct safe__claim *claim) {
  int result = claim->method == SAFE_METHOD_FLOCK ? flock(fd, LOCK_UN) : ofd_call(fd, claim, F_UNLCK, false);

  return result == 0 ? 0 : errno;
}
