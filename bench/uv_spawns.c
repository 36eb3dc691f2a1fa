/* SPDX-License-Identifier: MIT */
/* uv.spawn: until safe_uv_spawn_like returns, and until the exit callback; raw is uv_spawn on the same loop. */
#include <stdio.h>

#include "uv_spawn_one.h"

static void spawn(uv_loop_t *loop, const char *child, bool piped) {
  struct samples returned[2] = {{0}, {0}}, ended[2] = {{0}, {0}};
  const char *suffix = piped ? ".pipe" : "";
  char name[48];
  int round, raw;

  for (round = 0; round < bench_rounds(2000); round++)
    for (raw = 0; raw < 2; raw++) samples_add(&ended[raw], uv_spawn_one(loop, child, !raw, piped, &returned[raw]));
  snprintf(name, sizeof(name), "uv.spawn.return%s", suffix);
  bench_report(name, "us", 1000, &returned[0], &returned[1], NULL);
  snprintf(name, sizeof(name), "uv.spawn.exit%s", suffix);
  bench_report(name, "us", 1000, &ended[0], &ended[1], NULL);
}

void bench_uv_spawns(const char *child) {
  uv_loop_t loop;

  if (!bench_wanted("uv.spawn.return") && !bench_wanted("uv.spawn.exit")) return;
  bench_need(uv_loop_init(&loop) == 0, "uv_loop_init");
  spawn(&loop, child, false);
  spawn(&loop, child, true);
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_need(uv_loop_close(&loop) == 0, "uv_loop_close");
}
