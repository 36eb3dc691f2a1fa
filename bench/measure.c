/* SPDX-License-Identifier: MIT */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double bench_scale = 1;
static const char *only = "";

bool bench_wanted(const char *name) {
  size_t length = strlen(name);

  return strncmp(name, only, strlen(only)) == 0 || (strncmp(name, only, length) == 0 && only[length] == '.');
}

int bench_rounds(int full) {
  int rounds = (int)(full * bench_scale);

  return rounds < 10 ? 10 : rounds;
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
  bench_run(argv[at]);
  return 0;
}
