/* SPDX-License-Identifier: MIT */
#include "budget.h"

#include <uv.h>

#define MS 1000000
#define FULL (50 * MS)
#define SHARE 20

static _Thread_local uint64_t filled_at; /* 0: never, and full */
static _Thread_local int64_t level;

static void fill(void) {
  uint64_t now = uv_hrtime(), gained = (now - filled_at) / SHARE;

  level = filled_at == 0 || gained > FULL || level + (int64_t)gained > FULL ? FULL : level + (int64_t)gained;
  filled_at = now;
}

uint32_t safe__uv_budget_ms(uint32_t at_most) {
  int64_t ms;

  fill();
  ms = level > 0 ? level / MS : 0;
  return ms < at_most ? (uint32_t)ms : at_most;
}

void safe__uv_budget_spend(uint64_t spent) {
  fill();
  level -= spent > 1000 * (uint64_t)FULL ? 1000 * (int64_t)FULL : (int64_t)spent; /* a debt is paid off like that too */
}
