/* SPDX-License-Identifier: MIT */
/*
 * Whose lock it is when the file is not simply the one at the path: replaced, by another name, on a mount, on a file
 * system that does not answer; and what can be seen without the rights, or from another pid namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse_mount.h"
#include "in_exec.h"
#include "kernel.h"
#include "lockers_linux.h"

#define NOBODY 65534

static void expect_only(const char *path, pid_t pid) {
  safe_holder_list *list = look_at(path);

  if (safe_holder_list_count(list) != 1) fail_msg("%s: %zu holders", path, safe_holder_list_count(list));
  assert_int_equal(safe_holder_list_get(list, 0)->pid, pid);
  safe_holder_list_free(list);
}

static void expect_none(const char *path, const char *said) {
  safe_holder_list *list = look_at(path);

  assert_int_equal(safe_holder_list_count(list), 0);
  if (said != NULL && strstr(unknown_of(list), said) == NULL) fail_msg("%s: unknown: %s", path, unknown_of(list));
  if (said == NULL) assert_null(strstr(unknown_of(list), "at this path before"));
  safe_holder_list_free(list);
}

/* ---- Names. */

static void other_names_of_the_file(void **state) {
  pid_t pid = locker_holding("name", SAFE_METHOD_OFD);

  (void)state;
  assert_int_equal(link("name", "hard"), 0);
  assert_int_equal(symlink("name", "soft"), 0);
  expect_only("hard", pid);
  expect_only("soft", pid);
  assert_int_equal(rename("name", "renamed"), 0);
  expect_only("renamed", pid);
}

static void a_path_that_is_not_there(void **state) {
  safe_error error = SAFE_ERROR_INIT;
  safe_holder_list *list;

  (void)state;
  assert_code(safe_lock_holders("nowhere", 1000, &list, &error), SAFE_ENOENT);
  assert_null(list);
  assert_int_equal(error.stage, SAFE_STAGE_INSPECT);
  assert_int_equal(symlink("nothing", "dangling"), 0);
  assert_code(safe_lock_holders("dangling", 1000, &list, &error), SAFE_ENOENT);
  make_file("plain", "");
  assert_code(safe_lock_holders("plain/below", 1000, &list, &error), SAFE_ENOTDIR);
}

static void a_folder_can_be_locked_too(void **state) {
  int fd;

  (void)state;
  make_folder("folder");
  fd = open("folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  expect_only("folder", getpid());
  close(fd);
}

/* ---- Replaced. */

static void a_file_that_was_replaced_is_said_to_be(void **state) {
  static const int methods[] = {SAFE_METHOD_FLOCK, SAFE_METHOD_OFD, SAFE_METHOD_POSIX};
  char said[128];
  int at;

  (void)state;
  for (at = 0; at < 3; at++) {
    pid_t pid = locker_holding("replaced", methods[at]), now;
    make_file("newer", "");
    expect_none("newer", NULL);
    assert_int_equal(rename("newer", "replaced"), 0);
    snprintf(said, sizeof(said), "[%d] holds a lock on a file that was at this path before", (int)pid);
    expect_none("replaced", said);
    /* Nothing of it where the present one is held. */
    now = locker_holding("replaced", methods[at]);
    expect_only("replaced", now);
    lockers_end(NULL);
    expect_none("replaced", NULL);
  }
}

static void a_file_that_was_removed_and_made_anew(void **state) {
  locker_holding("removed", SAFE_METHOD_FLOCK);
  (void)state;
  assert_int_equal(unlink("removed"), 0);
  make_file("removed", "");
  expect_none("removed", "was at this path before");
}

/* ---- Mounts, each in a child with a mount namespace of its own. */

static bool gets_mounts(void) {
  return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void need_mounts(void) {
  pid_t pid = fork();
  int status;

  if (pid == 0) _exit(gets_mounts() ? 0 : 1);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (status != 0) skip_because("there can be no mount namespace");
}

static void look_through_a_bind_mount(void) {
  pid_t pid = locker_holding("bound", SAFE_METHOD_OFD), other;

  assert_true(gets_mounts());
  make_file("over", "");
  assert_int_equal(mount("bound", "over", NULL, MS_BIND, NULL), 0);
  expect_only("over", pid);
  locker_end(pid);
  /* One that is locked, and then covered: its path is another file's now, without any "(deleted)". */
  assert_int_equal(umount2("over", MNT_DETACH), 0);
  other = locker_holding("over", SAFE_METHOD_OFD);
  assert_true(other > 0);
  assert_int_equal(mount("bound", "over", NULL, MS_BIND, NULL), 0);
  expect_none("over", "was at this path before");
}

static void a_bind_mount_is_the_same_file(void **state) {
  (void)state;
  need_mounts();
  in_a_child(look_through_a_bind_mount);
}

static void look_at_an_overlay(void) {
  static const char *const files[] = {"merged/lower", "merged/upper"};
  safe_holder_list *list;
  size_t at;

  assert_true(gets_mounts());
  for (at = 0; at < 2;
       at++) { /* shared, as an exclusive OFD lock makes a copy of the lower one: it opens for writing */
    struct orders orders = {.path = files[at], .method = SAFE_METHOD_FLOCK, .mode = SAFE_LOCK_SHARED};
    pid_t pid;
    if (at == 0) {
      int fd = open("merged/lower", O_RDONLY | O_CLOEXEC);
      assert_int_equal(flock(fd, LOCK_SH), 0);
      expect_only(files[at], getpid());
      close(fd);
    }
    pid = locker_start(&orders);
    expect_only(files[at], pid);
    orders.waits = true;
    orders.mode = SAFE_LOCK_EXCLUSIVE;
    pid = locker_start(&orders);
    sleep_ms(200);
    list = look_at(files[at]);
    assert_non_null(found_in(list, pid, SAFE_HOLDER_WAITS));
    safe_holder_list_free(list);
  }
}

static void mount_overlay_and_look(void) {
  if (!gets_mounts() || mount("overlay", "merged", "overlay", 0, "lowerdir=below,upperdir=above,workdir=work") != 0)
    _exit(77);
  look_at_an_overlay();
}

static void an_overlay_has_locks_of_its_own(void **state) {
  int status;
  pid_t pid;

  (void)state;
  need_mounts();
  make_folder("below");
  make_folder("above");
  make_folder("work");
  make_folder("merged");
  make_file("below/lower", "");
  make_file("above/upper", "");
  pid = fork();
  if (pid == 0) {
    mount_overlay_and_look();
    lockers_end(NULL);
    _exit(0);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) skip_because("there is no overlayfs here");
  assert_int_equal(status, 0);
}

/* ---- Rights. */

static pid_t held_by_root[3];

static void look_without_rights(void) {
  const safe_holder *holder;
  safe_holder_list *list;

  assert_int_equal(setresgid(NOBODY, NOBODY, NOBODY), 0);
  assert_int_equal(setresuid(NOBODY, NOBODY, NOBODY), 0);
  list = look_at("by-flock");
  holder = found_in(list, held_by_root[0], SAFE_HOLDER_HOLDS); /* /proc/locks names him */
  assert_non_null(holder);
  assert_int_equal(holder->handle, -1);
  assert_int_equal(holder->via, SAFE_VIA_LOCKED);
  assert_non_null(strstr(unknown_of(list), "may not be read by this user"));
  safe_holder_list_free(list);

  list = look_at("by-posix");
  assert_non_null(found_in(list, held_by_root[1], SAFE_HOLDER_HOLDS));
  safe_holder_list_free(list);

  list = look_at("by-ofd");
  assert_int_equal(safe_holder_list_count(list), 0);
  assert_non_null(strstr(unknown_of(list), "1 lock is held by processes that cannot be looked at"));
  assert_non_null(strstr(unknown_of(list), "1 more waits"));
  safe_holder_list_free(list);
}

static void an_ordinary_user_gets_a_part_and_is_told_so(void **state) {
  (void)state;
  if (geteuid() != 0) skip_because("only root can become an ordinary user");
  assert_int_equal(chmod(".", 0755), 0);
  held_by_root[0] = locker_holding("by-flock", SAFE_METHOD_FLOCK);
  held_by_root[1] = locker_holding("by-posix", SAFE_METHOD_POSIX);
  held_by_root[2] = locker_holding("by-ofd", SAFE_METHOD_OFD);
  locker_waiting("by-ofd", SAFE_METHOD_OFD);
  expect_queue("by-ofd", 1);
  if (access("/", X_OK) != 0) skip_because("the folder cannot be reached by others");
  in_a_child(look_without_rights);
}

/* ---- Another pid namespace. */

static int inherited;

static void look_from_inside(void) {
  safe_holder_list *list;

  if (!gets_mounts() || mount("proc", "/proc", "proc", 0, NULL) != 0) _exit(77);
  list = look_at("outside"); /* is held by a process that is not here */
  assert_int_equal(safe_holder_list_count(list), 0);
  assert_non_null(strstr(unknown_of(list), "outside of this container"));
  safe_holder_list_free(list);

  list = look_at("inherited"); /* was locked there, too; but we have it open */
  assert_int_equal(safe_holder_list_count(list), 1);
  assert_int_equal(safe_holder_list_get(list, 0)->pid, getpid());
  assert_int_equal(safe_holder_list_get(list, 0)->handle, inherited);
  assert_int_not_equal(safe_holder_list_get(list, 0)->via, SAFE_VIA_LOCKED);
  safe_holder_list_free(list);
  _exit(0);
}

static void enter_and_look(void) {
  int status;
  pid_t pid;

  if (unshare(CLONE_NEWPID) != 0) _exit(77);
  pid = fork();
  if (pid == 0) look_from_inside();
  if (waitpid(pid, &status, 0) != pid) _exit(1);
  _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static void from_another_pid_namespace(void **state) {
  int status;
  pid_t pid;

  (void)state;
  locker_holding("outside", SAFE_METHOD_FLOCK);
  inherited = open("inherited", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  assert_int_equal(flock(inherited, LOCK_EX), 0);
  pid = fork();
  if (pid == 0) enter_and_look();
  assert_int_equal(waitpid(pid, &status, 0), pid);
  close(inherited);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) skip_because("there can be no pid namespace");
  assert_int_equal(status, 0);
}

/* ---- A file system that does not answer. */

static void expect_stuck(const char *path) {
  safe_error error = SAFE_ERROR_INIT;
  safe_holder_list *list = NULL;
  int64_t began = now_ms();

  assert_code(safe_lock_holders(path, 300, &list, &error), SAFE_ESTUCK);
  assert_in_range(now_ms() - began, 290, 300 + 100 + 200 * slowness());
  assert_null(list);
  assert_int_equal(error.stage, SAFE_STAGE_INSPECT);
}

static void a_dead_file_system_is_not_waited_for(void **state) {
  int handles;

  (void)state;
  if (!safe__clone_works()) skip_because("no helper can be made here");
  fuse_start();
  assert_code(safe_shutdown(5000), SAFE_OK);
  handles = count_handles();
  expect_stuck(MOUNT "/hang-lookup");
  assert_int_equal(safe_parked_count(), 1);
  expect_only("alive", locker_holding("alive", SAFE_METHOD_OFD)); /* others go on */
  fuse_kill();
  assert_code(safe_shutdown(5000), SAFE_OK);
  assert_int_equal(safe_parked_count(), 0);
  assert_int_equal(count_handles(), handles);
  lockers_end(NULL);
  assert_int_equal(children_of(getpid(), NULL), 0);
}

/* Who has a file on it open does not hinder the look at another one: it is neither opened nor stat'ed. */
static void descriptors_on_a_dead_file_system_do_no_harm(void **state) {
  pid_t pid;

  (void)state;
  if (!safe__clone_works()) skip_because("no helper can be made here");
  fuse_start();
  locker_holding(MOUNT "/plain", SAFE_METHOD_FLOCK);
  pid = locker_holding("beside", SAFE_METHOD_OFD);
  fuse_stop(1);
  expect_only("beside", pid);
  fuse_stop(0);
}

/* In the middle of exec, where a file is closed on the dead file system: much of /proc/PID cannot be read for as long.
 */
static void hang_in_exec(void *orders) {
  (void)orders;
  if (open(MOUNT "/hang-flush", O_RDWR | O_CLOEXEC) >= 0) execl("/bin/true", "true", NULL);
  _exit(40);
}

static void a_holder_in_the_middle_of_exec_is_named(void **state) {
  struct orders orders = {.path = "execs", .method = SAFE_METHOD_FLOCK, .then = hang_in_exec};
  const safe_holder *holder;
  safe_holder_list *list;
  int64_t began;
  pid_t pid;

  (void)state;
  if (!safe__clone_works()) skip_because("no helper can be made here");
  fuse_start();
  pid = locker_start(&orders);
  began = now_ms();
  while (!safe__is_in_exec(pid) && now_ms() < began + 2000 * slowness()) sleep_ms(5);
  assert_true(safe__is_in_exec(pid));
  began = now_ms();
  list = look_at("execs");
  assert_in_range(now_ms() - began, 0, 1000 * slowness());
  holder = found_in(list, pid, SAFE_HOLDER_HOLDS);
  if (holder == NULL) fail_msg("unknown: %s", unknown_of(list));
  assert_int_equal(holder->handle, LOCKER_FD);
  assert_int_equal(holder->via, SAFE_VIA_LOCKED);
  assert_int_not_equal(holder->state, 0);
  assert_true(holder->name[0] != '\0');
  safe_holder_list_free(list);
}

static int end_both(void **state) {
  fuse_end(state);
  return lockers_end(state); /* now that nothing holds up their end */
}

/* ---- What the look itself does. */

static void it_takes_no_lock_and_opens_nothing_for_writing(void **state) {
  char self[1024] = "";
  int status;

  (void)state;
  if (calls_are_hidden() != NULL) skip_because("strace would look at the emulator");
  if (system("strace -f -o try true 2>/dev/null") != 0) skip_because("there is no strace, or it may not trace here");
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* LeakSanitizer traces at the exit, and cannot while strace does */
  locker_holding("traced", SAFE_METHOD_FLOCK);
  assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
  setenv("SAFEHOLD_TEST_SELF", self, 1);
  status = system("strace -f -e trace=open,openat,openat2,creat,flock,fcntl,kill,tkill,tgkill,ptrace,process_vm_readv "
                  "-o trace \"$SAFEHOLD_TEST_SELF\" looked");
  assert_int_equal(status, 0);
  assert_int_equal(system("grep -q 'proc/locks' trace && grep -q O_PATH trace"), 0);
  /* A file that ThreadSanitizer makes for itself is not meant. */
  assert_int_not_equal(
    system(
      "grep -v 'tsan\\.rodata' trace | grep -E 'O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|flock\\(|F_(OFD_)?SETLK|SIGSTOP|ptrace|"
      "process_vm'"),
    0);
}

static int be_looked_through(const char *path) {
  safe_holder_list *list;
  int code = safe_lock_holders(path, 5000, &list, NULL);
  size_t count = safe_holder_list_count(list);

  safe_holder_list_free(list);
  return code == SAFE_OK && count == 1 ? 0 : 1;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(other_names_of_the_file, lockers_end),
    cmocka_unit_test_teardown(a_path_that_is_not_there, lockers_end),
    cmocka_unit_test_teardown(a_folder_can_be_locked_too, lockers_end),
    cmocka_unit_test_teardown(a_file_that_was_replaced_is_said_to_be, lockers_end),
    cmocka_unit_test_teardown(a_file_that_was_removed_and_made_anew, lockers_end),
    cmocka_unit_test_teardown(a_bind_mount_is_the_same_file, lockers_end),
    cmocka_unit_test_teardown(an_overlay_has_locks_of_its_own, lockers_end),
    cmocka_unit_test_teardown(an_ordinary_user_gets_a_part_and_is_told_so, lockers_end),
    cmocka_unit_test_teardown(from_another_pid_namespace, lockers_end),
    cmocka_unit_test_teardown(it_takes_no_lock_and_opens_nothing_for_writing, lockers_end),
    cmocka_unit_test_teardown(a_dead_file_system_is_not_waited_for, end_both),
    cmocka_unit_test_teardown(descriptors_on_a_dead_file_system_do_no_harm, end_both),
    cmocka_unit_test_teardown(a_holder_in_the_middle_of_exec_is_named, end_both),
  };

  if (argc > 1 && strcmp(argv[1], "looked") == 0) return be_looked_through("traced");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
