/* SPDX-License-Identifier: MIT */
/* What the CGI server makes of a request's target, ranges and dates. */
#include "http_date.h"
#include "range.h"
#include "strict_chunks.h"
#include "support.h"
#include "target.h"

static const char *read_it(struct target *target, const char *text, char **space) {
  *space = malloc(2 * strlen(text) + 4); /* exactly as much as is promised: a sanitizer sees a byte too many */
  assert_non_null(*space);
  return target_read(target, text, *space);
}

static void a_path_is_decoded_and_without_dots(void **state) {
  static const struct {
    const char *text, *path, *query, *authority;
  } cases[] = {
    {"/", "/", "", NULL},
    {"/a/b", "/a/b", "", NULL},
    {"/a/b/", "/a/b/", "", NULL},
    {"/a%20b?c%20d", "/a b", "c%20d", NULL},
    {"/a?b?c", "/a", "b?c", NULL},
    {"/?", "/", "", NULL},
    {"//a///b//", "/a/b/", "", NULL},
    {"/./a/./b/.", "/a/b/", "", NULL},
    {"/a/../b", "/b", "", NULL},
    {"/a/b/..", "/a/", "", NULL},
    {"/a/b/../..", "/", "", NULL},
    {"/a/%2e%2E/b", "/b", "", NULL},
    {"/...", "/...", "", NULL},
    {"/..a/.b", "/..a/.b", "", NULL},
    {"/%25%32%65", "/%2e", "", NULL}, /* decoded once */
    {"/gr%C3%BCn", "/gr\xc3\xbcn", "", NULL},
    {"/a#b", "/a", "", NULL},
    {"/a?b#c", "/a", "b", NULL},
    {"http://h:80/a?b", "/a", "b", "h:80"},
    {"HTTP://h", "/", "", "h"},
    {"https://h?b", "/", "b", "h"},
  };
  struct target target;
  char *space;
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(cases) / sizeof(cases[0]); at++) {
    assert_null(read_it(&target, cases[at].text, &space));
    assert_string_equal(target.path, cases[at].path);
    assert_string_equal(target.query, cases[at].query);
    if (cases[at].authority == NULL)
      assert_null(target.authority);
    else
      assert_string_equal(target.authority, cases[at].authority);
    free(space);
  }
}

static void what_leads_out_or_is_doubtful_is_refused(void **state) {
  static const char *const cases[] = {"",       "a",    "*",        "/..",     "/a/../..", "/a/../../b", "/%2e%2e/a",
                                      "/a%00b", "/%2f", "/a%2Fb",   "/%",      "/%1",      "/%zz",       "/a%0ab",
                                      "/%7f",   "/%0d", "ftp://h/", "http:/a", "/./..",    "//..",       "http://h/.."};
  struct target target;
  char *space;
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(cases) / sizeof(cases[0]); at++) {
    assert_non_null(read_it(&target, cases[at], &space));
    free(space);
  }
}

static void a_host_is_a_name_or_an_address(void **state) {
  static const char *const good[] = {"", "localhost", "a.example:8080", "127.0.0.1", "[::1]", "[::1]:80", "a-b_c"};
  static const char *const bad[] = {"a b", "a/b", "a@b", "a:b", "[::1", "[::1]x", "a:123456", "<x>", "a\\b", "a,b"};
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(good) / sizeof(good[0]); at++) assert_true(target_host_is_valid(good[at]));
  for (at = 0; at < sizeof(bad) / sizeof(bad[0]); at++) assert_false(target_host_is_valid(bad[at]));
}

static void ranges(void **state) {
  static const struct {
    const char *text;
    uint64_t size;
    enum range_kind kind;
    uint64_t begin, end;
  } cases[] = {
    {"bytes=0-0", 10, RANGE_ONE, 0, 1},
    {"bytes=2-5", 10, RANGE_ONE, 2, 6},
    {"bytes=2-", 10, RANGE_ONE, 2, 10},
    {"bytes=2-99", 10, RANGE_ONE, 2, 10},
    {"bytes=-3", 10, RANGE_ONE, 7, 10},
    {"bytes=-30", 10, RANGE_ONE, 0, 10},
    {"bytes=0-18446744073709551615", 10, RANGE_ONE, 0, 10},
    {"bytes=10-", 10, RANGE_IMPOSSIBLE, 0, 0},
    {"bytes=-0", 10, RANGE_IMPOSSIBLE, 0, 0},
    {"bytes=0-", 0, RANGE_IMPOSSIBLE, 0, 0},
    {"bytes=5-2", 10, RANGE_NONE, 0, 0},
    {"bytes=1-2,4-5", 10, RANGE_NONE, 0, 0},
    {"bytes=-", 10, RANGE_NONE, 0, 0},
    {"bytes=x-", 10, RANGE_NONE, 0, 0},
    {"bytes=1", 10, RANGE_NONE, 0, 0},
    {"bytes=99999999999999999999-", 10, RANGE_NONE, 0, 0},
    {"lines=1-2", 10, RANGE_NONE, 0, 0},
  };
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(cases) / sizeof(cases[0]); at++) {
    uint64_t begin = 0, end = 0;

    assert_int_equal(range_read(cases[at].text, cases[at].size, &begin, &end), cases[at].kind);
    assert_true(begin == cases[at].begin && end == cases[at].end);
  }
}

static void dates(void **state) {
  char text[HTTP_DATE_SIZE];

  (void)state;
  http_date_write(text, 784111777);
  assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
  assert_true(http_date_read(text) == 784111777);
  assert_true(http_date_read("Sunday, 06-Nov-94 08:49:37 GMT") == 784111777);
  assert_true(http_date_read("Sun Nov  6 08:49:37 1994") == 784111777);
  assert_true(http_date_read("yesterday") == -1);
  assert_true(http_date_read("Sun, 06 Nov 1994 08:49:37 GMT and more") == -1);
}

/* Each body is fed whole and byte by byte, which has to come to the same. */
static void chunks_are_strict(void **state) {
  static const struct {
    const char *body;
    bool good;
  } cases[] = {
    {"\n5\r\nhello\r\n0\r\n\r\n", true},
    {"\n1\r\na\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET / HTTP/1.1", true},
    {"\n5\r\nhelloXX0\r\n\r\n", false},
    {"\n5 5\r\nhello\r\n", false},
    {"\n5\nhello\r\n", false},
    {"\n5\r\nhello\n0\r\n", false},
    {"\n\r\nhello", false},
    {"\n-5\r\nhello", false},
    {"\n0x5\r\nhello", false},
    {"\n10000000000000005\r\nhello", false},
    {"\n5;a\nb\r\nhello", false},
  };
  size_t at, byte;

  (void)state;
  for (at = 0; at < sizeof(cases) / sizeof(cases[0]); at++) {
    const char *body = cases[at].body;
    struct chunks whole, single;
    bool good = true;

    strict_chunks_begin(&whole);
    strict_chunks_begin(&single);
    assert_int_equal(strict_chunks_feed(&whole, body, strlen(body)), cases[at].good);
    for (byte = 0; byte < strlen(body) && good; byte++) good = strict_chunks_feed(&single, body + byte, 1);
    assert_int_equal(good, cases[at].good);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_path_is_decoded_and_without_dots),
    cmocka_unit_test(what_leads_out_or_is_doubtful_is_refused),
    cmocka_unit_test(a_host_is_a_name_or_an_address),
    cmocka_unit_test(ranges),
    cmocka_unit_test(dates),
    cmocka_unit_test(chunks_are_strict),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
