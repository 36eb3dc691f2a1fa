/* SPDX-License-Identifier: MIT */
/* Several who wait with sensors, in one program and on one kernel (test_win_kernel.h). */
#include "test_win_sensor.h"

/* Step by step and in turns: without gates each would let go of the bytes right into the other's sensor, for ever. */
static void two_in_turns(void **state) {
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  struct safe__file other, *files[2] = {&file, &other};
  HANDLE theirs = open_handle();
  struct safe__wait waits[2];
  safe_error error;
  int round, got = 0;

  (void)state;
  assert_code(safe__os_file_borrow(&other, theirs, &options, &error), SAFE_OK);
  stranger_takes(FAR_SPACE, FAR_SPACE);
  for (round = 0; round < 2; round++)
    assert_code(safe__win_sensor_queue(files[round], &whole, &waits[round], &error), SAFE_OK);
  for (round = 0; round < 4; round++)
    assert_code(safe__wait_until(&waits[round % 2], 0, &none, NULL, false, &error), SAFE_ETIMEDOUT);
  stranger_lets_go(FAR_SPACE, FAR_SPACE);
  for (round = 0; round < 12; round++) {
    if (waits[round % 2].calls == NULL || safe__wait_until(&waits[round % 2], 0, &none, NULL, false, &error) != SAFE_OK)
      continue;
    assert_code(safe__os_unlock(files[round % 2], &whole), SAFE_OK);
    got++;
  }
  assert_int_equal(got, 2);
  safe__os_file_close(&other);
  kernel_close_caller(theirs);
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

/* The turnstile of SAFE_LOCK_FAIR: one has it and waits for the file, the other waits for the turnstile. */
static DWORD WINAPI wait_at_the_turnstile(void *unused) {
  const struct safe__claim turnstile = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, SAFE__GATE, 1};
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  HANDLE theirs = open_handle();
  struct safe__file other;
  safe_error error;
  DWORD code = 1;

  (void)unused;
  if (safe__os_file_borrow(&other, theirs, &options, &error) == SAFE_OK)
    code = (DWORD)run(&other, &turnstile, slow(20000), NULL);
  safe__os_unlock(&other, &turnstile);
  safe__os_file_close(&other);
  kernel_close_caller(theirs);
  return code;
}

static void two_at_the_turnstile(void **state) {
  const struct safe__claim turnstile = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, SAFE__GATE, 1};
  const struct safe__claim behind_it = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, 0, SAFE__GATE};
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  struct safe__wait wait;
  safe_error error;
  HANDLE thread;
  DWORD code;

  (void)state;
  stranger_takes(FAR_SPACE, SAFE__GATE);
  assert_code(safe__os_lock_try(&file, &turnstile, &error), SAFE_OK);
  thread = CreateThread(NULL, 0, wait_at_the_turnstile, NULL, 0, NULL);
  while (kernel_requests() == 0) Sleep(1); /* the other one has the gate to the turnstile, and his sensor is queued */
  Sleep(20);
  assert_code(safe__win_sensor_queue(&file, &behind_it, &wait, &error), SAFE_OK);
  assert_code(safe__wait_until(&wait, safe__deadline(30), &none, NULL, false, &error), SAFE_ETIMEDOUT);
  stranger_lets_go(FAR_SPACE, SAFE__GATE);
  assert_code(safe__wait_until(&wait, safe__deadline(slow(5000)), &none, NULL, false, &error), SAFE_OK);
  assert_code(safe__os_unlock(&file, &turnstile), SAFE_OK);
  assert_int_equal(WaitForSingleObject(thread, (DWORD)slow(20000)), WAIT_OBJECT_0);
  assert_true(GetExitCodeThread(thread, &code));
  assert_int_equal(code, SAFE_OK);
  CloseHandle(thread);
  assert_code(safe__os_unlock(&file, &behind_it), SAFE_OK);
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

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(two_in_turns),
    TEST(other_bytes_have_other_gates),
    TEST(two_at_the_turnstile),
    TEST(a_crowd_of_waiters),
  };

  join(path, sizeof(path), "sensors.lock");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
