/* SPDX-License-Identifier: MIT */
/* The wait with a sensor, against a kernel that the test plays (test_win_kernel.h). */
#include "test_win_sensor.h"

/* Lets go of the whole file a little later, and again whenever it has been stolen. */
struct later {
  HANDLE thread;
  volatile LONG times;
};

static DWORD WINAPI let_go_later(void *argument) {
  struct later *later = argument;

  while (later->times > 0) {
    Sleep(20);
    if (stranger_lets_go(FAR_SPACE, FAR_SPACE)) later->times--;
  }
  return 0;
}

static void start_letting_go(struct later *later, int times) {
  later->times = times;
  later->thread = CreateThread(NULL, 0, let_go_later, later, 0, NULL);
  assert_non_null(later->thread);
}

static void stop_letting_go(struct later *later) {
  assert_int_equal(WaitForSingleObject(later->thread, (DWORD)slow(20000)), WAIT_OBJECT_0);
  CloseHandle(later->thread);
}

static void assert_held_by(HANDLE handle) {
  assert_int_equal(kernel_locks(), 1); /* neither gate nor sensor */
  assert_true(kernel_drop(handle, FAR_SPACE, FAR_SPACE));
}

/* ---- The tests. */

static void granted_when_it_is_free(void **state) {
  struct later later;

  (void)state;
  stranger_takes(FAR_SPACE, FAR_SPACE);
  start_letting_go(&later, 1);
  assert_code(run(&file, &whole, slow(20000), NULL), SAFE_OK);
  stop_letting_go(&later);
  assert_int_equal(kernel_reopened(), 1);
  assert_held_by(mine);
}

static void a_shared_one_cannot_be_beaten(void **state) {
  const struct safe__claim shared = {SAFE_LOCK_SHARED, SAFE_METHOD_FAR, 0, 0};
  struct later later;

  (void)state;
  stranger_takes(FAR_SPACE, FAR_SPACE);
  start_letting_go(&later, 1);
  kernel_orders.steals = 1;
  assert_code(run(&file, &shared, slow(20000), NULL), SAFE_OK);
  stop_letting_go(&later);
  assert_held_by(mine);
}

static void somebody_is_quicker_three_times(void **state) {
  struct later later;

  (void)state;
  stranger_takes(FAR_SPACE, FAR_SPACE);
  kernel_orders.steals = 3;
  start_letting_go(&later, 4);
  assert_code(run(&file, &whole, slow(20000), NULL), SAFE_OK);
  stop_letting_go(&later);
  assert_int_equal(kernel_orders.steals, 0);
  assert_held_by(mine);
}

static void expired_behind_the_gate(void **state) {
  int64_t began = now_ms();

  (void)state;
  stranger_takes(FAR_SPACE, FAR_SPACE);
  assert_code(run(&file, &whole, 60, NULL), SAFE_ETIMEDOUT);
  assert_in_range(now_ms() - began, 59, 60 + slow(200));
  assert_int_equal(kernel_locks(), 1);
  stranger_lets_go(FAR_SPACE, FAR_SPACE);
}

static void expired_at_the_gate(void **state) {
  struct safe__win_range gate = safe__win_gate_of(&whole);

  (void)state;
  stranger_takes(FAR_SPACE, FAR_SPACE);
  stranger_takes(gate.start, gate.length);
  assert_code(run(&file, &whole, 60, NULL), SAFE_ETIMEDOUT);
  assert_int_equal(kernel_locks(), 2);
  stranger_lets_go(FAR_SPACE, FAR_SPACE);
  stranger_lets_go(gate.start, gate.length);
}

/* Somebody dawdles in the gate, though the file is free. */
static void the_last_chance_is_taken(void **state) {
  struct safe__win_range gate = safe__win_gate_of(&whole);

  (void)state;
  stranger_takes(gate.start, gate.length);
  assert_code(run(&file, &whole, 60, NULL), SAFE_OK);
  stranger_lets_go(gate.start, gate.length);
  assert_held_by(mine);
}

/* He does so until long after, but who waits behind him looks for himself. */
static void who_waits_at_the_gate_looks(void **state) {
  struct safe__win_range gate = safe__win_gate_of(&whole);
  int64_t began = now_ms();
  struct later later;

  (void)state;
  stranger_takes(gate.start, gate.length);
  stranger_takes(FAR_SPACE, FAR_SPACE);
  start_letting_go(&later, 1);
  assert_code(run(&file, &whole, slow(20000), NULL), SAFE_OK);
  assert_in_range(now_ms() - began, 0, 100 + slow(500));
  stop_letting_go(&later);
  stranger_lets_go(gate.start, gate.length);
  assert_held_by(mine);
}

/* And if the kernel then keeps the request for the gate, the lock is got all the same. */
static void a_gate_that_does_not_drain(void **state) {
  struct safe__win_range gate = safe__win_gate_of(&whole);

  (void)state;
  stranger_takes(gate.start, gate.length);
  kernel_orders.deaf = true;
  assert_code(run(&file, &whole, slow(20000), NULL), SAFE_OK);
  assert_int_equal(safe_parked_count(), 1);
  assert_true(kernel_drop(mine, FAR_SPACE, FAR_SPACE));
  stranger_lets_go(gate.start, gate.length);
  assert_int_equal(safe_parked_count(), 0);
}

static void cancelled_before_and_behind_the_gate(void **state) {
  struct safe__win_range gate = safe__win_gate_of(&whole);
  safe_cancel *cancel;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  safe_cancel_trigger(cancel);
  stranger_takes(FAR_SPACE, FAR_SPACE);
  assert_code(run(&file, &whole, slow(20000), cancel), SAFE_ECANCELED);
  stranger_takes(gate.start, gate.length);
  assert_code(run(&file, &whole, slow(20000), cancel), SAFE_ECANCELED);
  stranger_lets_go(FAR_SPACE, FAR_SPACE);
  stranger_lets_go(gate.start, gate.length);
  safe_cancel_free(cancel);
}

static void a_grant_that_races_with_the_deadline(void **state) {
  (void)state;
  stranger_takes(FAR_SPACE, FAR_SPACE);
  kernel_orders.grants_when_cancelled = true;
  assert_code(run(&file, &whole, 40, NULL), SAFE_OK);
  assert_held_by(mine);
}

static DWORD WINAPI trigger_later(void *cancel) {
  Sleep(50);
  safe_cancel_trigger(cancel);
  return 0;
}

static void a_grant_that_races_with_a_cancel(void **state) {
  safe_cancel *cancel;
  HANDLE thread;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  thread = CreateThread(NULL, 0, trigger_later, cancel, 0, NULL);
  stranger_takes(FAR_SPACE, FAR_SPACE);
  kernel_orders.grants_when_cancelled = true;
  assert_code(run(&file, &whole, slow(20000), cancel), SAFE_ECANCELED);
  assert_int_equal(kernel_locks(), 0);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  safe_cancel_free(cancel);
}

/* The sensor's handle stays with the kernel, but nobody has to wait at its gate. The caller's handle is untouched. */
static void a_sensor_that_does_not_drain(void **state) {
  (void)state;
  stranger_takes(FAR_SPACE, FAR_SPACE);
  kernel_orders.deaf = true;
  assert_code(run(&file, &whole, 40, NULL), SAFE_ESTUCK);
  assert_int_equal(kernel_locks(), 1);
  assert_int_equal(safe_parked_count(), 1);
  assert_non_null(file.request);
  stranger_lets_go(FAR_SPACE, FAR_SPACE); /* granted, and given back when it is found */
  assert_int_equal(safe_parked_count(), 0);
}

/* A file server lets even the request pend that must not wait, and does not take it back. */
static void a_try_that_does_not_drain(void **state) {
  (void)state;
  kernel_orders.caller_pends = kernel_orders.deaf = true;
  assert_code(run(&file, &whole, slow(5000), NULL), SAFE_ESTUCK);
  assert_null(file.request);
  assert_int_equal(safe_parked_count(), 1);
  assert_int_equal(kernel_locks(), 0);
  kernel_end_first(CANCELLED_STATUS);
  assert_int_equal(safe_parked_count(), 0);
}

/* As it does when the thread that made the request has ended. */
static DWORD WINAPI abort_later(void *unused) {
  (void)unused;
  Sleep(50);
  kernel_end_first(CANCELLED_STATUS);
  return 0;
}

static void the_kernel_ends_the_request_by_itself(void **state) {
  HANDLE thread;

  (void)state;
  stranger_takes(FAR_SPACE, FAR_SPACE);
  thread = CreateThread(NULL, 0, abort_later, NULL, 0, NULL);
  assert_code(run(&file, &whole, slow(20000), NULL), SAFE_EBUSY); /* to be queued again, or another way */
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  stranger_lets_go(FAR_SPACE, FAR_SPACE);
}

static void a_file_that_cannot_be_opened_again(void **state) {
  (void)state;
  kernel_orders.deny_reopens = 1; /* with the right to read, but that to write is enough */
  assert_code(run(&file, &whole, 1000, NULL), SAFE_OK);
  assert_held_by(mine);
  kernel_orders.deny_reopens = 2;
  assert_code(run(&file, &whole, 1000, NULL), SAFE_EBUSY); /* backoff is next */
}

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(granted_when_it_is_free),
    TEST(a_shared_one_cannot_be_beaten),
    TEST(somebody_is_quicker_three_times),
    TEST(expired_behind_the_gate),
    TEST(expired_at_the_gate),
    TEST(the_last_chance_is_taken),
    TEST(who_waits_at_the_gate_looks),
    TEST(a_gate_that_does_not_drain),
    TEST(cancelled_before_and_behind_the_gate),
    TEST(a_grant_that_races_with_the_deadline),
    TEST(a_grant_that_races_with_a_cancel),
    TEST(a_sensor_that_does_not_drain),
    TEST(a_try_that_does_not_drain),
    TEST(the_kernel_ends_the_request_by_itself),
    TEST(a_file_that_cannot_be_opened_again),
  };

  join(path, sizeof(path), "sensor.lock");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
