/* SPDX-License-Identifier: MIT */
#include "usage.h"

#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int64_t microseconds(const struct timeval *time) { return (int64_t)time->tv_sec * 1000000 + time->tv_usec; }

/* A zombie's own times have those of the children that it waited for in them already (kern_exit.c: exit1). */
bool safe__usage_of(pid_t pid, struct safe__usage *usage) {
  struct __wrusage used;
  int status;

  if (wait6(P_PID, pid, &status, WEXITED | WNOHANG | WNOWAIT, &used, NULL) != pid) return false;
  usage->user_us = microseconds(&used.wru_self.ru_utime);
  usage->system_us = microseconds(&used.wru_self.ru_stime);
  usage->peak_memory = (int64_t)used.wru_self.ru_maxrss * 1024;
  return true;
}
