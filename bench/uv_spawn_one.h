/* SPDX-License-Identifier: MIT */
/* One child on a loop, by safe_uv_spawn_like or by uv_spawn: what uv_spawns.c and uv_idle.c both measure. */
#ifndef SAFEHOLD_BENCH_UV_SPAWN_ONE_H
#define SAFEHOLD_BENCH_UV_SPAWN_ONE_H

#include <uv.h>

#include "measure.h"

/* Starts it, with its output in a pipe or without a pipe, and runs the loop until its exit callback has been called and
   its output has ended. returned, which may be NULL, gets the time until the call was back. Answers the time for all
   of it in ns. */
double uv_spawn_one(uv_loop_t *loop, const char *child, bool ours, bool piped, struct samples *returned);

#endif
