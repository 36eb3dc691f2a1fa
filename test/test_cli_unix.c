/* SPDX-License-Identifier: MIT */
/* The command beside flock(1), signals and shells. Each case is a shell script whose exit status is the answer. */
#include <sys/stat.h>
#include <unistd.h>

#include "script.h"
#include "support.h"

static void flock_users_and_ours_exclude_each_other(void **state) {
  (void)state;
  script("\"$SAFEHOLD\" lock f flock -n f true; test $? -eq 1");
  script("flock f \"$SAFEHOLD\" lock -n f true 2>err; test $? -eq 75 && grep -q 'Held by flock\\[[0-9]*\\]' err");
  script("flock -s f \"$SAFEHOLD\" lock -s -n f true");
  script("flock f \"$SAFEHOLD\" lock --method ofd -n f true");
}

static void the_kinds_of_lock_that_can_be_asked_for(void **state) {
  (void)state;
  script("\"$SAFEHOLD\" lock --remove k true && test ! -e k");
  script("\"$SAFEHOLD\" lock --label 'nightly report' k grep -q '^label=nightly report$' k");
  script("\"$SAFEHOLD\" lock --start x k true 2>err; test $? -eq 125 && grep -q 'not a number of bytes' err");
  script("\"$SAFEHOLD\" lock --method wrong k true 2>err; test $? -eq 125 && grep -q 'compat' err");
  script("\"$SAFEHOLD\" lock --method posix --start 10 --length 5 k "
         "\"$SAFEHOLD\" lock -n --method posix --start 15 k true");
  script("\"$SAFEHOLD\" lock --method posix --start 10 --length 5 k "
         "\"$SAFEHOLD\" lock -n --method posix --start 14 k true 2>err; test $? -eq 75");
}

static void the_holders_pid_and_program_are_named(void **state) {
  (void)state;
  script("\"$SAFEHOLD\" lock g sleep 20 & holder=$!\n"
         "while \"$SAFEHOLD\" lock -n g true 2>err; do sleep 0.05; done\n"
         "\"$SAFEHOLD\" lock -w 0.2 g true 2>err; status=$?\n"
         "kill $holder; cat err; test $status -eq 75 && grep -q \"Held by .*\\[$holder\\]\" err");
}

static void the_command_does_not_inherit_the_lock(void **state) {
  (void)state;
  /* A daemon that the command leaves behind keeps flock(1)'s lock, and not ours. */
  script("\"$SAFEHOLD\" lock h sh -c 'sleep 5 >/dev/null 2>&1 & echo $! >pid'\n"
         "\"$SAFEHOLD\" lock -n h true; status=$?; kill $(cat pid); exit $status");
  script("flock h sh -c 'sleep 5 >/dev/null 2>&1 & echo $! >pid'\n"
         "\"$SAFEHOLD\" lock -n h true 2>err; status=$?; kill $(cat pid)\n"
         "cat err; test $status -eq 75 && grep -q \"Held by .*\\[$(cat pid)\\]\" err");
}

static void shell_lines_and_options_work_like_flock(void **state) {
  (void)state;
  script("test \"$(\"$SAFEHOLD\" lock i -c 'echo $((6*7))')\" = 42");
  script("\"$SAFEHOLD\" lock --exclusive --nonblock i true");
  script("\"$SAFEHOLD\" lock -x -n i sh -c '\"$SAFEHOLD\" lock -n -E 17 i true'; test $? -eq 17");
  script("\"$SAFEHOLD\" lock -n i sh -c 'exit 44'; test $? -eq 44");
}

static void a_signal_that_ends_the_child_is_128_and_more(void **state) {
  (void)state;
  script("\"$SAFEHOLD\" run sh -c 'kill -9 $$'; test $? -eq 137");
  script("\"$SAFEHOLD\" lock j sh -c 'kill -15 $$'; test $? -eq 143");
}

static void a_polite_end_is_124(void **state) {
  (void)state;
  script("\"$SAFEHOLD\" run -t 0.2 sleep 60; test $? -eq 124");
  script("\"$SAFEHOLD\" run -t 0.2 -g 5 sh -c 'trap \"exit 0\" TERM; sleep 60 & wait'; test $? -eq 124");
  script("timeout 10 \"$SAFEHOLD\" run -t 0.2 sh -c 'kill -STOP $$'; test $? -eq 124");
}

static void a_signal_to_the_command_ends_all_of_it(void **state) {
  (void)state;
  script("\"$SAFEHOLD\" run sh -c 'sleep 61 & echo $! >inner; wait' & outer=$!\n"
         "while ! test -s inner; do sleep 0.05; done\n"
         "kill -TERM $outer; wait $outer; status=$?\n"
         "test $status -eq 143 || exit 1\n"
         "case $(ps -o stat= -p $(cat inner)) in '' | Z*) ;; *) exit 1 ;; esac");
  script("\"$SAFEHOLD\" lock k sleep 62 & outer=$!\n"
         "sleep 0.3; kill -TERM $outer; wait $outer; test $? -eq 143");
  script("flock l sh -c 'echo >taken; sleep 3' & while ! test -e taken; do sleep 0.05; done\n"
         "\"$SAFEHOLD\" lock l true & waiter=$!\n"
         "sleep 0.3; kill -TERM $waiter; wait $waiter; test $? -eq 143");
}

static void no_descriptor_beyond_the_standard_ones_arrives(void **state) {
  (void)state;
  script("exec 7>seven 8</dev/null; for verb in run 'lock m'; do\n"
         "test \"$(\"$SAFEHOLD\" $verb \"$SAFEHOLD_TEST_HELPER\" handles | tr '\\n' ' ')\" = '0 1 2 ' || exit 1\n"
         "done");
}

/* Descriptors 0 to 2 are free then, and must not become the lock file, a pipe or an eventfd of ours. */
static void closed_standard_streams_stay_away_from_our_files(void **state) {
  (void)state;
  script("\"$SAFEHOLD\" lock o echo data <&- >&-; ! test -s o");
  script("\"$SAFEHOLD\" lock o \"$SAFEHOLD_TEST_HELPER\" handles <&- 2>&- | grep -qx 1");
  script("\"$SAFEHOLD\" lock o sh -c 'echo $$ >held; sleep 20 & echo $! >left; wait' <&- >&- & holder=$!\n"
         "while ! test -s left; do sleep 0.05; done; kill -9 $holder\n"
         "\"$SAFEHOLD\" lock -w 5 o true; status=$?; kill $(cat held left); exit $status");
}

static void an_ignored_sigchld_hides_neither_status_nor_leftovers(void **state) {
  (void)state;
  script("trap '' CHLD; \"$SAFEHOLD\" run -g 1 sh -c 'sleep 30 & echo $! >orphan; exit 3'; test $? -eq 3 || exit 1\n"
         "case $(ps -o stat= -p $(cat orphan)) in '' | Z*) ;; *) exit 2 ;; esac");
}

static void every_signal_reaches_the_command_under_lock(void **state) {
  (void)state;
  script("\"$SAFEHOLD\" lock p sh -c 'trap \"echo hup >>got\" HUP; trap \"echo term >>got; exit 5\" TERM\n"
         "  echo >ready; while :; do sleep 0.05; done' & lock=$!\n"
         "while ! test -e ready; do sleep 0.05; done\n"
         "kill -HUP $lock; while ! grep -q hup got 2>/dev/null; do sleep 0.05; done\n"
         "kill -TERM $lock; wait $lock; test $? -eq 5 && grep -q term got");
}

static void what_cannot_be_printed_is_a_failure(void **state) {
  (void)state;
  script("test -e /dev/full || exit 0; \"$SAFEHOLD\" --version >/dev/full; test $? -eq 125");
}

static void programs_that_cannot_be_run_are_126(void **state) {
  (void)state;
  script("echo >n; chmod 644 n; \"$SAFEHOLD\" run ./n; test $? -eq 126");
  script("\"$SAFEHOLD\" run /; test $? -eq 126");
}

static void not_emulated(void) {
  const char *helper = helper_path();

  if (strcmp(helper + strlen(helper) - 3, ".sh") != 0) return; /* cmake/testing.cmake: it calls qemu-user */
  print_message("skipped: qemu-user sets no limit of memory, and refuses a process that adopts\n");
  skip();
}

static void limits_are_set_and_use_is_told(void **state) {
  (void)state;
  not_emulated();
  script("test \"$(\"$SAFEHOLD\" run --cpu-time 1.5 --cpu-time 90s sh -c 'ulimit -t')\" = 90");
  script("test \"$(\"$SAFEHOLD\" run --memory 8G --memory 2T sh -c 'ulimit -v')\" = 2147483648");
  script("\"$SAFEHOLD\" run --usage true 2>used; grep -q 's of user time.* MiB of memory' used");
}

/* What has left the group, and has no parent any more. */
static void a_daemon_does_not_escape(void **state) {
  (void)state;
  not_emulated();
  if (access("/proc/self/stat", R_OK) != 0) {
    print_message("skipped: only Linux finds it\n");
    skip();
  }
  script(
    "for tree in '' '--cgroup /'; do rm -f daemon\n"
    "  \"$SAFEHOLD\" run -g 0 $tree sh -c '(setsid sh -c \"echo \\$\\$ >daemon; exec sleep 60\" &); \n"
    "    while ! test -s daemon; do sleep 0.02; done; exit 4'; test $? -eq 4 || exit 1\n"
    "  case $(ps -o stat= -p $(cat daemon)) in '' | Z*) ;; *) exit 2 ;; esac\n"
    "done\n"
    "rm -f daemon; \"$SAFEHOLD\" run --tree group -g 0 sh -c '(setsid sh -c \"echo \\$\\$ >daemon; exec sleep 60\" &)\n"
    "  while ! test -s daemon; do sleep 0.02; done'; kill $(cat daemon)");
  script("\"$SAFEHOLD\" run --tree cgroup --cgroup / true 2>err; test $? -eq 125 && grep -q 'not a cgroup' err");
}

static void killed_it_leaves_nothing_behind(void **state) {
  (void)state;
  not_emulated();
  if (access("/proc/self/stat", R_OK) != 0) {
    print_message("skipped: only Linux finds it\n");
    skip();
  }
  script("rm -f one two; \"$SAFEHOLD\" run sh -c 'echo $$ >one; (setsid sh -c \"echo \\$\\$ >two; exec sleep 60\" &)\n"
         "  sleep 60' & run=$!\n"
         "while ! test -s one || ! test -s two; do sleep 0.02; done\n"
         "kill -9 $run; wait $run\n"
         "for try in 1 2 3 4 5 6 7 8 9 10; do\n"
         "  case $(ps -o stat= -p $(cat one),$(cat two) | grep -v Z) in '') exit 0 ;; esac; sleep 0.1\n"
         "done; exit 1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(flock_users_and_ours_exclude_each_other),
    cmocka_unit_test(the_kinds_of_lock_that_can_be_asked_for),
    cmocka_unit_test(the_holders_pid_and_program_are_named),
    cmocka_unit_test(the_command_does_not_inherit_the_lock),
    cmocka_unit_test(shell_lines_and_options_work_like_flock),
    cmocka_unit_test(a_signal_that_ends_the_child_is_128_and_more),
    cmocka_unit_test(a_polite_end_is_124),
    cmocka_unit_test(a_signal_to_the_command_ends_all_of_it),
    cmocka_unit_test(no_descriptor_beyond_the_standard_ones_arrives),
    cmocka_unit_test(closed_standard_streams_stay_away_from_our_files),
    cmocka_unit_test(an_ignored_sigchld_hides_neither_status_nor_leftovers),
    cmocka_unit_test(every_signal_reaches_the_command_under_lock),
    cmocka_unit_test(what_cannot_be_printed_is_a_failure),
    cmocka_unit_test(programs_that_cannot_be_run_are_126),
    cmocka_unit_test(limits_are_set_and_use_is_told),
    cmocka_unit_test(a_daemon_does_not_escape),
    cmocka_unit_test(killed_it_leaves_nothing_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
