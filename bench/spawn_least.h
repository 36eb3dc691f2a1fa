/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_BENCH_SPAWN_LEAST_H
#define SAFEHOLD_BENCH_SPAWN_LEAST_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The least that a spawn with the library's promises can cost: the system calls that they need, and nothing else. No
 * descriptor but the standard ones is ever the child's, each of the 64 signals has its default (the ignored ones too:
 * Linux has no call that resets or tells them all), it can be waited for by a pidfd, and nothing holds the caller up.
 * Answers the pidfd of the child, and in *returned when it was known to have been loaded. keep: ignored signals stay,
 * as with SAFE_SPAWN_KEEP_IGNORED.
 */
int bench_spawn_least(const char *path, bool keep, int64_t *returned);

/* Reaps it. */
void bench_least_reap(int pidfd);

#endif
