/* SPDX-License-Identifier: MIT */
/* Time without the machine's sleep, as WaitForMultipleObjects counts it too. */
#include <stdatomic.h>

#include "win.h"

typedef void(WINAPI *query_precise)(PULONGLONG);

static _Atomic(safe__win_function) precise;
static atomic_bool looked;

/* QueryUnbiasedInterruptTime moves only with the timer tick, every 0.5 to 15.6 ms; its precise sister shows the
   same clock between ticks, but is exported by kernelbase alone, and by no Wine up to 8. */
int64_t safe__os_now(void) {
  query_precise query;
  ULONGLONG now = 0;

  if (!atomic_load_explicit(&looked, memory_order_acquire)) {
    atomic_store(&precise, safe__win_find(L"kernelbase.dll", "QueryUnbiasedInterruptTimePrecise"));
    atomic_store_explicit(&looked, true, memory_order_release);
  }
  query = (query_precise)atomic_load_explicit(&precise, memory_order_relaxed);
  if (query != NULL)
    query(&now);
  else
    QueryUnbiasedInterruptTime(&now);
  return (int64_t)now * 100;
}
