/* SPDX-License-Identifier: MIT */
#include "process_start.h"

#include <pthread.h>
#include <string.h>
#include <sys/param.h>
#include <sys/proc.h>
#include <sys/sysctl.h>

/* The time of day at its start, which a later change of the clock does not touch (kern_fork.c: p_start). */
bool safe__process_start(int64_t pid, uint64_t *start) {
  int name[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, (int)pid};
  struct kinfo_proc process;
  size_t size = sizeof(process);

  if (pid <= 0 || pid > INT32_MAX) return false;
  /* Of a process that is not there: no error, and nothing written. */
  if (sysctl(name, 4, &process, &size, NULL, 0) != 0 || size != sizeof(process)) return false;
  if (process.kp_proc.p_stat == SZOMB) return false;
  *start = (uint64_t)process.kp_proc.p_starttime.tv_sec * 1000000 + (uint64_t)process.kp_proc.p_starttime.tv_usec;
  return true;
}

/* A UUID. Not kern.boottime, which follows the clock. */
void safe__boot_id(char *text, size_t size) {
  size_t length = size;

  if (sysctlbyname("kern.bootsessionuuid", text, &length, NULL, 0) == 0 && length > 1 && text[0] != '\0') {
    text[size - 1] = '\0';
    return;
  }
  strncpy(text, "-", size);
}

int64_t safe__thread_number(void) {
  uint64_t number = 0;

  pthread_threadid_np(NULL, &number);
  return (int64_t)number;
}
