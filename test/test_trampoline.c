/* SPDX-License-Identifier: MIT */
/*
 * The program that macOS spawns in a child's stead (src/unix/macos/trampoline.h). It makes no call that only macOS has,
 * and so it is tried here, given its arguments and its descriptors as posix_spawn would.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../src/unix/macos/trampoline.h"
#include "pty.h"
#include "support.h"

#define ERROR_FD 3

/* What the trampoline says; EOF, for a program that began, leaves the stage at 0. Then its exit status. */
struct outcome {
  struct safe__child_report report;
  int status;
};

static struct safe__plan *plan_of(const safe_spawn_options *options) {
  struct safe__plan *plan;
  safe_spawn_options read;
  safe_error error;
  int at;

  safe__error_clear(&error);
  if (safe__read_spawn_options(&read, options, &error) != SAFE_OK) fail_msg("%s", error.message);
  if (safe__plan_make(&plan, &read, &error) != SAFE_OK) fail_msg("%s", error.message);
  for (at = 0; at < 3; at++) {
    plan->moves[at].target = plan->moves[at].index = at;
    plan->moves[at].stage = SAFE_STAGE_STDIO;
    plan->moves[at].source = at;
  }
  return plan;
}

static void open_at(struct safe__plan *plan, int at, const char *path) {
  plan->moves[at].path = path;
  plan->moves[at].source = -1;
  plan->moves[at].open_flags = O_CLOEXEC | (at == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC);
  plan->moves[at].mode = 0666;
}

/* In the child: nothing is open but what is listed and is not the trampoline's to open. */
static void become_trampoline(const struct safe__plan *plan, char **arguments, int error_fd) {
  char *const none[] = {NULL};
  int at;

  dup2(error_fd, ERROR_FD);
  for (at = 0; at < 3; at++)
    if (plan->moves[at].path != NULL || plan->moves[at].open_flags == SAFE__LIKE_OUT) close(at);
  for (at = ERROR_FD + 1; at < 4096; at++) close(at);
  execve(SAFEHOLD_TEST_TRAMPOLINE, arguments, none);
  _exit(99);
}

static struct outcome run_with(const struct safe__plan *plan, char **arguments) {
  struct outcome outcome = {{0, 0, 0}, -1};
  int fds[2], words[3];
  pid_t pid;

  assert_int_equal(pipe(fds), 0);
  pid = fork();
  if (pid == 0) become_trampoline(plan, arguments, fds[1]);
  assert_true(pid > 0);
  close(fds[1]);
  if (read(fds[0], words, sizeof(words)) == (ssize_t)sizeof(words))
    outcome.report = (struct safe__child_report){words[0], words[1], words[2]};
  close(fds[0]);
  assert_int_equal(waitpid(pid, &outcome.status, 0), pid);
  return outcome;
}

static struct outcome run(struct safe__plan *plan) {
  char **arguments = safe__trampoline_arguments(plan, ERROR_FD);
  struct outcome outcome;

  assert_non_null(arguments);
  outcome = run_with(plan, arguments);
  safe__free(arguments);
  return outcome;
}

/* Runs the plan, whose output goes to the file "out", and compares what it wrote. */
static void expect(struct safe__plan *plan, const char *expected) {
  struct outcome outcome;
  char *text;

  open_at(plan, 1, "out");
  outcome = run(plan);
  if (outcome.report.stage != 0)
    fail_msg("it failed at stage %d, index %d, errno %d", outcome.report.stage, outcome.report.index,
             outcome.report.os_code);
  assert_int_equal(outcome.status, 0);
  text = read_file("out");
  assert_string_equal(text, expected);
  free(text);
  safe__free(plan);
}

static safe_spawn_options of_shell(const char *command) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

  options.shell = command;
  return options;
}

static void it_sets_what_posix_spawn_cannot(void **state) {
  const safe_limit limits[] = {{SAFE_LIMIT_OPEN_FILES, 0, 50}, {SAFE_LIMIT_CORE, 0, 0}};
  safe_spawn_options options = of_shell("umask; ulimit -n; ulimit -c; nice; pwd");
  char expected[64];

  (void)state;
  options.umask = 027;
  options.nice = 3;
  options.cwd = "/usr";
  options.limits = limits;
  options.limit_count = 2;
  snprintf(expected, sizeof(expected), "0027\n50\n0\n%d\n/usr\n", getpriority(PRIO_PROCESS, 0) + 3);
  expect(plan_of(&options), expected);
}

static void it_has_a_group_of_its_own_or_a_session(void **state) {
  safe_spawn_options options = of_shell("set -- $(cat /proc/$$/stat); test $5 = $$ && echo group; test $6 = $$ && echo "
                                        "session; true");

  (void)state;
  if (access("/proc/self/stat", R_OK) != 0) skip();
  expect(plan_of(&options), "group\n");
  options.group = SAFE_GROUP_SESSION;
  expect(plan_of(&options), "group\nsession\n");
  options.group = SAFE_GROUP_HOST;
  expect(plan_of(&options), "");
}

static void it_takes_a_terminal(void **state) {
  safe_spawn_options options = of_shell("test -t 0 && (exec 3</dev/tty) && echo controlled");
  struct safe__plan *plan;
  int fds[2], saved = dup(0);

  (void)state;
  if (safe__pty_open(fds, 0, 0) != 0) {
    print_message("skipped: no pseudo-terminal can be made here\n");
    skip();
  }
  options.group = SAFE_GROUP_SESSION;
  plan = plan_of(&options);
  plan->terminal = 0;
  dup2(fds[1], 0);
  expect(plan, "controlled\n");
  dup2(saved, 0);
  close(saved);
  close(fds[0]);
  close(fds[1]);
}

static void it_hands_arguments_and_environment_over_as_they_are(void **state) {
  const char *const argv[] = {"sh",      "-c", "for i; do echo \"<$i>\"; done; echo $PATH ${EMPTY-unset} $WORDS $HOME",
                              "",        "",   "two words",
                              "a\nline", "-1", NULL};
  const char *const env[] = {"PATH=/usr/bin:/bin", "EMPTY=", "WORDS=a b", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

  (void)state;
  options.argv = argv;
  options.env = env;
  options.umask = 022;
  expect(plan_of(&options), "<>\n<two words>\n<a\nline>\n<-1>\n/usr/bin:/bin a b\n");
}

static void standard_error_goes_where_output_does(void **state) {
  safe_spawn_options options = of_shell("echo one; echo two >&2");
  struct safe__plan *plan = plan_of(&options);

  (void)state;
  plan->moves[2].source = -1;
  plan->moves[2].open_flags = SAFE__LIKE_OUT;
  expect(plan, "one\ntwo\n");
}

static void a_file_is_made_with_the_childs_umask(void **state) {
  safe_spawn_options options = of_shell("cat");
  struct safe__plan *plan;
  struct stat status;

  (void)state;
  make_file("in", "from a file\n");
  remove("out");
  options.umask = 077;
  plan = plan_of(&options);
  open_at(plan, 0, "in");
  expect(plan, "from a file\n");
  assert_int_equal(stat("out", &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
}

static void nothing_else_is_open(void **state) {
  const char *const argv[] = {"helper", "handles", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

  (void)state;
  options.file = helper_path();
  options.argv = argv;
  expect(plan_of(&options), "0\n1\n2\n");
}

static void expect_failure(struct safe__plan *plan, int stage, int index, int os_code) {
  struct outcome outcome = run(plan);

  assert_int_equal(outcome.report.stage, stage);
  assert_int_equal(outcome.report.index, index);
  assert_int_equal(outcome.report.os_code, os_code);
  assert_true(WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 127);
  safe__free(plan);
}

static void it_says_what_failed(void **state) {
  const char *const argv[] = {"/nowhere/at/all", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  struct safe__plan *plan;

  (void)state;
  options.argv = argv;
  expect_failure(plan_of(&options), SAFE_STAGE_EXEC, 0, ENOENT);
  options.cwd = "/nowhere";
  expect_failure(plan_of(&options), SAFE_STAGE_CWD, -1, ENOENT);
  options.cwd = NULL;
  plan = plan_of(&options);
  open_at(plan, 0, "/nowhere/file");
  expect_failure(plan, SAFE_STAGE_STDIO, 0, ENOENT);
}

static void it_says_which_limit_failed(void **state) {
  const safe_limit limits[] = {{SAFE_LIMIT_CORE, 0, 0}, {SAFE_LIMIT_OPEN_FILES, 0, INT64_C(1) << 60}};
  safe_spawn_options options = of_shell("true");

  (void)state;
  options.limits = limits;
  options.limit_count = 2;
  expect_failure(plan_of(&options), SAFE_STAGE_LIMIT, 1, EPERM);
}

static void it_changes_the_user(void **state) {
  const uint32_t groups[] = {100, 101};
  safe_spawn_options options = of_shell("id -u; id -g; id -G");

  (void)state;
  if (geteuid() != 0) {
    print_message("skipped: only root can change the user\n");
    skip();
  }
  chmod(".", 0777);
  options.uid = options.gid = 65534;
  expect(plan_of(&options), "65534\n65534\n65534\n");
  options.groups = groups;
  options.group_count = 2;
  expect(plan_of(&options), "65534\n65534\n65534 100 101\n");
}

static void a_user_who_may_not_change_is_told(void **state) {
  safe_spawn_options options = of_shell("true");

  (void)state;
  if (geteuid() == 0) {
    print_message("skipped: root may\n");
    skip();
  }
  options.uid = 0;
  expect_failure(plan_of(&options), SAFE_STAGE_GROUPS, -1, EPERM);
}

static void another_version_is_refused(void **state) {
  safe_spawn_options options = of_shell("true");
  struct safe__plan *plan = plan_of(&options);
  char **arguments = safe__trampoline_arguments(plan, ERROR_FD), old[] = "0.0.0";
  struct outcome outcome;

  (void)state;
  assert_non_null(arguments);
  arguments[1] = old;
  outcome = run_with(plan, arguments);
  assert_int_equal(outcome.report.stage, SAFE_STAGE_PREPARE);
  assert_int_equal(outcome.report.os_code, EPROTO);
  safe__free(arguments);
  safe__free(plan);
}

/* Whatever is cut off: it is told, and nothing is executed. */
static void arguments_that_end_too_early_are_refused(void **state) {
  const safe_limit limits[] = {{SAFE_LIMIT_CORE, 0, 0}};
  safe_spawn_options options = of_shell("echo executed");
  struct safe__plan *plan;
  struct outcome outcome;
  char **arguments, *kept;
  int at, count;

  (void)state;
  options.limits = limits;
  options.limit_count = 1;
  options.cwd = "/";
  plan = plan_of(&options);
  open_at(plan, 1, "out");
  arguments = safe__trampoline_arguments(plan, ERROR_FD);
  assert_non_null(arguments);
  for (count = 0; arguments[count] != NULL;) count++;
  for (at = 3; at < count - 2; at++) { /* without sh's -c and command it is another call, but a whole one */
    kept = arguments[at];
    arguments[at] = NULL;
    remove("out");
    outcome = run_with(plan, arguments);
    arguments[at] = kept;
    assert_int_equal(outcome.report.stage, SAFE_STAGE_PREPARE);
    assert_int_equal(access("out", F_OK), -1);
  }
  safe__free(arguments);
  safe__free(plan);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_sets_what_posix_spawn_cannot),
    cmocka_unit_test(it_has_a_group_of_its_own_or_a_session),
    cmocka_unit_test(it_takes_a_terminal),
    cmocka_unit_test(it_hands_arguments_and_environment_over_as_they_are),
    cmocka_unit_test(standard_error_goes_where_output_does),
    cmocka_unit_test(a_file_is_made_with_the_childs_umask),
    cmocka_unit_test(nothing_else_is_open),
    cmocka_unit_test(it_says_what_failed),
    cmocka_unit_test(it_says_which_limit_failed),
    cmocka_unit_test(it_changes_the_user),
    cmocka_unit_test(a_user_who_may_not_change_is_told),
    cmocka_unit_test(another_version_is_refused),
    cmocka_unit_test(arguments_that_end_too_early_are_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
