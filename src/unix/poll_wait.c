/* SPDX-License-Identifier: MIT */
#include "poll_wait.h"

#include <errno.h>
#include <time.h>

#define LONGEST_MS 86400000 /* callers loop: a longer deadline is a matter of waking up once a day */

static void pause_a_little(int64_t deadline) {
  struct timespec pause = {0, 5 * SAFE__MS};

  if (deadline > 0) nanosleep(&pause, NULL);
}

int safe__poll_once(struct pollfd *ready, int count, int64_t deadline) {
  int result = poll(ready, (nfds_t)count, (int)safe__left_ms(deadline, LONGEST_MS));

  if (result >= 0 || errno == EINTR) return result;
  pause_a_little(deadline); /* not to spin: a limit, or no memory in the kernel */
  return 0;
}

int safe__poll(struct pollfd *ready, int count, int64_t deadline) {
  int result = safe__poll_once(ready, count, deadline);

  return result < 0 ? 0 : result;
}

int safe__os_sleep(int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct pollfd ready = {safe__cancel_fd(cancel), POLLIN, 0};
  int result;

  while (safe__os_now() < deadline) {
    result = safe__poll_once(&ready, 1, deadline);
    if (result > 0) return SAFE_ECANCELED;
    if (result < 0 && interruptible) return SAFE_EINTR;
  }
  return SAFE_OK;
}

bool safe__os_cancel_triggered(const safe_cancel *cancel) {
  struct pollfd ready = {safe__cancel_fd(cancel), POLLIN, 0};

  return cancel != NULL && safe__poll(&ready, 1, 0) > 0;
}
