/* SPDX-License-Identifier: MIT */
/*
 * Where every descriptor can be seen, who holds a lock is found without /proc/locks, and is the same as with it; and it
 * is read where somebody waits, or where nobody is found. To see whether it was, a table that has one more waiter, this
 * process itself, lies over it in a mount namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io_uring.h"
#include "kernel.h"
#include "lock_sight.h"
#include "lockers_linux.h"
#include "proc_stat.h"

/* ---- What it takes. */

static bool is_refused(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0) close(fd);
  return fd < 0 && (errno == EACCES || errno == EPERM);
}

/* Even root may meet a process that he may not look at: for a security module, or in a container. */
static bool cover_unreadable(void) {
  struct safe__proc_walk walk;
  bool covered = true;
  char path[40];
  int64_t pid;

  safe__proc_open(&walk);
  while ((pid = safe__proc_walk_next(&walk)) != 0) {
    snprintf(path, sizeof(path), "/proc/%lld/fdinfo", (long long)pid);
    if (!is_refused(path)) continue;
    *strrchr(path, '/') = '\0';
    covered = covered && mount("none", path, "tmpfs", 0, NULL) == 0;
  }
  safe__proc_close(&walk);
  return covered;
}

static bool prepare(void) {
  return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && cover_unreadable() &&
         safe__descriptors_tell_all();
}

static void (*prepared)(void);

static void run_prepared(void) {
  assert_true(prepare());
  prepared();
}

/* In a child, whose mounts are its own. */
static void quietly(void (*run)(void)) {
  int status;
  pid_t pid = fork();

  if (pid == 0) _exit(prepare() ? 0 : 77);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (status != 0) skip_because("this user may not look at all processes, or there can be no mount namespace");
  prepared = run;
  in_a_child(run_prepared);
}

/* ---- The table that tells of itself. */

/* "FLOCK  ADVISORY  WRITE 101 fe:00:1234 0 EOF" has the file's numbers as the kernel prints them. */
static void find_numbers(const char *path, char *numbers, size_t size) {
  char line[256], inode[32], found[64];
  FILE *table = fopen("/proc/locks", "re");
  struct stat status;

  assert_non_null(table);
  assert_int_equal(stat(path, &status), 0);
  snprintf(inode, sizeof(inode), ":%llu", (unsigned long long)status.st_ino);
  numbers[0] = '\0';
  while (fgets(line, sizeof(line), table) != NULL) {
    if (strstr(line, "->") != NULL || sscanf(line, "%*s %*s %*s %*s %*s %63s", found) != 1) continue;
    if (strlen(found) > strlen(inode) && strcmp(found + strlen(found) - strlen(inode), inode) == 0)
      snprintf(numbers, size, "%s", found);
  }
  fclose(table);
  if (numbers[0] == '\0') fail_msg("/proc/locks has no lock on %s", path);
}

static void lay_table(const char *numbers) {
  char text[512];

  snprintf(text, sizeof(text), "1: FLOCK  ADVISORY  WRITE %d %s 0 EOF\n1: -> FLOCK  ADVISORY  WRITE %d %s 0 EOF\n",
           (int)getpid(), numbers, (int)getpid(), numbers);
  make_file("table", text);
  assert_int_equal(mount("table", "/proc/locks", NULL, MS_BIND, NULL), 0);
}

static void take_table_away(void) { assert_int_equal(umount2("/proc/locks", MNT_DETACH), 0); }

static bool was_read(const safe_holder_list *list) { return found_in(list, getpid(), SAFE_HOLDER_WAITS) != NULL; }

static bool reads_table(const char *path) {
  safe_holder_list *list = look_at(path);
  bool read = was_read(list);

  safe_holder_list_free(list);
  return read;
}

#define TRIES 5

/* Somebody else may have started a process just now that may not be looked at: hence some tries. */
static safe_holder_list *look_without_table(const char *path) {
  safe_holder_list *list = NULL;
  int at;

  for (at = 0; at < TRIES && (list == NULL || was_read(list)); at++) {
    safe_holder_list_free(list);
    list = look_at(path);
  }
  if (was_read(list)) fail_msg("%s: the table was read %d times", path, TRIES);
  return list;
}

/* ---- The same, whichever way. */

static bool is_same(const safe_holder *one, const safe_holder *other) {
  return one->pid == other->pid && one->role == other->role && one->handle == other->handle &&
         one->method == other->method && one->mode == other->mode && one->via == other->via &&
         one->offset == other->offset && one->length == other->length && strcmp(one->name, other->name) == 0;
}

static void expect_same_holders(const safe_holder_list *without, const safe_holder_list *with) {
  size_t at, held = (size_t)count_role(with, SAFE_HOLDER_HOLDS);

  assert_true(held > 0);
  assert_int_equal(safe_holder_list_count(without), held);
  for (at = 0; at < held; at++) /* they come before those who wait */
    assert_true(is_same(safe_holder_list_get(without, at), safe_holder_list_get(with, at)));
  assert_string_equal(unknown_of(without), "");
}

/* Somebody who waits has the table read. */
static void compare(const char *path, int method) {
  safe_holder_list *without, *with;
  char numbers[64];
  pid_t waiter;

  find_numbers(path, numbers, sizeof(numbers));
  lay_table(numbers);
  without = look_without_table(path);
  take_table_away();
  waiter = locker_waiting(path, method);
  expect_queue(path, 1);
  with = look_at(path);
  if (found_in(with, waiter, SAFE_HOLDER_WAITS) == NULL) fail_msg("who waits is not named: %s", unknown_of(with));
  expect_same_holders(without, with);
  lay_table(numbers);
  assert_true(reads_table(path));
  take_table_away();
  safe_holder_list_free(without);
  safe_holder_list_free(with);
}

static const int methods[] = {SAFE_METHOD_FLOCK, SAFE_METHOD_OFD, SAFE_METHOD_POSIX};
static const int modes[] = {SAFE_LOCK_EXCLUSIVE, SAFE_LOCK_SHARED};

static void look_at_each_kind(void) {
  int at;

  for (at = 0; at < 12; at++) {
    struct orders orders = {
      .path = "kind", .method = methods[at % 3], .mode = modes[at / 3 % 2], .forks = at >= 6 && at % 3 != 2};
    struct orders other = orders;
    locker_start(&orders);
    other.forks = false;
    if (other.mode == SAFE_LOCK_SHARED) locker_start(&other);
    compare("kind", orders.method);
    lockers_end(NULL);
  }
}

static void each_kind_of_holder_is_found(void **state) {
  (void)state;
  if (calls_are_hidden() != NULL) skip_because(calls_are_hidden());
  quietly(look_at_each_kind);
}

static void look_at_heirs(void) {
  int at;

  for (at = 0; at < 2; at++) {
    struct orders orders = {.path = "heir", .method = methods[at], .forks = true};
    locker_end(locker_start(&orders));
    compare("heir", methods[at]);
    lockers_end(NULL);
  }
}

static void an_heir_is_found(void **state) {
  (void)state;
  if (calls_are_hidden() != NULL) skip_because(calls_are_hidden());
  quietly(look_at_heirs);
}

static void look_at_ranges(void) {
  struct orders first = {.path = "ranges", .method = SAFE_METHOD_OFD, .offset = 10, .length = 5};
  struct orders second = {.path = "ranges", .method = SAFE_METHOD_POSIX, .offset = 100};

  locker_start(&first);
  locker_start(&second);
  compare("ranges", SAFE_METHOD_OFD);
}

static void ranges_are_found(void **state) {
  (void)state;
  if (calls_are_hidden() != NULL) skip_because(calls_are_hidden());
  quietly(look_at_ranges);
}

/* ---- When it is read. */

static void expect_read(const char *path, bool read) {
  char numbers[64];

  find_numbers(path, numbers, sizeof(numbers));
  lay_table(numbers);
  if (read)
    assert_true(reads_table(path));
  else
    safe_holder_list_free(look_without_table(path));
  take_table_away();
}

static void *wait_in_thread(void *path) {
  int fd = open(path, O_RDWR | O_CLOEXEC);

  flock(fd, LOCK_EX);
  return NULL;
}

static void wait_beside(void *orders) {
  pthread_t thread;

  (void)orders;
  if (pthread_create(&thread, NULL, wait_in_thread, "waited") != 0) _exit(30);
}

static void wait_by_library(int method) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.method = method;
  options.timeout_ms = 60000;
  options.holder_query_ms = 0;
  safe_lock_file(&lock, "waited", &options, NULL);
}

static void wait_by_ring(void *orders) {
  (void)orders;
  wait_by_library(SAFE_METHOD_OFD);
}

static void wait_by_helper(void *orders) {
  (void)orders;
  wait_by_library(SAFE_METHOD_FLOCK);
}

static void look_at_waiters(void) {
  static const struct {
    int method;
    void (*wait)(void *orders);
  } waits[] = {{SAFE_METHOD_FLOCK, wait_beside}, {SAFE_METHOD_OFD, wait_by_ring}, {SAFE_METHOD_FLOCK, wait_by_helper}};
  size_t at;

  for (at = 0; at < sizeof(waits) / sizeof(waits[0]); at++) {
    struct orders orders = {.then = waits[at].wait};
    if (waits[at].wait != wait_beside && !safe__clone_works()) break; /* the library does not queue then */
    locker_holding("waited", waits[at].method);
    expect_read("waited", false);
    locker_start(&orders);
    expect_queue("waited", 1);
    expect_read("waited", true);
    lockers_end(NULL);
  }
}

static void the_table_is_read_where_somebody_waits(void **state) {
  (void)state;
  quietly(look_at_waiters);
}

/* One that has it open and does not hold it, beside a lock that nobody has by a descriptor: it is in a socket. */
static void look_at_one_on_its_way(void) {
  char byte = 'x', control[CMSG_SPACE(sizeof(int))] = {0};
  struct iovec vector = {&byte, 1};
  struct msghdr message = {
    .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  int ends[2], fd = open("away", O_RDWR | O_CREAT | O_CLOEXEC, 0600), other = open("away", O_RDWR | O_CLOEXEC);

  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  CMSG_FIRSTHDR(&message)->cmsg_level = SOL_SOCKET;
  CMSG_FIRSTHDR(&message)->cmsg_type = SCM_RIGHTS;
  CMSG_FIRSTHDR(&message)->cmsg_len = CMSG_LEN(sizeof(fd));
  memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof(fd));
  assert_int_equal(sendmsg(ends[0], &message, 0), 1);
  expect_read("away", false);
  close(fd);
  expect_read("away", true);
  close(other);
}

static void the_table_is_read_where_nobody_is_found(void **state) {
  (void)state;
  quietly(look_at_one_on_its_way);
}

static void lock_all_the_time(void *orders) {
  (void)orders;
  for (;;) {
    flock(LOCKER_FD, LOCK_UN);
    flock(LOCKER_FD, LOCK_EX);
  }
}

#define LOOKS 40

static void look_at_a_busy_one(void) {
  struct orders orders = {.path = "busy", .method = SAFE_METHOD_FLOCK};
  char numbers[64];
  int at, read = 0;
  pid_t pid = locker_start(&orders);

  find_numbers("busy", numbers, sizeof(numbers));
  locker_end(pid);
  orders.then = lock_all_the_time;
  locker_start(&orders);
  lay_table(numbers);
  for (at = 0; at < LOOKS; at++) read += reads_table("busy");
  print_message("who locks and unlocks all the time was missed %d times of %d\n", read, LOOKS);
  assert_in_range(read, 0, LOOKS / 2);
}

/* Whether he has it is chance; but he is looked for more than once. */
static void one_who_locks_all_the_time_is_caught(void **state) {
  (void)state;
  quietly(look_at_a_busy_one);
}

static void give_up_the_right(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

  assert_int_equal(syscall(SYS_capget, &header, data), 0);
  data[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective &= ~CAP_TO_MASK(CAP_SYS_PTRACE);
  assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static void look_without_the_right(void) {
  locker_holding("right", SAFE_METHOD_FLOCK);
  expect_read("right", false);
  give_up_the_right();
  assert_false(safe__descriptors_tell_all());
  expect_read("right", true);
}

static void the_table_is_read_without_the_right_to_look(void **state) {
  (void)state;
  quietly(look_without_the_right);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(each_kind_of_holder_is_found, lockers_end),
    cmocka_unit_test_teardown(an_heir_is_found, lockers_end),
    cmocka_unit_test_teardown(ranges_are_found, lockers_end),
    cmocka_unit_test_teardown(the_table_is_read_where_somebody_waits, lockers_end),
    cmocka_unit_test_teardown(the_table_is_read_where_nobody_is_found, lockers_end),
    cmocka_unit_test_teardown(one_who_locks_all_the_time_is_caught, lockers_end),
    cmocka_unit_test_teardown(the_table_is_read_without_the_right_to_look, lockers_end),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
