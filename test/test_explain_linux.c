/* SPDX-License-Identifier: MIT */
/* safe_explain on the real thing: processes that hold locks, wait for them, for their children and for pipes. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lockers_linux.h"
#include "support_unix.h"

static void handle(int signal) { (void)signal; }

static const char *hidden; /* why nothing can be said of what a thread waits in, or NULL */

static safe_explanation *explain(const char *path, int64_t pid) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_explanation *why = NULL;

  options.path = path;
  options.pid = path == NULL ? pid : 0;
  options.timeout_ms = 5000 * slowness();
  if (safe_explain(&options, &why, &error) != SAFE_OK) fail_msg("%s", error.message);
  return why;
}

/* Asks again until it is so, as nobody can see from outside that a process has fallen asleep. */
static safe_explanation *expect(const char *path, int64_t pid, int verdict) {
  int64_t deadline = now_ms() + 5000 * slowness();
  safe_explanation *why = explain(path, pid);

  while (safe_explanation_verdict(why) != verdict && now_ms() < deadline) {
    safe_explanation_free(why);
    sleep_ms(10);
    why = explain(path, pid);
  }
  if (safe_explanation_verdict(why) != verdict)
    fail_msg("%d is expected, and not %d:\n%s", verdict, safe_explanation_verdict(why), safe_explanation_text(why));
  return why;
}

static void expect_text(const safe_explanation *why, const char *format, ...) {
  char part[512];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(part, sizeof(part), format, arguments);
  va_end(arguments);
  if (strstr(safe_explanation_text(why), part) == NULL)
    fail_msg("\"%s\" is not in:\n%s", part, safe_explanation_text(why));
}

static void expect_link(const safe_explanation *why, int waits, pid_t pid, pid_t other, int in_cycle) {
  const safe_link *link;
  size_t at;

  for (at = 0; (link = safe_explanation_link(why, at)) != NULL; at++)
    if (link->pid == pid && link->waits == waits && link->other == other && link->in_cycle == in_cycle) return;
  fail_msg("no link from %d to %d:\n%s", (int)pid, (int)other, safe_explanation_text(why));
}

/* What threads wait in cannot be told under an emulator: the rest of the test is about that. */
static bool blind(void) {
  if (hidden != NULL) print_message("only a part of it, as %s\n", hidden);
  return hidden != NULL;
}

/* ---- One who holds. */

static void nobody(void **state) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_explanation *why;

  (void)state;
  if (others_are_hidden() != NULL) skip_because(others_are_hidden());
  make_file("free", "");
  why = expect("free", 0, SAFE_VERDICT_FREE);
  expect_text(why, "free is not locked.\n");
  assert_int_equal(safe_explanation_file(why)[0], '/');
  assert_int_equal(safe_explanation_link_count(why), 0);
  assert_int_equal(safe_holder_list_count(safe_explanation_holders(why)), 0);
  safe_explanation_free(why);
  options.path = "not-there";
  assert_code(safe_explain(&options, &why, &error), SAFE_ENOENT);
  options.path = NULL;
  options.pid = 0x7ffffff0; /* beyond any pid_max */
  assert_code(safe_explain(&options, &why, &error), SAFE_ENOENT);
  assert_non_null(strstr(error.message, "There is no process 2147483632."));
}

static void one_holder(int method, const char *word) {
  pid_t pid = locker_holding("held", method);
  safe_explanation *why = expect("held", 0, SAFE_VERDICT_HELD);
  const safe_holder *holder = found_in(safe_explanation_holders(why), pid, SAFE_HOLDER_HOLDS);

  assert_non_null(holder);
  assert_int_equal(holder->method, method);
  assert_int_equal(holder->via, SAFE_VIA_LOCKED);
  expect_text(why, "held is locked (exclusive, %s) by ", word);
  expect_text(why, "[%d]", (int)pid);
  safe_explanation_free(why);
  locker_end(pid);
}

static void each_method(void **state) {
  (void)state;
  one_holder(SAFE_METHOD_FLOCK, "flock");
  one_holder(SAFE_METHOD_OFD, "OFD");
  one_holder(SAFE_METHOD_POSIX, "POSIX");
}

static void one_that_is_stopped(void **state) {
  pid_t pid = locker_holding("stopped", SAFE_METHOD_FLOCK);
  pid_t waiter = locker_waiting("stopped", SAFE_METHOD_FLOCK);
  safe_explanation *why;

  (void)state;
  kill(pid, SIGSTOP);
  why = expect("stopped", 0, SAFE_VERDICT_STUCK);
  expect_text(why, "[%d] is stopped by a signal.\n", (int)pid);
  expect_text(why, "\"kill -CONT %d\" would let ", (int)pid);
  safe_explanation_free(why);
  if (!blind()) {
    why = expect(NULL, waiter, SAFE_VERDICT_STUCK);
    assert_non_null(found_in(safe_explanation_holders(why), pid, SAFE_HOLDER_HOLDS));
    expect_link(why, SAFE_WAITS_LOCK, waiter, pid, 0);
    safe_explanation_free(why);
  }
  kill(pid, SIGCONT);
  safe_explanation_free(expect("stopped", 0, SAFE_VERDICT_HELD));
}

/* The locker has ended, and is a zombie for as long as nobody asks; its child keeps the lock alive. */
static void what_a_zombie_left(int method, const char *word) {
  struct orders orders = {.path = "left", .method = method, .mode = SAFE_LOCK_EXCLUSIVE, .forks = true};
  pid_t pid = locker_start(&orders);
  safe_explanation *why = expect("left", 0, SAFE_VERDICT_HELD);
  const safe_holder *holder = found_in(safe_explanation_holders(why), orders.child, SAFE_HOLDER_HOLDS);

  expect_text(why, "through an open file shared by 2 processes: ");
  assert_non_null(holder);
  if (holder->via == SAFE_VIA_INHERITED) expect_text(why, "inherited it as descriptor %d", LOCKER_FD);
  safe_explanation_free(why);
  kill(pid, SIGKILL);
  sleep_ms(50);
  why = expect("left", 0, SAFE_VERDICT_HELD);
  assert_null(found_in(safe_explanation_holders(why), pid, SAFE_HOLDER_HOLDS));
  holder = found_in(safe_explanation_holders(why), orders.child, SAFE_HOLDER_HOLDS);
  assert_non_null(holder);
  assert_int_equal(holder->via, method == SAFE_METHOD_FLOCK ? SAFE_VIA_INHERITED : holder->via);
  expect_text(why, "left is locked (exclusive, %s) by ", word);
  kill(orders.child, SIGSTOP);
  safe_explanation_free(why);
  why = expect("left", 0, SAFE_VERDICT_STUCK);
  kill(orders.child, SIGCONT);
  safe_explanation_free(why);
  if (!blind()) {
    why = expect(NULL, pid, SAFE_VERDICT_HELD); /* the zombie waits for us */
    expect_text(why, "[%d] has ended and waits to be reaped by its parent ", (int)pid);
    safe_explanation_free(why);
  }
  locker_end(orders.child);
  locker_end(pid);
}

static void what_a_zombie_leaves(void **state) {
  (void)state;
  what_a_zombie_left(SAFE_METHOD_FLOCK, "flock");
  what_a_zombie_left(SAFE_METHOD_OFD, "OFD");
}

static void twenty_waiters(void **state) {
  pid_t pid = locker_holding("queue", SAFE_METHOD_FLOCK), last = 0;
  safe_explanation *why;
  int at;

  (void)state;
  for (at = 0; at < 20; at++) last = locker_waiting("queue", SAFE_METHOD_FLOCK);
  expect_queue("queue", 20);
  why = expect("queue", 0, SAFE_VERDICT_HELD);
  expect_text(why, "20 processes wait for it: ");
  expect_text(why, " and 15 more.\n");
  assert_int_equal(count_role(safe_explanation_holders(why), SAFE_HOLDER_WAITS), 20);
  assert_non_null(found_in(safe_explanation_holders(why), last, SAFE_HOLDER_WAITS));
  assert_non_null(found_in(safe_explanation_holders(why), pid, SAFE_HOLDER_HOLDS));
  safe_explanation_free(why);
}

/* ---- Circles. */

/* Each has its own before one asks for the other's. */
static void wait_for_both(void) {
  while (access("both", F_OK) != 0) usleep(1000);
}

static void wait_for_other(void *from) {
  const struct orders *orders = from;
  int fd = open(orders->path[0] == '1' ? "2nd" : "1st", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

  wait_for_both();
  if (orders->method == SAFE_METHOD_FLOCK)
    flock(fd, LOCK_EX);
  else
    fcntl(fd, F_OFD_SETLKW, &all);
}

static void two_locks_by(int method) {
  struct orders one = {.path = "1st", .method = method, .mode = SAFE_LOCK_EXCLUSIVE, .then = wait_for_other};
  struct orders other = {.path = "2nd", .method = method, .mode = SAFE_LOCK_EXCLUSIVE, .then = wait_for_other};
  pid_t first = locker_start(&one), second = locker_start(&other);
  safe_explanation *why;

  make_file("both", "");
  why = expect("1st", 0, SAFE_VERDICT_CYCLE);
  expect_text(why, ": nobody can go on.\n");
  expect_text(why, "Ending ");
  expect_link(why, SAFE_WAITS_LOCK, first, second, 1);
  expect_link(why, SAFE_WAITS_LOCK, second, first, 1);
  safe_explanation_free(why);
  safe_explanation_free(expect(NULL, first, SAFE_VERDICT_CYCLE));
  safe_explanation_free(expect(NULL, second, SAFE_VERDICT_CYCLE));
  kill(second, SIGKILL); /* as was advised */
  safe_explanation_free(expect("1st", 0, SAFE_VERDICT_HELD));
  locker_end(second);
  locker_end(first);
  assert_int_equal(unlink("both"), 0);
}

static void two_locks_and_two_processes(void **state) {
  (void)state;
  if (blind()) skip();
  two_locks_by(SAFE_METHOD_FLOCK);
  two_locks_by(SAFE_METHOD_OFD);
}

/* The same in a thread, which the first one joins; and perhaps one that runs. */
static void *wait_in_worker(void *orders) {
  wait_for_other(orders);
  return NULL;
}

static void *run_on(void *unused) {
  for (;;) usleep(1000);
  return unused;
}

static void join_worker(void *orders) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, wait_in_worker, orders) != 0) _exit(25);
  pthread_join(thread, NULL);
}

static void join_beside_one_that_runs(void *orders) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, run_on, NULL) != 0) _exit(26);
  join_worker(orders);
}

static void *done_at_last(void *lock) {
  pthread_mutex_lock(lock);
  return NULL;
}

static void wait_for_a_mutex_too(void *orders) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_t thread;

  pthread_mutex_lock(&lock);
  if (pthread_create(&thread, NULL, done_at_last, &lock) != 0) _exit(27);
  join_worker(orders);
}

/* A mutex that it has itself, so that the time alone ends the wait. */
static void *wait_for_a_time(void *unused) {
  struct timespec end = {INT32_MAX, 0};
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

  pthread_mutex_lock(&lock);
  pthread_mutex_timedlock(&lock, &end);
  return unused;
}

static void join_beside_one_with_a_time(void *orders) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, wait_for_a_time, NULL) != 0) _exit(28);
  join_worker(orders);
}

static void handle_and_join(void *orders) {
  signal(SIGUSR1, handle);
  join_worker(orders);
}

static void two_that_join(void (*then)(void *orders), int verdict) {
  struct orders one = {.path = "1st", .method = SAFE_METHOD_OFD, .mode = SAFE_LOCK_EXCLUSIVE, .then = then};
  struct orders other = one;
  safe_explanation *why;
  pid_t first, second;

  other.path = "2nd";
  other.then = join_worker;
  first = locker_start(&one);
  second = locker_start(&other);
  make_file("both", "");
  expect_queue("1st", 1);
  expect_queue("2nd", 1);
  sleep_ms(200 * slowness()); /* the first threads sleep by now, too */
  why = expect("1st", 0, verdict);
  if (verdict == SAFE_VERDICT_CYCLE) {
    expect_text(why, ": nobody can go on.\n");
    expect_link(why, SAFE_WAITS_LOCK, first, second, 1);
    expect_link(why, SAFE_WAITS_LOCK, second, first, 1);
  }
  safe_explanation_free(why);
  safe_explanation_free(expect(NULL, first, verdict));
  safe_explanation_free(expect(NULL, second, verdict));
  lockers_end(NULL);
  assert_int_equal(unlink("both"), 0);
}

static void threads_that_are_joined(void **state) {
  (void)state;
  if (blind()) skip();
  two_that_join(join_worker, SAFE_VERDICT_CYCLE);
  two_that_join(wait_for_a_mutex_too, SAFE_VERDICT_CYCLE);
  if (on_valgrind()) skip_because("Valgrind lets one thread run at a time, and the others wait in it without a time");
  two_that_join(join_beside_one_that_runs, SAFE_VERDICT_HELD);
  two_that_join(join_beside_one_with_a_time, SAFE_VERDICT_HELD);
  two_that_join(handle_and_join, SAFE_VERDICT_HELD);
}

/* The same with this library's own timed waits, which helpers do for their hosts, or the thread itself: they end. */
static void wait_by_library(void *from) {
  const struct orders *orders = from;
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  wait_for_both();
  options.method = orders->method;
  options.timeout_ms = 120000;
  safe_lock_file(&lock, orders->path[0] == '1' ? "2nd" : "1st", &options, NULL);
}

/* That the wait ends by itself is seen of the thread whose helper waits, and of one that waits itself, whom io_uring
   takes out of it in time. */
static bool has_lock_link(const safe_explanation *why, pid_t pid, pid_t other) {
  const safe_link *link;
  size_t at;

  for (at = 0; (link = safe_explanation_link(why, at)) != NULL; at++)
    if (link->pid == pid && link->waits == SAFE_WAITS_LOCK && link->other == other)
      return link->limit_ms >= 0 && link->limit_ms <= 121000 && link->in_cycle == 0;
  return false;
}

static void two_hosts_by(int method) {
  struct orders one = {.path = "1st", .method = method, .mode = SAFE_LOCK_EXCLUSIVE, .then = wait_by_library};
  struct orders other = {.path = "2nd", .method = method, .mode = SAFE_LOCK_EXCLUSIVE, .then = wait_by_library};
  pid_t first = locker_start(&one), second = locker_start(&other);
  int64_t deadline = now_ms() + 5000 * slowness();
  safe_explanation *why;

  make_file("both", "");
  why = explain("1st", 0);
  while ((!has_lock_link(why, first, second) || !has_lock_link(why, second, first)) && now_ms() < deadline) {
    safe_explanation_free(why);
    sleep_ms(10);
    why = explain("1st", 0);
  }
  if (!has_lock_link(why, first, second) || !has_lock_link(why, second, first))
    fail_msg("%s", safe_explanation_text(why));
  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_HELD);
  expect_text(why, ", for at most ");
  safe_explanation_free(why);
  locker_end(second);
  locker_end(first);
  assert_int_equal(unlink("both"), 0);
}

static void two_hosts_of_the_library(void **state) {
  (void)state;
  if (blind()) skip();
  if (on_valgrind()) skip_because("no helpers can be made under Valgrind, and so there is no wait to be seen");
  two_hosts_by(SAFE_METHOD_FLOCK);
  two_hosts_by(SAFE_METHOD_OFD);
}

/* ---- The story: a lock that a child has inherited, which waits for the input of its parent, who waits for its end. */
static void start_rrdtool(void *from) {
  struct orders *orders = from;
  int ends[2];
  char byte;

  if (pipe2(ends, O_CLOEXEC) != 0) _exit(20);
  orders->child = fork();
  if (orders->child == 0) {
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 0) _exit(21);
    _exit(0);
  }
  close(ends[0]);
  waitpid(orders->child, NULL, 0);
}

static void the_story(void **state) {
  struct orders orders = {
    .path = "sess_x", .method = SAFE_METHOD_FLOCK, .mode = SAFE_LOCK_EXCLUSIVE, .then = start_rrdtool};
  pid_t pid = locker_start(&orders), waiter = locker_waiting("sess_x", SAFE_METHOD_FLOCK), child;
  const safe_holder *holder = NULL;
  safe_explanation *why;
  size_t at;

  (void)state;
  if (blind()) skip();
  expect_queue("sess_x", 1);
  why = expect("sess_x", 0, SAFE_VERDICT_CYCLE);
  for (at = 0; (holder = safe_holder_list_get(safe_explanation_holders(why), at)) != NULL; at++)
    if (holder->via == SAFE_VIA_INHERITED) break;
  assert_non_null(holder);
  child = (pid_t)holder->pid;
  assert_int_equal(holder->handle, LOCKER_FD);
  expect_link(why, SAFE_WAITS_CHILD, pid, child, 1);
  expect_link(why, SAFE_WAITS_INPUT, child, pid, 1);
  expect_link(why, SAFE_WAITS_LOCK, waiter, pid, 0);
  expect_text(why, "sess_x is locked (exclusive, flock) through an open file shared by 2 processes: ");
  expect_text(why, " (inherited it as descriptor %d).\n", LOCKER_FD);
  expect_text(why, " waits for it.\n");
  expect_text(why, "[%d] waits for its child ", (int)pid);
  expect_text(why, "whose only writer ");
  expect_text(why, ": nobody can go on.\n");
  expect_text(why, "[%d] would let the others go on.\n", (int)child);
  print_message("%s", safe_explanation_text(why));
  safe_explanation_free(why);
  why = expect(NULL, waiter, SAFE_VERDICT_CYCLE);
  print_message("%s", safe_explanation_text(why));
  safe_explanation_free(why);
  kill(child, SIGKILL); /* as was advised: the parent goes on, and sleeps for ever with the lock */
  safe_explanation_free(expect("sess_x", 0, SAFE_VERDICT_HELD));
}

static void read_from_itself(void *orders) {
  int ends[2];
  char byte;

  (void)orders;
  if (pipe(ends) != 0 || read(ends[0], &byte, 1) != 0) _exit(22);
}

static void the_other_end_itself(void **state) {
  struct orders orders = {.then = read_from_itself};
  pid_t pid = locker_start(&orders);
  safe_explanation *why;

  (void)state;
  if (blind()) skip();
  why = expect(NULL, pid, SAFE_VERDICT_STUCK);
  expect_text(why, " is itself: it has the other end itself.\n");
  safe_explanation_free(why);
}

/* ---- What only looks like a standstill. */

static void wait_with_alarm(void *orders) {
  signal(SIGALRM, handle);
  alarm(120);
  wait_for_other(orders);
}

static void wait_to_be_woken(void *orders) {
  signal(SIGTERM, handle);
  read_from_itself(orders);
}

static void serve_fifo(void *orders) {
  int fifo = mkfifo("fifo", 0600) == 0 ? open("fifo", O_RDWR) : -1;
  char byte;

  (void)orders;
  if (read(fifo, &byte, 1) != 0) _exit(22);
}

/* Until the process is seen in its wait. */
static void expect_held(pid_t pid, const char *part) {
  int64_t deadline = now_ms() + 5000 * slowness();
  safe_explanation *why = explain(NULL, pid);

  while (strstr(safe_explanation_text(why), part) == NULL && now_ms() < deadline) {
    safe_explanation_free(why);
    sleep_ms(10);
    why = explain(NULL, pid);
  }
  expect_text(why, "%s", part);
  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_HELD);
  safe_explanation_free(why);
}

static void two_that_have_set_an_alarm(void **state) {
  struct orders one = {.path = "1st", .mode = SAFE_LOCK_EXCLUSIVE, .then = wait_with_alarm};
  struct orders other = {.path = "2nd", .mode = SAFE_LOCK_EXCLUSIVE, .then = wait_with_alarm};
  pid_t first, second;

  (void)state;
  if (blind() || on_valgrind()) skip(); /* which handles all signals, whatever its program does */
  one.method = other.method = SAFE_METHOD_FLOCK;
  first = locker_start(&one);
  second = locker_start(&other);
  make_file("both", "");
  expect_held(first, "holds, maybe for a limited time: it handles the signal of a timer.\n");
  expect_held(second, "holds, maybe for a limited time: it handles the signal of a timer.\n");
  assert_int_equal(unlink("both"), 0);
}

static void servers_that_wait(void **state) {
  struct orders woken = {.then = wait_to_be_woken}, server = {.then = serve_fifo};

  (void)state;
  if (blind() || on_valgrind()) skip();
  expect_held(locker_start(&woken), " is itself: it has the other end itself.\n");
  expect_held(locker_start(&server), " is itself: it has the other end itself.\n");
  assert_int_equal(unlink("fifo"), 0);
}

static void *wait_for_own(void *from) {
  const struct orders *orders = from;

  flock(open(orders->path, O_RDWR | O_CLOEXEC), LOCK_EX);
  return NULL;
}

static void *sleep_on(void *unused) {
  pause();
  return unused;
}

#define CROWD 80

static void wait_in_a_crowd(void *orders) {
  pthread_t thread;
  int at;

  for (at = 0; at < CROWD; at++)
    if (pthread_create(&thread, NULL, at + 1 < CROWD ? wait_for_own : sleep_on, orders) != 0) _exit(22);
  wait_for_own(orders);
}

/* One of its threads can go on, and is none of those that are looked at. */
static void one_of_many_threads(void **state) {
  struct orders orders = {.path = "crowd", .mode = SAFE_LOCK_EXCLUSIVE, .then = wait_in_a_crowd};

  (void)state;
  if (blind()) skip();
  orders.method = SAFE_METHOD_FLOCK;
  expect_held(locker_start(&orders),
              ", which it holds itself through another open file in one of its threads, which can go on.\n");
}

static void answer_for_ever(int from, int to) {
  char byte;

  while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1) continue;
  _exit(0);
}

static void talk_to_child(void *orders) {
  int there[2], back[2];

  (void)orders;
  if (pipe(there) != 0 || pipe(back) != 0) _exit(22);
  if (fork() == 0) {
    close(there[1]);
    close(back[0]);
    answer_for_ever(there[0], back[1]);
  }
  close(there[0]);
  close(back[1]);
  if (write(there[1], "", 1) == 1) answer_for_ever(back[0], there[1]);
}

/* Each is seen to wait for the other one, but never both at once. */
static void two_that_talk(void **state) {
  struct orders orders = {.then = talk_to_child};
  pid_t pid = locker_start(&orders);
  safe_explanation *why;
  int64_t until = now_ms() + 1500;

  (void)state;
  if (blind()) skip();
  while (now_ms() < until) {
    why = explain(NULL, pid);
    if (safe_explanation_verdict(why) == SAFE_VERDICT_CYCLE || safe_explanation_verdict(why) == SAFE_VERDICT_STUCK)
      fail_msg("%s", safe_explanation_text(why));
    safe_explanation_free(why);
  }
}

static void lock_twice(void *from) {
  const struct orders *orders = from;

  flock(open(orders->path, O_RDWR), LOCK_EX);
}

static void its_own_lock(void **state) {
  struct orders orders = {
    .path = "twice", .method = SAFE_METHOD_FLOCK, .mode = SAFE_LOCK_EXCLUSIVE, .then = lock_twice};
  pid_t pid = locker_start(&orders);
  safe_explanation *why;

  (void)state;
  if (blind()) skip();
  why = expect(NULL, pid, SAFE_VERDICT_STUCK);
  expect_text(why, "twice, which it holds itself through another open file.\n");
  safe_explanation_free(why);
}

/* ---- What a wait for a child says that is over before the child is. */

static void a_child_that_does_not_end(void **state) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_wait_options patience = SAFE_WAIT_OPTIONS_INIT;
  const char *const argv[] = {"helper", "swallow", NULL};
  const char *const says = " It waits for input on a pipe (descriptor 0) whose only writer";
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int64_t began;
  int tries;

  (void)state;
  options.file = helper_path();
  options.argv = argv;
  options.in.kind = SAFE_STDIO_PIPE;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  patience.timeout_ms = 0;
  assert_code(safe_process_wait(process, &patience, NULL, &error), SAFE_ETIMEDOUT);
  assert_null(strstr(error.message, "It "));
  patience.timeout_ms = 500;
  /* The look has 50 ms, which on a busy machine may pass before it has begun. */
  for (tries = 0; tries == 0 || (tries < 5 && !blind() && strstr(error.message, says) == NULL); tries++) {
    began = now_ms();
    assert_code(safe_process_wait(process, &patience, NULL, &error), SAFE_ETIMEDOUT);
    assert_in_range(now_ms() - began, 499, 500 + 50 * slowness());
    print_message("%s\n", error.message);
  }
  if (!blind()) {
    assert_non_null(strstr(error.message, says));
    assert_non_null(strstr(error.message, " is this process."));
  }
  end_helper(process);
}

/* ---- Other looks. */

static void a_sleeper(void **state) {
  struct orders orders = {0};
  pid_t pid = locker_start(&orders);

  (void)state;
  if (blind()) skip();
  safe_explanation_free(expect(NULL, pid, SAFE_VERDICT_FREE));
}

static void a_replaced_file(void **state) {
  pid_t pid = locker_holding("replaced", SAFE_METHOD_FLOCK), waiter = locker_waiting("replaced", SAFE_METHOD_FLOCK);
  safe_explanation *why;

  (void)state;
  if (others_are_hidden() != NULL) skip_because(others_are_hidden());
  expect_queue("replaced", 1);
  make_file("new", "");
  assert_int_equal(rename("new", "replaced"), 0);
  why = expect("replaced", 0, SAFE_VERDICT_FREE); /* the file that is there now */
  expect_text(why, "[%d] holds a lock on a file that was at this path before", (int)pid);
  safe_explanation_free(why);
  if (blind()) return;
  why = expect(NULL, waiter, SAFE_VERDICT_HELD);
  expect_link(why, SAFE_WAITS_LOCK, waiter, pid, 0);
  expect_text(why, "(deleted)");
  safe_explanation_free(why);
}

static void become_nobody(void) {
  if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(30);
}

static pid_t roots; /* a process that holds "root's" */

static void look_as_nobody(void) {
  safe_explanation *why;

  become_nobody();
  why = explain("roots", 0);
  /* /proc/locks names who took an flock; what it waits for is not ours to see. */
  if (safe_explanation_verdict(why) != SAFE_VERDICT_HELD) fail_msg("%s", safe_explanation_text(why));
  assert_true(safe_explanation_unknown_count(why) > 0);
  expect_text(why, "[%d]", (int)roots);
  expect_text(why, "Unknown: because ");
  safe_explanation_free(why);
  why = explain("roots-ofd", 0); /* whose holder nobody names to us */
  assert_true(safe_explanation_verdict(why) != SAFE_VERDICT_FREE);
  assert_true(safe_explanation_unknown_count(why) > 0);
  safe_explanation_free(why);
  why = explain(NULL, roots);
  assert_true(safe_explanation_verdict(why) != SAFE_VERDICT_STUCK);
  assert_true(safe_explanation_unknown_count(why) > 0);
  print_message("%s", safe_explanation_text(why));
  safe_explanation_free(why);
}

static void as_an_ordinary_user(void **state) {
  (void)state;
  if (getuid() != 0) {
    print_message("skipped: root alone can become another user\n");
    skip();
  }
  roots = locker_holding("roots", SAFE_METHOD_FLOCK);
  locker_holding("roots-ofd", SAFE_METHOD_OFD);
  assert_int_equal(chmod("roots", 0644) | chmod("roots-ofd", 0644), 0);
  in_a_child(look_as_nobody);
}

static void look_in_a_child(void) {
  safe_explanation *why = explain("forked", 0);

  assert_int_equal(safe_explanation_verdict(why), SAFE_VERDICT_HELD);
  safe_explanation_free(why);
}

static void after_a_fork(void **state) {
  (void)state;
  locker_holding("forked", SAFE_METHOD_OFD);
  safe_explanation_free(explain("forked", 0));
  in_a_child(look_in_a_child);
}

static void nothing_is_left(void **state) {
  int handles, at;

  (void)state;
  locker_holding("left-over", SAFE_METHOD_FLOCK);
  locker_waiting("left-over", SAFE_METHOD_FLOCK);
  expect_queue("left-over", 1);
  safe_explanation_free(explain("left-over", 0));
  handles = count_handles();
  for (at = 0; at < 20; at++) {
    safe_explanation_free(explain("left-over", 0));
    safe_explanation_free(explain(NULL, getpid()));
  }
  assert_int_equal(count_handles(), handles);
  assert_int_equal(safe_parked_count(), 0);
}

#define LOCKERS(test) cmocka_unit_test_teardown(test, lockers_end)

int main(void) {
  const struct CMUnitTest tests[] = {
    LOCKERS(nobody),
    LOCKERS(each_method),
    LOCKERS(one_that_is_stopped),
    LOCKERS(what_a_zombie_leaves),
    LOCKERS(twenty_waiters),
    LOCKERS(two_locks_and_two_processes),
    LOCKERS(threads_that_are_joined),
    LOCKERS(two_hosts_of_the_library),
    LOCKERS(the_story),
    LOCKERS(the_other_end_itself),
    LOCKERS(two_that_have_set_an_alarm),
    LOCKERS(servers_that_wait),
    LOCKERS(one_of_many_threads),
    LOCKERS(two_that_talk),
    LOCKERS(its_own_lock),
    LOCKERS(a_child_that_does_not_end),
    LOCKERS(a_sleeper),
    LOCKERS(a_replaced_file),
    LOCKERS(as_an_ordinary_user),
    LOCKERS(after_a_fork),
    LOCKERS(nothing_is_left),
  };
  hidden = calls_are_hidden();
  lockers_end(NULL);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
