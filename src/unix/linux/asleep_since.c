/* SPDX-License-Identifier: MIT */
/*
 * When a thread fell asleep. /proc/PID/task/TID/sched has the time when it last ran, on the scheduler's clock, whose
 * zero nobody tells; so it is compared with our own. Each processor has a clock of its own (rq_clock_task: without the
 * time of interrupts, and of other virtual machines), so that it is right only to a second or so after a long time.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "in_exec.h"
#include "kernel.h"
#include "look.h"
#include "proc_stat.h"

/* "se.exec_start    :     35824918.319352", in milliseconds; -1: it is not told. */
static int64_t last_ran(int64_t pid, int64_t thread) {
  char text[512];
  const char *at;

  if (safe__proc_read(pid, thread, "sched", text, sizeof(text)) <= 0) return -1;
  at = strstr(text, "se.exec_start");
  at = at == NULL ? NULL : strchr(at, ':');
  return at == NULL ? -1 : strtoll(at + 1, NULL, 10);
}

/* Milliseconds since 1970 at the start of that tick of the machine's clock. */
static int64_t date_of(uint64_t ticks, const struct timespec *now) {
  struct timespec up;
  int64_t age;

  clock_gettime(CLOCK_BOOTTIME, &up);
  age = (int64_t)up.tv_sec * 1000 + up.tv_nsec / 1000000 - (int64_t)(ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK));
  return (int64_t)now->tv_sec * 1000 + now->tv_nsec / 1000000 - age;
}

int64_t safe__asleep_since(int64_t pid, int64_t thread) {
  int64_t self = safe__os_self(), own, others, since, started, present;
  struct safe__proc_stat stat;
  struct timespec now;

  if (safe__is_in_exec(pid) ? !safe__calm_stat(pid, &stat) : !safe__proc_thread_stat(pid, thread, &stat)) return 0;
  if (stat.state == 'R') return 0;
  others = last_ran(pid, thread);
  own = others < 0 ? -1 : last_ran(self, safe__raw6(SYS_gettid, 0, 0, 0, 0, 0, 0));
  if (own < 0) return 0;
  clock_gettime(CLOCK_REALTIME, &now);
  present = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
  since = present - (own - others);
  started = date_of(stat.start, &now);
  if (since > present) return present;
  return since < started ? started : since;
}
