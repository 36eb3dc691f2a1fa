/* SPDX-License-Identifier: MIT */
/* Locks on Windows on files that the caller has opened, of whatever kind his handle is; and method COMPAT. */
#include "test_win.h"

#include "support.h"
#include "wait_overlapped.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char path[1024];

static HANDLE open_as(DWORD flags) {
  HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                            NULL, OPEN_ALWAYS, flags, NULL);

  assert_true(file != INVALID_HANDLE_VALUE);
  return file;
}

static safe_lock_options options_of(int mode, int method, int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.mode = mode;
  options.method = method;
  options.timeout_ms = timeout_ms;
  return options;
}

static int lock_handle(safe_lock **lock, HANDLE file, int mode, int64_t timeout_ms) {
  safe_lock_options options = options_of(mode, SAFE_METHOD_DEFAULT, timeout_ms);
  safe_error error = SAFE_ERROR_INIT;
  int code = safe_lock_handle(lock, file, &options, &error);

  if (code != SAFE_OK) assert_true(strlen(error.message) > 10);
  return code;
}

/* ---- Synchronous and overlapped ones. */

static const DWORD kinds[] = {0, FILE_FLAG_OVERLAPPED};

static void handles_exclude_files_and_each_other(void **state) {
  safe_lock *one, *other;
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(kinds); at++) {
    HANDLE mine = open_as(kinds[at]), theirs = open_as(kinds[COUNT(kinds) - 1 - at]);

    assert_code(lock_handle(&one, mine, SAFE_LOCK_EXCLUSIVE, SAFE_NO_WAIT), SAFE_OK);
    assert_true(safe_lock_get_handle(one) == mine);
    assert_code(lock_handle(&other, theirs, SAFE_LOCK_SHARED, SAFE_NO_WAIT), SAFE_EBUSY);
    assert_int_equal(refusal(path, SAFE_LOCK_CREATE), SAFE_EBUSY);
    assert_code(safe_unlock(one), SAFE_OK);
    assert_code(lock_handle(&other, theirs, SAFE_LOCK_SHARED, SAFE_NO_WAIT), SAFE_OK);
    assert_code(lock_handle(&one, mine, SAFE_LOCK_SHARED, SAFE_NO_WAIT), SAFE_OK);
    assert_code(safe_unlock(one), SAFE_OK);
    assert_code(safe_unlock(other), SAFE_OK);
    /* The handle is the caller's: it is open, and he closes it. */
    assert_true(CloseHandle(mine));
    assert_true(CloseHandle(theirs));
  }
}

static void a_helper_is_waited_for(void **state) {
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(kinds); at++) {
    safe_process *holder = start_helper("lock", "0", "0", "600", path, NULL);
    HANDLE mine = open_as(kinds[at]);
    safe_lock *lock;
    int64_t began;

    expect_line(holder, "held");
    began = now_ms();
    assert_code(lock_handle(&lock, mine, SAFE_LOCK_EXCLUSIVE, 100), SAFE_ETIMEDOUT);
    assert_in_range(now_ms() - began, 99, 100 + slow(300));
    assert_code(lock_handle(&lock, mine, SAFE_LOCK_EXCLUSIVE, slow(10000)), SAFE_OK);
    assert_int_equal(safe_lock_wait_kind(lock), safe__win_queue_works() ? SAFE_WAIT_QUEUED : SAFE_WAIT_BACKOFF);
    assert_code(safe_unlock(lock), SAFE_OK);
    CloseHandle(mine);
    end_helper(holder);
  }
}

/* The story of the project: while we wait for the lock, the same synchronous handle goes on serving others. */
static void a_wait_does_not_hold_the_file_object(void **state) {
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_DEFAULT, slow(20000));
  HANDLE mine = open_as(0);
  safe_lock *held = locked_by_another_thread(path, NULL), *lock;
  safe_lock_wait *wait;
  LARGE_INTEGER size;
  int64_t began = now_ms();

  (void)state;
  assert_code(safe_lock_begin_handle(&wait, mine, &options, NULL), SAFE_OK);
  assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN);
  assert_true(GetFileSizeEx(mine, &size)); /* would hang */
  assert_true(now_ms() - began < slow(2000));
  assert_code(safe_unlock(held), SAFE_OK);
  while (safe_lock_wait_poll(wait) == SAFE_EAGAIN) assert_true(becomes_ready(safe_lock_wait_handle(wait), slow(5000)));
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
  CloseHandle(mine);
}

/* A handle may be bound to a completion port: its owner must find there what he asked for, and nothing else. */
static void a_completion_port_sees_nothing_of_it(void **state) {
  HANDLE mine = open_as(FILE_FLAG_OVERLAPPED), port = CreateIoCompletionPort(mine, NULL, 1, 1);
  OVERLAPPED *packet;
  ULONG_PTR key;
  safe_lock *lock;
  DWORD bytes;
  char text[4];

  (void)state;
  assert_non_null(port);
  assert_code(lock_handle(&lock, mine, SAFE_LOCK_EXCLUSIVE, SAFE_NO_WAIT), SAFE_OK);
  assert_int_equal(safe_lock_write_at(lock, "data", 4, 0), 4);
  assert_int_equal(safe_lock_read_at(lock, text, 4, 0), 4);
  assert_memory_equal(text, "data", 4);
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_false(GetQueuedCompletionStatus(port, &bytes, &key, &packet, 50));
  assert_null(packet);
  CloseHandle(port);
  CloseHandle(mine);
}

static void a_wait_by_handle_is_cancelled_and_names_us(void **state) {
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_DEFAULT, slow(20000));
  safe_lock *held = locked_by_another_thread(path, NULL), *lock;
  safe_error error = SAFE_ERROR_INIT;
  HANDLE mine = open_as(0);
  safe_lock_wait *wait;
  safe_cancel *cancel;

  (void)state;
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  options.cancel = cancel;
  assert_code(safe_lock_begin_handle(&wait, mine, &options, NULL), SAFE_OK);
  assert_true(safe_lock_wait_handle(wait) != SAFE_INVALID_HANDLE);
  assert_code(safe_lock_wait_poll(wait), SAFE_EAGAIN);
  safe_cancel_trigger(cancel);
  while (safe_lock_wait_poll(wait) == SAFE_EAGAIN) assert_true(becomes_ready(safe_lock_wait_handle(wait), slow(5000)));
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_ECANCELED);
  safe_cancel_free(cancel);
  /* There is no path to look at, but the handle tells which file it is. */
  options = options_of(SAFE_LOCK_SHARED, SAFE_METHOD_DEFAULT, 200);
  options.holder_query_ms = 100;
  assert_code(safe_lock_handle(&lock, mine, &options, &error), SAFE_ETIMEDOUT);
  assert_int_equal(error.holder_pid, GetCurrentProcessId());
  assert_code(safe_unlock(held), SAFE_OK);
  options.method = SAFE_METHOD_COMPAT;
  held = locked_by_another_thread(path, &options);
  options.mode = SAFE_LOCK_EXCLUSIVE;
  assert_code(safe_lock_handle(&lock, mine, &options, &error), SAFE_ETIMEDOUT);
  assert_int_equal(error.holder_pid, GetCurrentProcessId());
  assert_code(safe_unlock(held), SAFE_OK);
  CloseHandle(mine);
}

static void what_is_no_file(void **state) {
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_DEFAULT, SAFE_NO_WAIT);
  HANDLE reader, writer, closed = open_as(0);
  safe_lock *lock;

  (void)state;
  CloseHandle(closed);
  assert_code(safe_lock_handle(&lock, SAFE_INVALID_HANDLE, &options, NULL), SAFE_EBADF);
  assert_code(safe_lock_handle(&lock, NULL, &options, NULL), SAFE_EBADF);
  assert_code(safe_lock_handle(&lock, closed, &options, NULL), SAFE_EBADF);
  assert_true(CreatePipe(&reader, &writer, NULL, 0));
  options.flags |= SAFE_LOCK_REGULAR_ONLY;
  assert_code(safe_lock_handle(&lock, reader, &options, NULL), SAFE_ENOTREG);
  assert_null(lock);
  CloseHandle(reader);
  CloseHandle(writer);
  reader = CreateFileA("C:\\windows", GENERIC_READ, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  assert_true(reader != INVALID_HANDLE_VALUE);
  assert_code(safe_lock_handle(&lock, reader, &options, NULL), SAFE_ENOTREG);
  CloseHandle(reader);
  reader = open_as(0);
  assert_code(safe_lock_handle(&lock, reader, &options, NULL), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
  CloseHandle(reader);
}

static void conversion_of_a_handle(void **state) {
  safe_lock_options shared = options_of(SAFE_LOCK_SHARED, SAFE_METHOD_DEFAULT, SAFE_NO_WAIT);
  safe_lock_options exclusive = options_of(SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_DEFAULT, SAFE_NO_WAIT);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *one, *other;
  size_t at;

  (void)state;
  for (at = 0; at < COUNT(kinds); at++) {
    HANDLE mine = open_as(kinds[at]);

    assert_code(lock_handle(&one, mine, SAFE_LOCK_EXCLUSIVE, SAFE_NO_WAIT), SAFE_OK);
    assert_code(safe_lock_convert(one, &shared, NULL), SAFE_OK);
    assert_code(safe_lock_file(&other, path, &exclusive, NULL), SAFE_EBUSY); /* the shared one is there */
    assert_code(safe_lock_file(&other, path, &shared, NULL), SAFE_OK);       /* and the exclusive one gone */
    assert_code(safe_lock_convert(one, &exclusive, &error), SAFE_ELOST);
    assert_non_null(strstr(error.message, "lost"));
    assert_code(safe_lock_convert(other, &exclusive, NULL), SAFE_OK); /* nothing of the first is left */
    assert_code(safe_unlock(other), SAFE_OK);
    safe_unlock(one);
    CloseHandle(mine);
  }
}

static void nothing_is_left_of_handles(void **state) {
  HANDLE mine = open_as(0);
  safe_lock *held = locked_by_another_thread(path, NULL), *lock;
  DWORD before = 0;
  int round;

  (void)state;
  for (round = 0; round < 8; round++) {
    if (round == 3) before = handle_count();
    assert_code(lock_handle(&lock, mine, SAFE_LOCK_EXCLUSIVE, SAFE_NO_WAIT), SAFE_EBUSY);
    assert_code(lock_handle(&lock, mine, SAFE_LOCK_SHARED, 20), SAFE_ETIMEDOUT);
  }
  assert_code(safe_shutdown(slow(5000)), SAFE_OK);
  assert_int_equal(handle_count(), before);
  assert_code(safe_unlock(held), SAFE_OK);
  CloseHandle(mine);
}

/* ---- COMPAT: what PHP's flock locks. */

static bool raw_lock(HANDLE file, DWORD flags) {
  OVERLAPPED first = {0};

  return LockFileEx(file, flags | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &first);
}

static bool raw_unlock(HANDLE file) {
  OVERLAPPED first = {0};

  return UnlockFileEx(file, 0, 1, 0, &first);
}

static void compat_is_byte_0(void **state) {
  safe_lock_options options = options_of(SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_COMPAT, SAFE_NO_WAIT);
  HANDLE theirs = open_as(0);
  safe_lock *lock, *far_one;

  (void)state;
  assert_true(raw_lock(theirs, LOCKFILE_EXCLUSIVE_LOCK));
  assert_code(safe_lock_file(&lock, path, &options, NULL), SAFE_EBUSY);
  options.timeout_ms = 60;
  assert_code(safe_lock_file(&lock, path, &options, NULL), SAFE_ETIMEDOUT);
  assert_true(raw_unlock(theirs));
  options.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_lock_file(&lock, path, &options, NULL), SAFE_OK);
  assert_false(raw_lock(theirs, 0));
  options.method = SAFE_METHOD_FAR; /* the two do not see each other */
  assert_code(safe_lock_file(&far_one, path, &options, NULL), SAFE_OK);
  assert_code(safe_unlock(far_one), SAFE_OK);
  options.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_convert(lock, &options, NULL), SAFE_OK);
  assert_true(raw_lock(theirs, 0));
  assert_true(raw_unlock(theirs));
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_true(raw_lock(theirs, LOCKFILE_EXCLUSIVE_LOCK));
  CloseHandle(theirs);
}

/* What the shared lock over the exclusive one of the same handle rests on, and what LockFileEx documents. */
static void the_first_unlock_takes_the_exclusive_lock(void **state) {
  HANDLE mine = open_as(0), theirs = open_as(0);

  (void)state;
  assert_true(raw_lock(mine, LOCKFILE_EXCLUSIVE_LOCK));
  assert_true(raw_lock(mine, 0));
  assert_false(raw_lock(theirs, 0));
  assert_true(raw_unlock(mine));
  assert_true(raw_lock(theirs, 0));
  assert_true(raw_unlock(theirs));
  assert_false(raw_lock(theirs, LOCKFILE_EXCLUSIVE_LOCK));
  assert_true(raw_unlock(mine));
  assert_false(raw_unlock(mine));
  CloseHandle(mine);
  CloseHandle(theirs);
}

/* ---- Ranges, as the kernel sees them. */

static void ranges_lie_where_they_should(void **state) {
  const struct safe__claim whole = {SAFE_LOCK_SHARED, SAFE_METHOD_FAR, 0, 0};
  const struct safe__claim some = {SAFE_LOCK_SHARED, SAFE_METHOD_FAR, 100, 10};
  const struct safe__claim next = {SAFE_LOCK_SHARED, SAFE_METHOD_FAR, 110, 0};
  const struct safe__claim distant = {SAFE_LOCK_SHARED, SAFE_METHOD_FAR, INT64_C(1) << 61, 1};
  const struct safe__claim turnstile = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, SAFE__GATE, 1};
  const struct safe__claim behind_it = {SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FAR, 0, SAFE__GATE};
  const struct safe__claim compat = {SAFE_LOCK_SHARED, SAFE_METHOD_COMPAT, 0, 0};
  const uint64_t far_space = UINT64_C(1) << 62, gates = UINT64_C(1) << 61;
  struct safe__win_range range;

  (void)state;
  range = safe__win_range_of(&whole);
  assert_true(range.start == far_space && range.length == far_space);
  range = safe__win_range_of(&some);
  assert_true(range.start == far_space + 100 && range.length == 10);
  range = safe__win_range_of(&next);
  assert_true(range.start == far_space + 110 && range.start + range.length == far_space * 2);
  range = safe__win_range_of(&compat);
  assert_true(range.start == 0 && range.length == 1);
  /* Gates: below all locks, above all data, and apart where the locks are. */
  range = safe__win_gate_of(&whole);
  assert_true(range.start == gates && range.length == gates);
  range = safe__win_gate_of(&some);
  assert_true(range.start == gates + 100 && range.length == 10);
  range = safe__win_gate_of(&next);
  assert_true(range.start == gates + 110 && range.start + range.length == far_space);
  range = safe__win_gate_of(&distant);
  assert_true(range.start == far_space - 2 && range.length == 1);
  range = safe__win_gate_of(&turnstile);
  assert_true(range.start == far_space - 1 && range.length == 1);
  range = safe__win_gate_of(&behind_it);
  assert_true(range.start == gates && range.length == gates - 1);
  range = safe__win_gate_of(&compat);
  assert_true(range.start == gates - 1 && range.length == 1);
}

static int set_up_group(void **state) {
  (void)state;
  join(path, sizeof(path), "handle.lock");
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(handles_exclude_files_and_each_other),
    cmocka_unit_test(a_helper_is_waited_for),
    cmocka_unit_test(a_wait_does_not_hold_the_file_object),
    cmocka_unit_test(a_completion_port_sees_nothing_of_it),
    cmocka_unit_test(a_wait_by_handle_is_cancelled_and_names_us),
    cmocka_unit_test(what_is_no_file),
    cmocka_unit_test(conversion_of_a_handle),
    cmocka_unit_test(nothing_is_left_of_handles),
    cmocka_unit_test(compat_is_byte_0),
    cmocka_unit_test(the_first_unlock_takes_the_exclusive_lock),
    cmocka_unit_test(ranges_lie_where_they_should),
  };

  return cmocka_run_group_tests(tests, set_up_group, NULL);
}
