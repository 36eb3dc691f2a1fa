/* SPDX-License-Identifier: MIT */
/*
 * What has been done to the lock files of others: links planted between a check and an open, folders and files
 * exchanged under the hand, names that lead to what is no file, files that others own, and files removed while others
 * wait for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define STRANGER 65534 /* a user that this process is not */

static const int methods[] = {SAFE_METHOD_OFD, SAFE_METHOD_FLOCK};

static safe_lock_options asking(int64_t timeout_ms, uint32_t flags) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.timeout_ms = timeout_ms;
  options.flags |= flags;
  return options;
}

static int rounds(int count) { return count / (slowness() * slowness()) + 1; }

static void need_root(void) {
  if (geteuid() == 0) return;
  print_message("skipped: only root may give files away\n");
  skip();
}

/* Under Valgrind and qemu-user there is no helper that could do it. */
static bool cannot_isolate(int code, uint32_t flags) {
  return code == SAFE_ENOTSUP && (flags & SAFE_LOCK_ISOLATE) != 0;
}

static bool same_file(int fd, const char *path) {
  struct stat one, other;

  return fstat(fd, &one) == 0 && stat(path, &other) == 0 && one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

/* An attacker is a thread that does the same over and over until it is told to stop, or the test has failed. */
static struct {
  void (*act)(void);
  atomic_bool over;
  bool running;
  pthread_t thread;
} attacker;

static void *attack(void *unused) {
  for (; !attacker.over; attacker.act())
    if (slowness() > 1) sleep_ms(1); /* Valgrind runs one thread at a time, and this one would be it */
  return unused;
}

static void start(void (*act)(void)) {
  attacker.act = act;
  attacker.over = false;
  assert_int_equal(pthread_create(&attacker.thread, NULL, attack, NULL), 0);
  attacker.running = true;
}

static void stop(void) {
  attacker.over = true;
  if (attacker.running) pthread_join(attacker.thread, NULL);
  attacker.running = false;
}

static int stop_after(void **state) {
  stop();
  return state == NULL;
}

/* ---- A symbolic link planted between a check and the open. */

static void plant_file(void) {
  close(open("planted.new", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  rename("planted.new", "planted");
}

static void plant_link(void) {
  symlink("victim", "planted.new");
  rename("planted.new", "planted");
  plant_file();
}

static int lock_planted(int round) {
  uint32_t flags = round % 4 >= 2 ? SAFE_LOCK_ISOLATE : 0;
  safe_lock_options options = asking(5000, flags);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  int code;

  options.method = methods[round % 2];
  code = safe_lock_file(&lock, "planted", &options, &error);
  if (code == SAFE_OK) {
    assert_false(same_file(safe_lock_get_handle(lock), "victim"));
    safe_unlock(lock);
  } else if (code != SAFE_ESYMLINK && !cannot_isolate(code, flags)) {
    if (code != SAFE_EREPLACED) fail_msg("%s", error.message);
  }
  return code;
}

static void a_planted_link_never_leads_to_the_victim(void **state) {
  int round, code, locked = 0, refused = 0, watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  char events[4096], *text;

  (void)state;
  make_file("victim", "precious");
  make_file("planted", "");
  assert_true(inotify_add_watch(watch, "victim", IN_ALL_EVENTS) >= 0);
  start(plant_link);
  for (round = 0; round < rounds(4000); round++) {
    code = lock_planted(round);
    locked += code == SAFE_OK;
    refused += code == SAFE_ESYMLINK;
  }
  stop();
  print_message("%d locked, %d refused, of %d\n", locked, refused, round);
  /* Nobody opened it, for whatever it may be, nor changed a thing of it. */
  assert_int_equal(read(watch, events, sizeof(events)), -1);
  assert_int_equal(errno, EAGAIN);
  close(watch);
  text = read_file("victim");
  assert_string_equal(text, "precious");
  free(text);
}

/* Not a link: another file every time. Who gives up says just that. */
static void a_file_that_is_always_another(void **state) {
  int round;

  (void)state;
  start(plant_file);
  for (round = 0; round < rounds(2000); round++) lock_planted(round);
  stop();
}

/* ---- The parent folder exchanged with another one. */

static void exchange(void) { syscall(SYS_renameat2, AT_FDCWD, "one", AT_FDCWD, "other", 1u << 1 /* EXCHANGE */); }

static atomic_int inside[2]; /* who has the lock of the first file, and of the second */
static atomic_int wrong;     /* what a thread found, which may not end the test by itself */

static void *lock_in_folder(void *first) {
  safe_lock_options options = asking(20000, 0);
  safe_lock *lock;
  int round, code, which;

  for (round = 0; round < rounds(1000); round++) {
    code = safe_lock_file(&lock, "one/lock", &options, NULL);
    if (code == SAFE_EREPLACED) continue;
    wrong += code != SAFE_OK;
    if (code != SAFE_OK) break;
    which = same_file(safe_lock_get_handle(lock), first) ? 0 : 1;
    wrong += atomic_fetch_add(&inside[which], 1) != 0;
    sched_yield();
    atomic_fetch_sub(&inside[which], 1);
    safe_unlock(lock);
  }
  return NULL;
}

/* Each file has one holder at a time, and once the folders stand still, it is the path's. */
static void exchanged_folders_do_not_share_a_lock(void **state) {
  safe_lock_options options = asking(5000, 0);
  pthread_t threads[2];
  safe_lock *lock;
  int at;

  (void)state;
  make_folder("one");
  make_folder("other");
  make_file("one/lock", "");
  make_file("other/lock", "");
  assert_int_equal(link("one/lock", "first"), 0);
  start(exchange);
  for (at = 0; at < 2; at++) assert_int_equal(pthread_create(&threads[at], NULL, lock_in_folder, "first"), 0);
  for (at = 0; at < 2; at++) pthread_join(threads[at], NULL);
  stop();
  assert_int_equal(wrong, 0);
  assert_code(safe_lock_file(&lock, "one/lock", &options, NULL), SAFE_OK);
  assert_true(same_file(safe_lock_get_handle(lock), "one/lock"));
  safe_unlock(lock);
}

/* ---- Processes that count: what they read and write back later is right only if one at a time does it. */

static void count_one(void) {
  int fd = open("counter", O_RDWR | O_CLOEXEC), value = 0;

  if (fd < 0 || pread(fd, &value, sizeof(value), 0) < 0) _exit(2);
  sched_yield();
  value++;
  if (pwrite(fd, &value, sizeof(value), 0) != sizeof(value)) _exit(3);
  close(fd);
}

static void count_in_process(const char *path, uint32_t flags, int times) {
  safe_lock_options options = asking(60000, flags);
  safe_lock *lock;
  int code;

  while (times > 0) {
    code = safe_lock_file(&lock, path, &options, NULL);
    if (code == SAFE_EREPLACED) continue;
    if (code != SAFE_OK) _exit(-code);
    count_one();
    times--;
    if (safe_unlock(lock) != SAFE_OK) _exit(4);
  }
  _exit(0);
}

#define COUNTERS 3

static void expect_exact_count(const char *path, uint32_t flags, void (*act)(void)) {
  int at, fd, status, value = 0, times = rounds(300);
  pid_t children[COUNTERS];

  make_file("counter", "");
  for (at = 0; at < COUNTERS; at++) {
    children[at] = fork();
    assert_true(children[at] >= 0);
    if (children[at] == 0) count_in_process(path, flags, times);
  }
  if (act != NULL) start(act);
  for (at = 0; at < COUNTERS; at++) {
    assert_int_equal(waitpid(children[at], &status, 0), children[at]);
    assert_int_equal(status, 0);
  }
  stop();
  fd = open("counter", O_RDONLY | O_CLOEXEC);
  assert_int_equal(read(fd, &value, sizeof(value)), sizeof(value));
  close(fd);
  assert_int_equal(value, COUNTERS * times);
}

/* The holder replaces the file, as an editor would: those who waited for the old one go on to the new one. */
static void replace_under_lock(void) {
  safe_lock_options options = asking(60000, 0);
  safe_lock *lock;

  if (safe_lock_file(&lock, "counted", &options, NULL) != SAFE_OK) return;
  close(open("counted.new", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  rename("counted.new", "counted");
  safe_unlock(lock);
  sched_yield();
}

static void a_replaced_file_loses_no_count(void **state) {
  (void)state;
  make_file("counted", "");
  expect_exact_count("counted", 0, replace_under_lock);
}

static void a_removed_file_loses_no_count(void **state) {
  (void)state;
  expect_exact_count("removed", SAFE_LOCK_REMOVE_ON_UNLOCK, NULL);
  assert_int_equal(access("removed", F_OK), -1);
}

/* ---- Files of others. */

/* Root, too, is refused an O_CREAT of it where fs.protected_regular is set; so nothing may be opened that way first. */
static void a_strangers_sticky_folder(void **state) {
  safe_lock_options options = asking(SAFE_NO_WAIT, 0);
  safe_lock *lock;

  (void)state;
  need_root();
  make_folder("sticky");
  make_file("sticky/lock", "theirs");
  assert_int_equal(chmod("sticky/lock", 0666), 0);
  assert_int_equal(chown("sticky/lock", STRANGER - 1, STRANGER), 0);
  assert_int_equal(chown("sticky", STRANGER, STRANGER), 0);
  assert_int_equal(chmod("sticky", 01777), 0);
  assert_code(safe_lock_file(&lock, "sticky/lock", &options, NULL), SAFE_OK);
  safe_unlock(lock);
  options.flags |= SAFE_LOCK_CHECK_OWNER;
  assert_code(safe_lock_file(&lock, "sticky/lock", &options, NULL), SAFE_EACCES);
  assert_code(safe_lock_file(&lock, "sticky/new", &options, NULL), SAFE_OK);
  safe_unlock(lock);
}

static void a_hard_link_to_a_strangers_file(void **state) {
  /* Neither written to nor removed by who was refused. */
  static const uint32_t ways[] = {SAFE_LOCK_REMOVE_ON_UNLOCK | SAFE_LOCK_RECORD_OWNER, SAFE_LOCK_ISOLATE};
  safe_lock_options options;
  struct stat before, after;
  safe_lock *lock;
  size_t at;
  int code;

  (void)state;
  need_root();
  make_file("theirs", "precious");
  assert_int_equal(chown("theirs", STRANGER, STRANGER), 0);
  assert_int_equal(link("theirs", "hard"), 0);
  assert_int_equal(stat("theirs", &before), 0);
  for (at = 0; at < 2; at++) {
    options = asking(5000, ways[at] | SAFE_LOCK_CHECK_OWNER);
    code = safe_lock_file(&lock, "hard", &options, NULL);
    if (!cannot_isolate(code, options.flags)) assert_code(code, SAFE_EACCES);
  }
  assert_int_equal(stat("hard", &after), 0);
  assert_int_equal(after.st_size, before.st_size);
  assert_int_equal(after.st_nlink, 2);
  assert_memory_equal(&after.st_ctim, &before.st_ctim, sizeof(after.st_ctim));
}

/* ---- What is no file: at once, and without a look at it that would block or set something going. */
static void what_is_no_file_is_refused_at_once(void **state) {
  static const struct {
    const char *path;
    int code;
  } paths[] = {{"folder", SAFE_EISDIR}, {"fifo", SAFE_ENOTREG}, {"socket", SAFE_ENOTREG}, {"/dev/tty", SAFE_ENOTREG}};
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
  int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  safe_lock_options options;
  safe_lock *lock;
  int64_t began;
  size_t at;
  int code;

  (void)state;
  make_folder("folder");
  assert_int_equal(mkfifo("fifo", 0600), 0);
  assert_int_equal(bind(server, (struct sockaddr *)&name, sizeof(name)), 0);
  for (at = 0; at < 16; at++) {
    options = asking(5000, (at & 4) != 0 ? SAFE_LOCK_ISOLATE : 0);
    options.mode = (at & 8) != 0 ? SAFE_LOCK_SHARED : SAFE_LOCK_EXCLUSIVE;
    began = now_ms();
    code = safe_lock_file(&lock, paths[at % 4].path, &options, NULL);
    if (cannot_isolate(code, options.flags)) continue;
    if (code != paths[at % 4].code) print_error("%s, flags %x\n", paths[at % 4].path, options.flags);
    assert_code(code, paths[at % 4].code);
    assert_in_range(now_ms() - began, 0, 2000 * slowness());
  }
  close(server);
}

/* ---- The rights of a new file: never, not for a moment, more than asked for. */

static atomic_int seen, seen_wrong;

static void look_at_mode(void) {
  struct stat status;

  if (stat("private", &status) != 0) return;
  seen++;
  seen_wrong += (status.st_mode & 07777) != 0600;
}

static void a_new_file_is_private_from_the_start(void **state) {
  safe_lock_options options = asking(SAFE_NO_WAIT, SAFE_LOCK_REMOVE_ON_UNLOCK);
  mode_t old = umask(0);
  safe_lock *lock;
  int round;

  (void)state;
  start(look_at_mode);
  for (round = 0; round < rounds(3000); round++) {
    assert_code(safe_lock_file(&lock, "private", &options, NULL), SAFE_OK);
    safe_unlock(lock);
  }
  stop();
  print_message("seen %d times\n", seen);
  assert_int_equal(seen_wrong, 0);
  umask(old);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(a_planted_link_never_leads_to_the_victim, stop_after),
    cmocka_unit_test_teardown(a_file_that_is_always_another, stop_after),
    cmocka_unit_test_teardown(exchanged_folders_do_not_share_a_lock, stop_after),
    cmocka_unit_test_teardown(a_replaced_file_loses_no_count, stop_after),
    cmocka_unit_test(a_removed_file_loses_no_count),
    cmocka_unit_test(a_strangers_sticky_folder),
    cmocka_unit_test(a_hard_link_to_a_strangers_file),
    cmocka_unit_test(what_is_no_file_is_refused_at_once),
    cmocka_unit_test_teardown(a_new_file_is_private_from_the_start, stop_after),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
