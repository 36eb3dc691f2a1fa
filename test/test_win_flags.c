/* SPDX-License-Identifier: MIT */
/* SAFE_LOCK_ISOLATE, SAFE_LOCK_FAIR, SAFE_LOCK_REMOVE_ON_UNLOCK and SAFE_LOCK_RECORD_OWNER on Windows, and what it
 * lacks. */
#include "test_win.h"

#include "support.h"
#include "wait_overlapped.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char path[1024];

static safe_lock_options options_of(int mode, uint32_t flags, int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.mode = mode;
  options.flags = SAFE_LOCK_CREATE | flags;
  options.timeout_ms = timeout_ms;
  return options;
}

static int lock_with(safe_lock **lock, uint32_t flags, int64_t timeout_ms) {
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, flags, timeout_ms);
  safe_error error = SAFE_ERROR_INIT;
  int code = safe_lock_file(lock, path, &options, &error);

  if (code != SAFE_OK) assert_true(strlen(error.message) > 10);
  return code;
}

/* ---- ISOLATE. */

static void isolated_and_other_locks_exclude_each_other(void **state) {
  safe_lock *one, *other;

  (void)state;
  assert_code(lock_with(&one, SAFE_LOCK_ISOLATE, slow(1000)), SAFE_OK);
  assert_code(lock_with(&other, 0, SAFE_NO_WAIT), SAFE_EBUSY);
  assert_code(lock_with(&other, SAFE_LOCK_ISOLATE, SAFE_NO_WAIT), SAFE_EBUSY);
  assert_int_equal(safe_lock_write_at(one, "x", 1, 0), 1);
  assert_code(safe_unlock(one), SAFE_OK);
  one = locked_by_another_thread(path, NULL);
  assert_code(lock_with(&other, SAFE_LOCK_ISOLATE, 60), SAFE_ETIMEDOUT);
  assert_code(safe_unlock(one), SAFE_OK);
  assert_code(lock_with(&other, SAFE_LOCK_ISOLATE, slow(1000)), SAFE_OK);
  assert_code(safe_unlock(other), SAFE_OK);
}

static void isolated_waits_follow_a_holder(void **state) {
  safe_process *holder = start_helper("lock", "0", "0", "300", path, NULL);
  safe_lock *lock;

  (void)state;
  expect_line(holder, "held");
  assert_code(lock_with(&lock, SAFE_LOCK_ISOLATE, slow(20000)), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
  end_helper(holder);
}

static void isolated_failures_are_named(void **state) {
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, SAFE_LOCK_ISOLATE, slow(2000));
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;

  (void)state;
  assert_code(safe_lock_file(&lock, "C:\\windows", &options, &error), SAFE_EISDIR);
  assert_int_equal(error.stage, SAFE_STAGE_OPEN);
  assert_code(safe_lock_file(&lock, "no-folder\\file", &options, &error), SAFE_ENOENT);
  assert_code(safe_lock_file(&lock, "NUL", &options, &error), SAFE_ENOTREG);
}

static void an_isolated_wait_by_an_event_loop(void **state) {
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, SAFE_LOCK_ISOLATE, slow(20000));
  safe_lock_wait *wait;
  safe_lock *held, *lock;

  (void)state;
  assert_code(lock_with(&held, 0, SAFE_NO_WAIT), SAFE_OK);
  assert_code(safe_lock_begin(&wait, path, &options, NULL), SAFE_OK);
  assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN);
  assert_code(safe_unlock(held), SAFE_OK);
  while (safe_lock_wait_poll(wait) == SAFE_EAGAIN) assert_true(becomes_ready(safe_lock_wait_handle(wait), slow(5000)));
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_code(safe_lock_begin(&wait, path, &options, NULL), SAFE_OK);
  safe_lock_wait_cancel(wait);
  assert_code(lock_with(&lock, 0, slow(1000)), SAFE_OK); /* nothing of it is left */
  assert_code(safe_unlock(lock), SAFE_OK);
}

/* A server that is gone: calls do not come back until the test lets them. */
static struct safe__win_lock_calls real_calls;
static HANDLE server_is_back;
static volatile LONG unlocks;

static BOOL WINAPI lock_and_hang(HANDLE file, DWORD flags, DWORD reserved, DWORD low, DWORD high,
                                 OVERLAPPED *overlapped) {
  WaitForSingleObject(server_is_back, INFINITE);
  return real_calls.lock(file, flags, reserved, low, high, overlapped);
}

static BOOL WINAPI unlock_and_count(HANDLE file, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped) {
  InterlockedIncrement(&unlocks);
  return real_calls.unlock(file, reserved, low, high, overlapped);
}

static BOOL WINAPI unlock_and_hang(HANDLE file, DWORD reserved, DWORD low, DWORD high, OVERLAPPED *overlapped) {
  WaitForSingleObject(server_is_back, INFINITE);
  return unlock_and_count(file, reserved, low, high, overlapped);
}

static void wait_until_nothing_is_parked(void) {
  SetEvent(server_is_back);
  assert_code(safe_shutdown(slow(5000)), SAFE_OK);
  safe__win_lock_calls = real_calls;
  CloseHandle(server_is_back);
}

static void hang(void) {
  real_calls = safe__win_lock_calls;
  server_is_back = CreateEventW(NULL, TRUE, FALSE, NULL);
  unlocks = 0;
}

static void a_dead_server_does_not_hold_us(void **state) {
  int64_t began;
  safe_lock *lock;

  (void)state;
  hang();
  safe__win_lock_calls.lock = lock_and_hang;
  safe__win_lock_calls.unlock = unlock_and_count;
  began = now_ms();
  assert_code(lock_with(&lock, SAFE_LOCK_ISOLATE, 100), SAFE_ESTUCK);
  assert_in_range(now_ms() - began, 100, 200 + slow(300));
  assert_int_equal(safe_parked_count(), 1);
  wait_until_nothing_is_parked();
  assert_int_equal(unlocks, 1); /* what came too late was given back */
  assert_code(lock_with(&lock, 0, SAFE_NO_WAIT), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void a_dead_server_does_not_hold_our_unlock(void **state) {
  int64_t began;
  safe_lock *lock;

  (void)state;
  assert_code(lock_with(&lock, SAFE_LOCK_ISOLATE, slow(1000)), SAFE_OK);
  hang();
  safe__win_lock_calls.unlock = unlock_and_hang;
  began = now_ms();
  assert_code(safe_unlock(lock), SAFE_ESTUCK);
  assert_in_range(now_ms() - began, 99, 100 + slow(300));
  assert_int_equal(safe_parked_count(), 1);
  wait_until_nothing_is_parked();
  assert_int_equal(unlocks, 1);
  assert_code(lock_with(&lock, 0, SAFE_NO_WAIT), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void nothing_is_left_of_isolation(void **state) {
  DWORD before = 0;
  safe_lock *lock;
  int round;

  (void)state;
  for (round = 0; round < 8; round++) {
    if (round == 3) before = handle_count();
    assert_code(lock_with(&lock, SAFE_LOCK_ISOLATE, slow(1000)), SAFE_OK);
    assert_code(safe_unlock(lock), SAFE_OK);
    assert_int_equal(refusal("C:\\windows", SAFE_LOCK_ISOLATE), SAFE_EISDIR);
  }
  assert_int_equal(handle_count(), before);
}

/* ---- FAIR. */

struct reader {
  volatile LONG *stop;
  int code;
};

/* Two of them overlap, so that the file is never free of readers. */
static DWORD WINAPI read_on_and_on(void *argument) {
  struct reader *reader = argument;
  safe_lock_options options = options_of(SAFE_LOCK_SHARED, SAFE_LOCK_FAIR, slow(20000));
  safe_lock *lock, *next;

  reader->code = safe_lock_file(&lock, path, &options, NULL);
  while (reader->code == SAFE_OK && *reader->stop == 0) {
    Sleep(5);
    safe_unlock(lock);
    reader->code = safe_lock_file(&next, path, &options, NULL);
    lock = next;
  }
  if (reader->code == SAFE_OK) safe_unlock(lock);
  return 0;
}

static void a_writer_gets_through_readers(void **state) {
  volatile LONG stop = 0;
  struct reader readers[3] = {{&stop, 0}, {&stop, 0}, {&stop, 0}};
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, SAFE_LOCK_FAIR, slow(10000));
  HANDLE threads[3];
  safe_lock *lock;
  int at, code;

  (void)state;
  for (at = 0; at < 3; at++) {
    threads[at] = CreateThread(NULL, 0, read_on_and_on, &readers[at], 0, NULL);
    Sleep(2);
  }
  Sleep(50);
  code = safe_lock_file(&lock, path, &options, NULL);
  InterlockedIncrement(&stop);
  if (code == SAFE_OK) safe_unlock(lock);
  assert_int_equal(WaitForMultipleObjects(3, threads, TRUE, (DWORD)slow(30000)), WAIT_OBJECT_0);
  for (at = 0; at < 3; at++) {
    CloseHandle(threads[at]);
    assert_code(readers[at].code, SAFE_OK);
  }
  assert_code(code, SAFE_OK);
}

/* ---- REMOVE_ON_UNLOCK and RECORD_OWNER. */

static void the_file_goes_and_readers_of_it_do_not_matter(void **state) {
  HANDLE reader;
  safe_lock *lock;

  (void)state;
  assert_code(lock_with(&lock, SAFE_LOCK_REMOVE_ON_UNLOCK, SAFE_NO_WAIT), SAFE_OK);
  reader = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                       0, NULL);
  assert_true(reader != INVALID_HANDLE_VALUE);
  assert_code(safe_unlock(lock), SAFE_OK);
  CloseHandle(reader);
  assert_int_equal(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES);
}

/* What was moved away is not ours to remove, and neither is what took its place. */
static void another_file_at_the_path_stays(void **state) {
  char away[1200];
  safe_lock *lock;

  (void)state;
  join(away, sizeof(away), "moved.lock");
  assert_code(lock_with(&lock, SAFE_LOCK_REMOVE_ON_UNLOCK, SAFE_NO_WAIT), SAFE_OK);
  assert_true(MoveFileA(path, away));
  make_file(path, "another");
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_int_not_equal(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES);
  assert_int_not_equal(GetFileAttributesA(away), INVALID_FILE_ATTRIBUTES);
  DeleteFileA(path);
  DeleteFileA(away);
}

static void the_record_names_this_process(void **state) {
  safe_owner owner = SAFE_OWNER_INIT;
  safe_owner other;
  safe_lock *lock;
  FILETIME made, ended, kernel, user;

  (void)state;
  assert_code(lock_with(&lock, SAFE_LOCK_RECORD_OWNER, SAFE_NO_WAIT), SAFE_OK);
  assert_code(safe_lock_owner(path, &owner, NULL), SAFE_OK);
  assert_int_equal(owner.state, SAFE_OWNER_ALIVE);
  assert_int_equal(owner.pid, GetCurrentProcessId());
  assert_int_equal(owner.thread, GetCurrentThreadId());
  assert_true(GetProcessTimes(GetCurrentProcess(), &made, &ended, &kernel, &user));
  assert_true(owner.start == ((uint64_t)made.dwHighDateTime << 32 | made.dwLowDateTime));
  assert_true(owner.since_ms > INT64_C(1577836800000)); /* 2020 */
  assert_true(strlen(owner.host) > 0);
  assert_true(safe__os_is_alive(&owner));
  other = owner;
  other.start++; /* a number that was given out again */
  assert_false(safe__os_is_alive(&other));
  other.pid = 0x7ffffff0;
  assert_false(safe__os_is_alive(&other));
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_code(safe_lock_owner(path, &owner, NULL), SAFE_OK);
  assert_int_equal(owner.state, SAFE_OWNER_NONE);
}

/* Beside the file: what is under the locked byte nobody can read. */
static void the_record_of_a_compat_lock(void **state) {
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, SAFE_LOCK_RECORD_OWNER, SAFE_NO_WAIT);
  safe_owner owner = SAFE_OWNER_INIT;
  char own_path[1200];
  safe_lock *lock;

  (void)state;
  join(own_path, sizeof(own_path), "compat.lock");
  options.method = SAFE_METHOD_COMPAT;
  assert_code(safe_lock_file(&lock, own_path, &options, NULL), SAFE_OK);
  assert_code(safe_lock_owner(own_path, &owner, NULL), SAFE_OK);
  assert_int_equal(owner.state, SAFE_OWNER_ALIVE);
  assert_int_equal(owner.pid, GetCurrentProcessId());
  assert_code(safe_unlock(lock), SAFE_OK);
  strcat(own_path, ".owner");
  assert_int_equal(GetFileAttributesA(own_path), INVALID_FILE_ATTRIBUTES);
}

/* ---- What there is not. */

static void ranges_beyond_the_space(void **state) {
  const int64_t space = INT64_C(1) << 62;
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, 0, SAFE_NO_WAIT);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock, *whole;

  (void)state;
  options.offset = space;
  assert_code(safe_lock_file(&lock, path, &options, &error), SAFE_EINVAL);
  assert_non_null(strstr(error.message, "2^62"));
  options.offset = space - 1;
  options.length = 2;
  assert_code(safe_lock_file(&lock, path, &options, &error), SAFE_EINVAL);
  options.length = 1;
  assert_code(safe_lock_file(&lock, path, &options, &error), SAFE_OK);
  options.offset = options.length = 0;
  assert_code(safe_lock_file(&whole, path, &options, &error), SAFE_EBUSY);
  options.length = space - 1;
  assert_code(safe_lock_file(&whole, path, &options, &error), SAFE_OK);
  assert_code(safe_unlock(whole), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void methods_of_other_systems(void **state) {
  static const int32_t others[] = {SAFE_METHOD_OFD, SAFE_METHOD_FLOCK, SAFE_METHOD_BOTH, SAFE_METHOD_POSIX};
  static const char *const names[] = {"OFD", "FLOCK", "BOTH", "POSIX"};
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(others); at++) {
    options.method = others[at];
    assert_int_equal(safe_lock_file(&lock, path, &options, &error), SAFE_ENOTSUP);
    assert_non_null(strstr(error.message, names[at]));
  }
  options.method = SAFE_METHOD_COMPAT;
  options.flags |= SAFE_LOCK_FAIR;
  assert_int_equal(safe_lock_file(&lock, path, &options, &error), SAFE_ENOTSUP);
  options.flags = SAFE_LOCK_CREATE | SAFE_LOCK_CHECK_OWNER;
  assert_int_equal(safe_lock_file(&lock, path, &options, &error), SAFE_ENOTSUP);
  options.flags = SAFE_LOCK_CREATE;
  options.method = SAFE_METHOD_FAR;
  assert_int_equal(safe_lock_file(&lock, path, &options, NULL), SAFE_OK);
  assert_int_equal(safe_unlock(lock), SAFE_OK);
}

static int set_up_group(void **state) {
  (void)state;
  join(path, sizeof(path), "flags.lock");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(isolated_and_other_locks_exclude_each_other),
    cmocka_unit_test(isolated_waits_follow_a_holder),
    cmocka_unit_test(isolated_failures_are_named),
    cmocka_unit_test(an_isolated_wait_by_an_event_loop),
    cmocka_unit_test(a_dead_server_does_not_hold_us),
    cmocka_unit_test(a_dead_server_does_not_hold_our_unlock),
    cmocka_unit_test(nothing_is_left_of_isolation),
    cmocka_unit_test(a_writer_gets_through_readers),
    cmocka_unit_test(the_file_goes_and_readers_of_it_do_not_matter),
    cmocka_unit_test(another_file_at_the_path_stays),
    cmocka_unit_test(the_record_names_this_process),
    cmocka_unit_test(the_record_of_a_compat_lock),
    cmocka_unit_test(ranges_beyond_the_space),
    cmocka_unit_test(methods_of_other_systems),
  };

  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
