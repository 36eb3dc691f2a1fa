/* SPDX-License-Identifier: MIT */
/* A thousand pending waits for locks: libuv's thread pool does not know of them. */
#include <sys/resource.h>

#include "uv_loop.h"

#define WAITS 1000
#define SAMPLES 40
#define CALLS 10 /* in each sample */
#define PATH "held"

struct pending {
  uv_loop_t loop;
  safe_uv_lock requests[WAITS];
  int cancelled, granted, failed;
  int kind; /* of the last grant's wait */
};

static void on_lock(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error) {
  struct pending *pending = request->data;

  (void)error;
  if (lock != NULL) pending->kind = safe_lock_wait_kind(lock);
  if (status == UV_ECANCELED)
    pending->cancelled++;
  else if (status != 0)
    pending->failed++;
  else
    pending->granted += safe_unlock(lock) == SAFE_OK;
}

/* Each takes five. */
static bool allow_descriptors(void) {
  struct rlimit limit;

  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < 6 * WAITS) return false;
  limit.rlim_cur = 6 * WAITS;
  return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static void ask(struct pending *pending, int count) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int at;

  options.timeout_ms = SAFE_FOREVER;
  for (at = 0; at < count; at++) {
    pending->requests[at].data = pending;
    if (safe_uv_lock_file(&pending->loop, &pending->requests[at], PATH, &options, on_lock, &error) != 0)
      fail_msg("%d: %s", at, error.message);
  }
}

static void after_stat(uv_fs_t *request) {
  ++*(int *)request->data;
  uv_fs_req_cleanup(request);
}

static void after_name(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  assert_uv(status, 0);
  uv_freeaddrinfo(found);
  ++*(int *)request->data;
}

static void work(uv_work_t *request) { (void)request; }

static void after_work(uv_work_t *request, int status) {
  assert_uv(status, 0);
  ++*(int *)request->data;
}

/* Microseconds that the pool takes for so many calls of each kind, one after the other. */
static int64_t time_of_the_pool(uv_loop_t *loop) {
  uint64_t began = uv_hrtime();
  uv_getaddrinfo_t name;
  uv_work_t job;
  uv_fs_t stat;
  int round, done;

  for (round = 0; round < CALLS; round++) {
    done = 0;
    stat.data = name.data = job.data = &done;
    assert_uv(uv_fs_stat(loop, &stat, ".", after_stat), 0);
    assert_uv(uv_getaddrinfo(loop, &name, after_name, "127.0.0.1", "80", NULL), 0);
    assert_uv(uv_queue_work(loop, &job, work, after_work), 0);
    while (done < 3) uv_run(loop, UV_RUN_ONCE);
  }
  return (int64_t)(uv_hrtime() - began) / 1000;
}

/* The quickest of many samples: what other programs of the machine do is not measured. */
static int64_t quickest(uv_loop_t *loop) {
  int64_t best = time_of_the_pool(loop), other;
  int sample;

  for (sample = 1; sample < SAMPLES; sample++) {
    other = time_of_the_pool(loop);
    if (other < best) best = other;
  }
  return best;
}

/* Bytes of address space, or 0 where the system does not tell. */
static int64_t mapped_bytes(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");

  if (file == NULL) return 0;
  if (fscanf(file, "%ld", &pages) != 1) pages = 0;
  fclose(file);
  return (int64_t)pages * 4096;
}

static void cancel_all(struct pending *pending) {
  int at;

  for (at = 0; at < WAITS; at++) safe_uv_lock_cancel(&pending->requests[at]);
}

static uv_sem_t gate;

static void block(uv_work_t *request) {
  (void)request;
  uv_sem_wait(&gate);
}

static void unblock(uv_timer_t *timer) {
  assert_code(safe_unlock(timer->data), SAFE_OK);
  uv_close((uv_handle_t *)timer, NULL);
}

#define FEW 20

static int kind; /* of waits on this system */

/* The pool has one thread, and that is blocked. */
static void locks_come_while_the_pool_is_blocked(void **state) {
  struct pending *pending = calloc(1, sizeof(*pending));
  safe_lock *held = locked_by_another_thread(PATH, NULL);
  int done = 0, at;
  uv_timer_t timer;
  uv_work_t job[4];

  (void)state;
  assert_non_null(pending);
  open_loop(&pending->loop);
  assert_uv(uv_sem_init(&gate, 0), 0);
  for (at = 0; at < 4; at++) {
    job[at].data = &done;
    assert_uv(uv_queue_work(&pending->loop, &job[at], block, after_work), 0);
  }
  ask(pending, FEW);
  uv_timer_init(&pending->loop, &timer);
  timer.data = held;
  uv_timer_start(&timer, unblock, 10, 0);
  run_until(&pending->loop, &pending->granted, FEW);
  assert_int_equal(done, 0);
  for (at = 0; at < 4; at++) uv_sem_post(&gate);
  uv_run(&pending->loop, UV_RUN_DEFAULT);
  assert_int_equal(done, 4);
  kind = pending->kind;
  close_loop(&pending->loop);
  uv_sem_destroy(&gate);
  free(pending);
}

/* Under Valgrind and most emulators a wait asks again and again: a thousand of them cost what they cost. */
static void skip_unless_queued(void) {
  if (kind == SAFE_WAIT_QUEUED) return;
  print_message("skipped: waits are not queued by the kernel here\n");
  skip();
}

static void on_timeout(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error) {
  struct pending *pending = request->data;

  (void)lock, (void)error;
  pending->failed += status == UV_ETIMEDOUT;
}

#define AT_ONCE 200

static void note_turn(uv_check_t *check) {
  uint64_t *turns = check->data, now = uv_hrtime();

  if (turns[0] != 0 && now - turns[0] > turns[1]) turns[1] = now - turns[0];
  turns[0] = now;
}

/* Each look for the holder alone might take 50 ms, and taking each request back some more. */
static void many_deadlines_at_once_do_not_hold_the_loop_up(void **state) {
  struct pending *pending;
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  uint64_t turns[2] = {0, 0};
  uv_check_t check;
  safe_lock *held;
  int at;

  (void)state;
  skip_unless_queued();
  pending = calloc(1, sizeof(*pending));
  assert_non_null(pending);
  held = locked_by_another_thread(PATH, NULL);
  open_loop(&pending->loop);
  uv_check_init(&pending->loop, &check);
  check.data = turns;
  uv_check_start(&check, note_turn);
  options.timeout_ms = 200 * slowness();
  for (at = 0; at < AT_ONCE; at++) {
    pending->requests[at].data = pending;
    assert_uv(safe_uv_lock_file(&pending->loop, &pending->requests[at], PATH, &options, on_timeout, NULL), 0);
  }
  run_until(&pending->loop, &pending->failed, AT_ONCE);
  print_message("%d deadlines at once: the longest turn took %lld us\n", AT_ONCE, (long long)turns[1] / 1000);
  assert_in_range(turns[1] / 1000000, 0, 150 * slowness());
  assert_code(safe_unlock(held), SAFE_OK);
  uv_close((uv_handle_t *)&check, NULL);
  uv_run(&pending->loop, UV_RUN_DEFAULT);
  close_loop(&pending->loop);
  free(pending);
}

static void a_thousand_waits_leave_the_pool_alone(void **state) {
  struct pending *pending;
  int64_t without, with, mapped;
  safe_lock *held;
  int open;

  (void)state;
  skip_unless_queued();
  if (!allow_descriptors()) {
    print_message("skipped: this process may not open enough descriptors\n");
    skip();
  }
  held = locked_by_another_thread(PATH, NULL);
  pending = calloc(1, sizeof(*pending));
  assert_non_null(pending);
  open_loop(&pending->loop);
  without = quickest(&pending->loop);
  mapped = mapped_bytes();
  open = count_handles();
  ask(pending, WAITS);
  mapped = mapped_bytes() - mapped;
  open = count_handles() - open;
  with = quickest(&pending->loop);
  print_message(
    "%d calls of each kind: %lld us without waits, %lld us with %d, each with %.1f descriptors and %lld bytes\n", CALLS,
    (long long)without, (long long)with, WAITS, (double)open / WAITS, (long long)mapped / WAITS);
  assert_int_equal(pending->cancelled + pending->granted + pending->failed, 0);
  cancel_all(pending);
  uv_run(&pending->loop, UV_RUN_DEFAULT);
  assert_int_equal(pending->cancelled, WAITS);
  assert_int_equal(pending->failed, 0);
  assert_code(safe_unlock(held), SAFE_OK);
  close_loop(&pending->loop);
  free(pending);
  assert_true(with < 2 * without + 500 * slowness());
  /* A stack of 64 KiB, the page below it, and what malloc has for the request. */
  if (slowness() == 1) assert_true(mapped < (int64_t)WAITS * 80 * 1024);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(locks_come_while_the_pool_is_blocked),
    cmocka_unit_test(many_deadlines_at_once_do_not_hold_the_loop_up),
    cmocka_unit_test(a_thousand_waits_leave_the_pool_alone),
  };

  setenv("UV_THREADPOOL_SIZE", "1", 1); /* before the first work */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
