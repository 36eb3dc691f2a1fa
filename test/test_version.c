/* SPDX-License-Identifier: MIT */
#include "safehold/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void linked_library_matches_header(void **state) {
  (void)state;
  assert_int_equal(safe_version_number(), SAFE_VERSION_NUMBER);
  assert_string_equal(safe_version(), SAFE_VERSION_STRING);
}

static void string_and_numbers_agree(void **state) {
  char text[32];
  (void)state;
  snprintf(text, sizeof(text), "%d.%d.%d", SAFE_VERSION_MAJOR, SAFE_VERSION_MINOR, SAFE_VERSION_PATCH);
  assert_string_equal(text, SAFE_VERSION_STRING);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(linked_library_matches_header),
    cmocka_unit_test(string_and_numbers_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
