/* SPDX-License-Identifier: MIT */
/* Method FAR, the only one that Windows has: see wait_overlapped.c for where the range lies, and why. */
#include "wait_backoff.h"
#include "wait_overlapped.h"

/* What LOCKFILE_FAIL_IMMEDIATELY may take. Local file systems answer at once; a file server may let even this
   request pend, and is then asked no longer than this. */
#define TRY_MS 1000

int safe__os_lock_method(int32_t *method) {
  if (*method != SAFE_METHOD_DEFAULT && *method != SAFE_METHOD_FAR) return SAFE_ENOTSUP;
  *method = SAFE_METHOD_FAR;
  return SAFE_OK;
}

static DWORD flags_of(const safe_lock_options *options) {
  return options->mode == SAFE_LOCK_EXCLUSIVE ? LOCKFILE_EXCLUSIVE_LOCK : 0;
}

int safe__os_lock_try(struct safe__file *file, const safe_lock_options *options, safe_error *error) {
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  int code =
    safe__win_lock_run(file, flags_of(options) | LOCKFILE_FAIL_IMMEDIATELY, safe__deadline(TRY_MS), &none, NULL, error);

  return code == SAFE_ETIMEDOUT ? SAFE_EBUSY : code;
}

int safe__os_lock_wait(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                       struct safe__notice *notice, int *kind, safe_error *error) {
  int code = SAFE_EBUSY;

  if (safe__win_queue_works()) {
    *kind = SAFE_WAIT_QUEUED;
    code = safe__win_lock_run(file, flags_of(options), deadline, notice, options->cancel, error);
  }
  /* A file system without a queue refuses at once what it cannot grant. */
  return code == SAFE_EBUSY ? safe__wait_backoff(file, options, deadline, notice, kind, error) : code;
}

int safe__os_unlock(struct safe__file *file, const safe_lock_options *options) {
  (void)options;
  return file->request == NULL ? SAFE_EBADF : safe__win_lock_release(file->request);
}
