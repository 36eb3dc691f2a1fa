/* SPDX-License-Identifier: MIT */
/* Byte ranges, and who may wait for whom within one thread. */
#include "support.h"

static safe_lock_options range(int64_t offset, int64_t length) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.offset = offset;
  options.length = length;
  options.timeout_ms = SAFE_NO_WAIT;
  return options;
}

/* FLOCK, the default of the BSDs, knows no ranges. */
static void need_ranges(void) {
  safe_lock_options options = range(1, 1);
  safe_lock *lock;

  if (safe_lock_file(&lock, "ranges", &options, NULL) != SAFE_OK) {
    print_message("skipped: the default method has no byte ranges here\n");
    skip();
  }
  safe_unlock(lock);
}

static void ranges_exclude_where_they_overlap(void **state) {
  static const struct {
    int64_t offset, length;
    int code;
  } others[] = {
    {0, 10, SAFE_OK},    {0, 11, SAFE_EBUSY},         {10, 10, SAFE_EBUSY},
    {15, 1, SAFE_EBUSY}, {19, 1, SAFE_EBUSY},         {20, 1, SAFE_OK},
    {20, 0, SAFE_OK},    {19, 0, SAFE_EBUSY},         {0, 0, SAFE_EBUSY},
    {1, 0, SAFE_EBUSY},  {1000000000000, 1, SAFE_OK},
  };
  safe_lock_options options = range(10, 10);
  safe_lock *held, *lock;
  size_t at;

  (void)state;
  need_ranges();
  assert_code(safe_lock_file(&held, "overlap", &options, NULL), SAFE_OK);
  for (at = 0; at < sizeof(others) / sizeof(others[0]); at++) {
    options = range(others[at].offset, others[at].length);
    if (safe_lock_file(&lock, "overlap", &options, NULL) != others[at].code)
      fail_msg("%d bytes from %d: not %s", (int)others[at].length, (int)others[at].offset,
               safe_code_name(others[at].code));
    if (lock != NULL) safe_unlock(lock);
  }
  safe_unlock(held);
}

static void ranges_that_cannot_be(void **state) {
  static const struct { int64_t offset, length; } bad[] = {{-1, 1}, {0, -1}, {INT64_MAX, 1}, {1, INT64_MAX}};
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(bad) / sizeof(bad[0]); at++) {
    safe_lock_options options = range(bad[at].offset, bad[at].length);
    assert_code(safe_lock_file(&lock, "bad", &options, &error), SAFE_EINVAL);
    assert_int_equal(error.stage, SAFE_STAGE_ARGUMENTS);
  }
}

static void other_threads_can_have_other_ranges(void **state) {
  safe_lock_options one = range(0, 100), other = range(100, 100);
  safe_lock *lock, *theirs;

  (void)state;
  need_ranges();
  theirs = locked_by_another_thread("threads", &other);
  assert_code(safe_lock_file(&lock, "threads", &one, NULL), SAFE_OK);
  safe_unlock(lock);
  safe_unlock(theirs);
}

/* ---- SAFE_EDEADLK. */

static void a_thread_does_not_wait_for_itself(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *held, *lock;
  int64_t began;

  (void)state;
  assert_code(safe_lock_file(&held, "itself", NULL, NULL), SAFE_OK);
  options.timeout_ms = SAFE_FOREVER;
  began = now_ms();
  assert_code(safe_lock_file(&lock, "itself", &options, &error), SAFE_EDEADLK);
  assert_true(now_ms() - began <= 50 * slowness());
  assert_non_null(strstr(error.message, "itself"));
  options.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_lock_file(&lock, "itself", &options, &error), SAFE_EBUSY); /* it would not have waited */
  safe_unlock(held);
}

static void only_what_overlaps_counts(void **state) {
  safe_lock_options mine = range(0, 10), theirs = range(10, 10);
  safe_lock *held, *other, *lock;

  (void)state;
  need_ranges();
  assert_code(safe_lock_file(&held, "elsewhere", &mine, NULL), SAFE_OK);
  other = locked_by_another_thread("elsewhere", &theirs);
  theirs.timeout_ms = 30;
  assert_code(safe_lock_file(&lock, "elsewhere", &theirs, NULL), SAFE_ETIMEDOUT);
  theirs = range(5, 10);
  theirs.timeout_ms = 30;
  assert_code(safe_lock_file(&lock, "elsewhere", &theirs, NULL), SAFE_EDEADLK);
  safe_unlock(held);
  safe_unlock(other);
}

static void two_readers_of_one_thread_are_no_deadlock(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *one, *other;

  (void)state;
  options.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_file(&one, "readers", &options, NULL), SAFE_OK);
  assert_code(safe_lock_file(&other, "readers", &options, NULL), SAFE_OK);
  safe_unlock(one);
  safe_unlock(other);
}

static void adopt(void *lock) { assert_code(safe_lock_adopt(lock), SAFE_OK); }

static void a_lock_that_was_handed_on_is_no_deadlock(void **state) {
  safe_lock_options brief = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *held, *lock;

  (void)state;
  brief.timeout_ms = 30;
  assert_code(safe_lock_file(&held, "handed", NULL, NULL), SAFE_OK);
  in_another_thread(adopt, held);
  assert_code(safe_lock_file(&lock, "handed", &brief, NULL), SAFE_ETIMEDOUT);
  assert_code(safe_lock_adopt(held), SAFE_OK);
  assert_code(safe_lock_file(&lock, "handed", &brief, NULL), SAFE_EDEADLK);
  safe_unlock(held);
  assert_code(safe_lock_adopt(NULL), SAFE_EINVAL);
}

static void a_lock_that_was_given_back_is_no_deadlock(void **state) {
  safe_lock_options brief = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *held, *lock;
  int round;

  (void)state;
  brief.timeout_ms = 5;
  for (round = 0; round < 100; round++) {
    assert_code(safe_lock_file(&held, "given", NULL, NULL), SAFE_OK);
    safe_unlock(held);
    held = locked_by_another_thread("given", NULL);
    if (round < 5) assert_code(safe_lock_file(&lock, "given", &brief, NULL), SAFE_ETIMEDOUT);
    safe_unlock(held);
  }
}

#define MANY 300

static void many_locks_of_one_thread(void **state) {
  safe_lock_options options = range(0, 1);
  safe_lock *locks[MANY], *lock;
  int at;

  (void)state;
  need_ranges();
  for (at = 0; at < MANY; at++) {
    options.offset = at * 2;
    assert_code(safe_lock_file(&locks[at], "many", &options, NULL), SAFE_OK);
  }
  options.timeout_ms = 1000;
  for (at = 0; at < MANY; at += 37) {
    options.offset = at * 2;
    assert_code(safe_lock_file(&lock, "many", &options, NULL), SAFE_EDEADLK);
    options.offset++;
    assert_code(safe_lock_file(&lock, "many", &options, NULL), SAFE_OK);
    safe_unlock(lock);
  }
  for (at = 0; at < MANY; at++) assert_code(safe_unlock(locks[at]), SAFE_OK);
}

/* ---- The file's content, through the lock. */
static void reading_and_writing(void **state) {
  safe_lock *lock;
  char text[16] = "";

  (void)state;
  assert_code(safe_lock_file(&lock, "content", NULL, NULL), SAFE_OK);
  assert_int_equal(safe_lock_write_at(lock, "counter", 7, 3), 7);
  assert_int_equal(safe_lock_read_at(lock, text, sizeof(text), 3), 7);
  assert_memory_equal(text, "counter", 7);
  assert_int_equal(safe_lock_read_at(lock, text, 4, 100), 0);
  assert_int_equal(safe_lock_read_at(lock, text, 4, -1), SAFE_EINVAL);
  assert_int_equal(safe_lock_write_at(NULL, text, 4, 0), SAFE_EINVAL);
  safe_unlock(lock);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(ranges_exclude_where_they_overlap),
    cmocka_unit_test(ranges_that_cannot_be),
    cmocka_unit_test(other_threads_can_have_other_ranges),
    cmocka_unit_test(a_thread_does_not_wait_for_itself),
    cmocka_unit_test(only_what_overlaps_counts),
    cmocka_unit_test(two_readers_of_one_thread_are_no_deadlock),
    cmocka_unit_test(a_lock_that_was_handed_on_is_no_deadlock),
    cmocka_unit_test(a_lock_that_was_given_back_is_no_deadlock),
    cmocka_unit_test(many_locks_of_one_thread),
    cmocka_unit_test(reading_and_writing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
