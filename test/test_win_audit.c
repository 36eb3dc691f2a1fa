/* SPDX-License-Identifier: MIT */
/* What a child of CreateProcess with bInheritHandles would get, by the real system and by one that is played. */
#include "test_win.h"

#include "support.h"
#include "test_win_system.h"

/* Types, as one Windows numbers them: not in order, and differently from version to version. */
#define FILE_TYPE_INDEX 37
#define EVENT_INDEX 16
#define SECTION_INDEX 42
#define KEY_INDEX 44

static char path[1024];

static safe_handle_list *audit(int64_t pid, uint32_t flags, int64_t timeout_ms) {
  safe_audit_options options = SAFE_AUDIT_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_handle_list *list = NULL;

  options.pid = pid;
  options.flags = flags;
  options.timeout_ms = timeout_ms;
  if (safe_audit_handles(&options, &list, &error) != SAFE_OK) fail_msg("%s", error.message);
  return list;
}

static const safe_leak *leak_of(const safe_handle_list *list, HANDLE handle) {
  size_t at;

  for (at = 0; at < safe_handle_list_count(list); at++)
    if (safe_handle_list_get(list, at)->handle == (int64_t)(intptr_t)handle) return safe_handle_list_get(list, at);
  return NULL;
}

static HANDLE open_file(bool inherit) {
  SECURITY_ATTRIBUTES security = {sizeof(security), NULL, inherit};
  HANDLE file = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &security,
                            OPEN_ALWAYS, 0, NULL);

  assert_true(file != INVALID_HANDLE_VALUE);
  return file;
}

static int tear_down(void **state) {
  (void)state;
  return safe_parked_count();
}

/* ---- The real one. */

static void a_file_that_would_be_inherited(void **state) {
  HANDLE file, other, event = CreateEventW(NULL, TRUE, FALSE, NULL);
  safe_handle_list *before = audit(0, 0, slow(5000)), *list;
  const safe_leak *leak;

  (void)state;
  file = open_file(true);
  other = open_file(false);
  list = audit(0, 0, slow(5000));
  assert_int_equal(safe_handle_list_count(list), safe_handle_list_count(before) + 1);
  assert_null(safe_handle_list_unknown(list));
  assert_null(leak_of(list, other));
  assert_null(leak_of(list, event));
  leak = leak_of(list, file);
  assert_non_null(leak);
  assert_int_equal(leak->kind, SAFE_KIND_FILE);
  assert_int_equal(leak->standard, 0);
  assert_int_equal(leak->lock_mode, -1);
  assert_non_null(strstr(leak->what, "\\audit.file"));
  assert_true(leak->what[1] == ':');
  CloseHandle(file);
  CloseHandle(other);
  CloseHandle(event);
  safe_handle_list_free(before);
  safe_handle_list_free(list);
}

static void every_kind_of_handle(void **state) {
  SECURITY_ATTRIBUTES security = {sizeof(security), NULL, TRUE};
  HANDLE reads, writes, process, thread;
  HANDLE event = CreateEventW(&security, TRUE, FALSE, NULL);
  HANDLE section = CreateFileMappingW(INVALID_HANDLE_VALUE, &security, PAGE_READWRITE, 0, 4096, NULL);
  HANDLE null = CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ, &security, OPEN_EXISTING, 0, NULL);
  HANDLE folder = CreateFileW(L".", FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                              &security, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  HANDLE self = GetCurrentProcess();
  safe_handle_list *list;

  (void)state;
  assert_true(CreatePipe(&reads, &writes, &security, 0));
  assert_true(DuplicateHandle(self, self, self, &process, 0, TRUE, DUPLICATE_SAME_ACCESS));
  assert_true(DuplicateHandle(self, GetCurrentThread(), self, &thread, 0, TRUE, DUPLICATE_SAME_ACCESS));
  list = audit(GetCurrentProcessId(), 0, slow(5000));
  assert_int_equal(leak_of(list, reads)->kind, SAFE_KIND_PIPE);
  assert_int_equal(leak_of(list, writes)->kind, SAFE_KIND_PIPE);
  assert_int_equal(leak_of(list, process)->kind, SAFE_KIND_PROCESS);
  assert_int_equal(leak_of(list, thread)->kind, SAFE_KIND_PROCESS);
  assert_int_equal(leak_of(list, event)->kind, SAFE_KIND_EVENT);
  assert_string_equal(leak_of(list, event)->what, "Event");
  assert_int_equal(leak_of(list, section)->kind, SAFE_KIND_MEMORY);
  assert_int_equal(leak_of(list, null)->kind, SAFE_KIND_DEVICE);
  assert_int_equal(leak_of(list, folder)->kind, SAFE_KIND_FOLDER);
  safe_handle_list_free(list);
  CloseHandle(reads);
  CloseHandle(writes);
  CloseHandle(process);
  CloseHandle(thread);
  CloseHandle(event);
  CloseHandle(section);
  CloseHandle(null);
  CloseHandle(folder);
}

/* The library's own handles are never inheritable; a caller's can be, with the lock on it. */
static void a_lock_that_a_child_would_keep(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  HANDLE file = open_file(true);
  safe_handle_list *list;
  safe_lock *lock;

  (void)state;
  options.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_handle(&lock, file, &options, NULL), SAFE_OK);
  list = audit(0, 0, slow(5000));
  assert_int_equal(leak_of(list, file)->lock_mode, SAFE_LOCK_SHARED);
  assert_int_equal(leak_of(list, file)->lock_method, SAFE_METHOD_FAR);
  safe_handle_list_free(list);
  assert_code(safe_unlock(lock), SAFE_OK);
  list = audit(0, 0, slow(5000));
  assert_int_equal(leak_of(list, file)->lock_mode, -1);
  safe_handle_list_free(list);
  CloseHandle(file);
}

static void standard_handles_on_request_only(void **state) {
  HANDLE before = GetStdHandle(STD_INPUT_HANDLE), file = open_file(true);
  safe_handle_list *list;

  (void)state;
  assert_true(SetStdHandle(STD_INPUT_HANDLE, file));
  list = audit(0, 0, slow(5000));
  assert_null(leak_of(list, file));
  safe_handle_list_free(list);
  list = audit(0, SAFE_AUDIT_STANDARD, slow(5000));
  assert_int_equal(leak_of(list, file)->standard, 1);
  safe_handle_list_free(list);
  assert_true(SetStdHandle(STD_INPUT_HANDLE, before));
  CloseHandle(file);
}

static int failure_for(int64_t pid) {
  safe_audit_options options = SAFE_AUDIT_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_handle_list *list = NULL;
  int code;

  options.pid = pid;
  options.timeout_ms = slow(5000);
  code = safe_audit_handles(&options, &list, &error);
  assert_null(list);
  assert_true(strlen(error.message) > 10);
  return code;
}

static void processes_that_cannot_be_looked_at(void **state) {
  safe_process *child = start_helper("sleep", "60000", NULL);

  (void)state;
  assert_code(failure_for(0x7ffffff0), SAFE_ENOENT);
  assert_code(failure_for(INT64_C(1) << 32), SAFE_ENOENT);
  if (on_wine()) assert_code(failure_for(safe_process_pid(child)), SAFE_ENOTSUP);
  end_helper(child);
}

/* ---- One that is played. */

static LONG NTAPI tell_nothing(int what, void *into, ULONG room, ULONG *length) {
  (void)what, (void)into, (void)room, (void)length;
  return SAFE__STATUS_MISSING;
}

static void handles_that_nobody_lists(void **state) {
  HANDLE file = open_file(true), other = open_file(false);
  safe_handle_list *list;

  (void)state;
  system_start();
  safe__win_look_calls.query_system = tell_nothing;
  system_orders.handles_status = SAFE__STATUS_MISSING;
  list = audit(0, 0, slow(10000));
  assert_int_equal(leak_of(list, file)->kind, SAFE_KIND_FILE);
  assert_null(leak_of(list, other));
  safe_handle_list_free(list);
  system_stop();
  CloseHandle(file);
  CloseHandle(other);
}

static void play(void) {
  system_start();
  system_type(2, L"Type");
  system_type(FILE_TYPE_INDEX, L"File");
  system_type(EVENT_INDEX, L"Event");
  system_type(SECTION_INDEX, L"Section");
  system_type(KEY_INDEX, L"Key");
}

static void the_table_of_handles(void **state) {
  HANDLE one = open_file(true), other = open_file(false), event = CreateEventW(NULL, TRUE, FALSE, NULL);
  safe_handle_list *list;

  (void)state;
  play();
  system_handle(one, FILE_TYPE_INDEX, 2);
  system_handle(other, FILE_TYPE_INDEX, 0);
  system_handle(event, EVENT_INDEX, 1 | 2);    /* protected from close, too */
  system_handle((HANDLE)0x7700, KEY_INDEX, 2); /* of a value that nobody has */
  system_handle((HANDLE)0x7704, 99, 2);        /* of a type that nobody knows */
  list = audit(0, 0, slow(5000));
  assert_int_equal(safe_handle_list_count(list), 4);
  assert_int_equal(leak_of(list, one)->kind, SAFE_KIND_FILE);
  assert_non_null(strstr(leak_of(list, one)->what, "\\audit.file"));
  assert_int_equal(leak_of(list, event)->kind, SAFE_KIND_EVENT);
  assert_int_equal(leak_of(list, (HANDLE)0x7700)->kind, SAFE_KIND_OTHER);
  assert_string_equal(leak_of(list, (HANDLE)0x7700)->what, "Key");
  assert_string_equal(leak_of(list, (HANDLE)0x7704)->what, "");
  assert_null(safe_handle_list_unknown(list));
  safe_handle_list_free(list);
  system_stop();
  CloseHandle(one);
  CloseHandle(other);
  CloseHandle(event);
}

static void the_table_of_another_process(void **state) {
  safe_handle_list *list;
  const safe_leak *leak;

  (void)state;
  play();
  system_process(ANYBODY_FROM, 0, 5, L"somebody.exe");
  system_handle((HANDLE)0x40, FILE_TYPE_INDEX, 2);
  system_handle((HANDLE)0x44, SECTION_INDEX, 2);
  list = audit(ANYBODY_FROM, 0, slow(5000));
  assert_int_equal(safe_handle_list_count(list), 2);
  leak = leak_of(list, (HANDLE)0x40);
  assert_int_equal(leak->kind, SAFE_KIND_OTHER); /* a file, a pipe, a socket: asking could hang */
  assert_string_equal(leak->what, "File");
  assert_int_equal(leak_of(list, (HANDLE)0x44)->kind, SAFE_KIND_MEMORY);
  assert_non_null(strstr(safe_handle_list_unknown(list), "can hang"));
  safe_handle_list_free(list);
  system_orders.handles_status = (LONG)0xC000010A;
  assert_code(failure_for(ANYBODY_FROM), SAFE_ENOENT);
  system_orders.handles_status = (LONG)0xC0000003;
  assert_code(failure_for(ANYBODY_FROM), SAFE_ENOTSUP);
  system_deny(ANYBODY_FROM);
  assert_code(failure_for(ANYBODY_FROM), SAFE_EACCES);
  system_stop();
}

/* One that another thread reads from, synchronously: every question to it waits for that. */
static void a_handle_that_is_busy(void **state) {
  HANDLE one = open_file(true), busy = open_file(true), other = open_file(true);
  HANDLE never = CreateEventW(NULL, TRUE, FALSE, NULL);
  safe_handle_list *list;
  int64_t began;

  (void)state;
  play();
  system_orders.busy = busy;
  system_orders.types_wait = never;
  system_handle(one, FILE_TYPE_INDEX, 2);
  system_handle(busy, FILE_TYPE_INDEX, 2);
  system_handle(other, FILE_TYPE_INDEX, 2);
  began = safe__os_now();
  list = audit(0, 0, slow(1000));
  assert_in_range(ms_since(began), 90, slow(1000)); /* a tenth of the time */
  assert_int_equal(safe_handle_list_count(list), 3);
  assert_int_equal(leak_of(list, one)->kind, SAFE_KIND_FILE);
  assert_int_equal(leak_of(list, other)->kind, SAFE_KIND_FILE);
  assert_int_equal(leak_of(list, busy)->kind, SAFE_KIND_OTHER);
  assert_non_null(strstr(safe_handle_list_unknown(list), "busy"));
  safe_handle_list_free(list);
  assert_int_equal(safe_parked_count(), 1);
  SetEvent(never);
  assert_int_equal(safe_shutdown(slow(5000)), SAFE_OK);
  system_stop();
  CloseHandle(one);
  CloseHandle(busy);
  CloseHandle(other);
  CloseHandle(never);
}

/* However often it is asked. */
static void few_threads_are_left_behind(void **state) {
  HANDLE busy = open_file(true), never = CreateEventW(NULL, TRUE, FALSE, NULL);
  safe_handle_list *list;
  int at;

  (void)state;
  play();
  system_orders.busy = busy;
  system_orders.types_wait = never;
  system_handle(busy, FILE_TYPE_INDEX, 2);
  for (at = 0; at < 12; at++) {
    list = audit(0, 0, slow(500));
    assert_int_equal(safe_handle_list_count(list), 1);
    assert_non_null(safe_handle_list_unknown(list));
    safe_handle_list_free(list);
  }
  assert_in_range(safe_parked_count(), 1, 8);
  SetEvent(never);
  assert_int_equal(safe_shutdown(slow(5000)), SAFE_OK);
  list = audit(0, 0, slow(5000));
  assert_int_equal(leak_of(list, busy)->kind, SAFE_KIND_FILE);
  safe_handle_list_free(list);
  system_stop();
  CloseHandle(busy);
  CloseHandle(never);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    TEST(a_file_that_would_be_inherited),
    TEST(every_kind_of_handle),
    TEST(a_lock_that_a_child_would_keep),
    TEST(standard_handles_on_request_only),
    TEST(processes_that_cannot_be_looked_at),
    TEST(handles_that_nobody_lists),
    TEST(the_table_of_handles),
    TEST(the_table_of_another_process),
    TEST(a_handle_that_is_busy),
    TEST(few_threads_are_left_behind),
  };

  join(path, sizeof(path), "audit.file");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
