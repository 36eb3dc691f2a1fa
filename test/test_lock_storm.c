/* SPDX-License-Identifier: MIT */
/* Locks while processes are made, killed and replaced around them (Linux). */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc_stat.h"
#include "support.h"

extern char **environ;

static bool long_tier(void) {
  const char *tier = getenv("SAFEHOLD_LONG");

  return tier != NULL && strcmp(tier, "1") == 0;
}

static int rounds(int normal) { return (long_tier() ? normal * 40 : normal) / slowness() + 1; }

/* ---- Eight threads fork and exec, as hosts do, while others lock, wait and give up. */

#define SPAWNERS 8
#define LOCKERS 3

static atomic_bool over;
static atomic_int leaks, failures;
static char expected[4096]; /* what a child finds open where there are no locks: what this program was started with */

static void *keep_locking(void *argument) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock_wait *wait;
  safe_lock *lock;
  int round;

  (void)argument;
  options.flags |= SAFE_LOCK_RECORD_OWNER;
  for (round = 0; !atomic_load(&over); round++) {
    options.timeout_ms = round % 5;
    if (round % 3 == 0) {
      if (safe_lock_begin(&wait, "stormed", &options, NULL) != SAFE_OK) continue;
      safe_lock_wait_handle(wait);
      if (safe_lock_finish(wait, &lock, NULL) != SAFE_OK) continue;
    } else if (safe_lock_file(&lock, "stormed", &options, NULL) != SAFE_OK) {
      continue;
    }
    if (round % 2 == 0) usleep(500);
    safe_unlock(lock);
  }
  return NULL;
}

/* Starts a child with plain fork or posix_spawn, and has it say which descriptors it got. */
static void start_and_look(bool spawns) {
  char *argv[] = {(char *)helper_path(), "handles", NULL}, text[4096];
  posix_spawn_file_actions_t actions;
  ssize_t length, total = 0;
  int ends[2], status;
  pid_t child = -1;

  if (pipe2(ends, O_CLOEXEC) != 0) {
    failures++;
    return;
  }
  if (spawns) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (posix_spawn(&child, argv[0], &actions, NULL, argv, environ) != 0) child = -1;
    posix_spawn_file_actions_destroy(&actions);
  } else {
    child = fork();
    if (child == 0) {
      dup2(ends[1], 1);
      execv(argv[0], argv);
      _exit(127);
    }
  }
  close(ends[1]);
  while ((length = read(ends[0], text + total, sizeof(text) - 1 - (size_t)total)) > 0) total += length;
  close(ends[0]);
  text[total] = '\0';
  if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
    print_error("child %d: status 0x%x, said %s\n", (int)child, child < 0 ? 0 : (unsigned)status, text);
    failures++;
  } else if (expected[0] == '\0') {
    strcpy(expected, text);
  } else if (strcmp(text, expected) != 0) {
    print_error("a child got:\n%sand not:\n%s", text, expected);
    leaks++;
  }
}

static void *keep_starting(void *argument) {
  int round, count = rounds(15);

  for (round = 0; round < count; round++) start_and_look(((uintptr_t)argument + (uintptr_t)round) % 2 == 0);
  return NULL;
}

static void no_lock_handle_reaches_a_child(void **state) {
  pthread_t spawners[SPAWNERS], lockers[LOCKERS];
  uintptr_t at;

  (void)state;
  start_and_look(true);
  assert_int_equal(failures, 0);
  over = false;
  for (at = 0; at < LOCKERS; at++) assert_int_equal(pthread_create(&lockers[at], NULL, keep_locking, NULL), 0);
  for (at = 0; at < SPAWNERS; at++) assert_int_equal(pthread_create(&spawners[at], NULL, keep_starting, (void *)at), 0);
  for (at = 0; at < SPAWNERS; at++) pthread_join(spawners[at], NULL);
  over = true;
  for (at = 0; at < LOCKERS; at++) pthread_join(lockers[at], NULL);
  assert_int_equal(failures, 0);
  assert_int_equal(leaks, 0);
}

/* ---- Killed at any moment. */

static uint64_t seed = 0x2545f4914f6cdd1du;

static int64_t random_us(int64_t below) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (int64_t)(seed % (uint64_t)below);
}

static void lock_for_ever(int method) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.method = method;
  for (;;)
    if (safe_lock_file(&lock, "killed", &options, NULL) == SAFE_OK) safe_unlock(lock);
}

static void the_next_waiter_gets_a_killed_holders_lock(void **state) {
  int methods[] = {SAFE_METHOD_OFD, SAFE_METHOD_FLOCK, SAFE_METHOD_BOTH};
  int round, status, count = rounds(50);

  (void)state;
  for (round = 0; round < count; round++) {
    safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
    safe_lock *lock;
    pid_t holders[2];
    int at;
    options.method = methods[round % 3];
    options.timeout_ms = 5000 * slowness();
    for (at = 0; at < 2; at++) {
      holders[at] = fork();
      if (holders[at] == 0) lock_for_ever(options.method);
    }
    usleep((useconds_t)random_us(5000));
    for (at = 0; at < 2; at++) kill(holders[at], SIGKILL);
    assert_code(safe_lock_file(&lock, "killed", &options, NULL), SAFE_OK);
    safe_unlock(lock);
    for (at = 0; at < 2; at++) waitpid(holders[at], &status, 0);
  }
}

static void *wait_in_vain(void *argument) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  (void)argument;
  for (;;) {
    options.timeout_ms = random_us(4);
    if (safe_lock_file(&lock, "vain", &options, NULL) == SAFE_OK) safe_unlock(lock);
  }
  return NULL;
}

static void wait_in_threads(void) {
  pthread_t thread;

  pthread_create(&thread, NULL, wait_in_vain, NULL);
  pthread_create(&thread, NULL, wait_in_vain, NULL);
  wait_in_vain(NULL);
}

static bool ends_within(int fd, int ms) {
  struct pollfd ready = {fd, POLLIN, 0};
  char byte;

  return poll(&ready, 1, ms) == 1 && read(fd, &byte, 1) == 0;
}

/* End of file on a pipe that the host had open says that neither it nor a helper of it has any of its descriptors. */
static void nothing_stays_of_a_killed_host(void **state) {
  safe_lock *held = locked_by_another_thread("vain", NULL);
  int round, status, ends[2], count = rounds(50);
  pid_t host;

  (void)state;
  for (round = 0; round < count; round++) {
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    host = fork();
    if (host == 0) wait_in_threads();
    close(ends[1]);
    usleep((useconds_t)random_us(8000));
    kill(host, SIGKILL);
    waitpid(host, &status, 0);
    assert_true(ends_within(ends[0], 1000 * slowness()));
    close(ends[0]);
  }
  safe_unlock(held);
}

/* ---- A host that execs while a helper is kept for its next wait: the helper goes. */

static bool has_children(pid_t parent) {
  struct safe__proc_stat stat;
  DIR *folder = opendir("/proc");
  int64_t pid;
  bool found = false;

  while ((pid = safe__proc_next(folder)) != 0)
    if (safe__proc_stat(pid, &stat) && stat.parent == parent && stat.state != 'Z') found = true;
  closedir(folder);
  return found;
}

static void wait_and_exec(void) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.timeout_ms = 20000;
  if (safe_lock_file(&lock, "exec", &options, NULL) != SAFE_OK) _exit(1);
  execl(helper_path(), "helper", "sleep", "60000", (char *)NULL);
  _exit(127);
}

static void exec_leaves_nothing_of_ours(void **state) {
  safe_process *holder = start_helper("lock", "0", "0", "100", "exec", NULL);
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  int ends[2], status;
  int64_t deadline;
  safe_lock *lock;
  pid_t host;

  (void)state;
  expect_line(holder, "held");
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  host = fork();
  if (host == 0) wait_and_exec();
  close(ends[1]);
  assert_true(ends_within(ends[0], 5000 * slowness())); /* closed on exec, and nowhere else open */
  options.timeout_ms = 1000 * slowness();
  assert_code(safe_lock_file(&lock, "exec", &options, NULL), SAFE_OK); /* and so was the lock's file */
  safe_unlock(lock);
  for (deadline = now_ms() + 2000 * slowness(); has_children(host) && now_ms() < deadline;) sleep_ms(5);
  assert_false(has_children(host));
  kill(host, SIGKILL);
  waitpid(host, &status, 0);
  assert_int_equal(WIFSIGNALED(status), 1);
  close(ends[0]);
  end_helper(holder);
}

/* ---- A method of two locks: who blocks on the one first and who on the other cannot keep each other out for ever. */

static void *add_with(void *argument) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  int round, method = (int)(intptr_t)argument, count = rounds(200);
  safe_lock *lock;

  options.method = method;
  options.timeout_ms = 30000;
  for (round = 0; round < count; round++) {
    if (safe_lock_file(&lock, "both", &options, NULL) != SAFE_OK)
      failures++;
    else
      safe_unlock(lock);
  }
  return NULL;
}

static void users_of_one_and_of_both_make_progress(void **state) {
  static const int methods[] = {SAFE_METHOD_BOTH, SAFE_METHOD_OFD, SAFE_METHOD_FLOCK, SAFE_METHOD_BOTH};
  pthread_t threads[4];
  size_t at;

  (void)state;
  failures = 0;
  for (at = 0; at < 4; at++)
    assert_int_equal(pthread_create(&threads[at], NULL, add_with, (void *)(intptr_t)methods[at]), 0);
  for (at = 0; at < 4; at++) pthread_join(threads[at], NULL);
  assert_int_equal(failures, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(no_lock_handle_reaches_a_child),
    cmocka_unit_test(the_next_waiter_gets_a_killed_holders_lock),
    cmocka_unit_test(nothing_stays_of_a_killed_host),
    cmocka_unit_test(exec_leaves_nothing_of_ours),
    cmocka_unit_test(users_of_one_and_of_both_make_progress),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
