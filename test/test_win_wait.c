/* SPDX-License-Identifier: MIT */
/*
 * The life of an overlapped lock request against a kernel that the test plays: it grants late, answers a cancel in
 * every way that is known, or lets nothing go. Wine has no lock queue, and Windows shows its races only by chance.
 */
#include "test_win.h"
#include "timed_wait.h"
#include "wait_overlapped.h"

#define CANCELLED_STATUS ((ULONG_PTR)0xC0000120)

enum cancel_answer {
  ABORTS,       /* the request ends with ERROR_OPERATION_ABORTED */
  GRANTS,       /* it had been granted just before: ERROR_NOT_FOUND */
  REFUSES,      /* the cancel is accepted, and nothing ever comes of it */
  KNOWS_NOTHING /* ERROR_NOT_FOUND, though the request is still there */
};

static struct {
  bool at_once, violation, wait_fails;
  int64_t grant_at;
  enum cancel_answer answer;
  OVERLAPPED *queued;
  int locks, unlocks, cancels, blocking_results;
} kernel;

static struct safe__win_lock_calls real_calls;
static struct safe__file file;
static DWORD handles_before;

static void complete(ULONG_PTR status) {
  kernel.queued->Internal = status;
  SetEvent(kernel.queued->hEvent);
  kernel.queued = NULL;
}

static BOOL WINAPI play_lock(HANDLE handle, DWORD flags, DWORD reserved, DWORD low, DWORD high,
                             OVERLAPPED *overlapped) {
  (void)handle;
  (void)flags;
  (void)reserved;
  assert_int_equal(overlapped->Internal, SAFE__STATUS_PENDING);
  assert_int_equal(overlapped->Offset, 0);
  assert_int_equal(overlapped->OffsetHigh, 1 << 30);
  assert_int_equal(low, 0);
  assert_int_equal(high, 1 << 30);
  kernel.locks++;
  if (kernel.at_once) return TRUE;
  if (kernel.violation) {
    SetLastError(ERROR_LOCK_VIOLATION);
    return FALSE;
  }
  kernel.queued = overlapped;
  SetLastError(ERROR_IO_PENDING);
  return FALSE;
}

static BOOL WINAPI play_unlock(HANDLE handle, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped) {
  (void)handle;
  (void)reserved;
  assert_int_equal(overlapped->OffsetHigh, 1 << 30);
  assert_int_equal(low, 0);
  assert_int_equal(high, 1 << 30);
  kernel.unlocks++;
  return TRUE;
}

static BOOL WINAPI play_cancel(HANDLE handle, OVERLAPPED *overlapped) {
  (void)handle;
  kernel.cancels++;
  assert_ptr_equal(overlapped, kernel.queued);
  if (kernel.answer == ABORTS) complete(CANCELLED_STATUS);
  if (kernel.answer == GRANTS) complete(0);
  if (kernel.answer == ABORTS || kernel.answer == REFUSES) return TRUE;
  SetLastError(ERROR_NOT_FOUND);
  return FALSE;
}

static BOOL WINAPI play_result(HANDLE handle, OVERLAPPED *overlapped, DWORD *bytes, BOOL wait) {
  if (wait) kernel.blocking_results++;
  return real_calls.result(handle, overlapped, bytes, FALSE);
}

static DWORD WINAPI play_wait(DWORD count, const HANDLE *handles, BOOL all, DWORD milliseconds) {
  int64_t until_grant;
  DWORD answer;

  if (kernel.wait_fails && kernel.cancels == 0) {
    SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    return WAIT_FAILED;
  }
  if (kernel.queued == NULL || kernel.grant_at == SAFE__NEVER)
    return WaitForMultipleObjects(count, handles, all, milliseconds);
  until_grant = safe__left_ms(kernel.grant_at, INT32_MAX);
  if (milliseconds != INFINITE && (int64_t)milliseconds < until_grant)
    return WaitForMultipleObjects(count, handles, all, milliseconds);
  answer = WaitForMultipleObjects(count, handles, all, (DWORD)until_grant);
  if (answer != WAIT_TIMEOUT) return answer;
  complete(0);
  return WaitForMultipleObjects(count, handles, all, 0);
}

static HANDLE WINAPI play_reopen(HANDLE handle, DWORD access, DWORD share, DWORD flags) {
  (void)handle, (void)access, (void)share, (void)flags;
  fail_msg("a handle of our own is never opened again");
  return INVALID_HANDLE_VALUE;
}

static int set_up(void **state) {
  static const struct safe__win_lock_calls played = {play_lock,   play_unlock, play_cancel,
                                                     play_result, play_wait,   play_reopen};
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error;
  char path[1024];

  (void)state;
  memset(&kernel, 0, sizeof(kernel));
  kernel.grant_at = SAFE__NEVER;
  handles_before = handle_count();
  join(path, sizeof(path), "wait.lock");
  if (safe__os_file_open(&file, path, &options, &error) != SAFE_OK) return -1;
  real_calls = safe__win_lock_calls;
  safe__win_lock_calls = played;
  return 0;
}

/* Whatever happened: nothing is parked, nothing leaked, and no call was made that could have blocked for ever. */
static int tear_down(void **state) {
  (void)state;
  safe__os_file_close(&file);
  safe__win_lock_calls = real_calls;
  if (kernel.blocking_results != 0 || safe_parked_count() != 0) return -1;
  return handle_count() == handles_before ? 0 : -1;
}

static const struct safe__claim whole = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, 0, 0};

/* As attempt.c does it: waits, takes back what is still queued, and gives back what was got too late. */
static int run_until(int64_t deadline, struct safe__notice *notice, safe_cancel *cancel, safe_error *error) {
  struct safe__wait wait;
  int code, given_up;

  safe__error_clear(error);
  code = safe__win_request_queue(&file, &whole, &wait, error);
  if (code != SAFE_OK) return code;
  code = safe__wait_until(&wait, deadline, notice, cancel, false, error);
  if (wait.calls == NULL) return code;
  given_up = safe__wait_give_up(&wait, error);
  assert_null(wait.calls);
  if (given_up == SAFE_OK && code == SAFE_ETIMEDOUT) return SAFE_OK;
  if (given_up == SAFE_OK) safe__os_unlock(&file, &whole);
  return given_up == SAFE_OK || given_up == SAFE_EBUSY ? code : given_up;
}

static int run(int64_t timeout_ms, safe_cancel *cancel, safe_error *error) {
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};

  return run_until(safe__deadline(timeout_ms), &none, cancel, error);
}

static void granted_at_once(void **state) {
  safe_error error;

  (void)state;
  kernel.at_once = true;
  assert_int_equal(run(1000, NULL, &error), SAFE_OK);
  assert_int_equal(kernel.cancels, 0);
  assert_int_equal(safe__os_unlock(&file, &whole), SAFE_OK);
  assert_int_equal(kernel.unlocks, 1);
}

static void refused_at_once(void **state) {
  safe_error error;

  (void)state;
  kernel.violation = true;
  assert_int_equal(run(1000, NULL, &error), SAFE_EBUSY);
  assert_int_equal(error.code, SAFE_EBUSY);
  assert_int_equal(kernel.cancels + kernel.unlocks, 0);
}

static void granted_before_the_deadline(void **state) {
  safe_error error;
  int64_t began = safe__os_now();

  (void)state;
  kernel.grant_at = safe__deadline(60);
  assert_int_equal(run(slow(10000), NULL, &error), SAFE_OK);
  assert_in_range(ms_since(began), 55, slow(5000));
  assert_int_equal(kernel.cancels + kernel.unlocks, 0);
}

static void expired_and_taken_back(void **state) {
  safe_error error;
  int64_t began = safe__os_now();

  (void)state;
  kernel.answer = ABORTS;
  assert_int_equal(run(80, NULL, &error), SAFE_ETIMEDOUT);
  assert_in_range(ms_since(began), 79, 80 + slow(200));
  assert_int_equal(kernel.cancels, 1);
  assert_int_equal(kernel.unlocks, 0);
  /* The same request can be used again. */
  kernel.at_once = true;
  assert_int_equal(run(80, NULL, &error), SAFE_OK);
}

static void no_time_at_all(void **state) {
  safe_error error;

  (void)state;
  kernel.answer = ABORTS;
  assert_int_equal(run(0, NULL, &error), SAFE_ETIMEDOUT);
  assert_int_equal(kernel.cancels, 1);
}

static void grant_beats_the_deadline(void **state) {
  safe_error error;

  (void)state;
  kernel.answer = GRANTS;
  assert_int_equal(run(30, NULL, &error), SAFE_OK);
  assert_int_equal(kernel.cancels, 1);
  assert_int_equal(kernel.unlocks, 0); /* held: what the caller wanted */
}

static DWORD WINAPI trigger_later(void *cancel) {
  Sleep(50);
  safe_cancel_trigger(cancel);
  return 0;
}

static void cancelled(void **state) {
  safe_cancel *cancel;
  safe_error error;
  HANDLE thread;
  int64_t began = safe__os_now();

  (void)state;
  kernel.answer = ABORTS;
  assert_int_equal(safe_cancel_create(&cancel), SAFE_OK);
  thread = CreateThread(NULL, 0, trigger_later, cancel, 0, NULL);
  assert_non_null(thread);
  assert_int_equal(run(slow(60000), cancel, &error), SAFE_ECANCELED);
  assert_in_range(ms_since(began), 40, slow(2000));
  assert_int_equal(kernel.unlocks, 0);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  safe_cancel_free(cancel);
}

static void grant_beats_the_cancel(void **state) {
  safe_cancel *cancel;
  safe_error error;

  (void)state;
  kernel.answer = GRANTS;
  assert_int_equal(safe_cancel_create(&cancel), SAFE_OK);
  safe_cancel_trigger(cancel);
  assert_int_equal(run(10000, cancel, &error), SAFE_ECANCELED);
  assert_int_equal(kernel.unlocks, 1); /* given back: nobody wants it any more */
  safe_cancel_free(cancel);
}

/* From here on the kernel keeps the request: the file goes with it. */
static void stuck(enum cancel_answer answer, ULONG_PTR later, int unlocks) {
  safe_error error;
  OVERLAPPED *queued;
  int64_t began = safe__os_now();

  kernel.answer = answer;
  assert_int_equal(run(50, NULL, &error), SAFE_ESTUCK);
  assert_in_range(ms_since(began), 50 + SAFE__SETTLE_MS - 2, 50 + SAFE__SETTLE_MS + slow(200));
  assert_int_equal(error.code, SAFE_ESTUCK);
  assert_null(file.request);
  assert_int_equal(safe_parked_count(), 1);
  assert_int_equal(safe_shutdown(10), SAFE_ESTUCK);
  queued = kernel.queued;
  assert_non_null(queued);
  assert_int_equal(queued->Internal, SAFE__STATUS_PENDING);
  complete(later);
  assert_int_equal(safe_parked_count(), 0);
  assert_int_equal(kernel.unlocks, unlocks);
  assert_int_equal(safe_shutdown(0), SAFE_OK);
}

static void stuck_then_granted(void **state) {
  (void)state;
  stuck(REFUSES, 0, 1);
}

static void stuck_then_aborted(void **state) {
  (void)state;
  stuck(REFUSES, CANCELLED_STATUS, 0);
}

static void forgotten_by_the_kernel(void **state) {
  (void)state;
  stuck(KNOWS_NOTHING, CANCELLED_STATUS, 0);
}

static void stuck_after_a_cancel(void **state) {
  safe_cancel *cancel;
  safe_error error;

  (void)state;
  kernel.answer = REFUSES;
  assert_int_equal(safe_cancel_create(&cancel), SAFE_OK);
  safe_cancel_trigger(cancel);
  assert_int_equal(run(10000, cancel, &error), SAFE_ESTUCK);
  safe_cancel_free(cancel); /* nothing parked may look at it again */
  assert_int_equal(safe_parked_count(), 1);
  complete(0);
  assert_int_equal(safe_parked_count(), 0);
  assert_int_equal(kernel.unlocks, 1);
}

static void failing_wait(void **state) {
  safe_error error;

  (void)state;
  kernel.wait_fails = true;
  kernel.answer = ABORTS;
  assert_int_equal(run(1000, NULL, &error), SAFE_ENOMEM);
  assert_int_equal(error.stage, SAFE_STAGE_WAIT);
  assert_int_equal(error.os_code, ERROR_NOT_ENOUGH_MEMORY);
  assert_int_equal(kernel.cancels, 1);
  assert_int_equal(kernel.unlocks, 0);
}

static void failing_wait_but_granted(void **state) {
  safe_error error;

  (void)state;
  kernel.wait_fails = true;
  kernel.answer = GRANTS;
  assert_int_equal(run(1000, NULL, &error), SAFE_OK); /* it need not be waited for any more */
  assert_int_equal(kernel.cancels, 1);
  assert_int_equal(kernel.unlocks, 0);
}

/* A deadline beyond the 24 days that one wait takes: the notice in between must come all the same. */
static void looked(void *context) { *(int *)context += 1; }

static void far_deadline_and_notice(void **state) {
  int looks = 0;
  struct safe__notice notice = {safe__deadline(20), looked, &looks};
  safe_error error;

  (void)state;
  kernel.grant_at = safe__deadline(80);
  assert_int_equal(run_until(safe__deadline(INT64_C(4000000000)), &notice, NULL, &error), SAFE_OK);
  assert_int_equal(looks, 1);
}

/* The deadline hits the grant as closely as can be arranged, many times: every answer must fit the kernel's. */
static void many_races(void **state) {
  safe_error error;
  int at, held = 0, expired = 0;

  (void)state;
  for (at = 0; at < 300; at++) {
    int unlocks = kernel.unlocks, code;

    kernel.answer = at % 2 == 0 ? ABORTS : GRANTS;
    kernel.grant_at = safe__os_now() + (at % 7) * SAFE__MS / 2;
    code = run(1 + at % 3, NULL, &error);
    assert_true(code == SAFE_OK || code == SAFE_ETIMEDOUT);
    assert_int_equal(kernel.unlocks, unlocks);
    assert_null(kernel.queued);
    if (code == SAFE_OK) held++;
    if (code == SAFE_ETIMEDOUT) expired++;
  }
  assert_int_equal(held + expired, 300);
  assert_true(held > 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(granted_at_once, set_up, tear_down),
    cmocka_unit_test_setup_teardown(refused_at_once, set_up, tear_down),
    cmocka_unit_test_setup_teardown(granted_before_the_deadline, set_up, tear_down),
    cmocka_unit_test_setup_teardown(expired_and_taken_back, set_up, tear_down),
    cmocka_unit_test_setup_teardown(no_time_at_all, set_up, tear_down),
    cmocka_unit_test_setup_teardown(grant_beats_the_deadline, set_up, tear_down),
    cmocka_unit_test_setup_teardown(cancelled, set_up, tear_down),
    cmocka_unit_test_setup_teardown(grant_beats_the_cancel, set_up, tear_down),
    cmocka_unit_test_setup_teardown(stuck_then_granted, set_up, tear_down),
    cmocka_unit_test_setup_teardown(stuck_then_aborted, set_up, tear_down),
    cmocka_unit_test_setup_teardown(forgotten_by_the_kernel, set_up, tear_down),
    cmocka_unit_test_setup_teardown(stuck_after_a_cancel, set_up, tear_down),
    cmocka_unit_test_setup_teardown(failing_wait, set_up, tear_down),
    cmocka_unit_test_setup_teardown(failing_wait_but_granted, set_up, tear_down),
    cmocka_unit_test_setup_teardown(far_deadline_and_notice, set_up, tear_down),
    cmocka_unit_test_setup_teardown(many_races, set_up, tear_down),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
