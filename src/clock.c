/* SPDX-License-Identifier: MIT */
#include "os.h"

int64_t safe__deadline_after(int64_t start, int64_t timeout_ms) {
  if (timeout_ms < 0 || timeout_ms > (SAFE__NEVER - start) / SAFE__MS) return SAFE__NEVER;
  return start + timeout_ms * SAFE__MS;
}

int64_t safe__deadline(int64_t timeout_ms) { return safe__deadline_after(safe__os_now(), timeout_ms); }

int64_t safe__deadline_min(int64_t one, int64_t other) { return one < other ? one : other; }

int64_t safe__left_ms(int64_t deadline, int64_t limit) {
  int64_t left;

  if (deadline == SAFE__NEVER) return limit;
  left = deadline - safe__os_now();
  if (left <= 0) return 0;
  if (left > limit * SAFE__MS) return limit;
  return (left + SAFE__MS - 1) / SAFE__MS;
}

int64_t safe__notice_next(struct safe__notice *notice, int64_t deadline) {
  if (notice->at == SAFE__NEVER) return deadline;
  if (safe__os_now() < notice->at) return safe__deadline_min(notice->at, deadline);
  notice->at = SAFE__NEVER;
  notice->act(notice->context);
  return deadline;
}
