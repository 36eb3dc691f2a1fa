/* SPDX-License-Identifier: MIT */
/* Who has a file open: by a Windows that is played, which answers more than Wine. */
#include "test_win_look.h"

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
    TEST(few_looks_are_left_behind),
  };

  join(path, sizeof(path), "look.lock");
  make_file(path, "");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
