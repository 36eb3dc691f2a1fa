/* SPDX-License-Identifier: MIT */
/* The command on every system, run as a user would. */
#include "command.h"

static void the_commands_status_is_the_childs(void **state) {
  struct result result = run("run", "--", helper_path(), "args", "a b", NULL);

  (void)state;
  assert_int_equal(result.status, 0);
  assert_string_equal(result.out, "[a b]\n");
  assert_string_equal(result.err, "");
  done(&result);
  assert_status(run("run", helper_path(), "exit", "0", NULL), 0);
  assert_status(run("run", helper_path(), "exit", "3", NULL), 3);
  assert_status(run("lock", "file", helper_path(), "exit", "3", NULL), 3);
  assert_status(run("lock", "-s", "-w", "1", "file", helper_path(), "exit", "5", NULL), 5);
}

static void a_program_that_is_not_there_is_127(void **state) {
  struct result result = run("run", "no-such-program-anywhere", NULL);

  (void)state;
  assert_int_equal(result.status, 127);
  assert_non_null(strstr(result.err, "no-such-program-anywhere"));
  done(&result);
  assert_status(run("lock", "file", "./no/such/program", NULL), 127);
  make_file("plain", "no program");
  assert_status(run("run", "./plain", NULL), 126);
}

static void a_timeout_is_124_and_137_if_it_had_to_be_killed(void **state) {
  int64_t began = now_ms();
  struct result result = run("run", "--timeout", "0.2", "--grace", "0.2s", helper_path(), "stubborn", "60000", NULL);

  (void)state;
  assert_in_range(now_ms() - began, 199, 400 + 3000 * slowness());
  if (result.status == 124 && on_wine()) {
    print_message("not shown: this Wine (10 does) ends also a process that handles CTRL_BREAK and goes on\n");
    done(&result);
  } else {
    assert_status(result, 137);
  }
  assert_status(run("run", "-t", "30", helper_path(), "exit", "0", NULL), 0);
  assert_status(run("run", "-t", "0", helper_path(), "exit", "2", NULL), 2);
}

static void nothing_of_the_command_stays(void **state) {
  struct result result = run("run", "-g", "0", helper_path(), "leave", "60000", NULL);

  (void)state;
  assert_int_equal(result.status, 0); /* and its stdout came to its end: nobody keeps it */
  assert_true(atol(result.out) > 0);
  done(&result);
}

static void a_conflict_is_75_and_names_the_file(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  struct result result;
  safe_lock *lock;

  (void)state;
#if !defined(_WIN32)
  options.method = SAFE_METHOD_FLOCK;
#endif
  assert_code(safe_lock_file(&lock, "conflict", &options, NULL), SAFE_OK);
  result = run("lock", "-n", "conflict", helper_path(), "exit", "0", NULL);
  assert_int_equal(result.status, 75);
  assert_non_null(strstr(result.err, "conflict"));
  done(&result);
  assert_status(run("lock", "-w", "0.1", "conflict", helper_path(), "exit", "0", NULL), 75);
  assert_status(run("lock", "-w", "0", "conflict", helper_path(), "exit", "0", NULL), 75);
  assert_status(run("lock", "-s", "-n", "-E", "9", "conflict", helper_path(), "exit", "0", NULL), 9);
  safe_unlock(lock);
  assert_status(run("lock", "-n", "conflict", helper_path(), "exit", "0", NULL), 0);
}

static void expect_said(struct result result, const char *first, const char *second) {
  const char *at = strstr(result.err, first);

  if (at == NULL || strstr(at, second) == NULL) fail_msg("no \"%s\" and \"%s\" in: %s", first, second, result.err);
  assert_int_equal(result.status, 0);
  done(&result);
}

static void a_verbose_command_says_what_it_does(void **state) {
  struct result result = run("lock", "spoken", helper_path(), "exit", "0", NULL);

  (void)state;
  assert_string_equal(result.err, "");
  done(&result);
  expect_said(run("lock", "-v", "spoken", helper_path(), "exit", "0", NULL), "spoken is locked (exclusive).",
              " was started: ");
  expect_said(run("run", "--verbose", helper_path(), "exit", "0", NULL), "safehold: Process ", " was started: ");
}

static void bad_words_are_125_with_a_hint(void **state) {
  static const char *const bad[][5] = {
    {NULL},
    {"steal", NULL},
    {"lock", NULL},
    {"lock", "file", NULL},
    {"lock", "--no-such", "file", "true", NULL},
    {"lock", "-w", "soon", "file", NULL},
    {"lock", "-w", "-1", "file", NULL},
    {"lock", "-w", "inf", "file", NULL},
    {"lock", "-w", "1x", "file", NULL},
    {"lock", "-E", "256", "file", NULL},
    {"lock", "--method", "magic", "file", NULL},
    {"lock", "file", "-c", NULL},
    {"run", NULL},
    {"run", "--timeout", "1e3", "true", NULL},
    {"run", "--timeout", "", "true", NULL},
    {"run", "--timeout", "nan", "true", NULL},
    {"run", "-x", "true", NULL},
    {"run", "--tree", "oak", "true", NULL},
    {"run", "--memory", "1Q", "true", NULL},
    {"run", "--memory", "K", "true", NULL},
    {"run", "--memory", "-1", "true", NULL},
    {"run", "--cpu-time", "soon", "true", NULL},
    {"run", "--processes", "1.5", "true", NULL},
    {"run", "--processes", "99999999999999999999", "true", NULL},
  };
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(bad) / sizeof(bad[0]); at++) {
    struct result result = run(bad[at][0], bad[at][1], bad[at][2], bad[at][3], NULL);
    if (result.status != 125) print_error("line %d: %s\n", (int)at, result.err);
    assert_int_equal(result.status, 125);
    assert_non_null(strstr(result.err, "--help"));
    assert_string_equal(result.out, "");
    done(&result);
  }
}

static void failures_of_its_own_are_125(void **state) {
  struct result result = run("lock", "no/such/folder/file", helper_path(), "exit", "0", NULL);

  (void)state;
  assert_int_equal(result.status, 125);
  assert_non_null(strstr(result.err, "no/such/folder/file"));
  done(&result);
  make_folder("folder");
  assert_status(run("lock", "folder", helper_path(), "exit", "0", NULL), 125);
  assert_status(run("lock", "", helper_path(), "exit", "0", NULL), 125);
}

static void help_and_version_go_to_stdout(void **state) {
  static const char *const words[][2] = {{"--help", NULL}, {"lock", "--help"}, {"run", "--help"}, {"--version", NULL}};
  size_t at;

  (void)state;
  for (at = 0; at < 4; at++) {
    struct result result = run(words[at][0], words[at][1], NULL);
    assert_int_equal(result.status, 0);
    assert_true(strlen(result.out) > 5);
    assert_string_equal(result.err, "");
    done(&result);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_commands_status_is_the_childs),
    cmocka_unit_test(a_program_that_is_not_there_is_127),
    cmocka_unit_test(a_timeout_is_124_and_137_if_it_had_to_be_killed),
    cmocka_unit_test(nothing_of_the_command_stays),
    cmocka_unit_test(a_conflict_is_75_and_names_the_file),
    cmocka_unit_test(a_verbose_command_says_what_it_does),
    cmocka_unit_test(bad_words_are_125_with_a_hint),
    cmocka_unit_test(failures_of_its_own_are_125),
    cmocka_unit_test(help_and_version_go_to_stdout),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
