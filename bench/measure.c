/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_scale = 1;
static const char *only = "";

bool bench_wanted(const char *name) { return strncmp(name, only, strlen(only)) == 0; }

int64_t bench_now(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int bench_rounds(int full) {
  int rounds = (int)(full * bench_scale);

  return rounds < 10 ? 10 : rounds;
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

void bench_report(const char *name, const char *unit, double divide, struct samples *ours, struct samples *raw,
                  const char *extra) {
  printf("%s\t%s\t%.4g\t%.4g\t%.4g%s%s\n", name, unit, samples_median(ours) / divide, samples_median(raw) / divide,
         samples_percentile(ours, 99) / divide, extra == NULL ? "" : "\t", extra == NULL ? "" : extra);
  fflush(stdout);
  samples_free(ours);
  samples_free(raw);
}

static int usage(void) {
  fprintf(stderr, "usage: bench [--quick] [--only=START OF A ROW'S NAME] CHILD\n");
  return 2;
}

int main(int argc, char **argv) {
  int at;

  for (at = 1; at < argc && argv[at][0] == '-'; at++) {
    if (strcmp(argv[at], "--quick") == 0)
      bench_scale = 0.1;
    else if (strncmp(argv[at], "--only=", 7) == 0)
      only = argv[at] + 7;
    else
      return usage();
  }
  if (argc - at != 1) return usage();
  bench_locks();
  bench_spawns(argv[at]);
  return 0;
}
