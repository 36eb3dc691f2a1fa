/* SPDX-License-Identifier: MIT */
/*
 * uv.pool: what uv_fs_stat and uv_getaddrinfo cost while 1,000 locks are waited for on the same loop; raw is the same
 * without them. They take turns. With it, what each pending lock costs the process.
 */
#include <dirent.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure.h"
#include "safehold/uv.h"

#define FILE_NAME "bench.uv.pool"
#define PENDING 1000
#define BATCH 2000
#define AT_ONCE 4 /* as many as the pool has threads */

static uv_loop_t loop;
static int to_begin, under_way;

/* ---- The pool's work. */

static void stat_done(uv_fs_t *request);

static void begin_stat(uv_fs_t *request) {
  to_begin--;
  under_way++;
  bench_need(uv_fs_stat(&loop, request, "/", stat_done) == 0, "uv_fs_stat");
}

static void stat_done(uv_fs_t *request) {
  bench_need(request->result == 0, "stat");
  uv_fs_req_cleanup(request);
  under_way--;
  if (to_begin > 0) begin_stat(request);
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses);

static void begin_resolve(uv_getaddrinfo_t *request) {
  struct addrinfo hints = {0};

  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  to_begin--;
  under_way++;
  bench_need(uv_getaddrinfo(&loop, request, resolved, "127.0.0.1", "80", &hints) == 0, "uv_getaddrinfo");
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses) {
  bench_need(status == 0, "getaddrinfo");
  uv_freeaddrinfo(addresses);
  under_way--;
  if (to_begin > 0) begin_resolve(request);
}

/* ns for each. */
static double stats(void) {
  uv_fs_t requests[AT_ONCE];
  int64_t began = bench_now();
  int at;

  to_begin = BATCH;
  for (at = 0; at < AT_ONCE; at++) begin_stat(&requests[at]);
  while (under_way > 0) uv_run(&loop, UV_RUN_ONCE);
  return (double)(bench_now() - began) / BATCH;
}

static double resolutions(void) {
  uv_getaddrinfo_t requests[AT_ONCE];
  int64_t began = bench_now();
  int at;

  to_begin = BATCH;
  for (at = 0; at < AT_ONCE; at++) begin_resolve(&requests[at]);
  while (under_way > 0) uv_run(&loop, UV_RUN_ONCE);
  return (double)(bench_now() - began) / BATCH;
}

/* ---- The locks. */

static safe_uv_lock waits[PENDING];
static int pending;

static void on_end(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error) {
  (void)request, (void)lock, (void)error;
  bench_need(status == UV_ECANCELED, "a lock that is held");
  pending--;
}

static void wait_for_all(void) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;

  options.timeout_ms = 600000;
  for (pending = 0; pending < PENDING; pending++) {
    if (safe_uv_lock_file(&loop, &waits[pending], FILE_NAME, &options, on_end, &error) == 0) continue;
    fprintf(stderr, "%s\n", error.message);
    exit(1);
  }
  /* The loop has seen them all before it is measured. */
  for (int turn = 0; turn < 10; turn++) uv_run(&loop, UV_RUN_NOWAIT);
}

static void cancel_all(void) {
  int at;

  for (at = 0; at < PENDING; at++) bench_need(safe_uv_lock_cancel(&waits[at]) == 0, "safe_uv_lock_cancel");
  while (pending > 0) uv_run(&loop, UV_RUN_ONCE);
}

/* ---- What they cost. */

struct usage {
  long size, resident; /* pages */
  int descriptors, threads, helpers;
};

static int entries(const char *folder) {
  DIR *entry = opendir(folder);
  int count = 0;

  bench_need(entry != NULL, folder);
  while (readdir(entry) != NULL) count++;
  closedir(entry);
  return count;
}

static int children(void) {
  FILE *list = fopen("/proc/thread-self/children", "r");
  int count = 0, pid;

  bench_need(list != NULL, "children");
  while (fscanf(list, "%d", &pid) == 1) count++;
  fclose(list);
  return count;
}

static struct usage look(void) {
  struct usage usage;
  FILE *statm = fopen("/proc/self/statm", "r");

  bench_need(statm != NULL && fscanf(statm, "%ld %ld", &usage.size, &usage.resident) == 2, "statm");
  fclose(statm);
  usage.descriptors = entries("/proc/self/fd");
  usage.threads = entries("/proc/self/task");
  usage.helpers = children();
  return usage;
}

static void costs(char *extra, size_t room) {
  struct usage before = look(), after;
  double kib = (double)sysconf(_SC_PAGESIZE) / 1024 / PENDING;
  int64_t began = bench_now(), begun, looked;

  wait_for_all();
  begun = bench_now();
  after = look();
  looked = bench_now();
  cancel_all();
  snprintf(extra, room,
           "begin_us=%.3g\tcancel_us=%.3g\tresident_kib=%.3g\taddress_space_kib=%.3g\tdescriptors=%.3g\tthreads=%.3g\t"
           "helpers=%.3g",
           (double)(begun - began) / 1000 / PENDING, (double)(bench_now() - looked) / 1000 / PENDING,
           (double)(after.resident - before.resident) * kib, (double)(after.size - before.size) * kib,
           (double)(after.descriptors - before.descriptors) / PENDING,
           (double)(after.threads - before.threads) / PENDING, (double)(after.helpers - before.helpers) / PENDING);
}

static void measure(struct samples *stat, struct samples *resolve) {
  int batch;

  for (batch = 0; batch < 5; batch++) {
    samples_add(stat, stats());
    samples_add(resolve, resolutions());
  }
}

void bench_uv_pool(void) {
  struct samples with[2] = {{0}, {0}}, without[2] = {{0}, {0}};
  char extra[256];
  safe_lock *held;
  int round;

  if (!bench_wanted("uv.pool")) return;
  bench_need(uv_loop_init(&loop) == 0, "uv_loop_init");
  bench_need(safe_lock_file(&held, FILE_NAME, NULL, NULL) == 0, "safe_lock_file");
  stats(); /* the pool's threads are there from now on */
  costs(extra, sizeof(extra));
  for (round = 0; round < bench_rounds(20); round++) {
    measure(&without[0], &without[1]);
    wait_for_all();
    measure(&with[0], &with[1]);
    cancel_all();
  }
  safe_unlock(held);
  unlink(FILE_NAME);
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_need(uv_loop_close(&loop) == 0, "uv_loop_close");
  bench_report("uv.pool.stat", "us", 1000, &with[0], &without[0], extra);
  bench_report("uv.pool.getaddrinfo", "us", 1000, &with[1], &without[1], NULL);
}
