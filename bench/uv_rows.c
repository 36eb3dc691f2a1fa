/* SPDX-License-Identifier: MIT */
#include "measure.h"

void bench_run(const char *child) {
  bench_uv_idle(child); /* it forks, and so comes before there are loops and their threads */
  bench_uv_spawns(child);
  bench_uv_locks();
  bench_uv_pool();
}
