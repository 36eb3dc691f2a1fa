/* SPDX-License-Identifier: MIT */
/* The verbs that look, beside flock(1), signals and shells. Each case is a shell script whose exit status is the
   answer; what it leaves in the file "json" is looked at by its fields. */
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"
#include "script.h"

/* A container has some processes only, and calls nothing free. */
static void only_where_all_are_seen(void) {
  struct stat space;

  if (stat("/proc/self/ns/pid", &space) == 0 && space.st_ino == 4026531836u) return; /* the first one */
  print_message("skipped: processes outside of this container cannot be seen\n");
  skip();
}

static void only_where_proc_is(void) {
  const char *helper = helper_path();

  if (access("/proc/self/stat", R_OK) != 0) {
    print_message("skipped: only Linux tells all of it\n");
    skip();
  }
  if (strcmp(helper + strlen(helper) - 3, ".sh") == 0) { /* cmake/testing.cmake: it calls qemu-user */
    print_message("skipped: the kernel tells the system calls of another processor than the emulated one\n");
    skip();
  }
}

static cJSON *answer_in_file(const char *schema) {
  char *text = read_file("json");
  cJSON *answer = answer_of(text, schema);

  free(text);
  return answer;
}

static int64_t pid_in_file(const char *path) {
  char *text = read_file(path);
  int64_t pid = atoll(text);

  free(text);
  assert_true(pid > 0);
  return pid;
}

static void check_cycle_step(const cJSON *answer, const char *from, const char *waits, const char *to) {
  const cJSON *step = answer_process(answer, "cycle", pid_in_file(from));

  if (step == NULL) fail_msg("%s is no part of the cycle", from);
  assert_string_equal(answer_words(step, "waits"), waits);
  assert_int_equal((int64_t)cJSON_GetObjectItemCaseSensitive(step, "for_pid")->valuedouble, pid_in_file(to));
}

static void flock_and_its_child_are_named(void **state) {
  cJSON *answer;
  const cJSON *holder;

  (void)state;
  only_where_proc_is();
  script("flock a sh -c 'echo $$ >child; \"$SAFEHOLD\" holders a >table; test $? -eq 10 || exit 1\n"
         "  grep -Eq \"^[0-9]+ +flock +holds +flock +exclusive +3 \" table || { cat table; exit 2; }\n"
         "  grep -Eq \"^$$ +sh +holds +flock +exclusive +3 +inherited\" table || { cat table; exit 3; }\n"
         "  \"$SAFEHOLD\" why a >text; test $? -eq 10 || exit 4; grep -q \"sh\\[$$\\]\" text || { cat text; exit 5; }\n"
         "  \"$SAFEHOLD\" why --json a >json; test $? -eq 10'");
  answer = answer_in_file("safehold.why/1");
  assert_string_equal(answer_words(answer, "verdict"), "held");
  holder = answer_process(answer, "holders", pid_in_file("child"));
  assert_non_null(holder);
  assert_string_equal(answer_words(holder, "name"), "sh");
  assert_string_equal(answer_words(holder, "method"), "flock");
  assert_string_equal(answer_words(holder, "via"), "inherited");
  assert_int_equal(cJSON_GetObjectItemCaseSensitive(holder, "fd")->valueint, 3);
  cJSON_Delete(answer);
}

static void waiters_are_told(void **state) {
  cJSON *answer;

  (void)state;
  only_where_proc_is();
  script("flock -F b sleep 30 & holder=$!; while flock -n b true; do sleep 0.02; done\n"
         "flock -F b true & echo $! >waiter\n"
         "for try in 1 2 3 4 5 6 7 8 9 10; do\n"
         "  \"$SAFEHOLD\" why --json b >json; status=$?; grep -q '\"waiters\":\\[{' json && break; sleep 0.1\n"
         "done; kill $holder; wait; test $status -eq 10");
  answer = answer_in_file("safehold.why/1");
  assert_non_null(answer_process(answer, "waiters", pid_in_file("waiter")));
  assert_string_equal(answer_words(answer_process(answer, "links", pid_in_file("waiter")), "waits"), "lock");
  cJSON_Delete(answer);
}

static void a_stopped_holder_is_stuck(void **state) {
  cJSON *answer;

  (void)state;
  only_where_proc_is();
  script("flock -F c sleep 30 & echo $! >holder; while flock -n c true; do sleep 0.02; done\n"
         "kill -STOP $(cat holder); while ! grep -q '^State:.T' /proc/$(cat holder)/status; do sleep 0.02; done\n"
         "\"$SAFEHOLD\" why --json c >json; status=$?; \"$SAFEHOLD\" why c >text; kill -KILL $(cat holder)\n"
         "test $status -eq 11 || exit 1; grep -q \"sleep\\[$(cat holder)\\]\" text && grep -qi 'stopped' text");
  answer = answer_in_file("safehold.why/1");
  assert_string_equal(answer_words(answer, "verdict"), "stuck");
  assert_string_equal(answer_words(answer_process(answer, "holders", pid_in_file("holder")), "state"), "T");
  assert_string_equal(answer_words(answer_process(answer, "links", pid_in_file("holder")), "waits"), "continue");
  cJSON_Delete(answer);
}

/* Each of two has one of two locks, and asks for the other. */
static void a_cycle_of_two_locks_is_told(void **state) {
  cJSON *answer;

  (void)state;
  only_where_proc_is();
  script("for pair in 'one two' 'two one'; do set -- $pair\n"
         "  flock -F $1 sh -c 'echo $$ >pid.$0; while ! test -s pid.$1; do sleep 0.02; done; exec flock -F $1 true' "
         "$1 $2 &\n"
         "done\n"
         "while ! test -s pid.one || ! test -s pid.two; do sleep 0.02; done\n"
         "for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
         "  \"$SAFEHOLD\" why --json one >json; status=$?; test $status -eq 11 && break; sleep 0.1\n"
         "done; \"$SAFEHOLD\" why $(cat pid.two) >text; other=$?\n"
         "kill $(cat pid.one pid.two); wait; cat text; test $status -eq 11 && test $other -eq 11");
  answer = answer_in_file("safehold.why/1");
  assert_string_equal(answer_words(answer, "verdict"), "cycle");
  assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "cycle")), 2);
  check_cycle_step(answer, "pid.one", "lock", "pid.two");
  check_cycle_step(answer, "pid.two", "lock", "pid.one");
  cJSON_Delete(answer);
}

/* It has the lock, and waits for its child, which has opened the file anew and wants the lock as well. */
static void who_waits_for_a_child_that_waits_for_it_is_told(void **state) {
  cJSON *answer;

  (void)state;
  only_where_proc_is();
  script("flock -F d sh -c 'echo $$ >parent; sh -c \"echo \\$\\$ >child; exec flock -F d true\" 3>&-; :' &\n"
         "while ! test -s child; do sleep 0.02; done\n"
         "for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
         "  \"$SAFEHOLD\" why --json d >json; status=$?; test $status -eq 11 && break; sleep 0.1\n"
         "done; kill -KILL $(cat parent child); wait; test $status -eq 11 || { cat json; exit 1; }");
  answer = answer_in_file("safehold.why/1");
  assert_string_equal(answer_words(answer, "verdict"), "cycle");
  check_cycle_step(answer, "parent", "child", "child");
  check_cycle_step(answer, "child", "lock", "parent");
  cJSON_Delete(answer);
}

static void a_watch_tells_what_changes_and_nothing_else(void **state) {
  char *told, *last;
  cJSON *answer;

  (void)state;
  only_where_proc_is();
  only_where_all_are_seen();
  script("flock -F e sleep 30 & holder=$!; while flock -n e true; do sleep 0.02; done\n"
         "\"$SAFEHOLD\" holders --watch=0.05 --count 10 e >same; test $? -eq 10 || exit 1\n"
         "test $(grep -c '^-- ' same) -eq 1 || { cat same; exit 2; }\n"
         "\"$SAFEHOLD\" why --json --watch=0.05 e >told & watch=$!\n"
         "while ! test -s told; do sleep 0.02; done; kill $holder; wait $holder\n"
         "while ! tail -n 1 told | grep -q '\"verdict\":\"free\"'; do sleep 0.02; done\n"
         "kill -TERM $watch; wait $watch; status=$?; test $status -eq 143 || exit 3; head -n 1 told >json");
  answer = answer_in_file("safehold.why/1");
  assert_string_equal(answer_words(answer, "verdict"), "held");
  cJSON_Delete(answer);
  told = read_file("told"); /* an object a line */
  last = told + strlen(told) - 1;
  while (last > told && last[-1] != '\n') last--;
  if (last == told) fail_msg("nothing but this was told: %s", told);
  cJSON_Delete(answer_of(last, "safehold.why/1"));
  free(told);
  /* A shell's background jobs ignore SIGINT. */
  script("\"$SAFEHOLD\" holders --watch=30 e >until & watch=$!; while ! test -s until; do sleep 0.02; done\n"
         "kill -INT $watch; kill -HUP $watch; wait $watch; test $? -eq 129");
}

static void a_watch_ends_with_what_it_watches(void **state) {
  (void)state;
  only_where_proc_is();
  script("echo >gone; \"$SAFEHOLD\" why --watch=0.02 gone >to.gone 2>err & watch=$!\n"
         "while ! test -s to.gone; do sleep 0.02; done; rm gone; wait $watch; test $? -eq 125 && grep -q gone err");
}

static void a_lock_can_be_had_while_it_is_looked_at(void **state) {
  (void)state;
  only_where_proc_is();
  script("echo data >g; chmod 444 g; before=$(stat -c '%Y %Z %s' g)\n"
         "\"$SAFEHOLD\" why --watch=0.01 g >to.g & watch=$!; while ! test -s to.g; do sleep 0.02; done\n"
         "for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do flock -n g true || exit 1; done\n"
         "kill $watch; wait $watch; test \"$before\" = \"$(stat -c '%Y %Z %s' g)\"");
}

/* Root looks at everybody; anybody else says what he could not see. */
static void an_ordinary_user_is_told_what_is_missing(void **state) {
  char folder[4096];
  cJSON *answer;

  (void)state;
  only_where_proc_is();
  if (geteuid() != 0) {
    print_message("skipped: only root can become another user\n");
    skip();
  }
  assert_non_null(getcwd(folder, sizeof(folder)));
  if (system("setpriv --reuid=65534 --regid=65534 --clear-groups \"$SAFEHOLD_COMMAND\" --version >/dev/null 2>&1") !=
      0) {
    print_message("skipped: another user cannot reach the command, or there is no setpriv\n");
    skip();
  }
  script("echo >h; flock -F h sleep 30 & holder=$!; while flock -n h true; do sleep 0.02; done\n"
         "setpriv --reuid=65534 --regid=65534 --clear-groups \"$SAFEHOLD\" why --json h >json; status=$?\n"
         "setpriv --reuid=65534 --regid=65534 --clear-groups \"$SAFEHOLD\" leaks $holder >text; leaks=$?\n"
         "kill $holder; cat text; test $status -eq 10 && test $leaks -eq 12 && grep -q '^unknown: ' text");
  answer = answer_in_file("safehold.why/1");
  assert_true(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(answer, "unknown")) > 0);
  cJSON_Delete(answer);
}

static void a_planted_descriptor_leaks(void **state) {
  cJSON *answer;
  const cJSON *leak;
  bool found = false;

  (void)state;
  only_where_proc_is();
  script(
    "exec 7>planted; flock 7; \"$SAFEHOLD\" leaks $$ >text; test $? -eq 10 || exit 1\n"
    "grep -Eq '^7 +file +flock exclusive +/.*/planted$' text || { cat text; exit 2; }\n"
    "\"$SAFEHOLD\" leaks >text; test $? -eq 10 || exit 3; grep -q '/planted$' text || exit 4\n" /* as it inherits */
    "\"$SAFEHOLD\" leaks --all --json $$ >json; test $? -eq 10");
  answer = answer_in_file("safehold.leaks/1");
  cJSON_ArrayForEach(leak, cJSON_GetObjectItemCaseSensitive(answer, "leaks")) {
    bool standard = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(leak, "standard"));
    int fd = cJSON_GetObjectItemCaseSensitive(leak, "fd")->valueint;
    assert_int_equal(standard, fd <= 2);
    if (fd != 7) continue;
    found = true;
    assert_string_equal(answer_words(leak, "lock_mode"), "exclusive");
    assert_string_equal(answer_words(leak, "lock_method"), "flock");
  }
  assert_true(found);
  cJSON_Delete(answer);
}

static void a_child_of_ours_inherits_nothing(void **state) {
  (void)state;
  only_where_proc_is();
  script("exec 7>planted 8</dev/null; test \"$(\"$SAFEHOLD\" run \"$SAFEHOLD\" leaks)\" = 'Nothing leaks.'");
  script("exec 7>planted; \"$SAFEHOLD\" run \"$SAFEHOLD\" leaks --all >text; test $? -eq 0 && grep -q '^1 ' text");
}

/* File names are bytes. */
static void names_that_are_no_text_are_made_text(void **state) {
  cJSON *answer;

  (void)state;
  only_where_proc_is();
  script("name=$(printf 'x\\377\"\\\\\\033[31m'); cp \"$(command -v sleep)\" \"$name\"; echo >\"f$name\"\n"
         "flock -F \"f$name\" \"./$name\" 30 & holder=$!; while flock -n \"f$name\" true; do sleep 0.02; done\n"
         "sleep 0.1; \"$SAFEHOLD\" why --json \"f$name\" >json; one=$?\n"
         "\"$SAFEHOLD\" why \"f$name\" >text; \"$SAFEHOLD\" holders \"f$name\" >>text; kill $holder\n"
         "test $one -eq 10 || exit 1; ! grep -q \"$(printf '\\033')\" text");
  answer = answer_in_file("safehold.why/1");
  assert_non_null(strstr(answer_words(answer, "file"), "fx\xef\xbf\xbd\"\\\x1b[31m"));
  cJSON_Delete(answer);
}

static void what_cannot_be_told_is_a_failure(void **state) {
  (void)state;
  script("test -e /dev/full || exit 0; echo >i\n"
         "for words in 'why i' 'holders --json i' 'why --watch=0.02 i' 'leaks --json'; do\n"
         "  \"$SAFEHOLD\" $words >/dev/full 2>err; test $? -eq 125 || exit 1; grep -q stdout err || exit 2\n"
         "done");
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(flock_and_its_child_are_named),
    cmocka_unit_test(waiters_are_told),
    cmocka_unit_test(a_stopped_holder_is_stuck),
    cmocka_unit_test(a_cycle_of_two_locks_is_told),
    cmocka_unit_test(who_waits_for_a_child_that_waits_for_it_is_told),
    cmocka_unit_test(a_watch_tells_what_changes_and_nothing_else),
    cmocka_unit_test(a_watch_ends_with_what_it_watches),
    cmocka_unit_test(a_lock_can_be_had_while_it_is_looked_at),
    cmocka_unit_test(an_ordinary_user_is_told_what_is_missing),
    cmocka_unit_test(a_planted_descriptor_leaks),
    cmocka_unit_test(a_child_of_ours_inherits_nothing),
    cmocka_unit_test(names_that_are_no_text_are_made_text),
    cmocka_unit_test(what_cannot_be_told_is_a_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
