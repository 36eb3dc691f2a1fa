/* SPDX-License-Identifier: MIT */
/* One handle for several things (poller_threadpool.c): it tells of each, and never of what it no longer looks at. */
#include "test_win.h"

#include "support.h"

static HANDLE make_event(void) {
  HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

  assert_non_null(event);
  return event;
}

static bool signalled(struct safe__poller *poller, int64_t ms) {
  return becomes_ready(safe__os_poller_handle(poller), ms);
}

static void each_of_the_three(void **state) {
  HANDLE event = make_event();
  struct safe__poller poller;
  safe_cancel *cancel;
  int64_t began;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  safe__os_poller_none(&poller);
  assert_code(safe__os_poller_arm(&poller, event, cancel, SAFE__NEVER), SAFE_OK);
  assert_false(signalled(&poller, 30));
  SetEvent(event);
  assert_true(signalled(&poller, slow(2000)));
  ResetEvent(event);
  assert_code(safe__os_poller_arm(&poller, event, cancel, SAFE__NEVER), SAFE_OK);
  assert_false(signalled(&poller, 30)); /* what has been told is not told again */
  began = safe__os_now();
  assert_code(safe__os_poller_arm(&poller, event, cancel, safe__deadline(60)), SAFE_OK);
  assert_true(signalled(&poller, slow(2000)));
  assert_in_range(ms_since(began), 59, 60 + slow(200));
  assert_code(safe__os_poller_arm(&poller, event, cancel, safe__deadline(slow(60000))), SAFE_OK);
  assert_false(signalled(&poller, 30));
  safe_cancel_trigger(cancel);
  assert_true(signalled(&poller, slow(2000)));
  safe__os_poller_close(&poller);
  safe_cancel_free(cancel);
  CloseHandle(event);
}

static void what_is_true_already_is_told_at_once(void **state) {
  HANDLE event = make_event();
  struct safe__poller poller;

  (void)state;
  SetEvent(event);
  safe__os_poller_none(&poller);
  assert_code(safe__os_poller_arm(&poller, event, NULL, SAFE__NEVER), SAFE_OK);
  assert_true(signalled(&poller, slow(2000)));
  assert_code(safe__os_poller_arm(&poller, SAFE_INVALID_HANDLE, NULL, 0), SAFE_OK);
  assert_true(signalled(&poller, 0));
  assert_code(safe__os_poller_arm(&poller, SAFE_INVALID_HANDLE, NULL, SAFE__NEVER), SAFE_OK);
  assert_false(signalled(&poller, 30));
  safe__os_poller_close(&poller);
  CloseHandle(event);
}

static void a_handle_that_is_closed_meanwhile(void **state) {
  HANDLE event = make_event(), next;
  struct safe__poller poller;

  (void)state;
  safe__os_poller_none(&poller);
  assert_code(safe__os_poller_arm(&poller, event, NULL, SAFE__NEVER), SAFE_OK);
  CloseHandle(event);
  next = make_event(); /* likely of the same number */
  assert_code(safe__os_poller_arm(&poller, next, NULL, SAFE__NEVER), SAFE_OK);
  assert_false(signalled(&poller, 30));
  SetEvent(next);
  assert_true(signalled(&poller, slow(2000)));
  safe__os_poller_close(&poller);
  CloseHandle(next);
}

/* The event is set at the very moment at which the poller turns to another one. */
static DWORD WINAPI set_on_and_on(void *event) {
  int round;

  for (round = 0; round < 2000; round++) SetEvent(event);
  return 0;
}

static void many_races(void **state) {
  HANDLE noisy = make_event(), quiet = make_event(), thread;
  struct safe__poller poller;
  int round;

  (void)state;
  safe__os_poller_none(&poller);
  thread = CreateThread(NULL, 0, set_on_and_on, noisy, 0, NULL);
  assert_non_null(thread);
  for (round = 0; round < 300; round++) {
    ResetEvent(noisy);
    assert_code(safe__os_poller_arm(&poller, noisy, NULL, safe__deadline(1)), SAFE_OK);
    assert_code(safe__os_poller_arm(&poller, quiet, NULL, SAFE__NEVER), SAFE_OK);
    assert_false(signalled(&poller, 0));
  }
  WaitForSingleObject(thread, INFINITE);
  Sleep(20);
  assert_false(signalled(&poller, 0));
  safe__os_poller_close(&poller);
  CloseHandle(thread);
  CloseHandle(noisy);
  CloseHandle(quiet);
}

static void nothing_is_left_of_pollers(void **state) {
  struct safe__poller poller;
  HANDLE event = make_event();
  DWORD before = 0;
  int round;

  (void)state;
  for (round = 0; round < 20; round++) {
    if (round == 5) before = handle_count();
    safe__os_poller_none(&poller);
    assert_code(safe__os_poller_arm(&poller, event, NULL, safe__deadline(slow(60000))), SAFE_OK);
    safe__os_poller_close(&poller);
    safe__os_poller_close(&poller);
  }
  assert_true(handle_count() <= before + 2); /* the pool makes its threads as it likes */
  CloseHandle(event);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_of_the_three),
    cmocka_unit_test(what_is_true_already_is_told_at_once),
    cmocka_unit_test(a_handle_that_is_closed_meanwhile),
    cmocka_unit_test(many_races),
    cmocka_unit_test(nothing_is_left_of_pollers),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
