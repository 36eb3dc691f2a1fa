/* SPDX-License-Identifier: MIT */
/*
 * The kernel remembers the time since boot, and adds the time of boot when it is asked (fill_kinfo_proc_only), which
 * moves when the clock is set: it is taken off again. A clock that is set between two questions is noticed by a third.
 */
#ifndef SAFEHOLD_START_TIME_H
#define SAFEHOLD_START_TIME_H

#include <sys/time.h>

#include <stdbool.h>
#include <stdint.h>

/* In microseconds. */
bool safe__boot_time(int64_t *boot);

/* What safe__process_start tells of a process, from its ki_start. */
uint64_t safe__start_since(const struct timeval *start, int64_t boot);

#endif
