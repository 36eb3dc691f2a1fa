/* SPDX-License-Identifier: MIT */
#include "process_start.h"

#include <sys/param.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <sys/time.h>
#include <sys/user.h>

#include <pthread_np.h>
#include <stdio.h>
#include <string.h>

static int64_t microseconds(const struct timeval *time) { return (int64_t)time->tv_sec * 1000000 + time->tv_usec; }

/*
 * The kernel remembers the time since boot, and adds the time of boot when it is asked (fill_kinfo_proc_only), which
 * moves when the clock is set: it is taken off again. A clock that is set between the two questions is noticed.
 * With security.bsd.see_other_uids=0 another user's process looks like none.
 */
bool safe__process_start(int64_t pid, uint64_t *start) {
  int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
  struct timeval boot, again;
  struct kinfo_proc process;
  size_t size;

  if (pid <= 0 || pid > INT32_MAX) return false;
  do {
    size = sizeof(boot);
    if (sysctlbyname("kern.boottime", &boot, &size, NULL, 0) != 0) return false;
    size = sizeof(process);
    if (sysctl(name, 4, &process, &size, NULL, 0) != 0 || size != sizeof(process)) return false;
    size = sizeof(again);
    if (sysctlbyname("kern.boottime", &again, &size, NULL, 0) != 0) return false;
  } while (microseconds(&boot) != microseconds(&again));
  if (process.ki_stat == SZOMB) return false;
  *start = (uint64_t)(microseconds(&process.ki_start) - microseconds(&boot));
  return true;
}

/* 16 random bytes (kern_mib.c). Where it is not there yet, a start time in microseconds since boot has to do. */
void safe__boot_id(char *text, size_t size) {
  unsigned char bytes[16];
  size_t at, length = sizeof(bytes);

  strncpy(text, "-", size);
  if (size <= 2 * sizeof(bytes) || sysctlbyname("kern.boot_id", bytes, &length, NULL, 0) != 0 ||
      length != sizeof(bytes))
    return;
  for (at = 0; at < sizeof(bytes); at++) snprintf(text + 2 * at, 3, "%02x", bytes[at]);
}

int64_t safe__thread_number(void) { return pthread_getthreadid_np(); }
