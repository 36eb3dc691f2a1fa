/* SPDX-License-Identifier: MIT */
/*
 * What the benchmarks share. Ours and the raw calls take turns (A B A B) within one run, as the machines that this is
 * measured on are noisy: a burst hits both. A result is a line on stdout:
 *
 *   name <TAB> unit <TAB> ours <TAB> raw <TAB> p99 of ours [<TAB> key=value]...
 *
 * bench/report.py makes JSON of it. Every figure is a cost: lower is better.
 */
#ifndef SAFEHOLD_BENCH_MEASURE_H
#define SAFEHOLD_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t bench_now(void); /* ns, monotonic */

/* 1, or less with --quick: multiply rounds by it. */
extern double bench_scale;
int bench_rounds(int full);

/* Whether the row was asked for, or one whose name goes on from this one's after a dot. */
bool bench_wanted(const char *name);

struct samples {
  double *values;
  size_t count, room;
};

void samples_add(struct samples *samples, double value);
double samples_median(struct samples *samples); /* sorts */
double samples_percentile(struct samples *samples, double percent);
void samples_free(struct samples *samples);

/* Prints the line and frees both. divide turns ns into the unit. extra may be NULL. */
void bench_report(const char *name, const char *unit, double divide, struct samples *ours, struct samples *raw,
                  const char *extra);

/* Ends the program with a message; for what cannot go wrong on a sound machine. */
void bench_need(int condition, const char *what);

/* All rows of the program: rows.c and uv_rows.c. */
void bench_run(const char *child);

void bench_locks(void);
void bench_looks(void);
void bench_spawns(const char *child);
void bench_communicate(void);

void bench_uv_spawns(const char *child);
void bench_uv_idle(const char *child);
void bench_uv_locks(void);
void bench_uv_pool(void);

#endif
