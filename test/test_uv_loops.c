/* SPDX-License-Identifier: MIT */
/* Several loops in several threads, one of which uses uv_spawn itself: each gets its own. */
#include "uv_loop.h"

#define THREADS 4
#define ROUNDS 15

struct worker {
  uv_thread_t thread;
  bool plain; /* uses uv_spawn as well */
  int number;
  const char *helper;
  uv_loop_t loop;
  int children, locks, plain_children, wrong;
};

static void on_close(safe_uv_process *process) { free(process); }

static void on_end(safe_uv_process *process, const safe_exit *status) {
  struct worker *worker = process->uv.data;

  worker->children++;
  if (status->kind != SAFE_EXIT_CODE || status->code != 10 + worker->number) worker->wrong++;
  safe_uv_process_close(process, on_close);
}

static void free_plain(uv_handle_t *handle) { free(handle); }

static void on_plain_end(uv_process_t *process, int64_t code, int signal) {
  struct worker *worker = process->data;

  worker->plain_children++;
  if (code != 77 || signal != 0) worker->wrong++;
  uv_close((uv_handle_t *)process, free_plain);
}

static void on_lock(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error) {
  struct worker *worker = request->data;

  (void)error;
  worker->locks++;
  if (status != 0 || safe_unlock(lock) != SAFE_OK) worker->wrong++;
  free(request);
}

/* No assertion of CMocka's in another thread. */
static void start_child(struct worker *worker) {
  char code[16];
  const char *const words[] = {"helper", "exit", code, NULL};
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  safe_spawn_options spawn = SAFE_SPAWN_OPTIONS_INIT;
  safe_uv_process *process = malloc(sizeof(*process));

  snprintf(code, sizeof(code), "%d", 10 + worker->number);
  spawn.file = worker->helper;
  spawn.argv = words;
  options.spawn = &spawn;
  options.exit_cb = on_end;
  if (process != NULL) process->uv.data = worker;
  if (process == NULL || safe_uv_spawn(&worker->loop, process, &options, NULL) != 0) worker->wrong++;
}

static void start_plain(struct worker *worker) {
  char *words[] = {"helper", "exit", "77", NULL};
  uv_process_t *process = malloc(sizeof(*process));
  uv_process_options_t options;

  memset(&options, 0, sizeof(options));
  options.file = worker->helper;
  options.args = words;
  options.exit_cb = on_plain_end;
  if (process != NULL) process->data = worker;
  if (process == NULL || uv_spawn(&worker->loop, process, &options) != 0) worker->wrong++;
}

static void start_lock(struct worker *worker) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_uv_lock *request = malloc(sizeof(*request));

  options.timeout_ms = SAFE_FOREVER;
  if (request != NULL) request->data = worker;
  if (request == NULL || safe_uv_lock_file(&worker->loop, request, "shared", &options, on_lock, NULL) != 0)
    worker->wrong++;
}

static void run(void *argument) {
  struct worker *worker = argument;
  int round;

  if (uv_loop_init(&worker->loop) != 0) worker->wrong++;
  for (round = 0; round < ROUNDS; round++) {
    start_child(worker);
    start_lock(worker);
    if (worker->plain) start_plain(worker);
    uv_run(&worker->loop, round % 3 == 0 ? UV_RUN_DEFAULT : UV_RUN_NOWAIT);
  }
  uv_run(&worker->loop, UV_RUN_DEFAULT);
  if (uv_loop_close(&worker->loop) != 0) worker->wrong++;
}

static void every_loop_gets_its_own(void **state) {
  struct worker workers[THREADS];
  int at;

  (void)state;
  memset(workers, 0, sizeof(workers));
  for (at = 0; at < THREADS; at++) {
    workers[at].number = at;
    workers[at].plain = at == 0;
    workers[at].helper = helper_path();
    assert_uv(uv_thread_create(&workers[at].thread, run, &workers[at]), 0);
  }
  for (at = 0; at < THREADS; at++) uv_thread_join(&workers[at].thread);
  for (at = 0; at < THREADS; at++) {
    assert_int_equal(workers[at].wrong, 0);
    assert_int_equal(workers[at].children, ROUNDS);
    assert_int_equal(workers[at].locks, ROUNDS);
    assert_int_equal(workers[at].plain_children, workers[at].plain ? ROUNDS : 0);
  }
}

/*
 * What the thread sanitizer takes for races: libuv's signal handler, which guards its table by a lock made of a pipe
 * (src/unix/signal.c: uv__signal_lock); and the close of a number that the kernel has given without the sanitizer's
 * knowledge (a pidfd's, by clone), after another thread had closed what had it before.
 */
#if defined(__GNUC__) && !defined(_WIN32)
const char *__tsan_default_suppressions(void);
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void) {
  return "race:^uv__signal_compare$\nrace:^safe__os_child_free$\nrace:^safe__os_poller_close$";
}
#endif

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_loop_gets_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
