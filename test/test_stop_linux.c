/* SPDX-License-Identifier: MIT */
/* safe_process_stop on Linux: a cancel that comes during the grace, and a child that the kernel really does not let go
   of: it writes to a file system that is frozen, and sleeps uninterruptibly. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "internal.h"
#include "kernel.h"
#include "tree_linux.h"

static safe_process *start(const safe_spawn_options *options) {
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  if (safe_spawn(&process, options, &error) != SAFE_OK) fail_msg("%s", error.message);
  return process;
}

static void *trigger_soon(void *cancel) {
  sleep_ms(100);
  safe_cancel_trigger(cancel);
  return NULL;
}

static void a_cancel_ends_the_grace_early(void **state) {
  safe_process *process = start_helper("stubborn", "60000", NULL);
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  pthread_t thread;
  int64_t began;

  (void)state;
  expect_line(process, "ready");
  assert_code(safe_cancel_create(&options.cancel), SAFE_OK);
  options.grace_ms = 20000;
  began = now_ms();
  assert_int_equal(pthread_create(&thread, NULL, trigger_soon, options.cancel), 0);
  assert_code(safe_process_stop(process, &options, &report, NULL), SAFE_OK);
  assert_in_range(now_ms() - began, 99, 100 + 20 + 100 + 200 * slowness());
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  pthread_join(thread, NULL);
  safe_process_free(process);
  safe_cancel_free(options.cancel);
}

/* ---- A file system of our own, which can be frozen. It is thawed and unmounted by a process of its own too: when the
   write end of the pipe is gone, whatever has become of the test. */
#define IMAGE "frozen.img"
#define FOLDER "frozen"

static int folder = -1, alive[2];
static pid_t watchman;

static bool sh(const char *command) { return system(command) == 0; }

static int unused; /* which Valgrind wants to see */

/* Raw, as the request is not an int in every libc. */
static bool freeze(void) { return safe__raw6(SYS_ioctl, folder, (long)FIFREEZE, (long)&unused, 0, 0, 0) == 0; }

static void thaw(void) { safe__raw6(SYS_ioctl, folder, (long)FITHAW, (long)&unused, 0, 0, 0); }

static void start_watchman(void) {
  char byte;

  assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
  watchman = fork();
  assert_true(watchman >= 0);
  if (watchman > 0) {
    close(alive[0]);
    return;
  }
  setsid();
  close(alive[1]);
  while (read(alive[0], &byte, 1) < 0 && errno == EINTR) continue;
  thaw();
  umount2(FOLDER, MNT_DETACH); /* for a test that was killed */
  _exit(0);
}

static bool make_file_system(void) {
  if (!sh("dd if=/dev/zero of=" IMAGE " bs=1M count=16 2>/dev/null && mkfs.ext4 -q -F " IMAGE " 2>/dev/null") ||
      !sh("mkdir -p " FOLDER " && mount -o loop " IMAGE " " FOLDER " 2>/dev/null"))
    return false;
  folder = open(FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0 || !freeze()) return false;
  thaw();
  return true;
}

static void remove_file_system(void) {
  if (folder >= 0) close(folder);
  folder = -1;
  umount2(FOLDER, MNT_DETACH);
  sh("rmdir " FOLDER " 2>/dev/null; rm -f " IMAGE);
}

static int make_or_tell(void **state) {
  (void)state;
  if (geteuid() != 0 || !make_file_system()) {
    print_message(
      "skipped: no file system can be mounted and frozen here (root, mkfs.ext4 and a loop device; not in qemu-user)\n");
    remove_file_system();
    return 0;
  }
  start_watchman();
  return 0;
}

static int thaw_everything(void **state) {
  (void)state;
  if (folder < 0) return 0;
  close(alive[1]);
  thaw();
  waitpid(watchman, NULL, 0);
  remove_file_system();
  return 0;
}

static int thaw_again(void **state) {
  (void)state;
  if (folder >= 0) thaw();
  return 0;
}

static bool writes_in_vain(int64_t pid) {
  char path[64], text[512], *state;
  int64_t until = now_ms() + 2000;
  ssize_t length;
  int fd;

  do {
    snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0) close(fd);
    text[length < 0 ? 0 : length] = '\0';
    state = strrchr(text, ')');
    if (state != NULL && state[2] == 'D') return true;
    sleep_ms(10);
  } while (now_ms() < until);
  return false;
}

static void stop_stuck(safe_process *process, int64_t grace_ms, int64_t pid) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int64_t began = now_ms();
  int code;

  options.grace_ms = grace_ms;
  code = safe_process_stop(process, &options, &report, &error);
  began = now_ms() - began;
  print_message("%d ms of grace: verdict after %d ms. %s\n", (int)grace_ms, (int)began, error.message);
  assert_code(code, SAFE_ESTUCK);
  assert_in_range(began, grace_ms + 79, grace_ms + 100 * slowness());
  assert_int_equal(report.verdict, SAFE_STOP_STUCK);
  assert_int_equal(report.left_count, 1);
  assert_int_equal(report.left[0], pid);
  assert_int_equal(report.state, 'D');
  assert_true(report.wait_channel[0] != '\0');
  assert_non_null(strstr(error.message, "state D"));
  assert_non_null(strstr(error.message, report.wait_channel));
}

/* In a loop, no part of which waits. */
static void stop_stuck_without_blocking(safe_process *process, int64_t grace_ms, int64_t pid) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int64_t began = now_ms(), one, longest = 0;
  safe_stop *stop;
  int code;

  options.grace_ms = grace_ms;
  assert_code(safe_stop_begin(&stop, process, &options, &error), SAFE_OK);
  do {
    sleep_ms(safe_stop_delay_ms(stop));
    one = now_ms();
    code = safe_stop_poll(stop);
    if (now_ms() - one > longest) longest = now_ms() - one;
  } while (code == SAFE_EAGAIN);
  assert_code(code, SAFE_OK);
  assert_code(safe_stop_finish(stop, &report, &error), SAFE_ESTUCK);
  began = now_ms() - began;
  print_message("%d ms of grace: verdict after %d ms, the longest poll %d ms. %s\n", (int)grace_ms, (int)began,
                (int)longest, error.message);
  assert_in_range(began, grace_ms + 79, grace_ms + 20 + 100 * slowness()); /* each delay may be late */
  assert_in_range(longest, 0, 50 * slowness());
  assert_int_equal(report.verdict, SAFE_STOP_STUCK);
  assert_int_equal(report.left[0], pid);
  assert_int_equal(report.state, 'D');
  assert_non_null(strstr(error.message, "state D"));
}

static void a_child_in_uninterruptible_sleep(int32_t tree, uint32_t flags) {
  safe_spawn_options options = of_shell("exec dd if=/dev/zero of=" FOLDER "/file bs=4096 count=1 conv=fsync");
  safe_process *process;
  int64_t pid;
  bool stuck;

  if (folder < 0) skip();
  options.tree = tree;
  options.flags = flags;
  assert_true(freeze());
  process = start(&options);
  pid = safe_process_pid(process);
  stuck = writes_in_vain(pid);
  if (!stuck) thaw();
  assert_true(stuck);
  stop_stuck(process, 0, pid);
  stop_stuck(process, 200, pid);
  stop_stuck_without_blocking(process, 0, pid);
  stop_stuck_without_blocking(process, 200, pid);
  safe_process_free(process);
  assert_true(safe_parked_count() > 0);
  assert_code(safe_shutdown(50), SAFE_ESTUCK);
  thaw();
  expect_nothing_parked();
  assert_int_equal(safe_parked_count(), 0);
  assert_false(is_alive(pid));
}

static void a_frozen_child_is_described(void **state) {
  (void)state;
  a_child_in_uninterruptible_sleep(SAFE_TREE_DEFAULT, 0);
}

static void a_frozen_child_under_a_guard(void **state) {
  (void)state;
  a_child_in_uninterruptible_sleep(SAFE_TREE_DEFAULT, SAFE_SPAWN_DIE_WITH_HOST);
}

static void a_frozen_tree_of_any_kind(void **state) {
  (void)state;
  a_child_in_uninterruptible_sleep(SAFE_TREE_WHOLE, 0);
}

/* Stuck before exec: the file of its standard output cannot be made. */
static void a_frozen_file_costs_the_spawns_deadline(void **state) {
  const char *const argv[] = {"true", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int64_t began;
  int round;

  (void)state;
  if (folder < 0) skip();
  options.argv = argv;
  options.timeout_ms = 200;
  options.out.kind = SAFE_STDIO_PATH;
  options.out.path = FOLDER "/made";
  for (round = 0; round < 3; round++) {
    options.flags = round == 1 ? SAFE_SPAWN_GUARD : 0;
    options.tree = round == 2 ? SAFE_TREE_WHOLE : SAFE_TREE_DEFAULT;
    assert_true(freeze());
    began = now_ms();
    assert_code(safe_spawn(&process, &options, &error), SAFE_ESTUCK);
    assert_in_range(now_ms() - began, 299, 300 + 200 * slowness());
    print_message("%s\n", error.message);
    assert_true(safe_parked_count() > 0);
    thaw();
    expect_nothing_parked();
  }
}

/* ---- Without what it takes to see who is left. */
static struct rlimit files;

static void take_descriptors(void) {
  struct rlimit none = files;

  none.rlim_cur = 0;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void *no_memory(void *memory, size_t size) {
  (void)memory, (void)size;
  return NULL;
}

static void take_memory(void) { safe__realloc = no_memory; }

static struct safe__kernel real;

static int note_all(void **state) {
  (void)state;
  real = safe__kernel;
  return getrlimit(RLIMIT_NOFILE, &files);
}

static int give_back(void **state) {
  (void)state;
  safe__kernel = real;
  safe__realloc = realloc;
  return setrlimit(RLIMIT_NOFILE, &files);
}

static int stop_now(safe_process *process, safe_error *error) {
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  int code;

  options.grace_ms = 0;
  code = safe_process_stop(process, &options, &report, error);
  if (code == SAFE_OK) assert_int_equal(report.left_count, 0);
  if (code != SAFE_OK) assert_true(report.left_count > 0 && report.verdict == SAFE_STOP_STUCK);
  return code;
}

/* A child, and below it a process that has a session of its own before it is "ready". */
static safe_process *start_with_daemon(const char *name, int32_t tree) {
  const char *argv[] = {"sh", "-c", "setsid sh -c 'echo ready; kill -STOP $$; :' \"$0\" & wait; :", name, NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process = NULL;
  int code;

  options.argv = argv;
  options.tree = tree;
  options.out.kind = SAFE_STDIO_PIPE;
  code = safe_spawn(&process, &options, &error);
  if (code == SAFE_ENOTSUP) {
    print_message("skipped: %s\n", error.message);
    skip();
  }
  assert_code(code, SAFE_OK);
  expect_line(process, "ready");
  return process;
}

/* Takes away, stops in vain, and gives back. */
static void stop_in_want(safe_process *process, void (*take)(void)) {
  safe_error error = SAFE_ERROR_INIT;
  int code;

  take();
  code = stop_now(process, &error);
  give_back(NULL);
  assert_code(code, SAFE_ESTUCK);
  assert_non_null(strstr(error.message, "could not be read"));
  assert_false(is_alive(safe_process_pid(process)));
}

/* The links to whoever is left went with the child: from then on nobody can tell. */
static void a_tree_that_was_never_seen_does_not_count_as_gone(void **state) {
  void (*const takes[])(void) = {take_descriptors, take_memory};
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  size_t at;

  (void)state;
  for (at = 0; at < 2; at++) {
    process = start_with_daemon("bomb-unseen", SAFE_TREE_DEFAULT);
    stop_in_want(process, takes[at]);
    assert_int_equal(count_named("bomb-unseen"), 1);
    assert_code(stop_now(process, &error), SAFE_ESTUCK);
    assert_non_null(strstr(error.message, "could not be read"));
    kill_named("bomb-unseen");
    safe_process_free(process);
    expect_nothing_parked();
  }
}

static long deaf_kill_group(int pidfd, int64_t pid, bool reaped, int number) {
  return number == 0 ? real.kill_group(pidfd, pid, reaped, number) : 0;
}

static long deaf_signal(int pidfd, int number) {
  (void)pidfd, (void)number;
  return 0;
}

static void who_was_seen_before_is_ended_later(void **state) {
  void (*const takes[])(void) = {take_descriptors, take_memory};
  safe_process *process;
  size_t at;

  (void)state;
  if (real.signal(-1, 0) == -ENOSYS) skip(); /* pidfd_send_signal: Linux before 5.1, Valgrind */
  for (at = 0; at < 2; at++) {
    process = start_with_daemon("bomb-kept", SAFE_TREE_DEFAULT);
    safe__kernel.kill_group = deaf_kill_group;
    safe__kernel.signal = deaf_signal;
    assert_code(stop_now(process, NULL), SAFE_ESTUCK);
    safe__kernel = real;
    stop_in_want(process, takes[at]);
    if (takes[at] == take_descriptors) assert_int_equal(count_named("bomb-kept"), 1);
    assert_code(stop_now(process, NULL), SAFE_OK);
    assert_int_equal(count_named("bomb-kept"), 0);
    safe_process_free(process);
    expect_nothing_parked();
  }
}

static void a_cgroup_without_descriptors_does_not_count_as_empty(void **state) {
  safe_process *process = start_with_daemon("bomb-blind", SAFE_TREE_CGROUP);

  (void)state;
  stop_in_want(process, take_descriptors);
  assert_int_equal(count_named("bomb-blind"), 1);
  assert_code(stop_now(process, NULL), SAFE_OK);
  assert_int_equal(count_named("bomb-blind"), 0);
  safe_process_free(process);
  expect_nothing_parked();
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_cancel_ends_the_grace_early),
    cmocka_unit_test_setup_teardown(a_tree_that_was_never_seen_does_not_count_as_gone, note_all, give_back),
    cmocka_unit_test_setup_teardown(who_was_seen_before_is_ended_later, note_all, give_back),
    cmocka_unit_test_setup_teardown(a_cgroup_without_descriptors_does_not_count_as_empty, note_all, give_back),
    cmocka_unit_test_teardown(a_frozen_child_is_described, thaw_again),
    cmocka_unit_test_teardown(a_frozen_child_under_a_guard, thaw_again),
    cmocka_unit_test_teardown(a_frozen_tree_of_any_kind, thaw_again),
    cmocka_unit_test_teardown(a_frozen_file_costs_the_spawns_deadline, thaw_again),
  };
  return cmocka_run_group_tests(tests, make_or_tell, thaw_everything);
}
