/* SPDX-License-Identifier: MIT */
/* What the CGI server gives a script, and what it takes of its answer. */
#include "script_environment.h"
#include "script_head.h"
#include "spool.h"
#include "support.h"

#include <unistd.h>

/* ---- The head of an answer: each is fed whole and byte by byte. */

static enum script_head_state feed(struct script_head *head, const char *bytes, size_t length, size_t *used,
                                   bool whole) {
  enum script_head_state result = SCRIPT_HEAD_MORE;
  size_t at;

  memset(head, 0, sizeof(*head));
  if (whole) return script_head_feed(head, bytes, length, used);
  for (at = 0; at < length && result == SCRIPT_HEAD_MORE; at++) result = script_head_feed(head, bytes + at, 1, used);
  *used = at;
  return result;
}

static void heads_that_are_good(void **state) {
  static const struct {
    const char *text;
    int status;
    const char *reason;
    size_t headers, used;
    int64_t length;
    bool local;
  } cases[] = {
    {"Content-Type: a/b\n\nbody", 200, "OK", 1, 19, -1, false},
    {"Content-Type: a/b\r\n\r\nbody", 200, "OK", 1, 21, -1, false},
    {"Content-Type: a/b\r\n\nbody", 200, "OK", 1, 20, -1, false},
    {"status: 404\n\n", 404, "Not Found", 0, 13, -1, false},
    {"Status: 418 I'm a teapot\n\n", 418, "I'm a teapot", 0, 26, -1, false},
    {"Location: http://h/\n\n", 302, "Found", 1, 21, -1, false},
    {"Location: /a\n\n", 302, "Found", 1, 14, -1, true},
    {"Status: 302 Found\nLocation: /a\n\n", 302, "Found", 1, 32, -1, false},
    {"Content-Type:a/b \t\nContent-Length: 5\nX-Empty:\n\n", 200, "OK", 3, 47, 5, false},
  };
  struct script_head head;
  size_t at, used;
  int whole;

  (void)state;
  for (at = 0; at < sizeof(cases) / sizeof(cases[0]); at++) {
    for (whole = 0; whole < 2; whole++) {
      assert_int_equal(feed(&head, cases[at].text, strlen(cases[at].text), &used, whole), SCRIPT_HEAD_DONE);
      assert_int_equal(head.status, cases[at].status);
      assert_string_equal(head.reason, cases[at].reason);
      assert_int_equal(head.header_count, cases[at].headers);
      assert_int_equal(used, cases[at].used);
      assert_true(head.content_length == cases[at].length);
      assert_int_equal(script_head_is_local_redirect(&head), cases[at].local);
      script_head_free(&head);
    }
  }
}

static void heads_that_are_none(void **state) {
  static const char *const cases[] = {
    "\n",
    "\r\n",
    "no colon\n\n",
    ": x\n\n",
    "X Y: z\nStatus: 200\n\n",
    "X-Only: z\n\n",
    "Content-Type: a/b\n folded\n\n",
    "Content-Type: a/b\nX: a\rSet-Cookie: b\n\n",
    "Content-Type: a/b\nX: a\033[2J\n\n",
    "Status: 99\n\n",
    "Status: 199\n\n",
    "Status: 600\n\n",
    "Status: 2000\n\n",
    "Status: 200OK\n\n",
    "Status: abc\n\n",
    "Status: 200\nStatus: 201\n\n",
    "Status: 200\nContent-Length: -1\n\n",
    "Status: 200\nContent-Length: 1x\n\n",
    "Status: 200\nContent-Length: 99999999999999999999\n\n",
    "Status: 200\nContent-Length: 1\nContent-Length: 1\n\n",
    "Location: /a\nLocation: /b\n\n",
  };
  struct script_head head;
  size_t at, used;
  int whole;

  (void)state;
  for (at = 0; at < sizeof(cases) / sizeof(cases[0]); at++) {
    for (whole = 0; whole < 2; whole++) {
      assert_int_equal(feed(&head, cases[at], strlen(cases[at]), &used, whole), SCRIPT_HEAD_WRONG);
      assert_non_null(head.complaint);
      script_head_free(&head);
    }
  }
  assert_int_equal(feed(&head, "Status: 200\nX: a\0b\n\n", 20, &used, true), SCRIPT_HEAD_WRONG);
  script_head_free(&head);
}

static void a_head_has_limits(void **state) {
  struct script_head head;
  char text[1024];
  size_t used, at;

  (void)state;
  memset(text, 'x', sizeof(text));
  memset(&head, 0, sizeof(head));
  for (at = 0; at < SCRIPT_HEAD_MOST / sizeof(text); at++)
    assert_int_equal(script_head_feed(&head, text, sizeof(text), &used), SCRIPT_HEAD_MORE);
  assert_int_equal(script_head_feed(&head, text, 1, &used), SCRIPT_HEAD_WRONG);
  script_head_free(&head);
  memset(&head, 0, sizeof(head));
  for (at = 0; at <= SCRIPT_HEADERS_MOST; at++)
    assert_int_equal(script_head_feed(&head, "X: y\n", 5, &used), SCRIPT_HEAD_MORE);
  assert_int_equal(script_head_feed(&head, "\n", 1, &used), SCRIPT_HEAD_WRONG);
  script_head_free(&head);
}

/* ---- The environment. */

static const char *variable(char *const *list, const char *name) {
  const char *found = NULL;
  size_t length = strlen(name);

  for (; *list != NULL; list++) {
    if (strncmp(*list, name, length) != 0 || (*list)[length] != '=') continue;
    assert_null(found); /* none is there twice */
    found = *list + length + 1;
  }
  return found;
}

static void assert_variable(char *const *list, const char *name, const char *value) {
  const char *found = variable(list, name);

  if (value == NULL) {
    assert_null(found);
  } else {
    assert_non_null(found);
    assert_string_equal(found, value);
  }
}

static const struct header headers[] = {
  {"Host", "example.org:81"},
  {"Content-Type", "text/x"},
  {"content-length", "7"},
  {"X-One", "a"},
  {"x-one", "b"},
  {"Cookie", "a=1"},
  {"Cookie", "b=2"},
  {"Proxy", "http://evil/"},
  {"Authorization", "Basic x"},
  {"X_Two", "evil"},
  {"X.Two", "evil"},
  {"X-Own", "the client's"},
};

static struct exchange example(void) {
  struct exchange exchange = {.method = "POST",
                              .target = "/cgi-bin/a.cgi/x%20y?q=1",
                              .path = "/cgi-bin/a.cgi/x y",
                              .query = "q=1",
                              .version_minor = 1,
                              .headers = headers,
                              .header_count = sizeof(headers) / sizeof(headers[0]),
                              .content_length = 7,
                              .client = "192.0.2.1",
                              .client_port = 4711,
                              .host = "example.org"};

  return exchange;
}

static void a_script_is_told_of_its_request(void **state) {
  static const struct {
    const char *name, *value;
  } wanted[] = {
    {"GATEWAY_INTERFACE", "CGI/1.1"},
    {"SERVER_PROTOCOL", "HTTP/1.1"},
    {"SERVER_NAME", "example.org"},
    {"SERVER_PORT", "8080"},
    {"REQUEST_METHOD", "POST"},
    {"REQUEST_URI", "/cgi-bin/a.cgi/x%20y?q=1"},
    {"QUERY_STRING", "q=1"},
    {"SCRIPT_NAME", "/cgi-bin/a.cgi"},
    {"SCRIPT_FILENAME", "/srv/bin/a.cgi"},
    {"PATH_INFO", "/x y"},
    {"PATH_TRANSLATED", "/srv/root/x y"},
    {"REMOTE_ADDR", "192.0.2.1"},
    {"REMOTE_PORT", "4711"},
    {"CONTENT_LENGTH", "7"},
    {"CONTENT_TYPE", "text/x"},
    {"REDIRECT_STATUS", "200"},
    {"HTTP_HOST", "example.org:81"},
    {"HTTP_X_ONE", "a, b"},
    {"HTTP_COOKIE", "a=1; b=2"},
    {"PATH", "/opt/bin"},
    {"HTTP_X_OWN", "the server's"},
    {"EXTRA", "yes"},
    {"HTTP_PROXY", NULL},
    {"HTTP_AUTHORIZATION", NULL},
    {"HTTP_CONTENT_LENGTH", NULL},
    {"HTTP_CONTENT_TYPE", NULL},
    {"HTTP_X_TWO", NULL},
    {"AUTH_TYPE", NULL},
    {"REMOTE_USER", NULL},
  };
  static const char *const extra[] = {"EXTRA=yes", "PATH=/opt/bin", "HTTP_X_OWN=the server's", NULL};
  const struct script_place place = {"/srv/bin/a.cgi", "/srv/bin", "/cgi-bin/a.cgi", "/x y", false};
  const struct script_environment what = {"/srv/root", "/srv/bin", extra, 8080, 7};
  struct exchange exchange = example();
  char **list = script_environment_make(&exchange, &place, &what);
  size_t at;

  (void)state;
  assert_non_null(list);
  for (at = 0; at < sizeof(wanted) / sizeof(wanted[0]); at++) assert_variable(list, wanted[at].name, wanted[at].value);
  free(list);
}

static void a_script_without_path_and_body(void **state) {
  const struct script_place place = {"/srv/bin/a.cgi", "/srv/bin", "/cgi-bin/a.cgi", "", false};
  const struct script_environment what = {NULL, "/srv/bin", NULL, 8080, 0};
  struct exchange exchange = example();
  char **list;

  (void)state;
  exchange.query = "";
  exchange.version_minor = 0;
  list = script_environment_make(&exchange, &place, &what);
  assert_non_null(list);
  assert_variable(list, "PATH_INFO", NULL);
  assert_variable(list, "PATH_TRANSLATED", NULL);
  assert_variable(list, "CONTENT_LENGTH", NULL);
  assert_variable(list, "QUERY_STRING", "");
  assert_variable(list, "SERVER_PROTOCOL", "HTTP/1.0");
  assert_variable(list, "DOCUMENT_ROOT", "/srv/bin");
  free(list);
}

/* ---- What waits for a script. */

static void a_spool_gives_back_what_it_got(void **state) {
  enum { TOTAL = 3 * SPOOL_MEMORY };
  struct spool spool = {.file = -1};
  char piece[5000], got[3000];
  size_t in = 0, out = 0, at, round, length;
  bool was_file = false;

  (void)state;
  for (round = 0; round < 2; round++) { /* the second time after it was empty */
    for (in = out = 0; in < TOTAL; in += sizeof(piece)) {
      for (at = 0; at < sizeof(piece); at++) piece[at] = (char)((in + at) % 251);
      assert_true(spool_add(&spool, piece, sizeof(piece)));
      length = spool_take(&spool, got, sizeof(got));
      assert_int_equal(length, sizeof(got));
      for (at = 0; at < length; at++) assert_int_equal(got[at], (char)((out + at) % 251));
      out += length;
      was_file |= spool.file >= 0;
    }
    while ((length = spool_take(&spool, got, sizeof(got))) > 0) {
      for (at = 0; at < length; at++) assert_int_equal(got[at], (char)((out + at) % 251));
      out += length;
    }
    assert_int_equal(in, out);
    assert_int_equal(spool_length(&spool), 0);
    assert_int_equal(spool.file, -1);
  }
  assert_true(was_file);
  spool_free(&spool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(heads_that_are_good),
    cmocka_unit_test(heads_that_are_none),
    cmocka_unit_test(a_head_has_limits),
    cmocka_unit_test(a_script_is_told_of_its_request),
    cmocka_unit_test(a_script_without_path_and_body),
    cmocka_unit_test(a_spool_gives_back_what_it_got),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
