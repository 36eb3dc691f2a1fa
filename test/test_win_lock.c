/* SPDX-License-Identifier: MIT */
/* File locks on Windows, against the real system: between handles, threads and processes, and on odd paths. */
#include "test_win.h"

#include "support.h"
#include "wait_overlapped.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char self[1024], path[1024];

static int lock_now(safe_lock **lock, int mode) {
  safe_error error;

  return lock_as(lock, path, mode, SAFE_NO_WAIT, SAFE_LOCK_CREATE, &error);
}

/* ---- The child: holds the lock for a while and says so by an event. */

static int child(char **args) {
  HANDLE ready = OpenEventA(EVENT_MODIFY_STATE, FALSE, args[3]);
  safe_lock *lock;
  safe_error error;

  if (lock_as(&lock, args[1], SAFE_LOCK_EXCLUSIVE, 10000, SAFE_LOCK_CREATE, &error) != SAFE_OK) return 1;
  SetEvent(ready);
  Sleep((DWORD)atoi(args[2]));
  return 0; /* never unlocked: the kernel does it */
}

static safe_process *hold_elsewhere(const char *ms) {
  HANDLE ready = CreateEventA(NULL, TRUE, FALSE, "safehold-test-ready");
  const char *argv[] = {self, path, ms, "safehold-test-ready", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options.argv = argv;
  if (safe_spawn(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_int_equal(WaitForSingleObject(ready, (DWORD)slow(20000)), WAIT_OBJECT_0);
  CloseHandle(ready);
  return process;
}

/* ---- Modes and waits. */

static void modes_exclude_each_other(void **state) {
  safe_lock *one, *other, *third;

  (void)state;
  assert_int_equal(lock_now(&one, SAFE_LOCK_EXCLUSIVE), SAFE_OK);
  assert_int_equal(safe_lock_wait_kind(one), SAFE_WAIT_NONE);
  assert_int_equal(lock_now(&other, SAFE_LOCK_EXCLUSIVE), SAFE_EBUSY);
  assert_null(other);
  assert_int_equal(lock_now(&other, SAFE_LOCK_SHARED), SAFE_EBUSY);
  assert_int_equal(safe_unlock(one), SAFE_OK);
  assert_int_equal(lock_now(&one, SAFE_LOCK_SHARED), SAFE_OK);
  assert_int_equal(lock_now(&other, SAFE_LOCK_SHARED), SAFE_OK);
  assert_int_equal(lock_now(&third, SAFE_LOCK_EXCLUSIVE), SAFE_EBUSY);
  assert_int_equal(safe_unlock(one), SAFE_OK);
  assert_int_equal(lock_now(&third, SAFE_LOCK_EXCLUSIVE), SAFE_EBUSY);
  assert_int_equal(safe_unlock(other), SAFE_OK);
  assert_int_equal(lock_now(&third, SAFE_LOCK_EXCLUSIVE), SAFE_OK);
  assert_int_equal(safe_unlock(third), SAFE_OK);
}

static void a_wait_ends_in_time_and_names_us(void **state) {
  safe_lock *one, *other;
  safe_error error;
  int64_t began;

  (void)state;
  one = locked_by_another_thread(path, NULL);
  safe__win_queue_works(); /* the one-time self-test is no part of the measurement */
  began = safe__os_now();
  assert_int_equal(lock_as(&other, path, SAFE_LOCK_SHARED, 200, SAFE_LOCK_CREATE, &error), SAFE_ETIMEDOUT);
  assert_in_range(ms_since(began), 199, 200 + slow(150));
  /* Another thread of this process: what Windows itself could not tell. */
  assert_int_equal(error.holder_pid, GetCurrentProcessId());
  assert_non_null(strstr(error.message, "test_win_lock"));
  assert_non_null(strstr(error.message, path));
  assert_int_equal(safe_unlock(one), SAFE_OK);
}

struct waiter {
  safe_lock *lock;
  safe_cancel *cancel;
  int64_t timeout_ms;
  int code;
};

static DWORD WINAPI wait_for_lock(void *data) {
  struct waiter *waiter = data;
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.timeout_ms = waiter->timeout_ms;
  options.cancel = waiter->cancel;
  waiter->code = safe_lock_file(&waiter->lock, path, &options, NULL);
  return 0;
}

static HANDLE start_waiter(struct waiter *waiter) {
  HANDLE thread;

  thread = CreateThread(NULL, 0, wait_for_lock, waiter, 0, NULL);
  assert_non_null(thread);
  Sleep(50);
  return thread;
}

static void finish_waiter(HANDLE thread) {
  assert_int_equal(WaitForSingleObject(thread, (DWORD)slow(20000)), WAIT_OBJECT_0);
  CloseHandle(thread);
}

static void a_wait_is_granted(void **state) {
  struct waiter waiter = {NULL, NULL, slow(20000), -1};
  safe_lock *one;
  HANDLE thread;
  int kind;

  (void)state;
  assert_int_equal(lock_now(&one, SAFE_LOCK_EXCLUSIVE), SAFE_OK);
  thread = start_waiter(&waiter);
  assert_int_equal(safe_unlock(one), SAFE_OK);
  finish_waiter(thread);
  assert_int_equal(waiter.code, SAFE_OK);
  kind = safe_lock_wait_kind(waiter.lock);
  assert_int_equal(kind, safe__win_queue_works() ? SAFE_WAIT_QUEUED : SAFE_WAIT_BACKOFF);
  assert_int_equal(lock_now(&one, SAFE_LOCK_EXCLUSIVE), SAFE_EBUSY);
  assert_int_equal(safe_unlock(waiter.lock), SAFE_OK);
}

static void a_wait_is_cancelled(void **state) {
  struct waiter waiter = {NULL, NULL, SAFE_FOREVER, -1};
  safe_lock *one;
  HANDLE thread;
  int64_t began;

  (void)state;
  assert_int_equal(safe_cancel_create(&waiter.cancel), SAFE_OK);
  assert_int_equal(lock_now(&one, SAFE_LOCK_EXCLUSIVE), SAFE_OK);
  thread = start_waiter(&waiter);
  began = safe__os_now();
  safe_cancel_trigger(waiter.cancel);
  finish_waiter(thread);
  assert_true(ms_since(began) < slow(200));
  assert_int_equal(waiter.code, SAFE_ECANCELED);
  safe_cancel_free(waiter.cancel);
  assert_int_equal(safe_unlock(one), SAFE_OK);
  assert_int_equal(lock_now(&one, SAFE_LOCK_EXCLUSIVE), SAFE_OK); /* nothing of the wait is left */
  assert_int_equal(safe_unlock(one), SAFE_OK);
}

static void another_process_holds_it(void **state) {
  safe_process *process = hold_elsewhere("60000");
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_lock *lock;
  safe_error error;
  int64_t began;

  (void)state;
  assert_int_equal(lock_now(&lock, SAFE_LOCK_EXCLUSIVE), SAFE_EBUSY);
  began = safe__os_now();
  assert_int_equal(lock_as(&lock, path, SAFE_LOCK_EXCLUSIVE, 200, SAFE_LOCK_CREATE, &error), SAFE_ETIMEDOUT);
  assert_in_range(ms_since(began), 199, 200 + slow(200));
  assert_int_equal(error.holder_pid, 0); /* Windows names those who have it open, not who holds it */
  stop.grace_ms = 0;
  assert_int_equal(safe_process_stop(process, &stop, NULL, NULL), SAFE_OK);
  assert_int_equal(lock_as(&lock, path, SAFE_LOCK_EXCLUSIVE, slow(5000), SAFE_LOCK_CREATE, &error), SAFE_OK);
  assert_int_equal(safe_unlock(lock), SAFE_OK);
  safe_process_free(process);
}

static void granted_when_the_holder_ends(void **state) {
  safe_process *process = hold_elsewhere("300");
  safe_lock *lock;
  safe_error error;

  (void)state;
  assert_int_equal(lock_as(&lock, path, SAFE_LOCK_EXCLUSIVE, slow(10000), SAFE_LOCK_CREATE, &error), SAFE_OK);
  assert_int_not_equal(safe_lock_wait_kind(lock), SAFE_WAIT_NONE);
  assert_int_equal(safe_unlock(lock), SAFE_OK);
  assert_int_equal(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(process);
}

/* ---- The file. */

static void contents_are_free_for_everybody(void **state) {
  HANDLE other = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                             NULL, CREATE_ALWAYS, 0, NULL);
  OVERLAPPED overlapped = {0};
  safe_lock *lock;
  DWORD moved, flags;
  char text[16];

  (void)state;
  assert_true(WriteFile(other, "content", 7, &moved, NULL));
  assert_int_equal(lock_now(&lock, SAFE_LOCK_EXCLUSIVE), SAFE_OK);
  SetFilePointer(other, 0, NULL, FILE_BEGIN);
  assert_true(ReadFile(other, text, sizeof(text), &moved, NULL)); /* nothing was cut off, and nothing is locked here */
  assert_int_equal(moved, 7);
  assert_true(WriteFile(other, "more", 4, &moved, NULL));
  overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (!ReadFile(safe_lock_get_handle(lock), text, sizeof(text), NULL, &overlapped))
    assert_int_equal(GetLastError(), ERROR_IO_PENDING);
  assert_true(GetOverlappedResult(safe_lock_get_handle(lock), &overlapped, &moved, TRUE));
  assert_int_equal(moved, 11);
  assert_memory_equal(text, "contentmore", 11);
  assert_true(GetHandleInformation(safe_lock_get_handle(lock), &flags));
  assert_int_equal(flags, 0);
  CloseHandle(overlapped.hEvent);
  CloseHandle(other);
  assert_int_equal(safe_unlock(lock), SAFE_OK);
}

/* The file is moved away while somebody waits for it: the lock must be on what is at the path now. */
static void a_replaced_file_is_noticed(void **state) {
  struct waiter waiter = {NULL, NULL, slow(20000), -1};
  BY_HANDLE_FILE_INFORMATION held, now;
  char away[1200];
  safe_lock *one;
  HANDLE thread, file;

  (void)state;
  join(away, sizeof(away), "away.lock");
  DeleteFileA(away);
  assert_int_equal(lock_now(&one, SAFE_LOCK_EXCLUSIVE), SAFE_OK);
  thread = start_waiter(&waiter);
  assert_true(MoveFileA(path, away));
  assert_int_equal(safe_unlock(one), SAFE_OK);
  finish_waiter(thread);
  assert_int_equal(waiter.code, SAFE_OK);
  file = CreateFileA(path, FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                     OPEN_EXISTING, 0, NULL);
  assert_true(file != INVALID_HANDLE_VALUE);
  assert_true(GetFileInformationByHandle(file, &now));
  assert_true(GetFileInformationByHandle(safe_lock_get_handle(waiter.lock), &held));
  assert_int_equal(now.nFileIndexLow, held.nFileIndexLow);
  assert_int_equal(now.nFileIndexHigh, held.nFileIndexHigh);
  CloseHandle(file);
  assert_int_equal(safe_unlock(waiter.lock), SAFE_OK);
}

/* ---- Who has it. */

static void holders(void **state) {
  safe_holder_list *list;
  const safe_holder *found;
  safe_lock *lock;
  char other[1200];

  (void)state;
  assert_int_equal(lock_now(&lock, SAFE_LOCK_SHARED), SAFE_OK);
  assert_int_equal(safe_lock_holders(path, slow(2000), &list, NULL), SAFE_OK);
  assert_true(safe_holder_list_count(list) >= 1);
  found = safe_holder_list_get(list, 0);
  assert_int_equal(found->pid, GetCurrentProcessId());
  assert_int_equal(found->role, SAFE_HOLDER_HOLDS);
  assert_int_equal(found->mode, SAFE_LOCK_SHARED);
  assert_int_equal(found->method, SAFE_METHOD_FAR);
  assert_int_equal(found->handle, (intptr_t)safe_lock_get_handle(lock));
  assert_int_equal(_strnicmp(found->name, "test_win_lock", 13), 0);
  if (safe_holder_list_unknown(list) != NULL) print_message("%s\n", safe_holder_list_unknown(list));
  safe_holder_list_free(list);
  assert_int_equal(safe_unlock(lock), SAFE_OK);
  assert_int_equal(safe_lock_holders(path, slow(2000), &list, NULL), SAFE_OK);
  assert_int_equal(safe_holder_list_count(list), 0);
  safe_holder_list_free(list);
  join(other, sizeof(other), "no-file");
  assert_int_equal(safe_lock_holders(other, slow(2000), &list, NULL), SAFE_ENOENT);
  assert_null(list);
}

/* No time at all: the query is left behind, and collected soon. */
static void holders_without_time(void **state) {
  safe_holder_list *list;

  (void)state;
  assert_int_equal(safe_lock_holders(path, 0, &list, NULL), SAFE_OK);
  safe_holder_list_free(list);
  assert_int_equal(safe_shutdown(slow(5000)), SAFE_OK);
}

/* ---- Nothing is left. */

static void *(*real_realloc)(void *memory, size_t size);
static volatile LONG requests_left;

static void *failing_realloc(void *memory, size_t size) {
  return InterlockedDecrement(&requests_left) < 0 ? NULL : real_realloc(memory, size);
}

static void memory_runs_out(void **state) {
  safe_lock *lock, *other;
  DWORD before;
  int at, code = SAFE_ENOMEM;

  (void)state;
  real_realloc = safe__realloc;
  before = handle_count();
  for (at = 0; code != SAFE_OK && at < 50; at++) {
    requests_left = at;
    safe__realloc = failing_realloc;
    code = lock_now(&lock, SAFE_LOCK_EXCLUSIVE);
    safe__realloc = real_realloc;
    if (code != SAFE_OK) assert_int_equal(code, SAFE_ENOMEM);
    if (code != SAFE_OK) assert_int_equal(handle_count(), before);
  }
  assert_int_equal(code, SAFE_OK);
  /* The same where somebody holds it, and has to be named. */
  before = handle_count();
  for (at = 0; at < 30; at++) {
    requests_left = at;
    safe__realloc = failing_realloc;
    code = lock_now(&other, SAFE_LOCK_EXCLUSIVE);
    safe__realloc = real_realloc;
    assert_true(code == SAFE_ENOMEM || code == SAFE_EBUSY);
    assert_int_equal(safe_shutdown(slow(5000)), SAFE_OK);
    assert_int_equal(handle_count(), before);
  }
  assert_int_equal(code, SAFE_EBUSY);
  assert_int_equal(safe_unlock(lock), SAFE_OK);
}

static void nothing_is_left(void **state) {
  safe_error error;
  DWORD before = 0;
  int round;

  (void)state;
  for (round = 0; round < 10; round++) {
    safe_lock *one, *other;

    if (round == 2) before = handle_count();
    one = locked_by_another_thread(path, NULL);
    assert_int_equal(lock_as(&other, path, SAFE_LOCK_EXCLUSIVE, 20, SAFE_LOCK_CREATE, &error), SAFE_ETIMEDOUT);
    assert_int_equal(safe_unlock(one), SAFE_OK);
    assert_int_equal(refusal("C:\\windows", SAFE_LOCK_CREATE), SAFE_EISDIR);
    assert_int_equal(refusal("NUL", SAFE_LOCK_CREATE), SAFE_ENOTREG);
  }
  assert_int_equal(safe_shutdown(slow(5000)), SAFE_OK);
  assert_int_equal(handle_count(), before);
}

static int set_up_group(void **state) {
  wchar_t wide[1024];

  (void)state;
  GetModuleFileNameW(NULL, wide, COUNT(wide));
  safe__win_narrow(wide, self, sizeof(self));
  join(path, sizeof(path), "the.lock");
  return 0;
}

int main(int count, char **args) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(modes_exclude_each_other),
    cmocka_unit_test(a_wait_ends_in_time_and_names_us),
    cmocka_unit_test(a_wait_is_granted),
    cmocka_unit_test(a_wait_is_cancelled),
    cmocka_unit_test(another_process_holds_it),
    cmocka_unit_test(granted_when_the_holder_ends),
    cmocka_unit_test(contents_are_free_for_everybody),
    cmocka_unit_test(a_replaced_file_is_noticed),
    cmocka_unit_test(holders),
    cmocka_unit_test(holders_without_time),
    cmocka_unit_test(memory_runs_out),
    cmocka_unit_test(nothing_is_left),
  };

  if (count == 4) return child(args);
  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
