/* SPDX-License-Identifier: MIT */
/* Children of another user, and what an ordinary user may not ask for (Unix). */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_unix.h"

/* Nobody's, and no group of the host's. */
#define USER 61234
#define GROUP 61235

static void need_root(void) {
  if (geteuid() != 0) {
    print_message("skipped: only root can become another user\n");
    skip();
  }
  if (setgroups(0, NULL) != 0) {
    print_message("skipped: this root may not change its groups\n");
    skip();
  }
}

static safe_spawn_options of_user(const char *command) {
  safe_spawn_options options = of_shell(command);

  options.uid = USER;
  options.gid = GROUP;
  options.cwd = "/";
  return options;
}

static void the_child_is_that_user_and_no_other(void **state) {
  /* Real, effective, saved and for the file system, where the system tells them all. */
  safe_spawn_options options = of_user("id -u; id -ru; id -g; id -rg; id -G; grep -s -E '^[UG]id:|^CapEff' "
                                       "/proc/self/status || true");
  gid_t some[] = {0, 7, 9};
  struct host *before;
  char *text;

  (void)state;
  need_root();
  assert_int_equal(setgroups(3, some), 0); /* which must not be left to the child */
  before = host_now();
  text = output_of(&options);
  if (strncmp(text, "61234\n61234\n61235\n61235\n61235\n", 30) != 0) fail_msg("it said: %s", text);
  if (strlen(text) > 30)
    assert_string_equal(text + 30, "Uid:\t61234\t61234\t61234\t61234\nGid:\t61235\t61235\t61235\t61235\n"
                                   "CapEff:\t0000000000000000\n");
  free(text);
  expect_host(before);
  assert_int_equal(setgroups(0, NULL), 0);
  free(before);
}

static void the_groups_are_exactly_the_listed_ones(void **state) {
  static const uint32_t list[] = {61240, 61241, 61242};
  safe_spawn_options options = of_user("id -G");
  gid_t some[] = {7, 9};

  (void)state;
  need_root();
  assert_int_equal(setgroups(2, some), 0);
  options.groups = list;
  options.group_count = 3;
  expect_output(&options, "61235 61240 61241 61242\n");
  options.group_count = 0; /* a list, and nobody on it */
  expect_output(&options, "61235\n");
  options.uid = -1;
  options.gid = -1;
  expect_output(&options, "0\n");
  options.group_count = 2;
  expect_output(&options, "0 61240 61241\n");
  options.groups = NULL;
  options.group_count = 0;
  expect_output(&options, "0 7 9\n"); /* nothing was asked for: the host's */
  options.gid = GROUP;
  expect_output(&options, "61235\n");
  assert_int_equal(setgroups(0, NULL), 0);
}

/* Limits, niceness, folder, files by path: with the host's rights, though the user could not have done it. */
static void the_user_comes_last(void **state) {
  safe_limit limit = {SAFE_LIMIT_OPEN_FILES, 0, 77};
  safe_spawn_options options = of_user("id -u; nice; ulimit -n; umask; pwd");
  char expected[5000], here[4096], *text;
  int own = getpriority(PRIO_PROCESS, 0);

  (void)state;
  need_root();
  make_folder("private");
  assert_int_equal(chmod("private", 0700), 0);
  assert_int_equal(chdir("private"), 0);
  assert_non_null(getcwd(here, sizeof(here)));
  assert_int_equal(chdir(".."), 0);
  options.out.kind = SAFE_STDIO_PATH;
  options.out.path = "private/output";
  options.cwd = "private";
  options.nice = -1;
  options.umask = 0011;
  options.limits = &limit;
  options.limit_count = 1;
  expect_output(&options, "");
  text = read_file("private/output");
  snprintf(expected, sizeof(expected), "%d\n%d\n77\n0011\n", USER, own > -20 ? own - 1 : -20);
  if (strncmp(text, expected, strlen(expected)) != 0) fail_msg("it said: %s", text);
  free(text);
}

static void a_program_that_the_user_may_not_execute_is_named(void **state) {
  safe_spawn_options options = of_user(NULL);
  const char *const argv[] = {"x", NULL};
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  struct host *before;

  (void)state;
  need_root();
  before = host_now();
  make_file("roots", "#!/bin/sh\nexit 0\n");
  assert_int_equal(chmod("roots", 0700), 0);
  options.file = "./roots";
  options.argv = argv;
  options.cwd = NULL;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EACCES);
  assert_int_equal(error.stage, SAFE_STAGE_EXEC);
  assert_int_equal(error.os_code, EACCES);
  expect_host(before);
  free(before);
}

static void ids_that_are_none_are_refused(void **state) {
  safe_spawn_options options = of_shell("true");
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int at;

  (void)state;
  for (at = 0; at < 9; at++) {
    options = of_shell("true");
    if (at == 0) options.uid = -2;
    if (at == 1) options.uid = UINT32_MAX; /* which setresuid(2) takes for "leave it" */
    if (at == 2) options.gid = UINT32_MAX;
    if (at == 3) options.gid = INT64_MIN;
    if (at == 4) options.group_count = 1;
    if (at == 5) options.umask = 01000;
    if (at == 6) options.umask = -2;
    if (at == 7) options.nice = 41;
    if (at == 8) options.nice = -41;
    assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
    assert_int_equal(error.stage, SAFE_STAGE_ARGUMENTS);
  }
}

/* ---- As an ordinary user. A child of the test, which has no CMocka: it says what went wrong, and how often. */
static int wrong;

static void expect(safe_spawn_options *options, const char *what, int stage, int index, int os_code) {
  struct host *before = host_now();
  safe_error error = SAFE_ERROR_INIT;
  const char *trouble;
  safe_process *process;
  int code = safe_spawn(&process, options, &error);

  if (code == SAFE_OK) {
    safe_process_wait(process, NULL, NULL, NULL);
    safe_process_free(process);
  }
  trouble = host_trouble(before);
  free(before);
  if (error.stage != stage || (stage != 0 && (error.index != index || error.os_code != os_code))) {
    print_error("%s: stage %s, index %d, system error %d: %s\n", what, safe_stage_name(error.stage), error.index,
                (int)error.os_code, error.message);
    wrong++;
  } else if (trouble != NULL) {
    print_error("%s left something behind: %s\n", what, trouble);
    wrong++;
  }
}

static void expect_of_a_user(void) {
  safe_limit limits[] = {{SAFE_LIMIT_CORE, 0, 0}, {SAFE_LIMIT_OPEN_FILES, 0, 0}};
  static const uint32_t group = 0;
  safe_spawn_options options = of_shell("true");
  struct rlimit limit = {10, 10};

  options.out.kind = SAFE_STDIO_NULL;
  options.uid = 0;
  expect(&options, "root, and its groups", SAFE_STAGE_GROUPS, -1, EPERM);
  options.uid = -1;
  options.gid = 0;
  expect(&options, "root's group", SAFE_STAGE_GROUPS, -1, EPERM);
  options.gid = -1;
  options.groups = &group;
  options.group_count = 1;
  expect(&options, "a group", SAFE_STAGE_GROUPS, -1, EPERM);

  options = of_shell("true");
  options.nice = -1;
  expect(&options, "niceness", SAFE_STAGE_NICE, -1, EACCES);

  options = of_shell("true");
  options.limits = limits;
  options.limit_count = 2;
  setrlimit(RLIMIT_NOFILE, &(struct rlimit){50, 100});
  limits[1].value = 101;
  expect(&options, "a limit above the hard one", SAFE_STAGE_LIMIT, 1, EPERM);
  limits[1].value = SAFE_UNLIMITED;
  expect(&options, "no limit", SAFE_STAGE_LIMIT, 1, EPERM);
  limits[1].value = 100;
  expect(&options, "the hard limit itself", 0, 0, 0);
  setrlimit(RLIMIT_CPU, &limit);
  limits[1] = (safe_limit){SAFE_LIMIT_CPU_TIME, 0, 10};
  expect(&options, "the hard limit on CPU time itself", 0, 0, 0);
  limits[1].value = 11;
  expect(&options, "a limit on CPU time above the hard one", SAFE_STAGE_LIMIT, 1, EPERM);

  options = of_shell("true");
  options.cwd = "/safehold-no-such-folder";
  expect(&options, "a missing folder", SAFE_STAGE_CWD, -1, ENOENT);
}

static bool become_user(void) {
  if (geteuid() != 0) return true;
  return setgroups(0, NULL) == 0 && setgid(GROUP) == 0 && setuid(USER) == 0;
}

/* Runs it in a forked child that has given up root. */
static void as_user(void (*run)(void)) {
  int status;
  pid_t child = fork();

  if (child == 0) {
    if (!become_user()) _exit(77);
    run();
    _exit(wrong);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    print_message("skipped: root cannot be given up here\n");
    skip();
  }
  assert_int_equal(status, 0);
}

static void an_ordinary_user_is_told_what_it_may_not(void **state) {
  (void)state;
  as_user(expect_of_a_user);
}

/* The limit counts what the user has in all, and nobody else is this one. */
static void spawn_beyond_the_limit(void) {
  safe_spawn_options options = of_shell("true");

  if (geteuid() != USER || setrlimit(RLIMIT_NPROC, &(struct rlimit){1, 1}) != 0) _exit(77);
  expect(&options, "one process too many", SAFE_STAGE_CREATE, -1, EAGAIN);
}

/* The number of a user's processes is asked for when it gets one more, and again by exec (set_user in kernel/sys.c). */
static void a_limit_on_processes_is_met(void **state) {
  safe_limit limit = {SAFE_LIMIT_PROCESSES, 0, 0};
  safe_spawn_options options = of_user("sleep 60");
  safe_error error = SAFE_ERROR_INIT;
  safe_process *first, *second;
  int code;

  (void)state;
  need_root();
  as_user(spawn_beyond_the_limit);
  assert_code(safe_spawn(&first, &options, NULL), SAFE_OK);
  options.limits = &limit;
  options.limit_count = 1;
  code = safe_spawn(&second, &options, &error);
  end_helper(first);
  assert_code(code, SAFE_EAGAIN);
  assert_int_equal(error.stage, SAFE_STAGE_EXEC);
  assert_int_equal(error.os_code, EAGAIN);
}

static void a_folder_without_permission(void) {
  safe_spawn_options options = of_shell("true");

  options.cwd = "closed";
  expect(&options, "a folder without permission", SAFE_STAGE_CWD, -1, EACCES);
  options.cwd = NULL;
  options.in.kind = SAFE_STDIO_PATH;
  options.in.path = "closed/file";
  expect(&options, "a file in it", SAFE_STAGE_STDIO, 0, EACCES);
}

static void permissions_are_the_users(void **state) {
  (void)state;
  make_folder("closed");
  make_file("closed/file", "x");
  assert_int_equal(chmod("closed", 0), 0);
  as_user(a_folder_without_permission);
  assert_int_equal(chmod("closed", 0700), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_child_is_that_user_and_no_other),
    cmocka_unit_test(the_groups_are_exactly_the_listed_ones),
    cmocka_unit_test(the_user_comes_last),
    cmocka_unit_test(a_program_that_the_user_may_not_execute_is_named),
    cmocka_unit_test(ids_that_are_none_are_refused),
    cmocka_unit_test(an_ordinary_user_is_told_what_it_may_not),
    cmocka_unit_test(a_limit_on_processes_is_met),
    cmocka_unit_test(permissions_are_the_users),
  };
  chmod(".", 0755); /* so that another user can come in */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
