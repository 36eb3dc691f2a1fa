/* SPDX-License-Identifier: MIT */
/* safe_audit_handles, on every system: what it refuses, and that nothing of this library is inherited by accident. */
#include "support.h"

#define NOBODY INT64_C(2147483632) /* a number that no system gives to a process */

static void it_says_what_is_wrong(void **state) {
  safe_audit_options options = SAFE_AUDIT_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_handle_list *list = (safe_handle_list *)&options;

  (void)state;
  assert_code(safe_audit_handles(NULL, NULL, &error), SAFE_EINVAL);
  assert_non_null(strstr(error.message, "NULL"));
  options.timeout_ms = SAFE_FOREVER;
  assert_code(safe_audit_handles(&options, &list, &error), SAFE_EINVAL);
  assert_null(list);
  assert_non_null(strstr(error.message, "timeout"));
  options = (safe_audit_options)SAFE_AUDIT_OPTIONS_INIT;
  options.pid = -1;
  assert_code(safe_audit_handles(&options, &list, &error), SAFE_EINVAL);
  options = (safe_audit_options)SAFE_AUDIT_OPTIONS_INIT;
  options.flags = SAFE_AUDIT_STANDARD << 1;
  assert_code(safe_audit_handles(&options, &list, &error), SAFE_EINVAL);
  options = (safe_audit_options)SAFE_AUDIT_OPTIONS_INIT;
  options.size = 0;
  assert_code(safe_audit_handles(&options, &list, &error), SAFE_EINVAL);
  assert_int_equal(error.stage, SAFE_STAGE_ARGUMENTS);
}

static void an_empty_list_can_be_asked(void **state) {
  (void)state;
  assert_int_equal(safe_handle_list_count(NULL), 0);
  assert_null(safe_handle_list_get(NULL, 0));
  assert_null(safe_handle_list_unknown(NULL));
  safe_handle_list_free(NULL);
}

static safe_handle_list *audited(void) {
  safe_error error = SAFE_ERROR_INIT;
  safe_handle_list *list = NULL;
  int code = safe_audit_handles(NULL, &list, &error);

  if (code == SAFE_ENOTSUP) {
    print_message("skipped: %s\n", error.message);
    skip();
  }
  if (code != SAFE_OK) fail_msg("%s", error.message);
  assert_null(safe_handle_list_get(list, safe_handle_list_count(list)));
  return list;
}

static void expect_same(const safe_handle_list *before, const safe_handle_list *after) {
  size_t at;

  for (at = 0; at < safe_handle_list_count(after); at++) {
    const safe_leak *leak = safe_handle_list_get(after, at), *old = safe_handle_list_get(before, at);
    if (old == NULL || old->handle != leak->handle)
      fail_msg("%lld would be inherited: %s", (long long)leak->handle, leak->what);
  }
  assert_int_equal(safe_handle_list_count(after), safe_handle_list_count(before));
}

static safe_process *child_with_pipes(void) {
  static const char *const argv[] = {"helper", "sleep", "60000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options.file = helper_path();
  options.argv = argv;
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
  if (spawn_surely(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  return process;
}

static safe_lock *locked(const char *path, int32_t method, uint32_t flags) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;
  int code;

  options.method = method;
  options.flags |= flags;
  code = safe_lock_file(&lock, path, &options, NULL);
  if (code != SAFE_OK && code != SAFE_ENOTSUP) fail_msg("%s: %s", path, safe_code_name(code));
  return code == SAFE_OK ? lock : NULL;
}

static void nothing_of_ours_is_inherited(void **state) {
  safe_handle_list *before = audited(), *after;
  safe_lock *locks[4], *waited_for = locked_by_another_thread("waited", NULL);
  safe_cancel *cancel;
  safe_lock_wait *wait;
  safe_process *child;
  size_t at;

  (void)state;
  locks[0] = locked("plain", SAFE_METHOD_DEFAULT, 0);
  locks[1] = locked("flock", SAFE_METHOD_FLOCK, 0);
  locks[2] = locked("recorded", SAFE_METHOD_DEFAULT, SAFE_LOCK_RECORD_OWNER | SAFE_LOCK_FAIR);
  locks[3] = locked("isolated", SAFE_METHOD_DEFAULT, SAFE_LOCK_ISOLATE);
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  assert_code(safe_lock_begin(&wait, "waited", NULL, NULL), SAFE_OK);
  safe_lock_wait_handle(wait);
  child = child_with_pipes();
  safe_process_exit_handle(child);
  after = audited();
  expect_same(before, after);
  safe_handle_list_free(after);
  safe_handle_list_free(before);
  end_helper(child);
  safe_lock_wait_cancel(wait);
  safe_cancel_free(cancel);
  safe_unlock(waited_for);
  for (at = 0; at < sizeof(locks) / sizeof(locks[0]); at++)
    if (locks[at] != NULL) safe_unlock(locks[at]);
}

static void nobody_has_nothing(void **state) {
  safe_audit_options options = SAFE_AUDIT_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_handle_list *list;
  int code;

  (void)state;
  options.pid = NOBODY;
  code = safe_audit_handles(&options, &list, &error);
  assert_null(list);
  if (code != SAFE_ENOTSUP) assert_code(code, SAFE_ENOENT);
  assert_true(error.message[0] != '\0');
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_says_what_is_wrong),
    cmocka_unit_test(an_empty_list_can_be_asked),
    cmocka_unit_test(nothing_of_ours_is_inherited),
    cmocka_unit_test(nobody_has_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
