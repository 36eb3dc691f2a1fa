/* SPDX-License-Identifier: MIT */
/* What the command prints of names and times that others have chosen. */
#include "../cli/text.h"
#include "support.h"

static void only_utf8_stays_as_it_is(void **state) {
  static const struct {
    const char *words, *clean;
  } cases[] = {
    {"", ""},
    {"plain", "plain"},
    {"gr\xc3\xbc\xc3\x9f"
     "e \xe2\x82\xac \xf0\x9f\x94\x92",
     "gr\xc3\xbc\xc3\x9f"
     "e \xe2\x82\xac \xf0\x9f\x94\x92"},
    {"\xff", "\xef\xbf\xbd"},
    {"a\x80z", "a\xef\xbf\xbdz"},                                             /* a continuation of nothing */
    {"\xc3", "\xef\xbf\xbd"},                                                 /* cut off */
    {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* cut off */
    {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                                 /* longer than need be */
    {"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* the same */
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                 /* half of a pair of UTF-16 */
    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* beyond U+10FFFF */
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},                                 /* U+10FFFF */
  };
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(cases) / sizeof(cases[0]); at++) {
    char *clean = text_clean(cases[at].words, false);
    assert_string_equal(clean, cases[at].clean);
    free(clean);
  }
}

static void a_terminal_gets_nothing_to_obey(void **state) {
  char *clean = text_clean("a\x1b[2Jb\tc\nd\x7f\xc2\x9b"
                           "e",
                           true);

  (void)state;
  assert_string_equal(clean, "a?[2Jb?c\nd??e");
  free(clean);
  clean = text_clean("a\x1b", false);
  assert_string_equal(clean, "a\x1b");
  free(clean);
}

static void times_are_utc_with_milliseconds(void **state) {
  char time[TEXT_TIME_SIZE];

  (void)state;
  assert_string_equal(text_time(1795286400125, time), "2026-11-21T18:40:00.125Z");
  assert_string_equal(text_time(1, time), "1970-01-01T00:00:00.001Z");
  assert_string_equal(text_time(0, time), "");
  assert_string_equal(text_time(-5, time), "");
  assert_string_equal(text_time(INT64_MAX, time), "");
}

static void a_table_is_as_wide_as_its_words(void **state) {
  struct table table = {3, 0, 0, NULL, false};
  struct text text = {NULL, 0, 0, false};
  int row;

  (void)state;
  table_cell(&table, "PID");
  table_cell(&table, "NAME");
  table_cell(&table, "WHAT");
  table_cell(&table, "%d", 12345);
  table_cell(&table, "\xc3\xbc\xc3\xbc\xc3\xbc"); /* three characters */
  table_cell(&table, "%s", "");
  table_write(&table, &text);
  assert_string_equal(text.bytes, "PID    NAME  WHAT\n12345  \xc3\xbc\xc3\xbc\xc3\xbc   -\n");
  for (row = 0; row < 300; row++) {
    table_cell(&table, "%d", row);
    table_cell(&table, "x");
    table_cell(&table, "y");
  }
  table_write(&table, &text);
  assert_false(text.no_memory);
  assert_non_null(strstr(text.bytes, "\n299    x     y\n"));
  text_free(&text);
  table_free(&table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(only_utf8_stays_as_it_is),
    cmocka_unit_test(a_terminal_gets_nothing_to_obey),
    cmocka_unit_test(times_are_utc_with_milliseconds),
    cmocka_unit_test(a_table_is_as_wide_as_its_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
