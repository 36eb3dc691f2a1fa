/* SPDX-License-Identifier: MIT */
/* Locks without blocking: begin, wait handle, poll, finish, cancel. */
#include "support.h"

static safe_lock_options within(int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.timeout_ms = timeout_ms;
  return options;
}

static void a_free_file_is_ready_at_once(void **state) {
  safe_lock_wait *wait;
  safe_lock *lock, *other;
  safe_lock_options at_once = within(SAFE_NO_WAIT);

  (void)state;
  assert_code(safe_lock_begin(&wait, "free", NULL, NULL), SAFE_OK);
  assert_true(becomes_ready(safe_lock_wait_handle(wait), 1000 * slowness()));
  assert_code(safe_lock_wait_poll(wait), SAFE_OK);
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
  assert_int_equal(safe_lock_wait_kind(lock), SAFE_WAIT_NONE);
  assert_code(safe_lock_file(&other, "free", &at_once, NULL), SAFE_EBUSY);
  assert_code(safe_unlock(lock), SAFE_OK);
}

/* What an event loop does with a wait handle, which may become ready without a reason. */
static void poll_to_the_end(safe_lock_wait *wait, int64_t limit_ms) {
  int64_t deadline = now_ms() + limit_ms;

  while (safe_lock_wait_poll(wait) == SAFE_EAGAIN) {
    assert_true(now_ms() < deadline);
    assert_true(becomes_ready(safe_lock_wait_handle(wait), limit_ms));
  }
}

static void the_handle_tells_of_the_grant(void **state) {
  safe_lock_options options = within(60000);
  safe_lock_wait *wait;
  safe_lock *held, *lock;

  (void)state;
  assert_code(safe_lock_file(&held, "grant", NULL, NULL), SAFE_OK);
  /* By the same thread, for which a blocking call would be SAFE_EDEADLK. */
  assert_code(safe_lock_begin(&wait, "grant", &options, NULL), SAFE_OK);
  assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN);
  assert_code(safe_unlock(held), SAFE_OK);
  poll_to_the_end(wait, 5000 * slowness());
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
  assert_true(safe_lock_wait_kind(lock) != SAFE_WAIT_NONE);
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void the_handle_tells_of_the_deadline(void **state) {
  safe_lock_options options = within(100);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock_wait *wait;
  safe_lock *held, *lock;
  int64_t began = now_ms();

  (void)state;
  assert_code(safe_lock_file(&held, "late", NULL, NULL), SAFE_OK);
  assert_code(safe_lock_begin(&wait, "late", &options, &error), SAFE_OK);
  poll_to_the_end(wait, 5000 * slowness());
  assert_in_range(now_ms() - began, 99, 100 + 500 * slowness());
  assert_code(safe_lock_finish(wait, &lock, &error), SAFE_ETIMEDOUT);
  assert_null(lock);
  assert_non_null(strstr(error.message, "late is still locked"));
  assert_code(safe_unlock(held), SAFE_OK);
}

static void the_handle_tells_of_the_cancel(void **state) {
  safe_lock_options options = within(60000);
  safe_lock_wait *wait;
  safe_cancel *cancel;
  safe_lock *held, *lock;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  options.cancel = cancel;
  assert_code(safe_lock_file(&held, "cancel", NULL, NULL), SAFE_OK);
  assert_code(safe_lock_begin(&wait, "cancel", &options, NULL), SAFE_OK);
  assert_true(safe_lock_wait_handle(wait) != SAFE_INVALID_HANDLE);
  assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN);
  safe_cancel_trigger(cancel);
  poll_to_the_end(wait, 5000 * slowness());
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_ECANCELED);
  assert_code(safe_unlock(held), SAFE_OK);
  safe_cancel_free(cancel);
}

static void a_finish_that_comes_early_waits(void **state) {
  safe_lock_options options = within(100);
  safe_lock_wait *wait;
  safe_lock *held, *lock;
  int64_t began = now_ms();

  (void)state;
  assert_code(safe_lock_file(&held, "early", NULL, NULL), SAFE_OK);
  assert_code(safe_lock_begin(&wait, "early", &options, NULL), SAFE_OK);
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_ETIMEDOUT);
  assert_true(now_ms() - began >= 99);
  assert_code(safe_unlock(held), SAFE_OK);
}

#define MANY 20

static void many_waits_of_one_thread(void **state) {
  safe_lock_options options = within(60000);
  safe_lock_wait *waits[MANY];
  safe_lock *held, *lock;
  int at, left = MANY;

  (void)state;
  assert_code(safe_lock_file(&held, "many", NULL, NULL), SAFE_OK);
  for (at = 0; at < MANY; at++) assert_code(safe_lock_begin(&waits[at], "many", &options, NULL), SAFE_OK);
  assert_code(safe_unlock(held), SAFE_OK);
  while (left > 0)
    for (at = 0; at < MANY; at++) {
      if (waits[at] == NULL || safe_lock_wait_poll(waits[at]) != SAFE_OK) continue;
      assert_code(safe_lock_finish(waits[at], &lock, NULL), SAFE_OK);
      assert_code(safe_unlock(lock), SAFE_OK);
      waits[at] = NULL;
      left--;
    }
}

struct handing {
  safe_lock_wait *wait;
  safe_lock *lock;
  int finished, waits_for_itself;
};

static void finish_elsewhere(void *argument) {
  struct handing *handing = argument;
  safe_lock_options brief = within(20);
  safe_lock *second;

  handing->finished = safe_lock_finish(handing->wait, &handing->lock, NULL);
  handing->waits_for_itself = safe_lock_file(&second, "handing", &brief, NULL);
}

/* Who finishes has the lock, whoever began. */
static void another_thread_finishes(void **state) {
  safe_lock_options brief = within(20);
  struct handing handing = {NULL, NULL, 0, 0};
  safe_lock *second;

  (void)state;
  assert_code(safe_lock_begin(&handing.wait, "handing", NULL, NULL), SAFE_OK);
  in_another_thread(finish_elsewhere, &handing);
  assert_code(handing.finished, SAFE_OK);
  assert_code(handing.waits_for_itself, SAFE_EDEADLK);
  assert_code(safe_lock_file(&second, "handing", &brief, NULL), SAFE_ETIMEDOUT);
  assert_code(safe_unlock(handing.lock), SAFE_OK);
}

static void a_cancelled_wait_leaves_no_ghost(void **state) {
  safe_lock_options options = within(60000), at_once = within(SAFE_NO_WAIT);
  safe_lock_wait *wait;
  safe_lock *held, *lock;
  int round, before;

  (void)state;
  assert_code(safe_shutdown(5000), SAFE_OK);
  before = count_handles();
  for (round = 0; round < 50; round++) {
    assert_code(safe_lock_file(&held, "ghost", NULL, NULL), SAFE_OK);
    assert_code(safe_lock_begin(&wait, "ghost", &options, NULL), SAFE_OK);
    if (round % 2 == 0) assert_true(safe_lock_wait_handle(wait) != SAFE_INVALID_HANDLE);
    if (round % 3 == 0) assert_code(safe_unlock(held), SAFE_OK); /* the grant races with the cancel */
    safe_lock_wait_cancel(wait);
    if (round % 3 != 0) assert_code(safe_unlock(held), SAFE_OK);
    assert_code(safe_lock_file(&lock, "ghost", &at_once, NULL), SAFE_OK);
    assert_code(safe_unlock(lock), SAFE_OK);
  }
  safe_lock_wait_cancel(NULL);
  assert_code(safe_shutdown(5000), SAFE_OK);
  assert_int_equal(count_handles(), before);
  assert_int_equal(safe_parked_count(), 0);
}

/* In every state that a wait can be in: queued, granted but not seen, and over. */
static void a_revoked_wait_ends_as_if_cancelled(void **state) {
  safe_lock_options options = within(60000), at_once = within(SAFE_NO_WAIT);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock_wait *wait;
  safe_lock *held, *lock;
  int round, before;

  (void)state;
  assert_code(safe_shutdown(5000), SAFE_OK);
  before = count_handles();
  for (round = 0; round < 30; round++) {
    assert_code(safe_lock_file(&held, "revoked", NULL, NULL), SAFE_OK);
    if (round % 3 == 2) assert_code(safe_unlock(held), SAFE_OK);
    assert_code(safe_lock_begin(&wait, "revoked", &options, NULL), SAFE_OK);
    if (round % 2 == 0) assert_true(safe_lock_wait_handle(wait) != SAFE_INVALID_HANDLE);
    if (round % 3 == 1) assert_code(safe_unlock(held), SAFE_OK);
    assert_code(safe_lock_wait_revoke(wait), SAFE_OK);
    assert_code(safe_lock_wait_revoke(wait), SAFE_OK);
    assert_code(safe_lock_finish(wait, &lock, &error), SAFE_ECANCELED);
    assert_null(lock);
    if (round % 3 == 0) assert_code(safe_unlock(held), SAFE_OK);
    assert_code(safe_lock_file(&lock, "revoked", &at_once, NULL), SAFE_OK);
    assert_code(safe_unlock(lock), SAFE_OK);
  }
  assert_code(safe_lock_wait_revoke(NULL), SAFE_EINVAL);
  assert_code(safe_shutdown(5000), SAFE_OK);
  assert_int_equal(count_handles(), before);
  assert_int_equal(safe_parked_count(), 0);
}

static void what_cannot_begin_says_so(void **state) {
  safe_lock_options options = within(100);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock_wait *wait = (safe_lock_wait *)1;
  safe_lock *lock = (safe_lock *)1;

  (void)state;
  assert_code(safe_lock_begin(&wait, "no/such/folder", &options, &error), SAFE_ENOENT);
  assert_null(wait);
  assert_non_null(strstr(error.message, "no/such/folder"));
  assert_code(safe_lock_begin(NULL, "file", &options, &error), SAFE_EINVAL);
  assert_code(safe_lock_begin(&wait, NULL, &options, &error), SAFE_EINVAL);
  assert_code(safe_lock_finish(NULL, &lock, &error), SAFE_EINVAL);
  assert_code(safe_lock_wait_poll(NULL), SAFE_EINVAL);
  assert_true(safe_lock_wait_handle(NULL) == SAFE_INVALID_HANDLE);
  options.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_lock_file(&lock, "busy", NULL, NULL), SAFE_OK);
  assert_code(safe_lock_begin(&wait, "busy", &options, &error), SAFE_EBUSY);
  assert_null(wait);
  assert_code(safe_unlock(lock), SAFE_OK);
}

/* ---- How long to look for the holder, changed while it is waited. */

static int64_t holder_told(uint32_t first_ms, uint32_t then_ms, bool polled) {
  safe_lock_options options = within(200);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock_wait *wait;
  safe_lock *lock;

  options.holder_query_ms = first_ms;
  assert_code(safe_lock_begin(&wait, "query", &options, &error), SAFE_OK);
  if (polled) assert_true(safe_lock_wait_handle(wait) != SAFE_INVALID_HANDLE);
  assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN);
  assert_code(safe_lock_wait_set_query(wait, then_ms), SAFE_OK);
  if (polled) poll_to_the_end(wait, 5000 * slowness());
  assert_code(safe_lock_finish(wait, &lock, &error), SAFE_ETIMEDOUT);
  return error.holder_pid;
}

static void the_look_for_the_holder_can_be_changed(void **state) {
  safe_process *holder = start_helper("lock", "0", "0", "60000", "query", NULL);
  safe_lock_options options = within(200);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  int polled;

  (void)state;
  expect_line(holder, "held");
  options.holder_query_ms = 100;
  assert_code(safe_lock_file(&lock, "query", &options, &error), SAFE_ETIMEDOUT);
  for (polled = 0; polled < 2; polled++) {
    assert_int_equal(holder_told(100, 0, polled != 0), 0);
    assert_int_equal(holder_told(0, 100, polled != 0), error.holder_pid); /* 0 where it cannot be known */
  }
  assert_code(safe_lock_wait_set_query(NULL, 1), SAFE_EINVAL);
  end_helper(holder);
}

/* A wait that is over has nothing to look for. */
static void a_change_that_comes_too_late(void **state) {
  safe_lock_wait *wait;
  safe_lock *lock;

  (void)state;
  assert_code(safe_lock_begin(&wait, "over", NULL, NULL), SAFE_OK);
  assert_true(safe_lock_wait_handle(wait) != SAFE_INVALID_HANDLE);
  assert_code(safe_lock_wait_set_query(wait, 1000), SAFE_OK);
  assert_code(safe_lock_wait_poll(wait), SAFE_OK);
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_free_file_is_ready_at_once),
    cmocka_unit_test(the_handle_tells_of_the_grant),
    cmocka_unit_test(the_handle_tells_of_the_deadline),
    cmocka_unit_test(the_handle_tells_of_the_cancel),
    cmocka_unit_test(a_finish_that_comes_early_waits),
    cmocka_unit_test(many_waits_of_one_thread),
    cmocka_unit_test(another_thread_finishes),
    cmocka_unit_test(a_cancelled_wait_leaves_no_ghost),
    cmocka_unit_test(a_revoked_wait_ends_as_if_cancelled),
    cmocka_unit_test(what_cannot_begin_says_so),
    cmocka_unit_test(the_look_for_the_holder_can_be_changed),
    cmocka_unit_test(a_change_that_comes_too_late),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
