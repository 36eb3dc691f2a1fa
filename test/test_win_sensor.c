/* SPDX-License-Identifier: MIT */
/* The wait with a sensor, against a kernel that the test plays (test_win_kernel.h). */
#include "test_win.h"

#include "support.h"
#include "test_win_kernel.h"
#include "timed_wait.h"

static const struct safe__claim whole = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, 0, 0};
static char path[1024];
static DWORD handles_before;

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

/* ---- One wait, as attempt.c does it. */

static HANDLE open_handle(void) {
  HANDLE handle = CreateFileA(path, GENERIC_READ | GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_ALWAYS, 0, NULL);

  assert_true(handle != INVALID_HANDLE_VALUE);
  kernel_add_caller(handle);
  return handle;
}

static int run(struct safe__file *file, const struct safe__claim *claim, int64_t timeout_ms, safe_cancel *cancel) {
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  struct safe__wait wait;
  safe_error error;
  int code = safe__win_sensor_queue(file, claim, &wait, &error), given_up;

  if (code != SAFE_OK) return code;
  code = safe__wait_until(&wait, safe__deadline(timeout_ms), &none, cancel, false, &error);
  if (wait.calls == NULL) return code;
  given_up = safe__wait_give_up(&wait, &error);
  if (given_up == SAFE_OK && code == SAFE_ETIMEDOUT) return SAFE_OK;
  if (given_up == SAFE_OK) safe__os_unlock(file, claim);
  return given_up == SAFE_OK || given_up == SAFE_EBUSY ? code : given_up;
}

static struct safe__file file;
static HANDLE mine;

static int set_up(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error;

  (void)state;
  handles_before = handle_count();
  kernel_start();
  mine = open_handle();
  return safe__os_file_borrow(&file, mine, &options, &error) == SAFE_OK ? 0 : -1;
}

/* Whatever happened: every lock was given back by hand, for nobody knows when the kernel gets to a closed file's. */
static int tear_down(void **state) {
  int left = kernel_locks(), requests = kernel_requests(), blocked = kernel_violations();

  (void)state;
  safe__os_file_close(&file);
  CloseHandle(mine);
  kernel_stop();
  if (left != 0 || requests != 0 || blocked != 0 || safe_parked_count() != 0) {
    print_message("left behind: %d locks, %d requests, %d parked; %d blocked on a handle of the caller's\n", left,
                  requests, safe_parked_count(), blocked);
    return -1;
  }
  if (handle_count() == handles_before) return 0;
  print_message("left behind: %d handles\n", (int)(handle_count() - handles_before));
  return -1;
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

/* Who waits for the first bytes does not keep those from their locks who want others. */
static void other_bytes_have_other_gates(void **state) {
  const struct safe__claim first = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, 0, 10};
  const struct safe__claim second = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, 10, 10};
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  struct safe__wait wait;
  safe_error error;

  (void)state;
  stranger_takes(FAR_SPACE, 10);
  assert_code(safe__win_sensor_queue(&file, &first, &wait, &error), SAFE_OK);
  assert_code(safe__wait_until(&wait, 0, &none, NULL, false, &error), SAFE_ETIMEDOUT);
  {
    safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
    struct safe__file other;
    HANDLE theirs = open_handle();

    assert_code(safe__os_file_borrow(&other, theirs, &options, &error), SAFE_OK);
    assert_code(run(&other, &second, slow(20000), NULL), SAFE_OK);
    assert_code(safe__os_unlock(&other, &second), SAFE_OK);
    safe__os_file_close(&other);
    kernel_close_caller(theirs);
  }
  stranger_lets_go(FAR_SPACE, 10);
  assert_code(safe__wait_until(&wait, safe__deadline(slow(5000)), &none, NULL, false, &error), SAFE_OK);
  assert_code(safe__os_unlock(&file, &first), SAFE_OK);
}

/* ---- Many at once: all of them get it, again and again, and never two at a time. */

#define CROWD 4
#define ROUNDS 60

static struct { volatile LONG inside, clashes, failures; } crowd;

static DWORD WINAPI one_of_many(void *unused) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  HANDLE handle = open_handle();
  struct safe__file own;
  safe_error error;
  int round;

  (void)unused;
  if (safe__os_file_borrow(&own, handle, &options, &error) != SAFE_OK) InterlockedIncrement(&crowd.failures);
  for (round = 0; round < ROUNDS; round++) {
    if (run(&own, &whole, slow(30000), NULL) != SAFE_OK) {
      InterlockedIncrement(&crowd.failures);
      break;
    }
    if (InterlockedIncrement(&crowd.inside) != 1) InterlockedIncrement(&crowd.clashes);
    if (round % 8 == 0) Sleep(1);
    InterlockedDecrement(&crowd.inside);
    safe__os_unlock(&own, &whole);
  }
  safe__os_file_close(&own);
  kernel_close_caller(handle);
  return 0;
}

static void a_crowd_of_waiters(void **state) {
  HANDLE threads[CROWD];
  int at;

  (void)state;
  memset((void *)&crowd, 0, sizeof(crowd));
  for (at = 0; at < CROWD; at++) threads[at] = CreateThread(NULL, 0, one_of_many, NULL, 0, NULL);
  assert_int_equal(WaitForMultipleObjects(CROWD, threads, TRUE, (DWORD)slow(60000)), WAIT_OBJECT_0);
  for (at = 0; at < CROWD; at++) CloseHandle(threads[at]);
  assert_int_equal(crowd.clashes, 0);
  assert_int_equal(crowd.failures, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(granted_when_it_is_free),
    TEST(a_shared_one_cannot_be_beaten),
    TEST(somebody_is_quicker_three_times),
    TEST(expired_behind_the_gate),
    TEST(expired_at_the_gate),
    TEST(the_last_chance_is_taken),
    TEST(cancelled_before_and_behind_the_gate),
    TEST(a_grant_that_races_with_the_deadline),
    TEST(a_grant_that_races_with_a_cancel),
    TEST(a_sensor_that_does_not_drain),
    TEST(a_try_that_does_not_drain),
    TEST(the_kernel_ends_the_request_by_itself),
    TEST(a_file_that_cannot_be_opened_again),
    TEST(other_bytes_have_other_gates),
    TEST(a_crowd_of_waiters),
  };

  join(path, sizeof(path), "sensor.lock");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
