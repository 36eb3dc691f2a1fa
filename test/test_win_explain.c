/* SPDX-License-Identifier: MIT */
/* Explanations on Windows, this process's own waits, and what looks leave behind. */
#include "test_win_look.h"

#include "process.h"
#include "test_win_kernel.h"
#include "timed_wait.h"

/* ---- This process's own waits, in the queue of a kernel that is played. */

struct waiter {
  HANDLE started;
  struct safe__file file;
  int64_t deadline;
  bool blocks; /* or else it only queues, as an event loop does */
  int code;
};

static DWORD WINAPI wait_for_lock(void *argument) {
  static const struct safe__claim part = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, 7, 5};
  struct safe__notice none = {SAFE__NEVER, NULL, NULL};
  struct waiter *waiter = argument;
  struct safe__wait wait;
  safe_error error;

  waiter->code = safe__win_request_queue(&waiter->file, &part, &wait, &error);
  SetEvent(waiter->started);
  if (waiter->code != SAFE_OK) return 0;
  if (waiter->blocks)
    waiter->code = safe__wait_until(&wait, waiter->deadline, &none, NULL, false, &error);
  else
    Sleep((DWORD)slow(300));
  if (!waiter->blocks || waiter->code != SAFE_OK) safe__wait_give_up(&wait, &error);
  return 0;
}

static DWORD start_waiter(struct waiter *waiter, HANDLE *thread) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error;
  DWORD tid;

  assert_code(safe__os_file_open(&waiter->file, path, &options, &error), SAFE_OK);
  waiter->started = CreateEventW(NULL, TRUE, FALSE, NULL);
  *thread = CreateThread(NULL, 0, wait_for_lock, waiter, 0, &tid);
  assert_int_equal(WaitForSingleObject(waiter->started, (DWORD)slow(5000)), WAIT_OBJECT_0);
  Sleep((DWORD)slow(50)); /* until it blocks */
  return tid;
}

static void end_waiter(struct waiter *waiter, HANDLE thread) {
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  CloseHandle(waiter->started);
  safe__os_file_close(&waiter->file);
}

static void really_our_own_wait_for_a_lock(void **state) {
  struct waiter waiter = {0};
  const struct safe__want *want;
  HANDLE thread;
  DWORD tid;

  (void)state;
  system_stop();
  kernel_start();
  stranger_takes(FAR_SPACE, FAR_SPACE);
  waiter.blocks = true;
  waiter.deadline = safe__deadline(slow(500));
  tid = start_waiter(&waiter, &thread);
  look_at(GetCurrentProcessId());
  want = want_of(tid);
  assert_non_null(want);
  assert_int_equal(want->waits, SAFE_WAITS_LOCK);
  assert_int_equal(want->mode, SAFE_LOCK_EXCLUSIVE);
  assert_in_range(want->limit_ms, 1, slow(500) + slow(100)); /* it began a little later */
  assert_in_range(want->since_ms, safe__win_now_ms() - slow(2000), safe__win_now_ms());
  assert_non_null(strstr(scene.objects[want->object].name, "look.lock"));
  assert_int_equal(want_of(GetCurrentThreadId())->waits, SAFE_WAITS_NOT);
  end_waiter(&waiter, thread);
  assert_int_equal(waiter.code, SAFE_ETIMEDOUT);
  stranger_lets_go(FAR_SPACE, FAR_SPACE);
  kernel_stop();
  system_start();
}

/* Its thread does other things meanwhile. */
static void nobody_is_blocked_by_a_wait_that_was_begun(void **state) {
  struct waiter waiter = {0};
  const safe_holder *queued;
  safe_holder_list *list;
  HANDLE thread;
  DWORD tid;

  (void)state;
  kernel_start();
  stranger_takes(FAR_SPACE, FAR_SPACE);
  tid = start_waiter(&waiter, &thread);
  list = holders(slow(2000));
  queued = safe_holder_list_get(list, 0);
  assert_non_null(queued);
  assert_int_equal(queued->role, SAFE_HOLDER_WAITS);
  assert_int_equal(queued->offset, 7);
  assert_int_equal(queued->length, 5);
  safe_holder_list_free(list);
  system_stop();
  look_at(GetCurrentProcessId());
  assert_true(want_of(tid) == NULL || want_of(tid)->waits != SAFE_WAITS_LOCK);
  system_start();
  end_waiter(&waiter, thread);
  stranger_lets_go(FAR_SPACE, FAR_SPACE);
  kernel_stop();
}

/* ---- What the stop's report says. */

static void a_stop_says_that_it_was_ended_but_is_not_gone(void **state) {
  safe_process *child = start_helper("sleep", "60000", NULL);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;

  (void)state;
  assert_true(safe__os_child_left(&child->child, &report));
  assert_int_equal(report.left[0], safe_process_pid(child));
  assert_int_equal(report.state, 0);
  system_flags((DWORD)safe_process_pid(child), SAFE__PROCESS_DELETING);
  assert_true(safe__os_child_left(&child->child, &report));
  assert_int_equal(report.state, 'X');
  end_helper(child);
}

/* ---- All of it. */

static safe_explanation *explain(const char *file, int64_t pid) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_explanation *why = NULL;

  options.path = file;
  options.pid = pid;
  options.timeout_ms = slow(5000);
  if (safe_explain(&options, &why, &error) != SAFE_OK) fail_msg("%s", error.message);
  print_message("%s\n", safe_explanation_text(why));
  return why;
}

static void the_story_of_a_parent_and_its_child(void **state) {
  safe_explanation *why;

  (void)state;
  system_process(A, 0, 5, L"php-cgi.exe");
  system_thread(A + 1, WAITS, USER_REQUEST);
  system_thread(A + 2, WAITS, QUEUE);
  system_process(A + 4, A, 6, L"rrdtool.exe");
  system_thread(A + 5, WAITS, USER_REQUEST);
  system_chain(A + 1, A, false);
  system_chain_object(WctProcessWaitType, L"");
  system_chain_thread(WctStatusPidOnly, A + 4, 0);
  system_chain(A + 5, A + 4, false);
  system_chain_object(WctMutexType, L"Global\\rrd");
  system_chain_thread(WctStatusBlocked, A, A + 1);
  why = explain(NULL, A);
  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_CYCLE);
  assert_int_equal(safe_explanation_unknown_count(why), 0);
  assert_non_null(strstr(safe_explanation_text(why), "php-cgi.exe[40000]"));
  assert_non_null(strstr(safe_explanation_text(why), "rrdtool.exe[40004]"));
  safe_explanation_free(why);
}

static void the_story_of_two_threads(void **state) {
  safe_explanation *why;

  (void)state;
  system_process(A, 0, 5, L"two threads.exe");
  system_thread(A + 1, WAITS, USER_REQUEST);
  system_thread(A + 2, WAITS, USER_REQUEST);
  system_chain(A + 1, A, true);
  system_chain_object(WctCriticalSectionType, L"");
  system_chain_thread(WctStatusBlocked, A, A + 2);
  system_chain(A + 2, A, true);
  system_chain_object(WctCriticalSectionType, L"");
  system_chain_thread(WctStatusBlocked, A, A + 1);
  why = explain(NULL, A);
  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_CYCLE);
  safe_explanation_free(why);
}

static void the_story_of_one_that_is_not_gone(void **state) {
  safe_explanation *why;

  (void)state;
  system_process(A, 0, 5, L"backup.exe");
  system_thread(A + 1, WAITS, EXECUTIVE);
  system_flags(A, SAFE__PROCESS_DELETING);
  why = explain(NULL, A);
  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_STUCK);
  assert_non_null(strstr(safe_explanation_text(why), "was ended, but is still there"));
  assert_string_equal(safe_explanation_link(why, 0)->what, "ended, but not gone");
  safe_explanation_free(why);
  system_uses(A);
  why = explain(path, 0); /* nobody tells whether it has the lock */
  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_UNKNOWN);
  assert_non_null(strstr(safe_explanation_text(why), "backup.exe[40000]"));
  safe_explanation_free(why);
}

static void the_story_of_one_that_is_suspended(void **state) {
  safe_explanation *why;

  (void)state;
  system_process(A, 0, 5, L"backup.exe");
  system_thread(A + 1, WAITS, SUSPENDED);
  why = explain(NULL, A);
  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_STUCK);
  assert_non_null(strstr(safe_explanation_text(why), "is stopped (suspended)"));
  safe_explanation_free(why);
}

static void nobody_to_explain(void **state) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_explanation *why = NULL;

  (void)state;
  system_process(A, 0, 5, L"backup.exe");
  options.pid = A + 4;
  assert_code(safe_explain(&options, &why, &error), SAFE_ENOENT);
  assert_null(why);
  options.pid = 0;
  options.path = "no such file";
  assert_code(safe_explain(&options, &why, &error), SAFE_ENOENT);
}

static void the_story_of_a_file_of_ours(void **state) {
  safe_explanation *why;
  safe_lock *lock;

  (void)state;
  system_stop();
  assert_code(safe_lock_file(&lock, path, NULL, NULL), SAFE_OK);
  why = explain(path, 0);
  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_HELD);
  safe_explanation_free(why);
  assert_code(safe_unlock(lock), SAFE_OK);
  why = explain(path, 0);
  assert_int_equal(safe_explanation_verdict(why), on_wine() ? SAFE_VERDICT_UNKNOWN : SAFE_VERDICT_FREE);
  safe_explanation_free(why);
  system_start();
}

/* ---- Without memory. */

static volatile LONG requests_left;

static void *fail_one(void *memory, size_t size) {
  return InterlockedDecrement(&requests_left) == -1 ? NULL : realloc(memory, size);
}

static int explain_file(void) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_explanation *why = NULL;
  int code;

  options.path = path;
  options.timeout_ms = slow(5000);
  code = safe_explain(&options, &why, NULL);
  assert_true((why == NULL) == (code != SAFE_OK));
  safe_explanation_free(why);
  return code;
}

static int explain_process(void) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_explanation *why = NULL;
  int code;

  options.pid = A;
  options.timeout_ms = slow(5000);
  code = safe_explain(&options, &why, NULL);
  assert_true((why == NULL) == (code != SAFE_OK));
  safe_explanation_free(why);
  return code;
}

/* One after the other: what was got is given back, and the call says what it lacks. */
static void sweep(int (*once)(void)) {
  void *(*before)(void *, size_t) = safe__realloc;
  int at, code, refused = 0;

  for (at = 0; at < 1000; at++) {
    requests_left = at;
    safe__realloc = fail_one;
    code = once();
    safe__realloc = before;
    if (code != SAFE_OK) assert_code(code, SAFE_ENOMEM);
    refused += code != SAFE_OK;
    if (requests_left >= 0) break;
  }
  assert_code(code, SAFE_OK);
  assert_in_range(refused, 5, 999);
}

static void looks_without_memory(void **state) {
  (void)state;
  system_process(A, 0, 5, L"php-cgi.exe");
  system_thread(A + 1, WAITS, USER_REQUEST);
  system_thread(A + 2, WAITS, EXECUTIVE);
  system_process(A + 4, A, 6, L"rrdtool.exe");
  system_chain(A + 1, A, false);
  system_chain_object(WctProcessWaitType, L"");
  system_chain_thread(WctStatusPidOnly, A + 4, 0);
  system_uses(A);
  system_app(A, 1, L"php");
  sweep(explain_file);
  sweep(explain_process);
  system_orders.using_status = SAFE__STATUS_MISSING;
  sweep(explain_file);
  assert_int_equal(system_sessions(), 0);
}

/* One by one, as Wine does not count them. */
static int open_handles(void) {
  DWORD flags;
  int at, count = 0;

  for (at = 4; at < 0x4000; at += 4) count += GetHandleInformation((HANDLE)(intptr_t)at, &flags) != 0;
  return count;
}

static void looks_leave_nothing(void **state) {
  int64_t spent = 0;
  int at, before = 0;

  (void)state;
  system_stop();
  for (at = 0; at < 20; at++) {
    int64_t began = safe__os_now();
    safe__scene_free(&scene);
    safe_holder_list_free(holders(slow(2000)));
    look_at(GetCurrentProcessId());
    look_at(4);
    spent += safe__os_now() - began;
    if (at == 9) before = open_handles();
  }
  print_message("a look at a file and two at processes: %ld us\n", (long)(spent / 1000 / at));
  assert_int_equal(open_handles(), before);
  assert_int_equal(safe_parked_count(), 0);
  system_start();
}

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(really_our_own_wait_for_a_lock),
    TEST(nobody_is_blocked_by_a_wait_that_was_begun),
    TEST(a_stop_says_that_it_was_ended_but_is_not_gone),
    TEST(the_story_of_a_parent_and_its_child),
    TEST(the_story_of_two_threads),
    TEST(the_story_of_one_that_is_not_gone),
    TEST(the_story_of_one_that_is_suspended),
    TEST(nobody_to_explain),
    TEST(the_story_of_a_file_of_ours),
    TEST(looks_without_memory),
    TEST(looks_leave_nothing),
  };

  join(path, sizeof(path), "look.lock");
  make_file(path, "");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
