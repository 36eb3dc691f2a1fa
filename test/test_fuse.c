/* SPDX-License-Identifier: MIT */
/*
 * Locks on a file system that refuses, or that does not answer: a mount of our own, see fuse_fs.c. Once the file
 * system has read a request, the kernel lets nobody go who waits for the answer, killed or not; that is what
 * SAFE_LOCK_ISOLATE is for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse_mount.h"
#include "kernel.h"
#include "proc_stat.h"

#define DEADLINE_MS 300
#define SLACK_MS (100 + 200 * slowness()) /* 100 ms are promised, the rest is the machine's */

static const int methods[] = {SAFE_METHOD_OFD, SAFE_METHOD_FLOCK};

static safe_lock_options asking(int method, int64_t timeout_ms, uint32_t flags) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.method = method;
  options.timeout_ms = timeout_ms;
  options.flags = flags;
  return options;
}

/* Returns how many descriptors are open, as they have to be after the test. */
static int begin(void) {
  if (!safe__clone_works()) {
    print_message("skipped: no helper can be made here\n");
    skip();
  }
  fuse_start();
  assert_code(safe_shutdown(5000), SAFE_OK);
  return count_handles();
}

static void nothing_is_left(int handles) {
  assert_code(safe_shutdown(5000), SAFE_OK);
  assert_int_equal(safe_parked_count(), 0);
  assert_int_equal(children_of(getpid(), NULL), 0);
  assert_int_equal(count_handles(), handles);
}

/* ---- What is refused. */

static const struct {
  const char *path;
  int os_code, code;
} refusals[] = {
  {MOUNT "/refuse-38", ENOSYS, SAFE_ENOTSUP},
  {MOUNT "/refuse-95", EOPNOTSUPP, SAFE_ENOTSUP},
  {MOUNT "/refuse-37", ENOLCK, SAFE_ENOLCK},
};

static void expect_refusal(size_t at, int method, uint32_t flags, int64_t timeout_ms) {
  safe_lock_options options = asking(method, timeout_ms, flags);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  int code = safe_lock_file(&lock, refusals[at].path, &options, &error);

  if (code != refusals[at].code) print_error("%s, method %d, flags %x\n", refusals[at].path, method, flags);
  assert_code(code, refusals[at].code);
  assert_int_equal(error.os_code, refusals[at].os_code);
  assert_int_equal(error.stage, SAFE_STAGE_LOCK);
  assert_null(lock);
}

/* Not asked of a file system that may make one of the two. */
static void expect_no_both(const char *path) {
  safe_lock_options options = asking(SAFE_METHOD_BOTH, 5000, 0);
  safe_lock *lock;

  assert_code(safe_lock_file(&lock, path, &options, NULL), SAFE_ENOTSUP);
}

static void a_refused_lock_is_never_a_success(void **state) {
  static const int all[] = {SAFE_METHOD_OFD, SAFE_METHOD_FLOCK, SAFE_METHOD_POSIX};
  int handles = begin();
  size_t at, method;

  (void)state;
  for (at = 0; at < sizeof(refusals) / sizeof(refusals[0]); at++) {
    expect_no_both(refusals[at].path);
    for (method = 0; method < 3; method++) {
      expect_refusal(at, all[method], 0, SAFE_NO_WAIT);
      expect_refusal(at, all[method], 0, 5000);
    }
    for (method = 0; method < 2; method++) expect_refusal(at, all[method], SAFE_LOCK_ISOLATE, 20000);
  }
  nothing_is_left(handles);
}

/* ---- What does not answer. */

/* One call that runs into the hang, and what it leaves until the file system answers or dies. */
static void expect_stuck(const char *path, int method, uint32_t flags, int64_t timeout_ms) {
  safe_lock_options options = asking(method, timeout_ms, flags);
  int64_t began, helper = 0, limit = (timeout_ms == SAFE_NO_WAIT ? 100 : timeout_ms) + SLACK_MS;
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  int ends[2];

  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  began = now_ms();
  assert_code(safe_lock_file(&lock, path, &options, &error), SAFE_ESTUCK);
  assert_in_range(now_ms() - began, timeout_ms == SAFE_NO_WAIT ? 0 : timeout_ms - 1, limit);
  assert_null(lock);
  assert_non_null(strstr(error.message, "parked"));
  assert_int_equal(safe_parked_count(), 1);
  assert_int_equal(children_of(getpid(), &helper), 1);
  expect_own_table(helper);
  close(ends[1]);
  expect_end_of_file(ends[0]);
  assert_code(safe_shutdown(20), SAFE_ESTUCK);
}

static const char *const hangs[] = {MOUNT "/hang-lookup", MOUNT "/hang-open", MOUNT "/hang-getattr",
                                    MOUNT "/hang-lock"};

/* The deaths of the mount in turns; each ends what is stuck. */
static void a_hang_ends_with_the_deadline(void **state) {
  size_t at;

  (void)state;
  for (at = 0; at < 5; at++) {
    int handles = begin();
    expect_stuck(hangs[at % 4], methods[at % 2 ^ at / 4], SAFE_LOCK_ISOLATE, DEADLINE_MS);
    if (at % 3 == 0) fuse_kill();
    if (at % 3 == 1) fuse_abort();
    if (at % 3 == 2) fuse_tell("go on");
    nothing_is_left(handles);
    fuse_end(NULL);
  }
}

static void without_a_wait_it_gets_100_ms(void **state) {
  int handles = begin();

  (void)state;
  expect_stuck(MOUNT "/hang-open", SAFE_METHOD_OFD, SAFE_LOCK_ISOLATE, SAFE_NO_WAIT);
  fuse_kill();
  nothing_is_left(handles);
}

/* A request that nobody has read yet is taken back by the kernel when its process is killed. */
static void a_stopped_file_system_is_only_late(void **state) {
  int handles = begin();
  safe_lock_options options = asking(SAFE_METHOD_OFD, DEADLINE_MS, SAFE_LOCK_ISOLATE);
  int64_t began = now_ms();
  safe_lock *lock;

  (void)state;
  fuse_stop(1);
  assert_code(safe_lock_file(&lock, MOUNT "/plain", &options, NULL), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, DEADLINE_MS - 1, DEADLINE_MS + SLACK_MS);
  assert_int_equal(safe_parked_count(), 0);
  fuse_stop(0);
  assert_code(safe_lock_file(&lock, MOUNT "/plain", &options, NULL), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
  nothing_is_left(handles);
}

static void *go_on_later(void *argument) {
  (void)argument;
  sleep_ms(100);
  fuse_tell("go on");
  return NULL;
}

static void a_late_answer_is_a_lock(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, 60000, SAFE_LOCK_ISOLATE);
  int handles = begin();
  pthread_t thread;
  safe_lock *lock;
  size_t at;

  (void)state;
  for (at = 0; at < 4; at++) {
    fuse_tell("hold");
    assert_int_equal(pthread_create(&thread, NULL, go_on_later, NULL), 0);
    assert_code(safe_lock_file(&lock, hangs[at], &options, NULL), SAFE_OK);
    pthread_join(thread, NULL);
    assert_true(safe_lock_get_handle(lock) >= 0);
    assert_code(safe_unlock(lock), SAFE_OK);
  }
  nothing_is_left(handles);
}

static void *trigger_later(void *cancel) {
  sleep_ms(50);
  safe_cancel_trigger(cancel);
  return NULL;
}

static void a_hang_is_cancelled(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, 60000, SAFE_LOCK_ISOLATE);
  int handles = begin();
  int64_t began = now_ms();
  pthread_t thread;
  safe_lock *lock;

  (void)state;
  assert_code(safe_cancel_create(&options.cancel), SAFE_OK);
  assert_int_equal(pthread_create(&thread, NULL, trigger_later, options.cancel), 0);
  assert_code(safe_lock_file(&lock, MOUNT "/hang-open", &options, NULL), SAFE_ESTUCK);
  assert_in_range(now_ms() - began, 49, 50 + SLACK_MS);
  pthread_join(thread, NULL);
  safe_cancel_free(options.cancel);
  fuse_kill();
  nothing_is_left(handles);
}

/* begin never waits for the file system, nor does a cancel wait for long. */
static void an_event_loop_does_not_hang(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, DEADLINE_MS, SAFE_LOCK_ISOLATE);
  int handles = begin();
  struct pollfd ready = {-1, POLLIN, 0};
  int64_t began = now_ms();
  safe_lock_wait *wait;
  safe_lock *lock;

  (void)state;
  assert_code(safe_lock_begin(&wait, MOUNT "/hang-open", &options, NULL), SAFE_OK);
  assert_in_range(now_ms() - began, 0, SLACK_MS);
  ready.fd = safe_lock_wait_handle(wait);
  while (safe_lock_wait_poll(wait) == SAFE_EAGAIN) assert_int_equal(poll(&ready, 1, 20000), 1);
  assert_in_range(now_ms() - began, DEADLINE_MS - 1, DEADLINE_MS + SLACK_MS);
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_ESTUCK);

  began = now_ms();
  assert_code(safe_lock_begin(&wait, MOUNT "/hang-lock", &options, NULL), SAFE_OK);
  safe_lock_wait_cancel(wait);
  assert_in_range(now_ms() - began, 0, SLACK_MS);

  assert_code(safe_lock_begin(&wait, MOUNT "/hang-open", &options, NULL), SAFE_OK);
  ready.fd = safe_lock_wait_handle(wait);
  sleep_ms(200 * slowness()); /* the helper is to hang by then; one that does not is gone at once */
  began = now_ms();
  assert_code(safe_lock_wait_revoke(wait), SAFE_OK);
  assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN); /* the kernel has it still */
  assert_in_range(now_ms() - began, 0, SLACK_MS);
  while (safe_lock_wait_poll(wait) == SAFE_EAGAIN) assert_int_equal(poll(&ready, 1, 20000), 1);
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_ESTUCK);
  fuse_kill();
  nothing_is_left(handles);
}

/* ---- The end of a lock. */

static void expect_parked_unlock(const char *path, int method) {
  safe_lock_options options = asking(method, 20000, SAFE_LOCK_ISOLATE);
  safe_lock *lock;
  int64_t began;

  fuse_tell("go on");
  assert_code(safe_lock_file(&lock, path, &options, NULL), SAFE_OK);
  fuse_tell("hold");
  began = now_ms();
  assert_code(safe_unlock(lock), SAFE_ESTUCK);
  assert_in_range(now_ms() - began, 99, 200 + SLACK_MS);
}

static void a_hanging_unlock_is_parked(void **state) {
  int round;

  (void)state;
  for (round = 0; round < 2; round++) {
    int handles = begin();
    expect_parked_unlock(MOUNT "/hang-unlock", methods[round]);
    expect_parked_unlock(MOUNT "/hang-flush", methods[1 - round]);
    assert_true(safe_parked_count() > 0);
    if (round == 0)
      fuse_kill();
    else
      fuse_tell("go on");
    nothing_is_left(handles);
    fuse_end(NULL);
  }
}

static safe_lock *locked_with_a_hang(void) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, 20000, SAFE_LOCK_ISOLATE);
  safe_lock *lock;

  assert_code(safe_lock_file(&lock, MOUNT "/hang-flush", &options, NULL), SAFE_OK);
  return lock;
}

/* The helper that locked hangs in closing its own copy. It is not kept for another wait, and the one that is kept
   for that goes on. */
static void a_helper_that_hangs_is_not_used_again(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, 20000, SAFE_LOCK_CREATE);
  int handles = begin();
  safe_process *first = start_helper("lock", "1", "0", "50", "first", NULL), *second;
  safe_lock *lock, *other;

  (void)state;
  expect_line(first, "held");
  assert_code(safe_lock_file(&other, "first", &options, NULL), SAFE_OK); /* the thread has a spare helper now */
  assert_code(safe_unlock(other), SAFE_OK);
  second = start_helper("lock", "1", "0", "500", "second", NULL);
  expect_line(second, "held");
  lock = locked_with_a_hang();
  assert_code(safe_lock_file(&other, "second", &options, NULL), SAFE_OK);
  assert_code(safe_unlock(other), SAFE_OK);
  end_helper(first);
  end_helper(second);
  assert_code(safe_unlock(lock), SAFE_ESTUCK);
  fuse_kill();
  nothing_is_left(handles);
}

/* Every new process closes our descriptors that are not for it, and a close of this file hangs. That is told in time.
 */
static void a_file_that_hangs_does_not_hang_others(void **state) {
  safe_lock_options healthy = asking(SAFE_METHOD_OFD, 20000, SAFE_LOCK_CREATE);
  const char *const argv[] = {"/bin/true", NULL};
  safe_spawn_options spawn = SAFE_SPAWN_OPTIONS_INIT;
  int code, handles = begin();
  safe_process *process, *holder = start_helper("lock", "1", "0", "200", "healthy", NULL);
  safe_lock *lock, *other;
  int64_t began;

  (void)state;
  expect_line(holder, "held");
  lock = locked_with_a_hang();
  /* No helper can be made now that would not hang in the same close: then the wait goes on without one. */
  assert_code(safe_lock_file(&other, "healthy", &healthy, NULL), SAFE_OK);
  assert_int_not_equal(safe_lock_wait_kind(other), SAFE_WAIT_QUEUED);
  assert_code(safe_unlock(other), SAFE_OK);
  end_helper(holder);
  spawn.argv = argv;
  spawn.timeout_ms = DEADLINE_MS;
  began = now_ms();
  code = safe_spawn(&process, &spawn, NULL);
  assert_in_range(now_ms() - began, 0, DEADLINE_MS + SLACK_MS);
  print_message("a spawn gets %s\n", safe_code_name(code));
  if (code == SAFE_OK) end_helper(process);
  assert_code(safe_unlock(lock), SAFE_ESTUCK);
  fuse_kill();
  nothing_is_left(handles);
}

/* A poll does not wait until what is stuck is given up, and a hundred that end at once do not hold the loop up. */
#define LOOPED 100

static void a_loop_of_many_that_are_stuck(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, DEADLINE_MS, SAFE_LOCK_ISOLATE);
  safe_lock_wait *waits[LOOPED];
  int64_t one, longest = 0, all;
  int handles = begin(), at, left = LOOPED;
  safe_lock *lock;

  (void)state;
  for (at = 0; at < LOOPED; at++) assert_code(safe_lock_begin(&waits[at], MOUNT "/hang-open", &options, NULL), SAFE_OK);
  for (at = 0; at < LOOPED; at++) assert_true(safe_lock_wait_handle(waits[at]) != SAFE_INVALID_HANDLE);
  all = now_ms();
  while (left > 0) {
    for (at = 0; at < LOOPED; at++) {
      struct pollfd ready = {waits[at] == NULL ? -1 : safe_lock_wait_handle(waits[at]), POLLIN, 0};
      if (poll(&ready, 1, 0) != 1) continue;
      one = now_ms();
      if (safe_lock_wait_poll(waits[at]) == SAFE_OK) {
        assert_code(safe_lock_finish(waits[at], &lock, NULL), SAFE_ESTUCK);
        waits[at] = NULL;
        left--;
      }
      if (now_ms() - one > longest) longest = now_ms() - one;
    }
    sleep_ms(1);
  }
  all = now_ms() - all;
  print_message("%d waits are given up after %d ms, the longest poll %d ms\n", LOOPED, (int)all, (int)longest);
  assert_in_range(all, 0, DEADLINE_MS + 1000 * slowness()); /* and not a hundred times 100 ms */
  assert_int_equal(safe_parked_count(), LOOPED);
  fuse_kill();
  nothing_is_left(handles);
}

/* Nor does beginning wait for a helper that hangs so: it hangs in the loop's stead, and that is told in time. */
static void beginning_does_not_hang_in_what_is_open(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, DEADLINE_MS, SAFE_LOCK_CREATE | SAFE_LOCK_ISOLATE);
  safe_error error = SAFE_ERROR_INIT;
  int handles = begin();
  struct pollfd ready = {-1, POLLIN, 0};
  safe_lock *lock = locked_with_a_hang(), *other;
  int64_t began = now_ms();
  safe_lock_wait *wait;

  (void)state;
  assert_code(safe_lock_begin(&wait, "healthy", &options, NULL), SAFE_OK);
  print_message("begun after %d ms\n", (int)(now_ms() - began));
  assert_in_range(now_ms() - began, 0, 50 * slowness()); /* a tenth of what a helper once had to get ready */
  ready.fd = safe_lock_wait_handle(wait);
  while (safe_lock_wait_poll(wait) == SAFE_EAGAIN) assert_true(poll(&ready, 1, 20000) == 1);
  assert_in_range(now_ms() - began, DEADLINE_MS - 1, DEADLINE_MS + SLACK_MS);
  assert_code(safe_lock_finish(wait, &other, NULL), SAFE_ESTUCK);
  began = now_ms();
  assert_code(safe_lock_begin(&wait, "healthy", &options, &error), SAFE_ESTUCK); /* known by now */
  assert_in_range(now_ms() - began, 0, 50 * slowness());
  assert_non_null(strstr(error.message, "helper"));
  assert_code(safe_unlock(lock), SAFE_ESTUCK);
  fuse_kill();
  nothing_is_left(handles);
}

/* ---- Without SAFE_LOCK_ISOLATE: a wait ends, as it is a helper's, even if the file system does not let it go. */
static void a_wait_ends_in_any_case(void **state) {
  int handles = begin();
  size_t at;

  (void)state;
  for (at = 0; at < 2; at++) {
    safe_lock_options options = asking(methods[at], DEADLINE_MS, 0);
    int64_t began = now_ms();
    safe_lock *lock;
    assert_code(safe_lock_file(&lock, MOUNT "/polite", &options, NULL), SAFE_ETIMEDOUT);
    assert_in_range(now_ms() - began, DEADLINE_MS - 1, DEADLINE_MS + SLACK_MS);
    assert_int_equal(safe_parked_count(), 0);
  }
  expect_stuck(MOUNT "/busy", SAFE_METHOD_FLOCK, 0, DEADLINE_MS);
  fuse_tell("go on");
  nothing_is_left(handles);
}

/* ---- A host that is killed meanwhile: of what it had open its stuck helper keeps nothing. */
static void a_killed_host_leaves_nothing_open(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, 60000, SAFE_LOCK_ISOLATE);
  int handles = begin();
  int64_t helper = 0, deadline;
  struct safe__proc_stat stat;
  safe_lock *lock;
  int ends[2];
  pid_t host;

  (void)state;
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  host = fork();
  if (host == 0) {
    safe_lock_file(&lock, MOUNT "/hang-open", &options, NULL);
    _exit(0);
  }
  close(ends[1]);
  for (deadline = now_ms() + 20000; helper == 0 && now_ms() < deadline; sleep_ms(1)) children_of(host, &helper);
  assert_true(helper > 0);
  sleep_ms(50 * slowness()); /* until it is in its open */
  kill(host, SIGKILL);
  waitpid(host, NULL, 0);
  expect_end_of_file(ends[0]);
  assert_true(safe__proc_stat(helper, &stat)); /* stuck in the kernel, killed as it is */
  fuse_kill();
  for (deadline = now_ms() + 20000; safe__proc_stat(helper, &stat) && stat.state != 'Z'; sleep_ms(1))
    assert_true(now_ms() < deadline);
  nothing_is_left(handles);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(a_refused_lock_is_never_a_success, fuse_end),
    cmocka_unit_test_teardown(a_hang_ends_with_the_deadline, fuse_end),
    cmocka_unit_test_teardown(without_a_wait_it_gets_100_ms, fuse_end),
    cmocka_unit_test_teardown(a_stopped_file_system_is_only_late, fuse_end),
    cmocka_unit_test_teardown(a_late_answer_is_a_lock, fuse_end),
    cmocka_unit_test_teardown(a_hang_is_cancelled, fuse_end),
    cmocka_unit_test_teardown(an_event_loop_does_not_hang, fuse_end),
    cmocka_unit_test_teardown(a_hanging_unlock_is_parked, fuse_end),
    cmocka_unit_test_teardown(a_helper_that_hangs_is_not_used_again, fuse_end),
    cmocka_unit_test_teardown(a_file_that_hangs_does_not_hang_others, fuse_end),
    cmocka_unit_test_teardown(a_loop_of_many_that_are_stuck, fuse_end),
    cmocka_unit_test_teardown(beginning_does_not_hang_in_what_is_open, fuse_end),
    cmocka_unit_test_teardown(a_wait_ends_in_any_case, fuse_end),
    cmocka_unit_test_teardown(a_killed_host_leaves_nothing_open, fuse_end),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
