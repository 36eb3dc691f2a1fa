/* SPDX-License-Identifier: MIT */
#include <time.h>
#include <unistd.h>

#include "os.h"
#include "process_start.h"

void safe__os_identify(safe_owner *owner) {
  struct timespec now;

  owner->pid = safe__os_self();
  owner->thread = safe__thread_number();
  if (!safe__process_start(owner->pid, &owner->start)) owner->start = 0;
  safe__boot_id(owner->boot, sizeof(owner->boot));
  /* It need not end with a NUL where it was cut off. */
  if (gethostname(owner->host, sizeof(owner->host) - 1) != 0) owner->host[0] = '\0';
  owner->host[sizeof(owner->host) - 1] = '\0';
  clock_gettime(CLOCK_REALTIME, &now);
  owner->since_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool safe__os_is_alive(const safe_owner *owner) {
  uint64_t start;

  return safe__process_start(owner->pid, &start) && start == owner->start;
}
