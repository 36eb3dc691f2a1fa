/* SPDX-License-Identifier: MIT */
/* A child's tree on Linux: by a cgroup, by the links that lead to its processes, and named where it cannot be ended. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tree.h"
#include "tree_linux.h"

static struct safe__kernel real;

static int remember_kernel(void **state) {
  (void)state;
  real = safe__kernel;
  return 0;
}

static int restore_kernel(void **state) {
  (void)state;
  safe__kernel = real;
  return 0;
}

static int stop_at_once(safe_process *process, safe_stop_report *report) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int code;

  options.grace_ms = 0;
  code = safe_process_stop(process, &options, report, &error);
  if (code != SAFE_OK) print_message("%s\n", error.message);
  return code;
}

/* ---- Where a cgroup is made. */
static void expect_folder(const char *own, const char *mounts, const char *expected) {
  char own_copy[256], mounts_copy[1024], folder[256] = "";

  strcpy(own_copy, own);
  strcpy(mounts_copy, mounts);
  if (!safe__cgroup_locate(own_copy, mounts_copy, folder, sizeof(folder))) strcpy(folder, "none");
  assert_string_equal(folder, expected);
}

static void our_own_cgroup_is_found_wherever_it_is_mounted(void **state) {
  static const char unified[] = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
  static const char hybrid[] = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
                               "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
                               "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
  static const char part[] = "30 23 0:26 /box/a\\040b /mnt/my\\040cg\\134x rw - cgroup2 cgroup rw\n";

  (void)state;
  expect_folder("0::/\n", unified, "/sys/fs/cgroup");
  expect_folder("0::/user.slice/x\n", unified, "/sys/fs/cgroup/user.slice/x");
  expect_folder("8:pids:/\n1:cpu:/a\n0::/b\n", hybrid, "/sys/fs/cgroup/unified/b");
  expect_folder("0::/box/a b/c\n", part, "/mnt/my cg\\x/c");
  expect_folder("0::/box/a b\n", part, "/mnt/my cg\\x");
  expect_folder("0::/box/a bc\n", part, "none");
  expect_folder("0::/other\n", part, "none");
  expect_folder("8:pids:/\n", hybrid, "none");
  expect_folder("0::/\n", "39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n", "none");
  expect_folder("0::/", "", "none");
}

static void a_folder_that_is_no_cgroup_is_named(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "0", false, "unmade");
  struct host *before = host_now();
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  options.tree = SAFE_TREE_CGROUP;
  options.cgroup = "/";
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOTSUP);
  assert_int_equal(error.stage, SAFE_STAGE_CGROUP);
  assert_non_null(strstr(error.message, "is not a cgroup"));
  options.cgroup = "/no/such/folder";
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  assert_int_equal(error.stage, SAFE_STAGE_CGROUP);
  assert_null(process);
  expect_host(before);
  free(before);
}

/* ---- In a cgroup. */

/* NULL, after the reason was printed, where none may be made. */
static safe_process *start_in_cgroup(safe_spawn_options *options) {
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int code;

  options->tree = SAFE_TREE_CGROUP;
  code = safe_spawn(&process, options, &error);
  if (code == SAFE_OK) return process;
  assert_code(code, SAFE_ENOTSUP);
  print_message("skipped: %s\n", error.message);
  skip();
  return NULL;
}

static void end_bomb_in_cgroup(const char *name) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "100", true, name);
  struct host *before = host_now();
  safe_process *process = start_in_cgroup(&options);
  safe_tree_info info = tree_of(process);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  int64_t began;

  expect_line(process, "ready");
  assert_int_equal(info.kind, SAFE_TREE_BY_CGROUP);
  assert_int_equal(access(info.cgroup, F_OK), 0);
  assert_int_equal(count_named(name), BOMB + 1);
  began = now_ms();
  assert_code(stop_at_once(process, &report), SAFE_OK);
  assert_in_range(now_ms() - began, 0, 100 + 200 * slowness());
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  assert_int_equal(count_named(name), 0);
  safe_process_free(process);
  expect_nothing_parked();
  assert_int_equal(access(info.cgroup, F_OK), -1);
  expect_host(before);
  free(before);
}

static void nobody_escapes_from_a_cgroup(void **state) {
  (void)state;
  end_bomb_in_cgroup("bomb-cgroup");
}

static long refused_clone3;

static long refusing_clone3(uint64_t flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                            void *argument, int cgroup) {
  (void)flags, (void)stack, (void)pid_out, (void)tid_word, (void)run, (void)argument, (void)cgroup;
  return refused_clone3;
}

static void without_clone3_the_child_enters_it_by_itself(void **state) {
  static const int reasons[] = {ENOSYS, EPERM, EINVAL, E2BIG};
  size_t at;

  (void)state;
  for (at = 0; at < 4; at++) {
    refused_clone3 = -reasons[at];
    safe__kernel.clone3 = refusing_clone3;
    end_bomb_in_cgroup("bomb-joined");
  }
}

static long no_kill_file(int folder) {
  (void)folder;
  return -ENOENT;
}

static void without_cgroup_kill_each_is_killed(void **state) {
  (void)state;
  safe__kernel.kill_cgroup = no_kill_file;
  end_bomb_in_cgroup("bomb-each");
}

static long no_shared_memory(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                             void *argument) {
  if ((flags & CLONE_VM) != 0) return -EPERM;
  return real.clone(flags, stack, pid_out, tid_word, run, argument);
}

static void a_forked_child_is_in_it_too(void **state) {
  (void)state;
  safe__kernel.clone = no_shared_memory;
  refused_clone3 = -EPERM;
  safe__kernel.clone3 = refusing_clone3;
  end_bomb_in_cgroup("bomb-forked");
}

/* Polite first: who is not in the group hears of it too. */
static void a_polite_end_reaches_all_in_it(void **state) {
  const char *const argv[] = {"sh", "-c", "setsid sleep 60 & echo ready; wait", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process;

  (void)state;
  options.argv = argv;
  options.out.kind = SAFE_STDIO_PIPE;
  process = start_in_cgroup(&options);
  expect_line(process, "ready");
  sleep_ms(50);
  assert_code(safe_process_stop(process, NULL, &report, NULL), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_POLITE);
  safe_process_free(process);
  expect_nothing_parked();
}

static void cgroups_that_the_tree_made_go_with_it(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "2", true, "bomb-nested");
  safe_process *process = start_in_cgroup(&options);
  safe_tree_info info = tree_of(process);
  char inner[600], procs[700];
  FILE *file;

  (void)state;
  expect_line(process, "ready");
  snprintf(inner, sizeof(inner), "%s/a", info.cgroup);
  make_folder(inner);
  snprintf(inner, sizeof(inner), "%s/a/b", info.cgroup);
  make_folder(inner);
  snprintf(procs, sizeof(procs), "%s/cgroup.procs", inner);
  file = fopen(procs, "w");
  assert_non_null(file);
  fprintf(file, "%lld\n", (long long)safe_process_pid(process));
  assert_int_equal(fclose(file), 0);
  safe__kernel.kill_cgroup = no_kill_file; /* below, as well */
  assert_code(stop_at_once(process, NULL), SAFE_OK);
  assert_int_equal(count_named("bomb-nested"), 0);
  safe_process_free(process);
  expect_nothing_parked();
  assert_int_equal(access(info.cgroup, F_OK), -1);
}

/* As a child that is let go of: it goes on, and its cgroup is removed when it has ended. */
static void a_cgroup_is_removed_when_its_tree_has_ended(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "0", false, "bomb-freed");
  safe_process *process = start_in_cgroup(&options);
  safe_tree_info info = tree_of(process);
  int64_t pid = safe_process_pid(process);

  (void)state;
  expect_line(process, "ready");
  safe_process_free(process);
  assert_true(is_alive(pid));
  assert_true(safe_parked_count() > 0);
  assert_int_equal(access(info.cgroup, F_OK), 0);
  kill((pid_t)pid, SIGKILL);
  expect_nothing_parked();
  assert_int_equal(access(info.cgroup, F_OK), -1);
}

static bool has_controller(const char *cgroup, const char *file) {
  char path[400];

  snprintf(path, sizeof(path), "%s/%s", cgroup, file);
  return access(path, F_OK) == 0;
}

static void limits_that_a_cgroup_cannot_set_are_told(void **state) {
  const safe_limit limits[] = {
    {SAFE_LIMIT_MEMORY, 0, INT64_C(1) << 32}, {SAFE_LIMIT_PROCESSES, 0, 5000}, {SAFE_LIMIT_CPU_TIME, 0, 600}};
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "0", false, "bomb-limits");
  safe_process *process;
  safe_tree_info info;
  uint32_t lacking = 0;

  (void)state;
  options.limits = limits;
  options.limit_count = 3;
  process = start_in_cgroup(&options);
  info = tree_of(process);
  if (!has_controller(info.cgroup, "memory.max")) lacking |= 1u << SAFE_LIMIT_MEMORY;
  if (!has_controller(info.cgroup, "pids.max")) lacking |= 1u << SAFE_LIMIT_PROCESSES;
  print_message("controllers of memory and processes: %s, %s\n", lacking & 1u ? "no" : "yes",
                lacking & 8u ? "no" : "yes");
  assert_int_equal(info.limits_lacking, lacking);
  end_helper(process);
  options.tree = SAFE_TREE_DEFAULT;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_int_equal(tree_of(process).limits_lacking, 1u << SAFE_LIMIT_MEMORY | 1u << SAFE_LIMIT_PROCESSES);
  end_helper(process);
}

/* ---- By the links that lead to it. */
static long deaf_kill_group(int pidfd, int64_t pid, bool reaped, int number) {
  return number == SIGKILL ? 0 : real.kill_group(pidfd, pid, reaped, number);
}

static void descendants_in_sessions_of_their_own_are_ended(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "100", false, "bomb-walk");
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process;

  (void)state;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  expect_line(process, "ready");
  assert_int_equal(tree_of(process).kind, SAFE_TREE_BY_WALK);
  assert_code(stop_at_once(process, &report), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  assert_int_equal(count_named("bomb-walk"), 0);
  safe_process_free(process);
  expect_nothing_parked();
}

/* The polite request ends the child alone, and with it the links: they are known from before. */
static void who_was_seen_is_found_without_his_parent(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "20", false, "bomb-seen");
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process;

  (void)state;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  expect_line(process, "ready");
  stop.grace_ms = 200;
  assert_code(safe_process_stop(process, &stop, &report, NULL), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  assert_int_equal(count_named("bomb-seen"), 0);
  safe_process_free(process);
}

static long deaf_signal(int pidfd, int number) { return number == SIGKILL ? 0 : real.signal(pidfd, number); }

static long deaf_kill(int pidfd, int64_t pid, int number) {
  return number == SIGKILL ? 0 : real.kill(pidfd, pid, number);
}

static void survivors_that_can_be_found_are_named(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "300", false, "bomb-named");
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process;
  int64_t began;
  int at;

  (void)state;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  expect_line(process, "ready");
  safe__kernel.kill_group = deaf_kill_group;
  safe__kernel.signal = deaf_signal;
  safe__kernel.kill = deaf_kill;
  began = now_ms();
  assert_code(stop_at_once(process, &report), SAFE_ESTUCK);
  assert_in_range(now_ms() - began, 79, 100 + 100 * slowness());
  safe__kernel = real;
  assert_int_equal(report.left_count, 301);
  for (at = 0; at < SAFE_STOP_MAX_PIDS; at++) assert_true(is_alive(report.left[at]));
  began = now_ms(); /* so many may take longer to go than one verdict waits */
  while (stop_at_once(process, &report) != SAFE_OK && now_ms() < began + 1000 * slowness()) continue;
  assert_int_equal(count_named("bomb-named"), 0);
  safe_process_free(process);
}

/* Before Linux 6.9. */
static long kill_group_by_number(int pidfd, int64_t pid, bool reaped, int number) {
  (void)pidfd;
  return reaped ? -ENOSYS : real.kill_group(-1, pid, reaped, number);
}

/* When the host has reaped the leader, its number may be a stranger's, who may lead a group of it. */
static void a_group_that_may_be_a_strangers_is_named_and_not_ended(void **state) {
  const char *const argv[] = {"helper", "leave", "60000", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process;

  (void)state;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  assert_int_equal(waitpid((pid_t)safe_process_pid(process), NULL, 0), safe_process_pid(process));
  safe__kernel.kill_group = kill_group_by_number;
  assert_code(stop_at_once(process, &report), SAFE_ESTUCK);
  assert_int_equal(report.left_count, 1);
  assert_true(is_alive(report.left[0]));
  assert_int_equal(kill((pid_t)report.left[0], SIGKILL), 0);
  safe_process_free(process);
}

static void a_group_is_left_by_a_daemon(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "1", true, "bomb-daemon");
  safe_process *process;

  (void)state;
  options.tree = SAFE_TREE_GROUP;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  expect_line(process, "ready");
  assert_code(stop_at_once(process, NULL), SAFE_OK);
  assert_int_equal(count_named("bomb-daemon"), 1);
  kill_named("bomb-daemon");
  safe_process_free(process);
}

#define faulty_test(test) cmocka_unit_test_setup_teardown(test, remember_kernel, restore_kernel)

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(our_own_cgroup_is_found_wherever_it_is_mounted),
    cmocka_unit_test(a_folder_that_is_no_cgroup_is_named),
    cmocka_unit_test(nobody_escapes_from_a_cgroup),
    faulty_test(without_clone3_the_child_enters_it_by_itself),
    faulty_test(without_cgroup_kill_each_is_killed),
    faulty_test(a_forked_child_is_in_it_too),
    cmocka_unit_test(a_polite_end_reaches_all_in_it),
    faulty_test(cgroups_that_the_tree_made_go_with_it),
    cmocka_unit_test(a_cgroup_is_removed_when_its_tree_has_ended),
    cmocka_unit_test(limits_that_a_cgroup_cannot_set_are_told),
    cmocka_unit_test(descendants_in_sessions_of_their_own_are_ended),
    cmocka_unit_test(who_was_seen_is_found_without_his_parent),
    faulty_test(survivors_that_can_be_found_are_named),
    faulty_test(a_group_that_may_be_a_strangers_is_named_and_not_ended),
    cmocka_unit_test(a_group_is_left_by_a_daemon),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
