/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/file.h>

#include "lock_ask.h"
#include "lock_calls.h"

static int unsupported(safe_error *error, const char *sentence) {
  return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1, "%s", sentence);
}

int safe__os_lock_supported(safe_lock_options *options, safe_error *error) {
  switch (options->method) {
  case SAFE_METHOD_DEFAULT:
    options->method = SAFE_METHOD_FLOCK;
    break;
  case SAFE_METHOD_FLOCK:
  case SAFE_METHOD_POSIX:
    break;
  case SAFE_METHOD_OFD:
  case SAFE_METHOD_BOTH:
    return unsupported(error, "FreeBSD has no OFD locks, and so neither the lock method OFD nor BOTH: it has FLOCK and "
                              "POSIX.");
  default:
    return unsupported(error, "The lock methods FAR and COMPAT are Windows' own: FreeBSD has FLOCK and POSIX.");
  }
  if ((options->flags & SAFE_LOCK_FAIR) != 0)
    return unsupported(error,
                       "SAFE_LOCK_FAIR needs locks on byte ranges that belong to an open file, which FreeBSD does "
                       "not have.");
  /* What options.c says to those who ask for FLOCK by its name. */
  if (options->method == SAFE_METHOD_FLOCK && (options->offset != 0 || options->length != 0))
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "This lock method knows no byte ranges: offset and length must be 0.");
  return SAFE_OK;
}

/* A file system that does not lock says so when it is asked to. */
int safe__os_lock_fits(const struct safe__file *file, const safe_lock_options *options, safe_error *error) {
  (void)file, (void)options, (void)error;
  return SAFE_OK;
}

/* FreeBSD drops a shared flock before it sleeps for an exclusive one, but not when it refuses at once (kern_lockf.c:
   lf_setlock). A record lock stays until it is replaced. */
bool safe__os_convert_keeps(const struct safe__claim *held, const struct safe__claim *wanted, bool waited) {
  (void)held;
  return wanted->method != SAFE_METHOD_FLOCK || !waited;
}

/* POSIX locks are asked for in lock_posix.c: all that comes here is an flock. */
int safe__lock_ask(int fd, const struct safe__claim *claim, bool wait) {
  int result, how = claim->mode == SAFE_LOCK_SHARED ? LOCK_SH : LOCK_EX;

  do result = flock(fd, wait ? how : how | LOCK_NB);
  while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

int safe__lock_drop(int fd, const struct safe__claim *claim) {
  (void)claim;
  return flock(fd, LOCK_UN) == 0 ? 0 : errno;
}
