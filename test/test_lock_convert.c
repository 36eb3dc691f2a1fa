/* SPDX-License-Identifier: MIT */
/* Shared to exclusive and back. */
#include "support.h"

static safe_lock_options asking(int mode, int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.mode = mode;
  options.timeout_ms = timeout_ms;
  return options;
}

static int try_as(int mode, int method, const char *path) {
  safe_lock_options options = asking(mode, SAFE_NO_WAIT);
  safe_lock *lock;
  int code;

  options.method = method;
  code = safe_lock_file(&lock, path, &options, NULL);
  if (code == SAFE_OK) safe_unlock(lock);
  return code;
}

/* Every method that this system has, by trying. */
static bool has(int method) {
  safe_lock_options options = asking(SAFE_LOCK_SHARED, SAFE_NO_WAIT);
  safe_lock *lock;
  int code;

  options.method = method;
  code = safe_lock_file(&lock, "method", &options, NULL);
  if (code == SAFE_OK) safe_unlock(lock);
  return code == SAFE_OK;
}

static void there_and_back(void **state) {
  int method;

  (void)state;
  for (method = SAFE_METHOD_OFD; method <= SAFE_METHOD_COMPAT; method++) {
    safe_lock_options options = asking(SAFE_LOCK_SHARED, 1000);
    safe_lock *lock;
    if (!has(method)) continue;
    options.method = method;
    assert_code(safe_lock_file(&lock, "back", &options, NULL), SAFE_OK);
    assert_code(try_as(SAFE_LOCK_SHARED, method, "back"), SAFE_OK);
    options.mode = SAFE_LOCK_EXCLUSIVE;
    assert_code(safe_lock_convert(lock, &options, NULL), SAFE_OK);
    assert_code(try_as(SAFE_LOCK_SHARED, method, "back"), SAFE_EBUSY);
    assert_code(safe_lock_convert(lock, &options, NULL), SAFE_OK); /* it is that already */
    options.mode = SAFE_LOCK_SHARED;
    assert_code(safe_lock_convert(lock, &options, NULL), SAFE_OK);
    assert_code(try_as(SAFE_LOCK_SHARED, method, "back"), SAFE_OK);
    assert_code(try_as(SAFE_LOCK_EXCLUSIVE, method, "back"), SAFE_EBUSY);
    assert_code(safe_unlock(lock), SAFE_OK);
    assert_code(try_as(SAFE_LOCK_EXCLUSIVE, method, "back"), SAFE_OK);
  }
}

/* Whatever the answer, it is the truth: after SAFE_ELOST nothing is held, after anything else the shared lock is. */
static void a_refused_conversion_tells_the_truth(void **state) {
  int method;

  (void)state;
  for (method = SAFE_METHOD_OFD; method <= SAFE_METHOD_COMPAT; method++) {
    int64_t timeouts[] = {SAFE_NO_WAIT, 50};
    size_t at;
    if (!has(method)) continue;
    for (at = 0; at < 2; at++) {
      safe_lock_options options = asking(SAFE_LOCK_SHARED, 1000);
      safe_error error = SAFE_ERROR_INIT;
      safe_lock *lock, *other;
      int code;
      options.method = method;
      assert_code(safe_lock_file(&lock, "refused", &options, NULL), SAFE_OK);
      other = locked_by_another_thread("refused", &options);
      options.mode = SAFE_LOCK_EXCLUSIVE;
      options.timeout_ms = timeouts[at];
      code = safe_lock_convert(lock, &options, &error);
      assert_code(error.code, code);
      if (code != SAFE_ELOST) assert_code(code, at == 0 ? SAFE_EBUSY : SAFE_ETIMEDOUT);
      if (method == SAFE_METHOD_OFD || method == SAFE_METHOD_POSIX) assert_true(code != SAFE_ELOST);
      assert_code(safe_unlock(other), SAFE_OK);
      assert_code(try_as(SAFE_LOCK_EXCLUSIVE, method, "refused"), code == SAFE_ELOST ? SAFE_OK : SAFE_EBUSY);
      if (code == SAFE_ELOST) assert_code(safe_lock_convert(lock, &options, &error), SAFE_ELOST);
      assert_code(safe_unlock(lock), SAFE_OK);
      assert_code(try_as(SAFE_LOCK_EXCLUSIVE, method, "refused"), SAFE_OK);
    }
  }
}

/* Of two locks the one is converted and the other lost: that is told, without a wait too. */
static void half_a_conversion_is_a_loss(void **state) {
  safe_lock_options options = asking(SAFE_LOCK_SHARED, SAFE_NO_WAIT);
  safe_process *reader;
  safe_lock *lock;
  char number[8];

  (void)state;
  if (!has(SAFE_METHOD_BOTH)) {
    print_message("skipped: no method of two locks here\n");
    skip();
  }
  snprintf(number, sizeof(number), "%d", SAFE_METHOD_FLOCK);
  reader = start_helper("lock", number, "1", "60000", "half", NULL);
  expect_line(reader, "held");
  options.method = SAFE_METHOD_BOTH;
  assert_code(safe_lock_file(&lock, "half", &options, NULL), SAFE_OK);
  options.mode = SAFE_LOCK_EXCLUSIVE;
  assert_code(safe_lock_convert(lock, &options, NULL), SAFE_ELOST);
  assert_code(try_as(SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_OFD, "half"), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
  end_helper(reader);
}

struct upgrade {
  safe_lock *lock;
  safe_lock_options options;
  int code;
};

static void upgrade(void *argument) {
  struct upgrade *job = argument;

  job->code = safe_lock_convert(job->lock, &job->options, NULL);
}

/* The other one lets go while the conversion waits, which begin and finish make visible without a second thread. */
static void a_conversion_waits_for_the_other_reader(void **state) {
  safe_process *reader = start_helper("lock", "0", "1", "150", "upgrade", NULL);
  struct upgrade job = {NULL, asking(SAFE_LOCK_SHARED, 20000), 0};

  (void)state;
  expect_line(reader, "held");
  assert_code(safe_lock_file(&job.lock, "upgrade", &job.options, NULL), SAFE_OK);
  job.options.mode = SAFE_LOCK_EXCLUSIVE;
  upgrade(&job);
  assert_code(job.code, SAFE_OK);
  assert_code(try_as(SAFE_LOCK_SHARED, SAFE_METHOD_DEFAULT, "upgrade"), SAFE_EBUSY);
  assert_code(safe_unlock(job.lock), SAFE_OK);
  end_helper(reader);
}

static void a_cancelled_conversion(void **state) {
  safe_lock_options options = asking(SAFE_LOCK_SHARED, 20000);
  safe_cancel *cancel;
  safe_lock *lock, *other;
  int code;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  assert_code(safe_lock_file(&lock, "cancelled", &options, NULL), SAFE_OK);
  other = locked_by_another_thread("cancelled", &options);
  options.mode = SAFE_LOCK_EXCLUSIVE;
  options.cancel = cancel;
  safe_cancel_trigger(cancel);
  code = safe_lock_convert(lock, &options, NULL);
  if (code != SAFE_ELOST) assert_code(code, SAFE_ECANCELED);
  assert_code(safe_unlock(other), SAFE_OK);
  assert_code(try_as(SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_DEFAULT, "cancelled"), code == SAFE_ELOST ? SAFE_OK : SAFE_EBUSY);
  assert_code(safe_unlock(lock), SAFE_OK);
  safe_cancel_free(cancel);
}

static void bad_arguments(void **state) {
  safe_lock_options options = asking(7, 0);
  safe_lock *lock;

  (void)state;
  assert_code(safe_lock_convert(NULL, NULL, NULL), SAFE_EINVAL);
  assert_code(safe_lock_file(&lock, "bad", NULL, NULL), SAFE_OK);
  assert_code(safe_lock_convert(lock, &options, NULL), SAFE_EINVAL);
  assert_code(try_as(SAFE_LOCK_SHARED, SAFE_METHOD_DEFAULT, "bad"), SAFE_EBUSY);
  assert_code(safe_unlock(lock), SAFE_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(there_and_back),
    cmocka_unit_test(a_refused_conversion_tells_the_truth),
    cmocka_unit_test(half_a_conversion_is_a_loss),
    cmocka_unit_test(a_conversion_waits_for_the_other_reader),
    cmocka_unit_test(a_cancelled_conversion),
    cmocka_unit_test(bad_arguments),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
