/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PROCESS_START_H
#define SAFEHOLD_PROCESS_START_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When the process was started, in microseconds from a moment that is the system's choice, but never changes while the
   machine runs. False: there is none, it is a zombie, or this user may not see it. */
bool safe__process_start(int64_t pid, uint64_t *start);

/* Which start of the machine this is; "-" where the system does not tell. */
void safe__boot_id(char *text, size_t size);

/* The number that ps and debuggers know the calling thread by. */
int64_t safe__thread_number(void);

#endif
