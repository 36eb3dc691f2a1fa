/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure.h"

int64_t bench_now(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_need(int condition, const char *what) {
  if (condition) return;
  perror(what);
  exit(1);
}

void samples_add(struct samples *samples, double value) {
  if (samples->count == samples->room) {
    samples->room = samples->room == 0 ? 1024 : samples->room * 2;
    samples->values = realloc(samples->values, samples->room * sizeof(*samples->values));
    bench_need(samples->values != NULL, "memory");
  }
  samples->values[samples->count++] = value;
}

static int ascending(const void *one, const void *other) {
  double a = *(const double *)one, b = *(const double *)other;

  return (a > b) - (a < b);
}

double samples_percentile(struct samples *samples, double percent) {
  if (samples->count == 0) return 0;
  qsort(samples->values, samples->count, sizeof(*samples->values), ascending);
  return samples->values[(size_t)((double)(samples->count - 1) * percent / 100)];
}

double samples_median(struct samples *samples) { return samples_percentile(samples, 50); }

void samples_free(struct samples *samples) {
  free(samples->values);
  memset(samples, 0, sizeof(*samples));
}
