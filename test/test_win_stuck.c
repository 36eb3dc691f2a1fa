/* SPDX-License-Identifier: MIT */
/* Requests on Windows that stay in the kernel, though they must not wait, or while an event loop looks at them. */
#include "test_win.h"

#include "support.h"
#include "test_win_kernel.h"
#include "timed_wait.h"

static const struct safe__claim whole = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, 0, 0};
static struct safe__file file;
static char path[1024];
static DWORD handles_before;

static int set_up(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error;

  (void)state;
  handles_before = handle_count();
  kernel_start();
  return safe__os_file_open(&file, path, &options, &error) == SAFE_OK ? 0 : -1;
}

static int tear_down(void **state) {
  int left = kernel_locks() + kernel_requests();

  (void)state;
  safe__os_file_close(&file);
  kernel_stop();
  return left == 0 && safe_parked_count() == 0 ? 0 : -1;
}

/* As a file server may do. The file counts as a caller's here, on which this kernel lets even a try pend. */
static void let_tries_pend(void) {
  kernel_add_caller(safe__os_file_handle(&file));
  kernel_orders.caller_pends = true;
}

static DWORD WINAPI refuse_later(void *unused) {
  (void)unused;
  Sleep(50);
  kernel_end_first((ULONG_PTR)0xC0000054); /* STATUS_FILE_LOCK_CONFLICT */
  return 0;
}

static void a_try_that_is_refused_late(void **state) {
  HANDLE thread = CreateThread(NULL, 0, refuse_later, NULL, 0, NULL);
  safe_error error;
  int code;

  (void)state;
  let_tries_pend();
  code = safe__os_lock_try(&file, &whole, &error);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  assert_code(code, SAFE_EBUSY);
}

static void a_try_that_is_never_answered(void **state) {
  safe_error error;
  int64_t began = now_ms();

  (void)state;
  let_tries_pend();
  assert_code(safe__os_lock_try(&file, &whole, &error), SAFE_EBUSY); /* taken back after a second */
  assert_in_range(now_ms() - began, 999, 1000 + slow(500));
  assert_int_equal(kernel_requests(), 0);
}

static void a_try_that_is_not_taken_back_either(void **state) {
  safe_error error;

  (void)state;
  let_tries_pend();
  kernel_orders.deaf = true;
  assert_code(safe__os_lock_try(&file, &whole, &error), SAFE_ESTUCK);
  assert_true(strlen(error.message) > 10);
  assert_null(file.request);
  assert_true(safe__os_file_handle(&file) == SAFE_INVALID_HANDLE);
  assert_code(safe__os_unlock(&file, &whole), SAFE_EBADF);
  assert_int_equal(safe_parked_count(), 1);
  kernel_end_first(CANCELLED_STATUS);
  assert_int_equal(safe_parked_count(), 0);
  assert_int_equal(handle_count(), handles_before);
}

/* The event goes its own way with the request; the poller looks at a copy. */
static void a_wait_handle_of_a_request_that_is_parked(void **state) {
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  struct safe__poller poller;
  struct safe__wait wait;
  safe_error error;

  (void)state;
  stranger_takes(FAR_SPACE, FAR_SPACE);
  kernel_orders.deaf = true;
  safe__os_poller_none(&poller);
  assert_code(safe__win_request_queue(&file, &whole, &wait, &error), SAFE_OK);
  assert_code(safe__os_poller_arm(&poller, wait.calls->handle(wait.request), NULL, SAFE__NEVER), SAFE_OK);
  assert_false(becomes_ready(safe__os_poller_handle(&poller), 50));
  assert_code(safe__wait_until(&wait, 0, &none, NULL, false, &error), SAFE_ETIMEDOUT);
  assert_code(safe__wait_give_up(&wait, &error), SAFE_ESTUCK);
  assert_null(file.request);
  stranger_lets_go(FAR_SPACE, FAR_SPACE);
  assert_int_equal(safe_parked_count(), 0); /* granted too late, given back, closed */
  assert_true(becomes_ready(safe__os_poller_handle(&poller), slow(5000)));
  safe__os_poller_close(&poller);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(a_try_that_is_refused_late),
    TEST(a_try_that_is_never_answered),
    TEST(a_try_that_is_not_taken_back_either),
    TEST(a_wait_handle_of_a_request_that_is_parked),
  };

  join(path, sizeof(path), "stuck.lock");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
