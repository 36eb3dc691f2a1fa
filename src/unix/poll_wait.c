/* SPDX-License-Identifier: MIT */
#include "poll_wait.h"

#define LONGEST_MS 86400000 /* callers loop: a longer deadline is a matter of waking up once a day */

int safe__poll(struct pollfd *ready, int count, int64_t deadline) {
  int result = poll(ready, (nfds_t)count, (int)safe__left_ms(deadline, LONGEST_MS));

  return result < 0 ? 0 : result;
}

void safe__os_sleep(int64_t deadline, safe_cancel *cancel) {
  struct pollfd ready = {safe__cancel_fd(cancel), POLLIN, 0};

  while (safe__os_now() < deadline)
    if (safe__poll(&ready, 1, deadline) > 0) return;
}

bool safe__os_cancel_triggered(const safe_cancel *cancel) {
  struct pollfd ready = {safe__cancel_fd(cancel), POLLIN, 0};

  return cancel != NULL && safe__poll(&ready, 1, 0) > 0;
}
