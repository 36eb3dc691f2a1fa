/* SPDX-License-Identifier: MIT */
/* uv.lock: open and lock a file that is free, unlock and close it; raw does each step in libuv's thread pool, as a
   program without the adapter would, so that its loop does not wait for a file system. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "measure.h"
#include "safehold/uv.h"

#define FILE_NAME "bench.uv.lock"
#define BATCH 50

static uv_loop_t loop;
static int left; /* of the batch */

/* ---- Ours. */

static safe_uv_lock request;

static void ask(void);

static void locked(safe_uv_lock *same, int status, safe_lock *lock, const safe_error *error) {
  (void)same;
  if (status != 0) {
    fprintf(stderr, "%s\n", error->message);
    exit(1);
  }
  safe_unlock(lock);
  if (--left > 0) ask();
}

static void ask(void) {
  safe_error error = SAFE_ERROR_INIT;

  bench_need(safe_uv_lock_file(&loop, &request, FILE_NAME, NULL, locked, &error) == 0, "safe_uv_lock_file");
}

/* ---- Raw. */

static uv_fs_t file_request;
static uv_work_t work;
static int file;

static void open_file(void);

static void closed(uv_fs_t *done) {
  uv_fs_req_cleanup(done);
  if (--left > 0) open_file();
}

static void call_flock(uv_work_t *same) {
  (void)same;
  bench_need(flock(file, LOCK_EX) == 0, "flock");
}

static void flocked(uv_work_t *same, int status) {
  (void)same;
  bench_need(status == 0, "uv_queue_work");
  bench_need(uv_fs_close(&loop, &file_request, file, closed) == 0, "uv_fs_close");
}

static void opened(uv_fs_t *done) {
  file = (int)done->result;
  bench_need(file >= 0, "uv_fs_open");
  uv_fs_req_cleanup(done);
  bench_need(uv_queue_work(&loop, &work, call_flock, flocked) == 0, "uv_queue_work");
}

static void open_file(void) {
  bench_need(uv_fs_open(&loop, &file_request, FILE_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0666, opened) == 0,
             "uv_fs_open");
}

static double batch(void (*first)(void)) {
  int64_t began = bench_now();

  left = BATCH;
  first();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_need(left == 0, "every lock");
  return (double)(bench_now() - began) / BATCH;
}

void bench_uv_locks(void) {
  struct samples ours = {0}, raw = {0};
  int round;

  if (!bench_wanted("uv.lock")) return;
  bench_need(uv_loop_init(&loop) == 0, "uv_loop_init");
  for (round = 0; round < bench_rounds(400); round++) {
    samples_add(&ours, batch(ask));
    samples_add(&raw, batch(open_file));
  }
  bench_need(uv_loop_close(&loop) == 0, "uv_loop_close");
  unlink(FILE_NAME);
  bench_report("uv.lock", "us", 1000, &ours, &raw, NULL);
}
