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

#include "start_time.h"

static int64_t microseconds(const struct timeval *time) { return (int64_t)time->tv_sec * 1000000 + time->tv_usec; }

bool safe__boot_time(int64_t *boot) {
  struct timeval time;
  size_t size = sizeof(time);

  if (sysctlbyname("kern.boottime", &time, &size, NULL, 0) != 0) return false;
  *boot = microseconds(&time);
  return true;
}

uint64_t safe__start_since(const struct timeval *start, int64_t boot) { return (uint64_t)(microseconds(start) - boot); }

/* With security.bsd.see_other_uids=0 another user's process looks like none. */
bool safe__process_start(int64_t pid, uint64_t *start) {
  int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
  struct kinfo_proc process;
  int64_t boot, again;
  size_t size;

  if (pid <= 0 || pid > INT32_MAX) return false;
  do {
    size = sizeof(process);
    if (!safe__boot_time(&boot)) return false;
    if (sysctl(name, 4, &process, &size, NULL, 0) != 0 || size != sizeof(process)) return false;
    if (!safe__boot_time(&again)) return false;
  } while (boot != again);
  if (process.ki_stat == SZOMB) return false;
  *start = safe__start_since(&process.ki_start, boot);
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
