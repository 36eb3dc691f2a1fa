/* SPDX-License-Identifier: MIT */
#include "measure.h"

void bench_run(const char *child) {
  bench_locks();
  bench_looks();
  bench_spawns(child);
  bench_communicate();
}
