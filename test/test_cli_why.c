/* SPDX-License-Identifier: MIT */
/* The verbs that look, on every system: why, holders and leaks. */
#include "answer.h"
#include "command.h"

#if defined(_WIN32)
#include <windows.h>
#define own_pid() ((int64_t)GetCurrentProcessId())
#else
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
#define own_pid() ((int64_t)getpid())
#endif

#if defined(__linux__)
static const bool on_linux = true;
#else
static const bool on_linux = false;
#endif

/* Whether this user may see of all processes what they have open. Root may, unless he is in a container, which has some
   of them only, or somebody has more rights than root has, as the first process of a virtual machine can. */
static bool sees_all(void) {
#if defined(__linux__)
  DIR *folder = geteuid() == 0 ? opendir("/proc/1/fdinfo") : NULL;
  struct stat space;

  if (folder != NULL) closedir(folder);
  return folder != NULL && stat("/proc/self/ns/pid", &space) == 0 && space.st_ino == 4026531836u; /* the first one */
#else
  return false;
#endif
}

static const char *in_digits(int64_t number) {
  static char digits[24];

  snprintf(digits, sizeof(digits), "%lld", (long long)number);
  return digits;
}

static int unknown_count(const cJSON *answer) {
  return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "unknown"));
}

static void bad_words_are_125_with_a_hint(void **state) {
  static const char *const bad[][5] = {
    {"why", NULL},
    {"why", "a", "b", NULL},
    {"why", "--file", "a", "b", NULL},
    {"why", "--no-such", "a", NULL},
    {"why", "0", NULL},
    {"why", "99999999999999999999", NULL},
    {"why", "--count", "3", "a", NULL},
    {"why", "--watch", "--count", "0", "a"},
    {"why", "--watch=soon", "a", NULL},
    {"why", "--watch=0", "a", NULL},
    {"why", "--watch=2d", "a", NULL},
    {"why", "--timeout", "0", "a", NULL},
    {"why", "--timeout", "61", "a", NULL},
    {"why", "--all", "a", NULL},
    {"holders", NULL},
    {"holders", "a", "b", NULL},
    {"holders", "--timeout", "never", "a", NULL},
    {"leaks", "1", "2", NULL},
    {"leaks", "self", NULL},
    {"leaks", "-1", NULL},
    {"leaks", "--file", "a", NULL},
  };
  size_t at;

  (void)state;
  make_file("a", "");
  for (at = 0; at < sizeof(bad) / sizeof(bad[0]); at++) {
    struct result result = run(bad[at][0], bad[at][1], bad[at][2], bad[at][3], bad[at][4], NULL);
    if (result.status != 125) print_error("case %d: %s%s\n", (int)at, result.out, result.err);
    assert_int_equal(result.status, 125);
    assert_non_null(strstr(result.err, "--help"));
    assert_string_equal(result.out, "");
    done(&result);
  }
}

static void help_goes_to_stdout(void **state) {
  static const char *const verbs[] = {"why", "holders", "leaks"};
  size_t at;

  (void)state;
  for (at = 0; at < 3; at++) {
    struct result result = run(verbs[at], "--help", NULL);
    assert_int_equal(result.status, 0);
    assert_non_null(strstr(result.out, "--watch"));
    assert_non_null(strstr(result.out, verbs[at]));
    assert_string_equal(result.err, "");
    done(&result);
  }
}

static void what_is_not_there_is_125(void **state) {
  static const char *const words[][2] = {{"why", "no/such/file"},
                                         {"holders", "no/such/file"},
                                         {"why", "2147483646"}, /* no system gives such a number */
                                         {"leaks", "2147483646"}};
  size_t at;

  (void)state;
  for (at = 0; at < 4; at++) {
    struct result result = run(words[at][0], "--json", words[at][1], NULL);
    if (result.status == 12) { /* a system that does not tell it at all */
      assert_int_equal(at, 3);
      print_message("not shown: this system tells nothing of other processes' handles\n");
    } else {
      assert_int_equal(result.status, 125);
      assert_string_equal(result.out, "");
      if (strstr(result.err, words[at][1]) == NULL) fail_msg("it is not named: %s", result.err);
    }
    done(&result);
  }
}

/* Again while too little is to be seen, as when a process ends while it is looked at. */
static struct result ask_about_a_free_file(const char *verb, const char *path) {
  struct result result = run(verb, "--json", path, NULL);
  int tries;

  for (tries = 0; result.status == 12 && tries < 20; tries++) {
    done(&result);
    sleep_ms(50);
    result = run(verb, "--json", path, NULL);
  }
  return result;
}

/* Free; or unknown, with the reason: to who is not root, and where the system does not tell who holds a lock. */
static void nobody_holds_it(void **state) {
  static const char *const verbs[] = {"why", "holders"};
  char schema[40];
  size_t at;

  (void)state;
  make_file("free", "");
  for (at = 0; at < 2; at++) {
    struct result result = ask_about_a_free_file(verbs[at], "free");
    cJSON *answer;
    snprintf(schema, sizeof(schema), "safehold.%s/1", verbs[at]);
    answer = answer_of(result.out, schema);
    assert_non_null(strstr(answer_words(answer, "file"), "free"));
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "holders")), 0);
    if (sees_all() || result.status == 0) {
      assert_status(result, 0);
      assert_string_equal(answer_words(answer, "verdict"), "free");
    } else {
      assert_string_equal(answer_words(answer, "verdict"), "unknown");
      assert_true(unknown_count(answer) > 0);
      assert_status(result, 12);
    }
    cJSON_Delete(answer);
  }
}

/* With an owner record, which is all that there is on a system that does not tell who holds a lock. */
static void a_holder_is_told(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  char expected[32];
  safe_lock *lock;
  struct result result;
  cJSON *answer;
  const cJSON *holder;

  (void)state;
  options.flags |= SAFE_LOCK_RECORD_OWNER;
  options.label = "the test";
  assert_code(safe_lock_file(&lock, "held", &options, NULL), SAFE_OK);
  result = run("why", "--json", "held", NULL);
  answer = answer_of(result.out, "safehold.why/1");
  if (result.status == 12 && !on_linux) {
    assert_true(unknown_count(answer) > 0);
    print_message("not shown: this system does not tell who holds a lock\n");
    cJSON_Delete(answer);
    done(&result);
    safe_unlock(lock);
    return;
  }
  assert_string_equal(answer_words(answer, "verdict"), "held");
  holder = answer_process(answer, "holders", own_pid());
  if (holder == NULL) fail_msg("this process is not among the holders: %s", result.out);
  assert_string_equal(answer_words(holder, "mode"), "exclusive");
  snprintf(expected, sizeof(expected), "[%lld]", (long long)own_pid());
  assert_non_null(strstr(answer_words(answer, "text"), expected));
  cJSON_Delete(answer);
  assert_status(result, 10);

  result = run("holders", "held", NULL);
  assert_memory_equal(result.out, "PID ", 4);
  assert_non_null(strstr(result.out, in_digits(own_pid())));
  assert_status(result, 10);
  safe_unlock(lock);
}

static void a_name_of_digits_is_a_process_unless_said_otherwise(void **state) {
  safe_process *child = start_helper("sleep", "60000", NULL);
  struct result result;
  cJSON *answer;

  (void)state;
  make_file("2147483646", "");
  result = run("why", "--json", "--file", "2147483646", NULL);
  answer = answer_of(result.out, "safehold.why/1");
  assert_non_null(strstr(answer_words(answer, "file"), "2147483646"));
  cJSON_Delete(answer);
  done(&result);

  result = run("why", "--json", in_digits(safe_process_pid(child)), NULL);
  answer = answer_of(result.out, "safehold.why/1");
  assert_int_equal((int64_t)cJSON_GetObjectItemCaseSensitive(answer, "pid")->valuedouble, safe_process_pid(child));
  if (result.status != 0 && result.status != 12) fail_msg("it waits for nobody: %d, %s", result.status, result.out);
  cJSON_Delete(answer);
  done(&result);
  end_helper(child);
}

static void its_own_inheritance_is_told(void **state) {
  struct result result = run("leaks", "--json", NULL); /* which was started with care */
  cJSON *answer = answer_of(result.out, "safehold.leaks/1");

  (void)state;
  if (result.status == 12)
    assert_true(unknown_count(answer) > 0);
  else
    assert_int_equal(result.status, 0);
  assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "leaks")), 0);
  cJSON_Delete(answer);
  done(&result);
}

static void a_watch_of_so_many_looks_comes_to_its_end(void **state) {
  int64_t began = now_ms();
  struct result result;

  (void)state;
  make_file("watched", "");
  result = run("holders", "--json", "--watch=0.05", "--count", "5", "watched", NULL);
  assert_true(now_ms() - began >= 199);
  if (result.status != 0 && result.status != 12) fail_msg("%d: %s%s", result.status, result.out, result.err);
  cJSON_Delete(answer_of(result.out, "safehold.holders/1")); /* one line: nothing has changed */
  done(&result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(bad_words_are_125_with_a_hint),
    cmocka_unit_test(help_goes_to_stdout),
    cmocka_unit_test(what_is_not_there_is_125),
    cmocka_unit_test(nobody_holds_it),
    cmocka_unit_test(a_holder_is_told),
    cmocka_unit_test(a_name_of_digits_is_a_process_unless_said_otherwise),
    cmocka_unit_test(its_own_inheritance_is_told),
    cmocka_unit_test(a_watch_of_so_many_looks_comes_to_its_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
