/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PROCESS_STATE_H
#define SAFEHOLD_PROCESS_STATE_H

#include <sys/param.h>

#include <sys/proc.h>
#include <sys/user.h>

/* As ps(1) tells it, print.c. */
static inline char safe__process_state(const struct kinfo_proc *process) {
  switch (process->ki_stat) {
  case SRUN:
  case SIDL:
    return 'R';
  case SSLEEP:
    return (process->ki_tdflags & TDF_SINTR) != 0 ? 'S' : 'D';
  case SSTOP:
    return 'T';
  case SZOMB:
    return 'Z';
  case SWAIT:
    return 'W';
  case SLOCK:
    return 'L';
  default:
    return 0;
  }
}

/* The same with the letters of safe_holder. */
static inline char safe__holder_state(const struct kinfo_proc *process) {
  char letter = safe__process_state(process);

  if (letter == 'T' && (process->ki_flag & P_STOPPED_TRACE) != 0) return 't';
  if (letter == 'W') return 'S';       /* for an interrupt */
  return letter == 'L' ? 'R' : letter; /* for a lock of the kernel, which it gets at once */
}

#endif
