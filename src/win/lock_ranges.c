/* SPDX-License-Identifier: MIT */
/*
 * Which bytes the kernel is asked for, and the calls that do not wait.
 *
 * Windows' locks are mandatory: whoever reads or writes a locked byte through another handle is refused. So the locks
 * of method FAR lie where no file has bytes:
 *
 *   0                   method COMPAT, one byte: PHP's flock
 *   2^61 - 1            the gate of those who wait for that byte with a sensor (wait_sensor.c)
 *   [2^61, 2^62)        the gates of those who wait for the rest with a sensor
 *   [2^62, 2^63)        method FAR: byte n of a file is locked at 2^62 + n
 */
#include "timed_wait.h"
#include "wait_overlapped.h"

#define FAR_SPACE (UINT64_C(1) << 62)
#define GATE_SPACE (UINT64_C(1) << 61)

/* What LOCKFILE_FAIL_IMMEDIATELY may take. Local file systems answer at once; a file server may let even this
   request pend, and is then asked no longer than this. */
#define TRY_MS 1000

/* ---- The bytes. */

DWORD safe__win_mode_flag(const struct safe__claim *claim) {
  return claim->mode == SAFE_LOCK_EXCLUSIVE ? LOCKFILE_EXCLUSIVE_LOCK : 0;
}

struct safe__win_range safe__win_range_of(const struct safe__claim *claim) {
  struct safe__win_range range = {0, 1};

  if (claim->method == SAFE_METHOD_COMPAT) return range;
  range.start = FAR_SPACE + (uint64_t)claim->offset;
  range.length = claim->length != 0 ? (uint64_t)claim->length : FAR_SPACE - (uint64_t)claim->offset;
  return range;
}

/* The space is only half as large: what lies far behind shares a byte. But not with the turnstile: who has that, and
   waits for the rest, must not find the gate to it with somebody who waits for the turnstile. */
static uint64_t gate_byte(uint64_t offset) {
  const uint64_t last = GATE_SPACE - 1;

  if (offset >= (uint64_t)SAFE__GATE) return last;
  return offset < last ? offset : last - 1;
}

/* The picture of the range itself, so that waiters for different bytes do not stand in each other's way. */
struct safe__win_range safe__win_gate_of(const struct safe__claim *claim) {
  struct safe__win_range range = safe__win_range_of(claim), gate = {GATE_SPACE - 1, 1};
  uint64_t from = range.start - FAR_SPACE, last = from + range.length - 1;

  if (claim->method == SAFE_METHOD_COMPAT) return gate;
  gate.start = GATE_SPACE + gate_byte(from);
  gate.length = GATE_SPACE + gate_byte(last) - gate.start + 1;
  return gate;
}

/* ---- What there is. */

static int no_method(int32_t method, safe_error *error) {
  static const char *const names[] = {"DEFAULT", "OFD", "FLOCK", "FAR", "BOTH", "POSIX", "COMPAT"};

  return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1,
                    "Windows has no lock of method %s; it has FAR and COMPAT.", names[method]);
}

int safe__os_lock_supported(safe_lock_options *options, safe_error *error) {
  const int64_t most = INT64_C(1) << 62;

  if (options->method == SAFE_METHOD_DEFAULT) options->method = SAFE_METHOD_FAR;
  if (options->method != SAFE_METHOD_FAR && options->method != SAFE_METHOD_COMPAT)
    return no_method(options->method, error);
  if ((options->flags & SAFE_LOCK_FAIR) != 0 && options->method != SAFE_METHOD_FAR)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1, "SAFE_LOCK_FAIR needs method FAR.");
  if ((options->flags & SAFE_LOCK_CHECK_OWNER) != 0)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_ARGUMENTS, -1,
                      "SAFE_LOCK_CHECK_OWNER is about user ids, which Windows does not have.");
  if (options->offset >= most || options->length > most - options->offset)
    return safe__fail(error, SAFE_EINVAL, SAFE_STAGE_ARGUMENTS, -1,
                      "The range of %lld bytes from %lld does not end before 2^62, as it must on Windows.",
                      (long long)options->length, (long long)options->offset);
  return SAFE_OK;
}

int safe__os_lock_fits(const struct safe__file *file, const safe_lock_options *options, safe_error *error) {
  (void)file, (void)options, (void)error;
  return SAFE_OK;
}

/* ---- Asking, and giving back. */

int safe__os_lock_try(struct safe__file *file, const struct safe__claim *claim, safe_error *error) {
  struct safe__win_request *request = file->request;
  struct safe__win_range range = safe__win_range_of(claim);
  int code = safe__win_request_ask(request, &range, safe__win_mode_flag(claim) | LOCKFILE_FAIL_IMMEDIATELY, error);

  if (code != SAFE_OK) return code;
  if (safe__win_request_await(request, safe__deadline(TRY_MS), NULL) != SAFE_OK) safe__win_request_revoke(request);
  code = safe__win_request_settle(request, safe__deadline(SAFE__SETTLE_MS), error);
  if (code == SAFE_OK) safe__win_own_lock_note(&request->own, claim, SAFE_HOLDER_HOLDS);
  if (code != SAFE_ESTUCK) return code;
  file->request = NULL;
  safe__win_request_park(request);
  return safe__fail(error, code, SAFE_STAGE_LOCK, -1,
                    "The kernel neither answered a lock request that must not wait nor took it back; it was parked.");
}

/*
 * A shared lock may lie over the same handle's exclusive one, and the first unlock takes the exclusive one away
 * (LockFileEx): nobody gets in between. An exclusive lock over one's own shared one is refused, so that has to go
 * first, and is not asked for again afterwards: whoever was in between may have changed what it protected.
 */
int safe__os_lock_convert(struct safe__file *file, const struct safe__claim *held, const struct safe__claim *wanted,
                          safe_error *error) {
  struct safe__win_range range = safe__win_range_of(held);
  int code;

  if (wanted->mode == SAFE_LOCK_SHARED) {
    code = safe__os_lock_try(file, wanted, error);
    if (code == SAFE_OK) safe__win_request_unlock(file->request, &range);
    if (code != SAFE_EBUSY) return code;
  }
  safe__os_unlock(file, held);
  return safe__os_lock_try(file, wanted, error);
}

bool safe__os_convert_keeps(const struct safe__claim *held, const struct safe__claim *wanted, bool waited) {
  (void)held, (void)wanted, (void)waited;
  return false;
}

int safe__os_unlock(struct safe__file *file, const struct safe__claim *claim) {
  struct safe__win_range range = safe__win_range_of(claim);

  if (file->request == NULL) return SAFE_EBADF;
  if (claim->offset != SAFE__GATE) safe__win_own_lock_forget(&file->request->own);
  return safe__win_request_unlock(file->request, &range);
}
