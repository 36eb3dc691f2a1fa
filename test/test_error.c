/* SPDX-License-Identifier: MIT */
#include "internal.h"
#include "support.h"

static void every_code_has_a_name_of_its_own(void **state) {
  int one, other;

  (void)state;
  for (one = SAFE_ESRCH; one <= 0; one++) {
    assert_int_equal(strncmp(safe_code_name(one), "SAFE_", 5), 0);
    assert_string_not_equal(safe_code_name(one), "SAFE_?");
    for (other = one + 1; other <= 0; other++) assert_string_not_equal(safe_code_name(one), safe_code_name(other));
  }
  assert_string_equal(safe_code_name(SAFE_ETIMEDOUT), "SAFE_ETIMEDOUT");
  assert_string_equal(safe_code_name(SAFE_ESRCH), "SAFE_ESRCH");
  assert_string_equal(safe_code_name(SAFE_ENOTDIR), "SAFE_ENOTDIR");
  assert_string_equal(safe_code_name(1), "SAFE_?");
  assert_string_equal(safe_code_name(SAFE_ESRCH - 1), "SAFE_?");
}

static void every_stage_has_a_name(void **state) {
  (void)state;
  assert_string_equal(safe_stage_name(SAFE_STAGE_EXEC), "starting the program");
  assert_string_equal(safe_stage_name(SAFE_STAGE_PROXY), "making the proxy parent");
  assert_string_equal(safe_stage_name(-1), "an unknown stage");
  assert_string_equal(safe_stage_name(SAFE_STAGE_PROXY + 1), "an unknown stage");
}

static void a_shorter_struct_is_filled_as_far_as_it_goes(void **state) {
  safe_error error = SAFE_ERROR_INIT;

  (void)state;
  memset(error.message, '#', sizeof(error.message));
  error.size = offsetof(safe_error, os_code);
  error.os_code = 77;
  assert_code(safe_lock_file(NULL, "x", NULL, &error), SAFE_EINVAL);
  assert_int_equal(error.code, SAFE_EINVAL);
  assert_int_equal(error.stage, SAFE_STAGE_ARGUMENTS);
  assert_int_equal(error.os_code, 77);
  assert_int_equal(error.message[0], '#');
  assert_int_equal(error.size, offsetof(safe_error, os_code));
}

static void an_error_without_its_size_is_refused(void **state) {
  safe_error error;
  safe_lock *lock;

  (void)state;
  memset(&error, 0, sizeof(error));
  assert_code(safe_lock_file(&lock, "x", NULL, &error), SAFE_EINVAL);
  assert_int_equal(error.code, 0);
}

static void a_long_message_is_cut_not_overrun(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  char path[2000];

  (void)state;
  memset(path, 'p', sizeof(path) - 1);
  path[sizeof(path) - 1] = '\0';
  safe__fail(&error, SAFE_EBUSY, SAFE_STAGE_LOCK, 3, "%s", path);
  safe__add(&error, "%s", path);
  assert_int_equal(strlen(error.message), sizeof(error.message) - 1);
  assert_int_equal(error.index, 3);
}

/* A process chooses its own name; logs and terminals must not take orders from it. */
static void names_of_holders_are_printable(void **state) {
  safe_holder_list list = {0};
  safe_holder holder = {.pid = 1, .name = "a\x1b[2J\nb\x7f"};

  (void)state;
  assert_true(safe__holder_add(&list, &holder));
  assert_true(safe__holder_add(&list, &holder)); /* the same one, listed once */
  assert_int_equal(safe_holder_list_count(&list), 1);
  assert_string_equal(safe_holder_list_get(&list, 0)->name, "a?[2J?b?");
  free(list.items);
}

static void nothing_is_parked_at_first(void **state) {
  (void)state;
  assert_int_equal(safe_parked_count(), 0);
  assert_code(safe_shutdown(SAFE_NO_WAIT), SAFE_OK);
  assert_code(safe_shutdown(-7), SAFE_EINVAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_code_has_a_name_of_its_own),
    cmocka_unit_test(every_stage_has_a_name),
    cmocka_unit_test(a_shorter_struct_is_filled_as_far_as_it_goes),
    cmocka_unit_test(an_error_without_its_size_is_refused),
    cmocka_unit_test(a_long_message_is_cut_not_overrun),
    cmocka_unit_test(names_of_holders_are_printable),
    cmocka_unit_test(nothing_is_parked_at_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
