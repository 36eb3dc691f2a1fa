/* SPDX-License-Identifier: MIT */
/* safe_lock_file on every system. */
#include "support.h"

static safe_lock_options within(int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.timeout_ms = timeout_ms;
  return options;
}

static int lock_for(safe_lock **lock, const char *path, int64_t timeout_ms, safe_error *error) {
  safe_lock_options options = within(timeout_ms);

  return safe_lock_file(lock, path, &options, error);
}

static void two_locks_in_one_process_exclude_each_other(void **state) {
  safe_lock *one, *other = (safe_lock *)1;
  safe_error error = SAFE_ERROR_INIT;

  (void)state;
  assert_code(safe_lock_file(&one, "twice", NULL, &error), SAFE_OK);
  assert_int_equal(safe_lock_wait_kind(one), SAFE_WAIT_NONE);
  assert_true(safe_lock_get_handle(one) != SAFE_INVALID_HANDLE);
  assert_code(lock_for(&other, "twice", SAFE_NO_WAIT, &error), SAFE_EBUSY);
  assert_null(other);
  assert_int_equal(error.code, SAFE_EBUSY);
  assert_non_null(strstr(error.message, "twice is locked"));
  assert_code(safe_unlock(one), SAFE_OK);
  assert_code(lock_for(&other, "twice", SAFE_NO_WAIT, &error), SAFE_OK);
  assert_code(safe_unlock(other), SAFE_OK);
}

static void shared_locks_share_and_exclude_an_exclusive_one(void **state) {
  safe_lock_options options = within(SAFE_NO_WAIT);
  safe_lock *one, *two, *three;

  (void)state;
  options.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_file(&one, "shared", &options, NULL), SAFE_OK);
  assert_code(safe_lock_file(&two, "shared", &options, NULL), SAFE_OK);
  options.mode = SAFE_LOCK_EXCLUSIVE;
  assert_code(safe_lock_file(&three, "shared", &options, NULL), SAFE_EBUSY);
  assert_code(safe_unlock(one), SAFE_OK);
  assert_code(safe_lock_file(&three, "shared", &options, NULL), SAFE_EBUSY);
  assert_code(safe_unlock(two), SAFE_OK);
  assert_code(safe_lock_file(&three, "shared", &options, NULL), SAFE_OK);
  assert_code(safe_unlock(three), SAFE_OK);
}

static void a_wait_ends_at_its_deadline(void **state) {
  safe_lock *one, *other;
  safe_error error = SAFE_ERROR_INIT;
  int64_t began;

  (void)state;
  one = locked_by_another_thread("deadline", NULL);
  began = now_ms();
  assert_code(lock_for(&other, "deadline", 200, &error), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, 199, 200 + 300 * slowness());
  assert_int_equal(error.stage, SAFE_STAGE_WAIT);
  assert_non_null(strstr(error.message, "still locked"));
  safe_unlock(one);
}

static void another_process_is_waited_for_and_followed(void **state) {
  safe_process *holder = start_helper("lock", "0", "0", "300", "followed", NULL);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;

  (void)state;
  expect_line(holder, "held");
  assert_code(lock_for(&lock, "followed", 20, &error), SAFE_ETIMEDOUT);
  assert_code(lock_for(&lock, "followed", 20000, &error), SAFE_OK);
  assert_true(safe_lock_wait_kind(lock) != SAFE_WAIT_NONE);
  safe_unlock(lock);
  end_helper(holder);
}

static void a_killed_holder_frees_its_lock(void **state) {
  safe_process *holder = start_helper("lock", "0", "0", "60000", "killed", NULL);
  safe_lock *lock;

  (void)state;
  expect_line(holder, "held");
  end_helper(holder);
  assert_code(lock_for(&lock, "killed", 5000, NULL), SAFE_OK);
  safe_unlock(lock);
}

static void an_untimed_wait_gets_the_lock(void **state) {
  safe_process *holder = start_helper("lock", "0", "0", "100", "untimed", NULL);
  safe_lock *lock;

  (void)state;
  expect_line(holder, "held");
  assert_code(lock_for(&lock, "untimed", SAFE_FOREVER, NULL), SAFE_OK);
  safe_unlock(lock);
  end_helper(holder);
}

static void a_cancelled_wait_says_so(void **state) {
  safe_lock_options options = within(60000);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *one, *other;
  safe_cancel *cancel;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  safe_cancel_trigger(cancel);
  assert_code(safe_lock_file(&one, "cancelled", NULL, NULL), SAFE_OK);
  options.cancel = cancel;
  assert_code(safe_lock_file(&other, "cancelled", &options, &error), SAFE_ECANCELED);
  assert_non_null(strstr(error.message, "cancelled"));
  safe_unlock(one);
  safe_cancel_free(cancel);
  safe_cancel_free(NULL);
  safe_cancel_trigger(NULL);
  assert_code(safe_cancel_create(NULL), SAFE_EINVAL);
}

static void the_content_is_never_touched(void **state) {
  safe_lock *lock;
  char *text;

  (void)state;
  make_file("content", "the host's data");
  assert_code(safe_lock_file(&lock, "content", NULL, NULL), SAFE_OK);
  text = read_file("content"); /* on Windows too: the lock lies beyond the data */
  assert_string_equal(text, "the host's data");
  free(text);
  safe_unlock(lock);
  text = read_file("content");
  assert_string_equal(text, "the host's data");
  free(text);
}

static void bad_arguments_are_named(void **state) {
  safe_lock_options options;
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock = (safe_lock *)1;

  (void)state;
  assert_code(safe_lock_file(NULL, "x", NULL, &error), SAFE_EINVAL);
  assert_code(safe_lock_file(&lock, NULL, NULL, &error), SAFE_EINVAL);
  assert_null(lock);
  assert_string_equal(error.message, "The path is NULL.");
  assert_code(safe_lock_file(&lock, "", NULL, &error), SAFE_EINVAL);
  assert_string_equal(error.message, "The path is empty.");
  assert_int_equal(error.stage, SAFE_STAGE_ARGUMENTS);
  options = within(-2);
  assert_code(safe_lock_file(&lock, "x", &options, &error), SAFE_EINVAL);
  assert_non_null(strstr(error.message, "-2"));
  options = within(INT64_MIN);
  assert_code(safe_lock_file(&lock, "x", &options, &error), SAFE_EINVAL);
  options = within(0);
  options.flags |= 1u << 30;
  assert_code(safe_lock_file(&lock, "x", &options, &error), SAFE_EINVAL);
  assert_non_null(strstr(error.message, "0x40000000"));
  options = within(0);
  options.mode = 2;
  assert_code(safe_lock_file(&lock, "x", &options, &error), SAFE_EINVAL);
  options = within(0);
  options.method = 99;
  assert_code(safe_lock_file(&lock, "x", &options, &error), SAFE_EINVAL);
  options = within(0);
  options.create_mode = 0100000;
  assert_code(safe_lock_file(&lock, "x", &options, &error), SAFE_EINVAL);
  assert_code(safe_unlock(NULL), SAFE_EINVAL);
  assert_true(safe_lock_get_handle(NULL) == SAFE_INVALID_HANDLE);
  assert_code(safe_lock_wait_kind(NULL), SAFE_EINVAL);
}

static void struct_sizes_are_checked(void **state) {
  struct {
    safe_lock_options options;
    char tail[64];
  } longer;
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;

  (void)state;
  memset(&longer, 0, sizeof(longer));
  longer.options = within(0);
  longer.options.size = sizeof(longer);
  assert_code(safe_lock_file(&lock, "sizes", &longer.options, &error), SAFE_OK);
  safe_unlock(lock);
  longer.tail[63] = 1;
  assert_code(safe_lock_file(&lock, "sizes", &longer.options, &error), SAFE_ENEWER);
  longer.options.size = 0;
  assert_code(safe_lock_file(&lock, "sizes", &longer.options, &error), SAFE_EINVAL);
  longer.options.size = 0xffffffff;
  assert_code(safe_lock_file(&lock, "sizes", &longer.options, &error), SAFE_EINVAL);
  /* A struct of an older layout: what it lacks is 0, here no holder query and no creation mode. */
  longer.options = within(0);
  longer.options.size = offsetof(safe_lock_options, create_mode);
  assert_code(safe_lock_file(&lock, "sizes", &longer.options, &error), SAFE_OK);
  safe_unlock(lock);
}

static void bad_paths_are_named(void **state) {
  safe_lock_options options = within(0);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  char *longest;

  (void)state;
  make_folder("folder");
  assert_code(safe_lock_file(&lock, "folder", &options, &error), SAFE_EISDIR);
  assert_int_equal(error.stage, SAFE_STAGE_OPEN);
  assert_non_null(strstr(error.message, "folder"));
  assert_code(safe_lock_file(&lock, "no/such/folder", &options, &error), SAFE_ENOENT);
  assert_true(error.os_code != 0);
  options.flags = 0;
  assert_code(safe_lock_file(&lock, "not-there", &options, &error), SAFE_ENOENT);
  longest = calloc(1, 40001);
  assert_non_null(longest);
  memset(longest, 'x', 40000);
  assert_code(safe_lock_file(&lock, longest, &options, &error), SAFE_ENAMETOOLONG);
  free(longest);
}

static void nothing_is_left_behind(void **state) {
  safe_lock *one, *other;
  int before, round;

  (void)state;
  one = locked_by_another_thread("left", NULL);
  lock_for(&other, "left", 5, NULL);
  safe_unlock(one);
  assert_code(safe_shutdown(5000), SAFE_OK);
  before = count_handles();
  for (round = 0; round < 20; round++) {
    one = locked_by_another_thread("left", NULL);
    assert_code(lock_for(&other, "left", round % 3, NULL), round % 3 == 0 ? SAFE_EBUSY : SAFE_ETIMEDOUT);
    assert_code(lock_for(&other, "no/such/folder", 0, NULL), SAFE_ENOENT);
    safe_unlock(one);
  }
  assert_code(safe_shutdown(5000), SAFE_OK);
  assert_int_equal(count_handles(), before);
  assert_int_equal(safe_parked_count(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(two_locks_in_one_process_exclude_each_other),
    cmocka_unit_test(shared_locks_share_and_exclude_an_exclusive_one),
    cmocka_unit_test(a_wait_ends_at_its_deadline),
    cmocka_unit_test(another_process_is_waited_for_and_followed),
    cmocka_unit_test(a_killed_holder_frees_its_lock),
    cmocka_unit_test(an_untimed_wait_gets_the_lock),
    cmocka_unit_test(a_cancelled_wait_says_so),
    cmocka_unit_test(the_content_is_never_touched),
    cmocka_unit_test(bad_arguments_are_named),
    cmocka_unit_test(struct_sizes_are_checked),
    cmocka_unit_test(bad_paths_are_named),
    cmocka_unit_test(nothing_is_left_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
