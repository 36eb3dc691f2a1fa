/* SPDX-License-Identifier: MIT */
/* Who holds a lock on Linux, how he came to it, and who waits: against real processes. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io_uring.h"
#include "kernel.h"
#include "lockers_linux.h"

static const int methods[] = {SAFE_METHOD_FLOCK, SAFE_METHOD_OFD, SAFE_METHOD_POSIX};
#define METHODS 3

static const safe_holder *expect_holder(const safe_holder_list *list, pid_t pid, int via) {
  const safe_holder *holder = found_in(list, pid, SAFE_HOLDER_HOLDS);

  if (holder == NULL) fail_msg("%d is not named; unknown: %s", (int)pid, unknown_of(list));
  assert_int_equal(holder->via, via);
  return holder;
}

static void holders_are_described_exactly(void **state) {
  static const int modes[] = {SAFE_LOCK_EXCLUSIVE, SAFE_LOCK_SHARED};
  int at;

  (void)state;
  for (at = 0; at < 2 * METHODS; at++) {
    struct orders orders = {.path = "exact", .method = methods[at / 2], .mode = modes[at % 2]};
    pid_t pid = locker_start(&orders);
    safe_holder_list *list = look_at("exact");
    const safe_holder *holder = expect_holder(list, pid, SAFE_VIA_LOCKED);
    assert_int_equal(safe_holder_list_count(list), 1);
    assert_int_equal(holder->handle, LOCKER_FD);
    assert_int_equal(holder->mode, modes[at % 2]);
    assert_int_equal(holder->method, methods[at / 2]);
    assert_true(holder->state == 'S' || holder->state == 'R'); /* it has said so just before it went to sleep */
    assert_int_equal(holder->since_ms, 0);
    assert_true(holder->offset == 0 && holder->length == 0);
    assert_true(holder->name[0] != '\0');
    safe_holder_list_free(list);
    locker_end(pid);
  }
}

static void ranges_are_told(void **state) {
  int at;

  (void)state;
  for (at = 1; at < METHODS; at++) {
    struct orders first = {.path = "ranges", .method = methods[at], .offset = 10, .length = 5};
    struct orders second = {.path = "ranges", .method = methods[at], .offset = 100};
    pid_t one = locker_start(&first), other = locker_start(&second);
    safe_holder_list *list = look_at("ranges");
    const safe_holder *holder = expect_holder(list, one, SAFE_VIA_LOCKED);
    assert_true(holder->offset == 10 && holder->length == 5);
    holder = expect_holder(list, other, SAFE_VIA_LOCKED);
    assert_true(holder->offset == 100 && holder->length == 0);
    safe_holder_list_free(list);
    locker_end(one);
    locker_end(other);
  }
}

static void lock_two_ranges(void *orders) {
  struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 50, .l_len = 1};

  (void)orders;
  if (fcntl(LOCKER_FD, F_OFD_SETLK, &range) != 0) _exit(20);
}

static void several_locks_of_one_process_are_several(void **state) {
  struct orders orders = {.path = "two", .method = SAFE_METHOD_OFD, .length = 1, .then = lock_two_ranges};
  pid_t pid = locker_start(&orders);
  safe_holder_list *list = look_at("two");
  int64_t deadline = now_ms() + 2000;

  (void)state;
  while (safe_holder_list_count(list) != 2 && now_ms() < deadline) { /* it has said so before it did the second */
    safe_holder_list_free(list);
    list = look_at("two");
  }
  assert_int_equal(safe_holder_list_count(list), 2);
  assert_int_equal(safe_holder_list_get(list, 0)->pid, pid);
  assert_int_equal(safe_holder_list_get(list, 1)->pid, pid);
  assert_int_equal(safe_holder_list_get(list, 0)->offset + safe_holder_list_get(list, 1)->offset, 50);
  safe_holder_list_free(list);
}

/* ---- Inherited. */

static void who_inherited_is_told_from_who_locked(void **state) {
  int at;

  (void)state;
  for (at = 0; at < 2; at++) {
    struct orders orders = {.path = "shared", .method = methods[at], .forks = true};
    pid_t pid = locker_start(&orders);
    safe_holder_list *list = look_at("shared");
    const safe_holder *child = expect_holder(list, orders.child, SAFE_VIA_INHERITED);
    expect_holder(list, pid, SAFE_VIA_LOCKED);
    assert_int_equal(safe_holder_list_count(list), 2);
    assert_int_equal(child->handle, LOCKER_FD);
    safe_holder_list_free(list);
    locker_end(pid);
    locker_end(orders.child);
  }
}

/* Not a record lock: it is not inherited. */
static void a_record_lock_is_its_owners_alone(void **state) {
  struct orders orders = {.path = "record", .method = SAFE_METHOD_POSIX, .forks = true};
  pid_t pid = locker_start(&orders);
  safe_holder_list *list = look_at("record");

  (void)state;
  expect_holder(list, pid, SAFE_VIA_LOCKED);
  assert_int_equal(safe_holder_list_count(list), 1);
  safe_holder_list_free(list);
}

/* The one who locked has gone, or is a zombie: /proc/locks still names him, and he holds nothing. */
static void a_lock_that_only_an_heir_keeps_is_the_heirs(void **state) {
  int at;

  (void)state;
  for (at = 0; at < 4; at++) {
    struct orders orders = {.path = "heir", .method = methods[at / 2], .forks = true};
    pid_t pid = locker_start(&orders);
    safe_holder_list *list;
    const safe_holder *heir;
    siginfo_t info;
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    if (at % 2 == 0) locker_end(pid); /* else it stays a zombie */
    list = look_at("heir");
    assert_int_equal(safe_holder_list_count(list), 1);
    heir = safe_holder_list_get(list, 0);
    assert_int_equal(heir->pid, orders.child);
    assert_int_equal(heir->handle, LOCKER_FD);
    /* Of an flock whose owner has ended a container is told no number. */
    if (methods[at / 2] == SAFE_METHOD_FLOCK && others_are_hidden() == NULL)
      assert_int_equal(heir->via, SAFE_VIA_INHERITED);
    if (methods[at / 2] == SAFE_METHOD_OFD) assert_int_not_equal(heir->via, SAFE_VIA_RECORD);
    safe_holder_list_free(list);
    kill(orders.child, SIGKILL);
    locker_end(orders.child);
    locker_end(pid);
  }
}

/* flock(1) on a shell's descriptor locks for the shell, and ends. */
static void what_a_child_locked_for_its_parent_is_the_parents(void **state) {
  struct orders orders = {.path = NULL};
  int fd = open("idiom", O_RDWR | O_CREAT | O_CLOEXEC, 0600), status;
  safe_holder_list *list;
  pid_t child, pid;

  (void)state;
  if (others_are_hidden() != NULL) skip_because("of an flock whose owner has ended a container is told no number");
  assert_int_equal(dup2(fd, LOCKER_FD), LOCKER_FD);
  child = fork();
  if (child == 0) {
    if (flock(LOCKER_FD, LOCK_EX) == 0) kill(getpid(), SIGKILL); /* valgrind would have its say at an exit */
    _exit(1);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
  pid = locker_start(&orders); /* has it from us */
  list = look_at("idiom");
  /* Numbers of processes may have begun anew between: then it looks like one who was there before us. */
  expect_holder(list, getpid(), child > getpid() ? SAFE_VIA_LOCKED : SAFE_VIA_INHERITED);
  expect_holder(list, pid, SAFE_VIA_INHERITED);
  safe_holder_list_free(list);
  close(LOCKER_FD);
  close(fd);
}

static bool files_can_be_compared(void) { return syscall(SYS_kcmp, getpid(), getpid(), 0 /* KCMP_FILE */, 0, 0) == 0; }

/* Two who share it, and one who has a shared lock of his own. */
static void shared_locks_are_told_apart(void **state) {
  int at;

  (void)state;
  if (!files_can_be_compared()) skip_because("there is no kcmp(2)");
  for (at = 0; at < 2; at++) {
    struct orders orders = {.path = "readers", .method = methods[at], .mode = SAFE_LOCK_SHARED, .forks = true};
    struct orders lone = {.path = "readers", .method = methods[at], .mode = SAFE_LOCK_SHARED};
    pid_t pid = locker_start(&orders), other = locker_start(&lone);
    safe_holder_list *list = look_at("readers");
    expect_holder(list, pid, SAFE_VIA_LOCKED);
    expect_holder(list, orders.child, SAFE_VIA_INHERITED);
    expect_holder(list, other, SAFE_VIA_LOCKED);
    assert_int_equal(safe_holder_list_count(list), 3);
    safe_holder_list_free(list);
    lockers_end(NULL);
  }
}

/* ---- States. */

static void a_stopped_holder_is_said_to_be(void **state) {
  pid_t pid = locker_holding("stopped", SAFE_METHOD_OFD);
  safe_holder_list *list;
  int status;

  (void)state;
  kill(pid, SIGSTOP);
  assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
  list = look_at("stopped");
  assert_int_equal(expect_holder(list, pid, SAFE_VIA_LOCKED)->state, 'T');
  safe_holder_list_free(list);
}

static void *sleep_on(void *argument) {
  for (;;) pause();
  return argument;
}

static void end_first_thread(void *orders) {
  pthread_t thread;

  (void)orders;
  if (pthread_create(&thread, NULL, sleep_on, NULL) != 0) _exit(30);
  pthread_exit(NULL);
}

static void a_process_without_its_first_thread_holds(void **state) {
  struct orders orders = {.path = "headless", .method = SAFE_METHOD_OFD, .then = end_first_thread};
  pid_t pid = locker_start(&orders);
  safe_holder_list *list = NULL;
  const safe_holder *holder;
  int64_t deadline = now_ms() + 2000 * slowness();

  (void)state;
  do { /* while it ends its descriptors go from under its number to under the other thread's */
    safe_holder_list_free(list);
    list = look_at("headless");
    holder = found_in(list, pid, SAFE_HOLDER_HOLDS);
  } while ((holder == NULL || holder->state != 'Z') && now_ms() < deadline);
  assert_int_equal(expect_holder(list, pid, SAFE_VIA_LOCKED)->state, 'Z');
  safe_holder_list_free(list);
}

static void a_lease_is_no_lock(void **state) {
  int fd = open("leased", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  safe_holder_list *list;

  (void)state;
  if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) skip_because("there are no leases here");
  list = look_at("leased");
  assert_int_equal(safe_holder_list_count(list), 0);
  safe_holder_list_free(list);
  close(fd);
}

/* ---- A table of many pages, which changes while it is read: locks between two pages go and others move up. */

#define STEADY 150
#define CHANGING 40
#define LOOKS 150

static void lock_steadily(void *unused) {
  char name[32];
  int at;

  (void)unused;
  for (at = 0; at < STEADY; at++) {
    snprintf(name, sizeof(name), "steady-%d", at);
    if (flock(open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600), LOCK_EX | LOCK_NB) != 0) _exit(20);
  }
}

static void lock_all_the_time(void *unused) {
  int fds[CHANGING], at;
  char name[32];

  (void)unused;
  for (at = 0; at < CHANGING; at++) {
    snprintf(name, sizeof(name), "changing-%d-%d", (int)getpid(), at);
    fds[at] = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  }
  for (;;) {
    for (at = 0; at < CHANGING; at++) flock(fds[at], LOCK_EX);
    for (at = 0; at < CHANGING; at++) flock(fds[at], LOCK_UN);
  }
}

static void others_lock_all_the_time(void **state) {
  struct orders steady = {.then = lock_steadily}, changing = {.then = lock_all_the_time};
  int at, wrong = 0, looks = slowness() > 1 ? LOOKS / 10 : LOOKS;

  (void)state;
  locker_start(&steady);
  locker_holding("amid", SAFE_METHOD_FLOCK);
  locker_waiting("amid", SAFE_METHOD_FLOCK);
  expect_queue("amid", 1);
  locker_start(&changing);
  locker_start(&changing);
  for (at = 0; at < looks; at++) {
    safe_holder_list *list = look_at("amid");
    int holders = count_role(list, SAFE_HOLDER_HOLDS), waiters = count_role(list, SAFE_HOLDER_WAITS);
    if (holders != 1 || waiters != 1) {
      print_message("look %d: %d hold, %d wait; unknown: %s\n", at, holders, waiters, unknown_of(list));
      wrong++;
    }
    safe_holder_list_free(list);
  }
  assert_int_equal(wrong, 0);
}

/* ---- Queues. */

#define QUEUE 20

static int64_t date_ms(void) {
  struct timespec now;

  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void all_of_a_queue_are_named(void **state) {
  int at, number;

  (void)state;
  if (calls_are_hidden() != NULL) skip_because(calls_are_hidden());
  for (at = 0; at < METHODS; at++) {
    pid_t holder = locker_holding("queue", methods[at]), waiters[QUEUE];
    int64_t began = date_ms();
    safe_holder_list *list;
    for (number = 0; number < QUEUE; number++) waiters[number] = locker_waiting("queue", methods[at]);
    expect_queue("queue", QUEUE);
    sleep_ms(300);
    list = look_at("queue");
    assert_int_equal(count_role(list, SAFE_HOLDER_HOLDS), 1);
    assert_int_equal(count_role(list, SAFE_HOLDER_WAITS), QUEUE);
    expect_holder(list, holder, SAFE_VIA_LOCKED);
    for (number = 0; number < QUEUE; number++) {
      const safe_holder *waiter = found_in(list, waiters[number], SAFE_HOLDER_WAITS);
      if (waiter == NULL) fail_msg("waiter %d is not named: %s", number, unknown_of(list));
      assert_int_equal(waiter->handle, LOCKER_FD);
      assert_int_equal(waiter->method, methods[at]);
      assert_int_equal(waiter->mode, SAFE_LOCK_EXCLUSIVE);
      assert_int_equal(waiter->state, 'S');
      /* To about a tick: the time of both sides is the scheduler's. */
      if (waiter->since_ms != 0) assert_in_range(waiter->since_ms, began - 500, date_ms() - 200 + 500);
    }
    safe_holder_list_free(list);
    lockers_end(NULL);
  }
}

/* One that waits in the library: the process is named, whatever waits for it. */
static void wait_by_library(void *orders) {
  const struct orders *what = orders;
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.method = what->method;
  options.timeout_ms = 60000;
  options.holder_query_ms = 0;
  safe_lock_file(&lock, "library", &options, NULL);
}

static long no_uring(unsigned entries, struct safe__uring_params *params) {
  (void)entries, (void)params;
  return -ENOSYS;
}

static void wait_by_helper(void *orders) {
  safe__uring_setup = no_uring;
  wait_by_library(orders);
}

static void the_librarys_own_waits_are_its_hosts(void **state) {
  static const struct {
    int method;
    void (*wait)(void *orders);
  } waits[] = {
    {SAFE_METHOD_OFD, wait_by_library}, {SAFE_METHOD_OFD, wait_by_helper}, {SAFE_METHOD_FLOCK, wait_by_library}};
  size_t at;

  (void)state;
  if (calls_are_hidden() != NULL) skip_because(calls_are_hidden());
  if (!safe__clone_works()) skip_because("no process can share our memory here");
  for (at = 0; at < sizeof(waits) / sizeof(waits[0]); at++) {
    struct orders orders = {.method = waits[at].method, .then = waits[at].wait};
    safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
    safe_holder_list *list;
    safe_lock *lock;
    pid_t pid;
    options.method = waits[at].method;
    assert_code(safe_lock_file(&lock, "library", &options, NULL), SAFE_OK);
    pid = locker_start(&orders);
    expect_queue("library", 1);
    list = look_at("library");
    expect_holder(list, getpid(), SAFE_VIA_LOCKED);
    assert_non_null(found_in(list, pid, SAFE_HOLDER_WAITS));
    assert_int_equal(safe_holder_list_count(list), 2);
    safe_holder_list_free(list);
    locker_end(pid);
    assert_code(safe_unlock(lock), SAFE_OK);
  }
}

/* When the numbers of processes have come to their end they begin anew, and no longer tell who was there first. */
static bool numbers_ascend(void) {
  pid_t pid = fork();

  if (pid == 0) _exit(0);
  waitpid(pid, NULL, 0);
  return pid > getpid();
}

/* What a helper has locked for us has the helper's number; and the lock is ours also when the helper has gone. */
static void a_lock_that_a_helper_got_is_its_hosts(void **state) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_process *holder;
  safe_holder_list *list;
  safe_lock *lock;
  int round;

  (void)state;
  if (!safe__clone_works()) skip_because("no process can share our memory here");
  if (others_are_hidden() != NULL) skip_because("of an flock whose owner has ended a container is told no number");
  if (!numbers_ascend()) skip_because("the numbers of processes have just begun anew");
  holder = start_helper("lock", "2", "0", "300", "helped", NULL);
  expect_line(holder, "held");
  options.method = SAFE_METHOD_FLOCK;
  assert_code(safe_lock_file(&lock, "helped", &options, NULL), SAFE_OK);
  assert_int_equal(safe_lock_wait_kind(lock), SAFE_WAIT_QUEUED);
  for (round = 0; round < 2; round++) {
    list = look_at("helped");
    expect_holder(list, getpid(), SAFE_VIA_LOCKED);
    assert_int_equal(safe_holder_list_count(list), 1);
    assert_true(safe_holder_list_get(list, 0)->handle >= 0);
    safe_holder_list_free(list);
    assert_code(safe_shutdown(5000), SAFE_OK);
  }
  assert_code(safe_unlock(lock), SAFE_OK);
  end_helper(holder);
}

/* Who has the turnstile of SAFE_LOCK_FAIR waits. */
static void wait_fairly(void *orders) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  (void)orders;
  options.flags |= SAFE_LOCK_FAIR;
  options.timeout_ms = 60000;
  safe_lock_file(&lock, "fair", &options, NULL);
}

static void who_has_the_turnstile_waits(void **state) {
  struct orders orders = {.then = wait_fairly};
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_holder_list *list;
  safe_lock *lock;
  pid_t pid;

  (void)state;
  options.flags |= SAFE_LOCK_FAIR;
  assert_code(safe_lock_file(&lock, "fair", &options, NULL), SAFE_OK);
  pid = locker_start(&orders);
  sleep_ms(200 * slowness());
  list = look_at("fair");
  expect_holder(list, getpid(), SAFE_VIA_LOCKED);
  assert_int_equal(count_role(list, SAFE_HOLDER_HOLDS), 1);
  assert_non_null(found_in(list, pid, SAFE_HOLDER_WAITS));
  safe_holder_list_free(list);
  assert_code(safe_unlock(lock), SAFE_OK);
}

/* ---- */

static int count_threads(void) {
  char text[1024], *at;
  FILE *file = fopen("/proc/self/status", "re");
  size_t length = fread(text, 1, sizeof(text) - 1, file);

  fclose(file);
  text[length] = '\0';
  at = strstr(text, "Threads:");
  return at == NULL ? -1 : atoi(at + 8);
}

static void a_thousand_looks_leave_nothing(void **state) {
  int looks = slowness() > 1 ? 50 : 1000, threads = count_threads(), handles, at;
  int64_t end = now_ms() + 40000; /* enough of them, where others have started thousands of processes */
  safe_holder_list *list;

  (void)state;
  locker_holding("often", SAFE_METHOD_OFD);
  safe_holder_list_free(look_at("often"));
  handles = count_handles();
  for (at = 0; at < looks && now_ms() < end; at++) {
    list = look_at("often");
    assert_int_equal(safe_holder_list_count(list), 1);
    safe_holder_list_free(list);
  }
  assert_int_equal(count_handles(), handles);
  assert_int_equal(count_threads(), threads);
  assert_int_equal(safe_parked_count(), 0);
  lockers_end(NULL);
  errno = 0;
  assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
  assert_int_equal(errno, ECHILD);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_teardown(holders_are_described_exactly, lockers_end),
    cmocka_unit_test_teardown(ranges_are_told, lockers_end),
    cmocka_unit_test_teardown(several_locks_of_one_process_are_several, lockers_end),
    cmocka_unit_test_teardown(who_inherited_is_told_from_who_locked, lockers_end),
    cmocka_unit_test_teardown(a_record_lock_is_its_owners_alone, lockers_end),
    cmocka_unit_test_teardown(a_lock_that_only_an_heir_keeps_is_the_heirs, lockers_end),
    cmocka_unit_test_teardown(what_a_child_locked_for_its_parent_is_the_parents, lockers_end),
    cmocka_unit_test_teardown(shared_locks_are_told_apart, lockers_end),
    cmocka_unit_test_teardown(a_stopped_holder_is_said_to_be, lockers_end),
    cmocka_unit_test_teardown(a_process_without_its_first_thread_holds, lockers_end),
    cmocka_unit_test_teardown(a_lease_is_no_lock, lockers_end),
    cmocka_unit_test_teardown(others_lock_all_the_time, lockers_end),
    cmocka_unit_test_teardown(all_of_a_queue_are_named, lockers_end),
    cmocka_unit_test_teardown(the_librarys_own_waits_are_its_hosts, lockers_end),
    cmocka_unit_test_teardown(a_lock_that_a_helper_got_is_its_hosts, lockers_end),
    cmocka_unit_test_teardown(who_has_the_turnstile_waits, lockers_end),
    cmocka_unit_test_teardown(a_thousand_looks_leave_nothing, lockers_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
