/* SPDX-License-Identifier: MIT */
/* What is seen on Linux of processes that do not go on. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fuse_mount.h"
#include "kernel.h"
#include "look_subject.h"

/* ---- A file system that does not go on. */

static int frozen = -1;

/* FIFREEZE or FITHAW; by a raw call, as musl's ioctl takes an int that they do not fit into. */
static bool order(int fd, unsigned long what) { return safe__raw6(SYS_ioctl, fd, (long)what, 0, 0, 0, 0) == 0; }

static void write_to_it(struct means *means) {
  if (pwrite(means->fd, "x", 1, 0) != 1) _exit(1);
}

static int thaw(void **state) {
  if (frozen >= 0) {
    order(frozen, FITHAW);
    close(frozen);
    frozen = -1;
  }
  look_tear_down(state);
  umount2("frozen", MNT_DETACH);
  return 0;
}

/* Even if the test itself is killed: when the pipe's other end closes. */
static void thaw_at_the_end(int watch, int own) {
  char byte;

  if (fork() != 0) return;
  close(own);
  setsid();
  while (read(watch, &byte, 1) < 0 && errno == EINTR) continue;
  order(frozen, FITHAW);
  umount2("frozen", MNT_DETACH);
  _exit(0);
}

static void one_in_the_kernel_is_stuck_if_it_stays_there(void **state) {
  struct means first = {0}, second = {0};
  int64_t before, alone, both;
  int watch[2];
  pid_t one, other;

  (void)state;
  need_calls(); /* an emulator does not know FIFREEZE */
  mkdir("frozen", 0700);
  if (geteuid() != 0 ||
      system("exec >/dev/null 2>&1; PATH=$PATH:/sbin:/usr/sbin; rm -f image && truncate -s 8M image && "
             "mkfs.ext4 -q -F image && mount -o loop image frozen") != 0) {
    print_message("skipped: no file system of our own can be mounted here\n");
    skip();
  }
  first.fd = open("frozen/one", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  second.fd = open("frozen/two", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  frozen = open("frozen", O_RDONLY | O_CLOEXEC);
  assert_true(first.fd >= 0 && second.fd >= 0 && frozen >= 0);
  assert_int_equal(pipe2(watch, O_CLOEXEC), 0);
  thaw_at_the_end(watch[0], watch[1]);
  assert_true(order(frozen, FIFREEZE));
  one = start_subject(write_to_it, &first);
  other = start_subject(write_to_it, &second);
  look_for(one, SAFE_WAITS_KERNEL);
  look_for(other, SAFE_WAITS_KERNEL);
  assert_int_equal(scene.actors[0].state, 'D');
  assert_int_equal(scene.wants[0].thread, other);
  assert_true(strlen(scene.wants[0].what) > 0);
  assert_string_equal(scene.wants[0].what, scene.actors[0].channel);
  /* One pause serves both. */
  safe__scene_free(&scene);
  before = now_ms();
  safe__os_look_process(&scene, one, safe__deadline(5000));
  alone = now_ms() - before;
  safe__os_look_process(&scene, other, safe__deadline(5000));
  both = now_ms() - before;
  assert_int_equal(scene.want_count, 2);
  assert_int_equal(scene.wants[1].waits, SAFE_WAITS_KERNEL);
  assert_true(alone >= 45);
  assert_true(both - alone < 40 * slowness());
  /* Without the time for a second look nothing is claimed. */
  safe__scene_free(&scene);
  safe__os_look_process(&scene, one, safe__deadline(20));
  assert_int_equal(scene.want_count, 1);
  assert_int_equal(scene.wants[0].waits, SAFE_WAITS_OTHER);
  assert_int_equal(scene.unknown_count, 1);
  close(watch[1]);
  close(first.fd);
  close(second.fd);
}

/* ---- A file system that does not answer, in the middle of exec. */

static void exec_and_hang(struct means *means) {
  (void)means;
  if (open(MOUNT "/hang-flush", O_RDWR | O_CLOEXEC) < 0) _exit(1);
  execl("/bin/sleep", "sleep", "1000", (char *)NULL);
}

static int end_exec(void **state) {
  fuse_end(state);
  return look_tear_down(state);
}

static void one_that_hangs_in_exec_does_not_hold_up_the_look(void **state) {
  struct means none = {0};
  int64_t before, took;
  pid_t pid;

  (void)state;
  need_calls();
  fuse_start();
  pid = start_subject(exec_and_hang, &none);
  look_for(pid, SAFE_WAITS_KERNEL);
  before = now_ms();
  look_once(pid);
  took = now_ms() - before;
  assert_true(took >= 45 && took < 1000 * slowness());
  assert_int_equal(scene.want_count, 1);
  assert_string_equal(scene.wants[0].what, "exec, which closes its files");
  assert_int_equal(scene.wants[0].thread, pid);
  assert_int_equal(scene.actors[0].pid, pid);
  assert_int_equal(scene.actors[0].parent, getpid());
  assert_true(scene.actors[0].state == 'S' || scene.actors[0].state == 'D');
  safe__os_look_children(&scene, getpid(), safe__deadline(2000));
  assert_true(safe__asleep_since(pid, pid) > 0 || access("/proc/self/sched", R_OK) != 0);
  assert_false(safe__look_stuck(&scene, getpid(), getpid(), safe__deadline(2000)) == SAFE__STUCK); /* sweeps over all */
  fuse_tell("go on");
  look_for(pid, SAFE_WAITS_OTHER);
  assert_string_equal(scene.wants[0].what, "a timer");
}

/* Stopping looks for what is left among all processes, and auditing at the one that it is asked for. */
static void it_does_not_hold_up_a_stop_or_an_audit(void **state) {
  const char *argv[] = {"sh", "-c", "trap '' TERM; sleep 1000 & wait", NULL};
  safe_spawn_options spawn = SAFE_SPAWN_OPTIONS_INIT;
  safe_audit_options audit = SAFE_AUDIT_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_handle_list *leaks;
  struct means none = {0};
  safe_process *process;
  int64_t before;
  pid_t pid;

  (void)state;
  need_calls();
  fuse_start();
  pid = start_subject(exec_and_hang, &none);
  look_for(pid, SAFE_WAITS_KERNEL);
  before = now_ms();
  audit.pid = pid;
  assert_code(safe_audit_handles(&audit, &leaks, NULL), SAFE_OK);
  assert_non_null(strstr(safe_handle_list_unknown(leaks), "hangs in exec"));
  safe_handle_list_free(leaks);
  spawn.argv = argv;
  assert_code(safe_spawn(&process, &spawn, NULL), SAFE_OK);
  stop.grace_ms = 50;
  assert_code(safe_process_stop(process, &stop, NULL, NULL), SAFE_OK);
  safe_process_free(process);
  assert_true(now_ms() - before < 5000 * slowness());
}

/* ---- Frozen control groups. */

static char group[128];

static bool write_into(const char *name, const char *text) {
  char path[192];
  bool written;
  int fd;

  snprintf(path, sizeof(path), "%s/%s", group, name);
  fd = open(path, O_WRONLY | O_CLOEXEC);
  written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
  if (fd >= 0) close(fd);
  return written;
}

static bool make_group(const char *parent) {
  snprintf(group, sizeof(group), "%s/safehold-look-%d", parent, (int)getpid());
  return mkdir(group, 0755) == 0;
}

static int end_group(void **state) {
  int64_t deadline = now_ms() + 5000;

  if (group[0] != '\0') {
    write_into("freezer.state", "THAWED");
    write_into("cgroup.freeze", "0");
  }
  look_tear_down(state);
  while (group[0] != '\0' && rmdir(group) != 0 && errno == EBUSY && now_ms() < deadline) sleep_ms(5);
  group[0] = '\0';
  return 0;
}

/* Thaws it even if the test itself is killed. */
static void watch_group(int watch, int own) {
  char byte;

  if (fork() != 0) return;
  close(own);
  setsid();
  while (read(watch, &byte, 1) < 0 && errno == EINTR) continue;
  write_into("freezer.state", "THAWED");
  write_into("cgroup.freeze", "0");
  _exit(0);
}

static void expect_frozen(const char *file, const char *order) {
  struct means none = {0};
  pid_t pid = start_subject(pause_for_ever, &none);
  int watch[2];
  char text[16];

  snprintf(text, sizeof(text), "%d", (int)pid);
  assert_int_equal(pipe2(watch, O_CLOEXEC), 0);
  assert_true(write_into("cgroup.procs", text));
  watch_group(watch[0], watch[1]);
  assert_true(write_into(file, order));
  look_for(pid, SAFE_WAITS_CONTINUE);
  assert_string_equal(scene.wants[0].what, "its cgroup is frozen");
  close(watch[0]);
  close(watch[1]);
}

static void one_whose_cgroup_is_frozen_waits_to_be_continued(void **state) {
  (void)state;
  need_calls(); /* an emulator has a thread of its own, which is frozen, too */
  if (!make_group("/sys/fs/cgroup/unified") &&
      (access("/sys/fs/cgroup/cgroup.procs", F_OK) != 0 || !make_group("/sys/fs/cgroup"))) {
    group[0] = '\0';
    print_message("skipped: no control group can be made here\n");
    skip();
  }
  expect_frozen("cgroup.freeze", "1");
}

static void so_it_does_in_a_group_of_the_first_version(void **state) {
  (void)state;
  need_calls();
  if (!make_group("/sys/fs/cgroup/freezer")) {
    group[0] = '\0';
    print_message("skipped: there is no freezer of the first version here\n");
    skip();
  }
  expect_frozen("freezer.state", "FROZEN");
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(one_in_the_kernel_is_stuck_if_it_stays_there, look_set_up, thaw),
    cmocka_unit_test_setup_teardown(one_whose_cgroup_is_frozen_waits_to_be_continued, look_set_up, end_group),
    cmocka_unit_test_setup_teardown(so_it_does_in_a_group_of_the_first_version, look_set_up, end_group),
    cmocka_unit_test_setup_teardown(one_that_hangs_in_exec_does_not_hold_up_the_look, look_set_up, end_exec),
    cmocka_unit_test_setup_teardown(it_does_not_hold_up_a_stop_or_an_audit, look_set_up, end_exec),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
