/* SPDX-License-Identifier: MIT */
/* Who has a file open, and who waits for whom: by a Windows that is played, and by the one that is there. */
#include "test_win.h"

#include "look.h"
#include "process.h"
#include "support.h"
#include "test_win_kernel.h"
#include "test_win_system.h"
#include "timed_wait.h"

#define A ANYBODY_FROM
#define SOON (safe__os_now() + slow(5000) * SAFE__MS)
#define WAITS 5 /* states and reasons of threads */
#define RUNS 2
#define EXECUTIVE 0
#define DELAY 4
#define SUSPENDED 5
#define USER_REQUEST 6
#define QUEUE 15

static char path[1024];
static struct safe__scene scene;

static int set_up(void **state) {
  (void)state;
  system_start();
  safe__scene_init(&scene);
  return 0;
}

/* A busy machine may have left behind what comes back by itself. */
static int tear_down(void **state) {
  int code = safe_shutdown(slow(5000));

  (void)state;
  safe__scene_free(&scene);
  system_stop();
  return code == SAFE_OK && system_sessions() == 0 ? 0 : -1;
}

static safe_holder_list *holders(int64_t timeout_ms) {
  safe_holder_list *list = NULL;
  safe_error error = SAFE_ERROR_INIT;
  int code = safe_lock_holders(path, timeout_ms, &list, &error);

  if (code != SAFE_OK) fail_msg("%s", error.message);
  return list;
}

static const safe_holder *opener(const safe_holder_list *list, int64_t pid) {
  size_t at;

  for (at = 0; at < safe_holder_list_count(list); at++) {
    const safe_holder *holder = safe_holder_list_get(list, at);
    if (holder->pid == pid && holder->role == SAFE_HOLDER_OPENS) return holder;
  }
  return NULL;
}

static bool is_unknown(const char *words) {
  size_t at;

  for (at = 0; at < scene.unknown_count; at++)
    if (strstr(scene.unknown[at], words) != NULL) return true;
  return false;
}

/* ---- Who has it open. */

static void the_kernel_names_who_has_it_open(void **state) {
  safe_holder_list *list;
  const safe_holder *found;

  (void)state;
  system_process(A, 0, 5, L"editor.exe");
  system_thread(A + 1, WAITS, USER_REQUEST);
  system_uses(GetCurrentProcessId());
  system_uses(A);
  list = holders(slow(2000));
  assert_int_equal(safe_holder_list_count(list), 1); /* we had it open to ask */
  found = opener(list, A);
  assert_non_null(found);
  assert_int_equal(found->state, 'S');
  assert_int_equal(found->via, SAFE_VIA_UNKNOWN);
  assert_int_equal(found->handle, -1);
  assert_null(safe_holder_list_unknown(list));
  assert_int_equal(system_asked(), 0); /* the Restart Manager is for where the kernel does not answer */
  safe_holder_list_free(list);
}

static void more_users_than_there_is_room_for(void **state) {
  safe_holder_list *list;
  int at;

  (void)state;
  for (at = 0; at < 600; at++) system_uses((DWORD)(A + at)); /* 4 KiB take 511 of them */
  list = holders(slow(5000));
  assert_int_equal(safe_holder_list_count(list), 600);
  assert_null(safe_holder_list_unknown(list));
  safe_holder_list_free(list);
}

static void the_restart_manager_is_asked_next(void **state) {
  safe_holder_list *list;

  (void)state;
  system_orders.using_status = SAFE__STATUS_MISSING;
  system_orders.rm_grows = 2;
  system_process(A + 4, 0, 5, L"svchost.exe");
  system_thread(A + 1, WAITS, SUSPENDED);
  system_app(A, 1, L"Writer");
  system_app(A + 4, 1, L"A service of somebody's");
  system_app(GetCurrentProcessId(), 1, L"us");
  system_app(A + 8, 1, L"Reader");
  list = holders(slow(2000));
  assert_int_equal(safe_holder_list_count(list), 3);
  assert_string_equal(opener(list, A)->name, "Writer");
  assert_string_equal(opener(list, A + 8)->name, "Reader");
  assert_int_equal(opener(list, A + 4)->state, 'T');
  assert_int_equal(opener(list, A + 8)->state, 0);
  assert_null(safe_holder_list_unknown(list));
  assert_int_equal(system_asked(), 3);
  assert_int_equal(system_sessions(), 0);
  safe_holder_list_free(list);
}

static void a_number_that_is_another_ones_by_now(void **state) {
  safe_process *child = start_helper("sleep", "60000", NULL);
  DWORD pid = (DWORD)safe_process_pid(child);
  safe_holder_list *list;

  (void)state;
  system_orders.using_status = SAFE__STATUS_MISSING;
  system_app(pid, 1, L"One that ended long ago");
  system_app(A, 1, L"Writer");
  list = holders(slow(2000));
  assert_null(opener(list, pid));
  assert_non_null(opener(list, A));
  safe_holder_list_free(list);
  end_helper(child);
}

/* ERROR_INVALID_HANDLE is what it answers for a file with very many users. */
static void neither_of_them_answers(void **state) {
  safe_holder_list *list;

  (void)state;
  system_orders.using_status = SAFE__STATUS_MISSING;
  system_orders.rm_failure = ERROR_INVALID_HANDLE;
  list = holders(slow(2000));
  assert_int_equal(safe_holder_list_count(list), 0);
  assert_non_null(strstr(safe_holder_list_unknown(list), "status 0xc0000002"));
  assert_non_null(strstr(safe_holder_list_unknown(list), "error 6"));
  assert_int_equal(system_sessions(), 0);
  safe_holder_list_free(list);
}

static void a_list_that_never_stops_growing(void **state) {
  safe_holder_list *list;

  (void)state;
  system_orders.using_status = SAFE__STATUS_MISSING;
  system_orders.rm_grows = 1000;
  list = holders(slow(2000));
  assert_non_null(strstr(safe_holder_list_unknown(list), "error 234"));
  assert_in_range(system_asked(), 2, 10);
  safe_holder_list_free(list);
}

/* As Wine does: the calls are there, and nobody is in the list. */
static void an_empty_list_is_not_believed(void **state) {
  safe_holder_list *list;

  (void)state;
  system_orders.using_status = SAFE__STATUS_MISSING;
  list = holders(slow(2000));
  assert_non_null(strstr(safe_holder_list_unknown(list), "not even this process"));
  safe_holder_list_free(list);
}

static void a_question_that_is_not_answered(void **state) {
  HANDLE never = CreateEventW(NULL, TRUE, FALSE, NULL);
  int64_t began = safe__os_now();
  safe_holder_list *list;

  (void)state;
  system_orders.using_waits = never;
  list = holders(50);
  assert_in_range(ms_since(began), 49, 50 + slow(100));
  assert_non_null(strstr(safe_holder_list_unknown(list), "in time"));
  safe_holder_list_free(list);
  assert_int_equal(safe_parked_count(), 1);
  SetEvent(never);
  assert_int_equal(safe_shutdown(slow(5000)), SAFE_OK);
  assert_int_equal(safe_parked_count(), 0);
  CloseHandle(never);
}

static void what_this_process_holds(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  int64_t now = safe__win_now_ms();
  safe_holder_list *list;
  const safe_holder *own;
  safe_lock *lock;

  (void)state;
  options.offset = 100;
  options.length = 20;
  assert_code(safe_lock_file(&lock, path, &options, NULL), SAFE_OK);
  list = holders(slow(2000));
  assert_int_equal(safe_holder_list_count(list), 1);
  own = safe_holder_list_get(list, 0);
  assert_int_equal(own->pid, GetCurrentProcessId());
  assert_int_equal(own->role, SAFE_HOLDER_HOLDS);
  assert_int_equal(own->via, SAFE_VIA_LOCKED);
  assert_int_equal(own->state, 'R');
  assert_int_equal(own->offset, 100);
  assert_int_equal(own->length, 20);
  assert_in_range(own->since_ms, now - 1, now + slow(5000));
  safe_holder_list_free(list);
  assert_code(safe_unlock(lock), SAFE_OK);
}

/* ---- A file, as an object of the scene. */

static void a_file_and_its_openers(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  int32_t object = -1;

  (void)state;
  system_uses(A);
  assert_code(safe__os_look_path(&scene, path, SOON, &object, &error), SAFE_OK);
  assert_int_equal(object, 0);
  assert_non_null(strstr(scene.objects[0].name, "look.lock"));
  assert_null(strstr(scene.objects[0].name, "\\\\?\\"));
  safe__os_look_object(&scene, object, SOON);
  assert_true(scene.objects[0].examined);
  assert_non_null(opener(&scene.objects[0].holders, A));
  assert_true(is_unknown("does not tell which of the processes"));
}

static void a_file_that_nobody_has_open(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  int32_t object = -1;

  (void)state;
  system_uses(GetCurrentProcessId());
  assert_code(safe__os_look_path(&scene, path, SOON, &object, &error), SAFE_OK);
  safe__os_look_object(&scene, object, SOON);
  assert_int_equal(scene.objects[0].holders.count, 0);
  assert_int_equal(scene.unknown_count, 0);
}

static void a_file_that_is_not_there(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  int32_t object = -1;

  (void)state;
  assert_code(safe__os_look_path(&scene, "no such file", SOON, &object, &error), SAFE_ENOENT);
  assert_int_equal(scene.object_count, 0);
}

static void a_file_that_is_replaced_between_two_looks(void **state) {
  char other[1100];
  safe_error error = SAFE_ERROR_INIT;
  int32_t object = -1;

  (void)state;
  snprintf(other, sizeof(other), "%s.new", path);
  make_file(other, "");
  system_uses(A);
  assert_code(safe__os_look_path(&scene, path, SOON, &object, &error), SAFE_OK);
  assert_true(MoveFileExA(other, path, MOVEFILE_REPLACE_EXISTING));
  safe__os_look_object(&scene, object, SOON);
  assert_int_equal(scene.objects[0].holders.count, 0);
  assert_true(is_unknown("another file at that path"));
}

/* ---- Processes. */

static const struct safe__actor *look_at(int64_t pid) {
  const struct safe__actor *actor;

  safe__os_look_process(&scene, pid, SOON);
  actor = safe__scene_find_actor(&scene, pid);
  assert_non_null(actor);
  return actor;
}

static const struct safe__want *want_of(int64_t thread) {
  size_t at;

  for (at = 0; at < scene.want_count; at++)
    if (scene.wants[at].thread == thread) return &scene.wants[at];
  return NULL;
}

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
  system_thread(A + 1, WAITS, 2); /* PageIn */
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

static void few_looks_are_left_behind(void **state) {
  HANDLE never = CreateEventW(NULL, TRUE, FALSE, NULL);
  safe_error error = SAFE_ERROR_INIT;
  safe_holder_list *list;
  int at, code = SAFE_OK;

  (void)state;
  system_orders.using_waits = never;
  for (at = 0; at < 20 && code == SAFE_OK; at++) {
    code = safe_lock_holders(path, 1, &list, &error);
    safe_holder_list_free(list);
  }
  assert_code(code, SAFE_ESTUCK);
  assert_int_equal(at, 17);
  assert_int_equal(safe_parked_count(), 16);
  SetEvent(never);
  assert_int_equal(safe_shutdown(slow(5000)), SAFE_OK);
  assert_int_equal(safe_parked_count(), 0);
  CloseHandle(never);
  system_orders.using_waits = NULL;
  safe_holder_list_free(holders(slow(2000)));
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(the_kernel_names_who_has_it_open),
    TEST(more_users_than_there_is_room_for),
    TEST(the_restart_manager_is_asked_next),
    TEST(a_number_that_is_another_ones_by_now),
    TEST(neither_of_them_answers),
    TEST(a_list_that_never_stops_growing),
    TEST(an_empty_list_is_not_believed),
    TEST(a_question_that_is_not_answered),
    TEST(what_this_process_holds),
    TEST(a_file_and_its_openers),
    TEST(a_file_that_nobody_has_open),
    TEST(a_file_that_is_not_there),
    TEST(a_file_that_is_replaced_between_two_looks),
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
    TEST(few_looks_are_left_behind),
    TEST(looks_leave_nothing),
  };

  join(path, sizeof(path), "look.lock");
  make_file(path, "");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
