/* SPDX-License-Identifier: MIT */
/* What processes wait for: by a Windows that is played, and by the one that is there. */
#include "test_win_look.h"

/* ---- Processes. */

static void a_process_and_its_parent(void **state) {
  const struct safe__actor *actor;

  (void)state;
  system_process(A, 0, 5, L"php-cgi.exe");
  system_thread(A + 1, RUNS, 0);
  system_process(A + 4, A, 6, L"rrdtool.exe");
  system_thread(A + 5, WAITS, DELAY);
  system_process(A + 8, A + 4, 3, L"older than its parent.exe");
  system_thread(A + 9, WAITS, USER_REQUEST);
  actor = look_at(A + 4);
  assert_string_equal(actor->name, "rrdtool.exe");
  assert_int_equal(actor->parent, A);
  assert_int_equal(actor->state, 'S');
  assert_false(actor->hidden);
  assert_false(actor->gone);
  assert_int_equal(want_of(A + 5)->waits, SAFE_WAITS_OTHER);
  assert_string_equal(want_of(A + 5)->what, "a time");
  assert_int_equal(look_at(A)->state, 'R');
  assert_int_equal(want_of(A + 1)->waits, SAFE_WAITS_NOT);
  assert_int_equal(look_at(A + 8)->parent, 0); /* the number is another process's by now */
  assert_true(look_at(A + 12)->gone);
}

static void the_children_of_a_process(void **state) {
  (void)state;
  system_process(A, 0, 5, L"parent.exe");
  system_process(A + 4, A, 6, L"child.exe");
  system_process(A + 8, A, 7, L"another.exe");
  system_process(A + 12, A, 4, L"one of an earlier owner of that number.exe");
  system_process(A + 16, A + 4, 8, L"grandchild.exe");
  safe__os_look_children(&scene, A, SOON);
  assert_int_equal(scene.actor_count, 2);
  assert_string_equal(safe__scene_find_actor(&scene, A + 4)->name, "child.exe");
  assert_int_equal(safe__scene_find_actor(&scene, A + 8)->parent, A);
}

static void ended_but_not_gone(void **state) {
  const struct safe__actor *actor;

  (void)state;
  system_process(A, 0, 5, L"backup.exe");
  system_thread(A + 1, WAITS, EXECUTIVE);
  system_flags(A, SAFE__PROCESS_DELETING);
  actor = look_at(A);
  assert_int_equal(actor->state, 'X');
  assert_int_equal(scene.want_count, 1);
  assert_int_equal(scene.wants[0].waits, SAFE_WAITS_KERNEL);
  assert_int_equal(scene.wants[0].thread, 0);
}

/* Its handle is signalled, and yet it is on the list with a thread. */
static void ended_and_still_listed(void **state) {
  safe_process *child = start_helper("exit", "0", NULL);

  (void)state;
  assert_code(safe_process_wait(child, NULL, NULL, NULL), SAFE_OK);
  Sleep(50);
  system_process((DWORD)safe_process_pid(child), 0, 5, L"helper.exe");
  system_thread(A + 1, WAITS, EXECUTIVE);
  assert_int_equal(look_at(safe_process_pid(child))->state, 'X');
  safe_process_free(child);
}

static void suspended_frozen_or_debugged(void **state) {
  (void)state;
  system_process(A, 0, 5, L"suspended.exe");
  system_thread(A + 1, WAITS, SUSPENDED);
  system_thread(A + 2, WAITS, SUSPENDED);
  system_process(A + 4, 0, 5, L"in a job that is frozen.exe");
  system_thread(A + 5, WAITS, USER_REQUEST);
  system_flags(A + 4, SAFE__PROCESS_FROZEN);
  system_process(A + 8, 0, 5, L"at a breakpoint.exe");
  system_thread(A + 9, WAITS, SUSPENDED);
  system_debug(A + 8);
  system_process(A + 12, 0, 5, L"one thread of two.exe");
  system_thread(A + 13, WAITS, SUSPENDED);
  system_thread(A + 14, WAITS, USER_REQUEST);
  assert_int_equal(look_at(A)->state, 'T');
  assert_int_equal(scene.wants[0].waits, SAFE_WAITS_CONTINUE);
  assert_int_equal(look_at(A + 4)->state, 'T');
  assert_int_equal(scene.wants[1].waits, SAFE_WAITS_CONTINUE);
  assert_int_equal(look_at(A + 8)->state, 't');
  assert_int_equal(scene.wants[2].waits, SAFE_WAITS_DEBUGGER);
  assert_int_equal(scene.want_count, 3);
  assert_int_equal(look_at(A + 12)->state, 'S');
  assert_int_equal(want_of(A + 13)->waits, SAFE_WAITS_CONTINUE);
  assert_int_equal(want_of(A + 14)->waits, SAFE_WAITS_OTHER);
}

/* A parent that waits for its child, which waits for a mutex of the parent's; and a pool's thread that has no work. */
static void a_chain_of_waits(void **state) {
  const struct safe__want *want;

  (void)state;
  system_process(A, 0, 5, L"parent.exe");
  system_thread(A + 1, WAITS, USER_REQUEST);
  system_thread(A + 2, WAITS, QUEUE);
  system_process(A + 4, A, 6, L"child.exe");
  system_thread(A + 5, WAITS, USER_REQUEST);
  system_chain(A + 1, A, false);
  system_chain_object(WctProcessWaitType, L"");
  system_chain_thread(WctStatusPidOnly, A + 4, 0);
  system_chain(A + 5, A + 4, false);
  system_chain_object(WctMutexType, L"Global\\rrd");
  system_chain_thread(WctStatusBlocked, A, A + 1);
  look_at(A);
  assert_int_equal(scene.want_count, 1);
  want = want_of(A + 1);
  assert_int_equal(want->waits, SAFE_WAITS_CHILD);
  assert_int_equal(want->other, A + 4);
  assert_false(want->circle);
  look_at(A + 4);
  want = want_of(A + 5);
  assert_int_equal(want->waits, SAFE_WAITS_OTHER);
  assert_int_equal(want->other, A);
  assert_string_equal(want->what, "the mutex Global\\rrd");
  assert_int_equal(scene.unknown_count, 0);
}

static void a_circle_that_the_system_found(void **state) {
  const struct safe__want *want;

  (void)state;
  system_process(A, 0, 5, L"two threads.exe");
  system_thread(A + 1, WAITS, USER_REQUEST);
  system_thread(A + 2, WAITS, USER_REQUEST);
  system_chain(A + 1, A, true);
  system_chain_object(WctCriticalSectionType, L"");
  system_chain_thread(WctStatusBlocked, A, A + 2);
  system_chain_object(WctCriticalSectionType, L"");
  system_chain_thread(WctStatusBlocked, A, A + 1);
  system_chain(A + 2, A, true);
  system_chain_object(WctCriticalSectionType, L"");
  system_chain_thread(WctStatusBlocked, A, A + 1);
  look_at(A);
  want = want_of(A + 1);
  assert_true(want->circle);
  assert_int_equal(want->other, A);
  assert_string_equal(want->what, "a critical section");
  assert_true(want_of(A + 2)->circle);
}

/* What is there of it is valid (GetThreadWaitChain). */
static void a_chain_that_is_longer_than_there_is_room(void **state) {
  (void)state;
  system_process(A, 0, 5, L"long.exe");
  system_thread(A + 1, WAITS, USER_REQUEST);
  system_chain_fails(A + 1, ERROR_MORE_DATA);
  system_chain_thread(WctStatusBlocked, A, A + 1);
  system_chain_object(WctThreadWaitType, L"");
  system_chain_thread(WctStatusBlocked, A + 4, A + 5);
  look_at(A);
  assert_int_equal(want_of(A + 1)->other, A + 4);
  assert_false(safe__scene_find_actor(&scene, A)->hidden);
}

static void threads_that_may_not_be_looked_at(void **state) {
  (void)state;
  system_process(A, 0, 5, L"of another user.exe");
  system_thread(A + 1, WAITS, EXECUTIVE);
  system_chain_fails(A + 1, ERROR_ACCESS_DENIED);
  system_deny(A);
  assert_true(look_at(A)->hidden);
  assert_int_equal(scene.actors[0].state, 'S'); /* that is on the list */
  assert_true(is_unknown("of another user.exe[40000]"));
  assert_true(is_unknown("whether it was ended"));
  assert_true(is_unknown("who could end a wait for a pipe"));
}

static void no_wait_chains_at_all(void **state) {
  (void)state;
  system_process(A, 0, 5, L"any.exe");
  system_thread(A + 1, WAITS, USER_REQUEST);
  system_orders.wct_failure = ERROR_NOT_SUPPORTED;
  assert_true(look_at(A)->hidden);
  assert_true(is_unknown("error 50"));
}

static void no_list_of_processes(void **state) {
  (void)state;
  system_orders.processes_status = (LONG)0xC0000022;
  assert_true(look_at(A)->hidden);
  assert_false(scene.actors[0].gone);
  assert_true(is_unknown("status 0xc0000022"));
}

static void a_page_that_comes_in_is_no_proof(void **state) {
  (void)state;
  system_process(A, 0, 5, L"big.exe");
  system_thread(A + 1, WAITS, PAGE_IN);
  look_at(A);
  assert_int_equal(want_of(A + 1)->waits, SAFE_WAITS_OTHER);
  assert_int_equal(want_of(A + 1)->other, 0);
}

static void a_look_that_is_out_of_time(void **state) {
  (void)state;
  system_process(A, 0, 5, L"server.exe");
  system_thread(A + 1, WAITS, USER_REQUEST);
  system_chain(A + 1, A, false);
  system_chain_object(WctMutexType, L"");
  system_chain_thread(WctStatusBlocked, A, A + 1);
  system_orders.slow_ms = 300;
  system_thread(A + 2, WAITS, USER_REQUEST);
  system_thread(A + 3, WAITS, USER_REQUEST);
  safe__os_look_process(&scene, A, safe__deadline(100));
  assert_true(safe__scene_find_actor(&scene, A)->hidden);
  assert_true(is_unknown("in time"));
  assert_int_equal(safe_shutdown(slow(5000)), SAFE_OK);
}

static void a_pool_without_work(void **state) {
  (void)state;
  system_process(A, 0, 5, L"server.exe");
  system_thread(A + 1, WAITS, QUEUE);
  system_thread(A + 2, WAITS, QUEUE);
  look_at(A);
  assert_int_equal(scene.want_count, 1);
  assert_int_equal(scene.wants[0].waits, SAFE_WAITS_OTHER);
  assert_string_equal(scene.wants[0].what, "work");
}

static void hundreds_of_threads_are_told_of_once(void **state) {
  int at;

  (void)state;
  system_process(A, 0, 5, L"server.exe");
  for (at = 1; at <= 8; at++) system_thread((DWORD)(A + at), WAITS, at % 2 == 0 ? USER_REQUEST : EXECUTIVE);
  look_at(A);
  assert_int_equal(scene.want_count, 2);
}

/* ---- The real one. */

static void really_a_child_of_ours(void **state) {
  safe_process *child;
  const struct safe__actor *actor;

  (void)state;
  system_stop();
  child = start_helper("sleep", "60000", NULL);
  actor = look_at(safe_process_pid(child));
  assert_false(actor->gone);
  assert_non_null(strstr(actor->name, "safehold_test_helper"));
  assert_int_not_equal(actor->state, 'X');
  if (on_wine()) {
    assert_true(actor->hidden);
    assert_true(is_unknown("error 50"));
  }
  assert_true(look_at(0x7ffffff0)->gone);
  end_helper(child);
  system_start();
}

static void really_ourselves(void **state) {
  (void)state;
  system_stop();
  assert_int_equal(look_at(GetCurrentProcessId())->pid, GetCurrentProcessId());
  assert_int_equal(want_of(GetCurrentThreadId())->waits, SAFE_WAITS_NOT);
  system_start();
}

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(a_process_and_its_parent),
    TEST(the_children_of_a_process),
    TEST(ended_but_not_gone),
    TEST(ended_and_still_listed),
    TEST(suspended_frozen_or_debugged),
    TEST(a_chain_of_waits),
    TEST(a_circle_that_the_system_found),
    TEST(a_chain_that_is_longer_than_there_is_room),
    TEST(threads_that_may_not_be_looked_at),
    TEST(no_wait_chains_at_all),
    TEST(no_list_of_processes),
    TEST(a_page_that_comes_in_is_no_proof),
    TEST(a_look_that_is_out_of_time),
    TEST(a_pool_without_work),
    TEST(hundreds_of_threads_are_told_of_once),
    TEST(really_a_child_of_ours),
    TEST(really_ourselves),
  };

  join(path, sizeof(path), "look.lock");
  make_file(path, "");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
