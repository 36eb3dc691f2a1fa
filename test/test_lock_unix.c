/* SPDX-License-Identifier: MIT */
/* Locks on files of the caller's, forks, signals, fairness: what only a Unix has, or has in its own way. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static safe_lock_options asking(int method, int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.method = method;
  options.timeout_ms = timeout_ms;
  return options;
}

static int open_file(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  assert_true(fd >= 0);
  return fd;
}

/* ---- The caller's own file. */

static void the_callers_file_is_locked_and_stays_open(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, SAFE_NO_WAIT);
  int fd = open_file("own"), other = open_file("own");
  safe_lock *lock, *second;

  (void)state;
  assert_code(safe_lock_handle(&lock, fd, &options, NULL), SAFE_OK);
  assert_int_equal(safe_lock_get_handle(lock), fd);
  assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
  assert_code(safe_lock_handle(&second, other, &options, NULL), SAFE_EBUSY);
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
  assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
  close(other);
  close(fd);
}

static void a_wait_for_the_callers_file(void **state) {
  safe_process *holder = start_helper("lock", "2", "0", "100", "waited", NULL);
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, 20000);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  int fd;

  (void)state;
  expect_line(holder, "held");
  fd = open_file("waited");
  assert_code(safe_lock_handle(&lock, fd, &options, &error), SAFE_OK);
  assert_int_not_equal(safe_lock_wait_kind(lock), SAFE_WAIT_NONE);
  assert_code(safe_unlock(lock), SAFE_OK);
  end_helper(holder);

  holder = start_helper("lock", "2", "0", "60000", "waited", NULL);
  expect_line(holder, "held");
  options.timeout_ms = 100;
  assert_code(safe_lock_handle(&lock, fd, &options, &error), SAFE_ETIMEDOUT);
  assert_non_null(strstr(error.message, "still locked"));
  assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
  end_helper(holder);
  close(fd);
}

static void a_handle_that_will_not_do(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, SAFE_NO_WAIT);
  safe_error error = SAFE_ERROR_INIT;
  int ends[2], folder;
  safe_lock *lock;

  (void)state;
  assert_code(safe_lock_handle(&lock, -1, &options, &error), SAFE_EBADF);
  assert_code(safe_lock_handle(&lock, 4000, &options, &error), SAFE_EBADF);
  assert_int_equal(pipe(ends), 0);
  options.flags |= SAFE_LOCK_REGULAR_ONLY;
  assert_code(safe_lock_handle(&lock, ends[0], &options, &error), SAFE_ENOTREG);
  folder = open(".", O_RDONLY | O_CLOEXEC);
  assert_code(safe_lock_handle(&lock, folder, &options, &error), SAFE_EISDIR);
  options.flags = 0;
  assert_code(safe_lock_handle(&lock, folder, &options, &error), SAFE_OK); /* as flock(2) */
  assert_code(safe_unlock(lock), SAFE_OK);
  options.flags = SAFE_LOCK_REMOVE_ON_UNLOCK;
  assert_code(safe_lock_handle(&lock, folder, &options, &error), SAFE_EINVAL);
  close(folder);
  close(ends[0]);
  close(ends[1]);
}

static void a_self_deadlock_across_handles(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, 20000);
  int fd = open_file("across"), other = open_file("across");
  safe_lock *lock, *second;

  (void)state;
  assert_code(safe_lock_handle(&lock, fd, &options, NULL), SAFE_OK);
  assert_code(safe_lock_handle(&second, other, &options, NULL), SAFE_EDEADLK);
  assert_code(safe_lock_file(&second, "across", &options, NULL), SAFE_EDEADLK);
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_code(safe_lock_handle(&second, other, &options, NULL), SAFE_OK);
  assert_code(safe_unlock(second), SAFE_OK);
  close(fd);
  close(other);
}

static void the_same_descriptor_twice_is_no_deadlock(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 200);
  int fd = open_file("same");
  safe_lock *shared, *exclusive;

  (void)state;
  options.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_handle(&shared, fd, &options, NULL), SAFE_OK);
  options.mode = SAFE_LOCK_EXCLUSIVE;
  assert_code(safe_lock_handle(&exclusive, fd, &options, NULL), SAFE_OK); /* one lock, converted */
  assert_code(safe_unlock(exclusive), SAFE_OK);
  safe_unlock(shared);
  close(fd);
}

static void the_holder_of_the_callers_file_is_named(void **state) {
  safe_process *one = start_helper("lock", "2", "0", "60000", "one", NULL);
  safe_process *two = start_helper("lock", "2", "0", "60000", "two", NULL);
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, SAFE_NO_WAIT);
  safe_error error = SAFE_ERROR_INIT;
  int64_t timeouts[] = {SAFE_NO_WAIT, 800};
  safe_lock *lock;
  size_t at;
  int fd;

  (void)state;
  expect_line(one, "held");
  expect_line(two, "held");
  options.holder_query_ms = 400 * (unsigned)slowness();
  for (at = 0; at < 2; at++) {
    options.timeout_ms = timeouts[at] * slowness();
    safe_lock_file(&lock, "one", &options, NULL); /* leaves what it saw in the place that the next one gets */
    fd = open_file("two");
    assert_true(safe_lock_handle(&lock, fd, &options, &error) != SAFE_OK);
    close(fd);
    assert_int_equal(error.holder_pid, safe_process_pid(two));
    assert_null(strstr(error.message, "one"));
  }
  end_helper(one);
  end_helper(two);
}

static void refused_files_are_closed(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, SAFE_NO_WAIT);
  int round, before, fd = open_file("refused");
  safe_lock *lock;

  (void)state;
  assert_int_equal(mkfifo("pipe", 0600), 0);
  before = count_handles();
  for (round = 0; round < 10; round++) {
    assert_code(safe_lock_handle(&lock, fd, &options, NULL), SAFE_OK);
    assert_code(safe_unlock(lock), SAFE_OK);
    assert_code(safe_lock_file(&lock, "pipe", &options, NULL), SAFE_ENOTREG);
  }
  assert_int_equal(count_handles(), before);
  close(fd);
}

/* What another process gets. */
static bool is_free(const char *path, int method) {
  char number[8], *said;
  bool result;

  snprintf(number, sizeof(number), "%d", method);
  said = helper_says(NULL, "lock", number, "0", "0", path, NULL);
  result = strncmp(said, "held", 4) == 0;
  free(said);
  return result;
}

static void closing_another_descriptor_drops_no_lock(void **state) {
  int methods[] = {SAFE_METHOD_DEFAULT, SAFE_METHOD_FLOCK, SAFE_METHOD_POSIX};
  size_t at;

  (void)state;
  for (at = 0; at < 3; at++) {
    safe_lock_options options = asking(methods[at], SAFE_NO_WAIT);
    safe_lock *one, *other, *third;
    options.mode = SAFE_LOCK_SHARED;
    assert_code(safe_lock_file(&one, "closing", &options, NULL), SAFE_OK);
    assert_code(safe_lock_file(&other, "closing", &options, NULL), SAFE_OK);
    assert_code(safe_unlock(other), SAFE_OK); /* closes its descriptor; POSIX: keeps it for later */
    if (methods[at] != SAFE_METHOD_POSIX) close(open_file("closing"));
    assert_false(is_free("closing", methods[at]));
    options.mode = SAFE_LOCK_EXCLUSIVE;
    assert_code(safe_lock_file(&third, "closing", &options, NULL), SAFE_EBUSY);
    assert_false(is_free("closing", methods[at])); /* the refused one was closed too */
    assert_code(safe_unlock(one), SAFE_OK);
    assert_true(is_free("closing", methods[at]));
  }
}

static void posix_locks_keep_what_other_threads_share(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_POSIX, SAFE_NO_WAIT);
  safe_lock *one, *other;
  int before = count_handles();

  (void)state;
  options.mode = SAFE_LOCK_SHARED;
  options.length = 20;
  assert_code(safe_lock_file(&one, "pieces", &options, NULL), SAFE_OK);
  options.offset = 10;
  other = locked_by_another_thread("pieces", &options);
  assert_code(safe_unlock(one), SAFE_OK);
  assert_false(is_free("pieces", SAFE_METHOD_POSIX)); /* 10 to 30 are locked still */
  assert_code(safe_unlock(other), SAFE_OK);
  assert_true(is_free("pieces", SAFE_METHOD_POSIX));
  assert_int_equal(count_handles(), before);
}

/* ---- fork. */

static void release_frees_the_lock_though_a_fork_child_lives(void **state) {
  int methods[] = {SAFE_METHOD_DEFAULT, SAFE_METHOD_FLOCK};
  size_t at;

  (void)state;
  for (at = 0; at < 2; at++) {
    safe_lock_options options = asking(methods[at], SAFE_NO_WAIT);
    int fd, status;
    safe_lock *lock;
    pid_t child;
    assert_code(safe_lock_file(&lock, "release", &options, NULL), SAFE_OK);
    fd = safe_lock_get_handle(lock);
    child = fork();
    if (child == 0) {
      int wrong = fcntl(fd, F_GETFD) != -1; /* its copy is closed */
      wrong += safe_lock_get_handle(lock) != SAFE_INVALID_HANDLE;
      wrong += safe_lock_adopt(lock) != SAFE_EOWNER;
      wrong += safe_lock_convert(lock, NULL, NULL) != SAFE_EOWNER;
      wrong += safe_unlock(lock) != SAFE_EOWNER;
      pause();
      _exit(wrong);
    }
    assert_false(is_free("release", methods[at]));
    assert_code(safe_unlock(lock), SAFE_OK);
    assert_true(is_free("release", methods[at]));
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
  }
}

static void a_fork_child_owns_nothing(void **state) {
  safe_lock *lock;
  int fd, status;
  pid_t child;

  (void)state;
  assert_code(safe_lock_file(&lock, "child", NULL, NULL), SAFE_OK);
  fd = safe_lock_get_handle(lock);
  child = fork();
  if (child == 0) {
    int wrong = fcntl(fd, F_GETFD) != -1;
    fd = open("child", O_RDWR); /* gets the number that was the lock's: unlocking must not close it */
    wrong += safe_unlock(lock) != SAFE_EOWNER;
    wrong += fcntl(fd, F_GETFD) == -1;
    _exit(wrong);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_false(is_free("child", SAFE_METHOD_DEFAULT));
  assert_code(safe_unlock(lock), SAFE_OK);
}

/* The holder is killed while its fork child, which has not called exec, lives on: the lock is free. */
static void a_killed_holder_with_a_fork_child(void **state) {
  int ends[2], status, round;
  pid_t holder, child;

  (void)state;
  for (round = 0; round < 5; round++) {
    assert_int_equal(pipe(ends), 0);
    holder = fork();
    if (holder == 0) {
      safe_lock *lock;
      if (safe_lock_file(&lock, "killed", NULL, NULL) != SAFE_OK) _exit(1);
      child = fork();
      if (child == 0) {
        child = getpid(); /* told by the child itself, once it has closed its copy */
        if (write(ends[1], &child, sizeof(child)) != sizeof(child)) _exit(1);
      }
      pause();
    }
    assert_int_equal(read(ends[0], &child, sizeof(child)), sizeof(child));
    assert_false(is_free("killed", SAFE_METHOD_DEFAULT));
    kill(holder, SIGKILL);
    waitpid(holder, &status, 0);
    assert_true(is_free("killed", SAFE_METHOD_DEFAULT));
    kill(child, SIGKILL);
    close(ends[0]);
    close(ends[1]);
  }
}

static void a_wait_belongs_to_its_process(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 20000);
  safe_lock_wait *wait;
  safe_lock *held, *lock;
  int status;
  pid_t child;

  (void)state;
  assert_code(safe_lock_file(&held, "begun", NULL, NULL), SAFE_OK);
  assert_code(safe_lock_begin(&wait, "begun", &options, NULL), SAFE_OK);
  child = fork();
  if (child == 0) {
    int wrong = safe_lock_wait_poll(wait) != SAFE_EOWNER;
    wrong += safe_lock_finish(wait, &lock, NULL) != SAFE_EOWNER;
    _exit(wrong);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_code(safe_unlock(held), SAFE_OK);
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
}

/* ---- Signals. */

static volatile sig_atomic_t signals;

static void count_signal(int number) {
  (void)number;
  signals++;
}

/* Rings again and again until it is stopped: a signal that comes before the wait has begun interrupts nothing. */
static struct {
  pthread_t target, thread;
  pthread_mutex_t guard;
  int64_t pause_ms;
  bool over;
} bell = {.guard = PTHREAD_MUTEX_INITIALIZER};

static void *ring(void *argument) {
  bool over;

  (void)argument;
  do {
    sleep_ms(bell.pause_ms);
    pthread_mutex_lock(&bell.guard);
    over = bell.over;
    if (!over) pthread_kill(bell.target, SIGUSR1);
    pthread_mutex_unlock(&bell.guard);
  } while (!over);
  return NULL;
}

static void start_bell(int64_t pause_ms) {
  bell.target = pthread_self();
  bell.pause_ms = pause_ms;
  bell.over = false;
  assert_int_equal(pthread_create(&bell.thread, NULL, ring, NULL), 0);
}

static void stop_bell(void) {
  pthread_mutex_lock(&bell.guard);
  bell.over = true;
  pthread_mutex_unlock(&bell.guard);
  pthread_join(bell.thread, NULL);
}

static void with_signals(void (*run)(void)) {
  struct sigaction action = {.sa_handler = count_signal, .sa_flags = SA_RESTART}, old;

  sigaction(SIGUSR1, &action, &old);
  run();
  sigaction(SIGUSR1, &old, NULL);
}

/* Whether it was the first signal that ended the wait. It comes after 60 ms, when a waiter who looks whether the lock
   passes by, after 30 ms and again, would be up to do so, and would miss it. */
static bool ends_with_a_signal(int (*wait)(safe_lock_wait *begun), safe_lock_wait *begun) {
  int before = signals, code;

  start_bell(60 * slowness());
  code = wait(begun);
  before = signals - before;
  stop_bell();
  assert_code(code, SAFE_EINTR);
  return before == 1;
}

static int block_interruptibly(safe_lock_wait *begun) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 20000);
  safe_lock *lock;

  (void)begun;
  options.flags |= SAFE_LOCK_RETURN_ON_EINTR;
  return safe_lock_file(&lock, "signal", &options, NULL);
}

static int finish_interruptibly(safe_lock_wait *begun) {
  safe_lock *lock;

  return safe_lock_finish(begun, &lock, NULL);
}

static void interrupted(void) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 20000);
  safe_lock *held = locked_by_another_thread("signal", NULL), *lock;
  int attempt, first = 0, again = 0;
  safe_lock_wait *wait;

  options.flags |= SAFE_LOCK_RETURN_ON_EINTR;
  assert_code(safe_lock_begin(&wait, "signal", &options, NULL), SAFE_OK);
  for (attempt = 0; attempt < 5; attempt++) { /* on a busy machine a second signal may come before the return */
    first += ends_with_a_signal(block_interruptibly, NULL);
    again += ends_with_a_signal(finish_interruptibly, wait); /* and keeps its place */
  }
  assert_true(first >= 3 && again >= 3);
  assert_code(safe_unlock(held), SAFE_OK);
  assert_code(safe_lock_finish(wait, &lock, NULL), SAFE_OK);
  assert_code(safe_unlock(lock), SAFE_OK);
}

static void a_signal_is_told_to_who_asked(void **state) {
  (void)state;
  with_signals(interrupted);
}

static void uninterrupted(void) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 150);
  safe_lock *held = locked_by_another_thread("deaf", NULL), *lock;
  int before = signals;

  start_bell(30);
  assert_code(safe_lock_file(&lock, "deaf", &options, NULL), SAFE_ETIMEDOUT);
  stop_bell();
  assert_true(signals >= before + 2);
  assert_code(safe_unlock(held), SAFE_OK);
}

static void a_signal_is_not_told_to_others(void **state) {
  (void)state;
  with_signals(uninterrupted);
}

/* ---- Fairness: four readers whose holds overlap, so that there is always one, and a writer among them. */

#define READERS 4

struct reader {
  uint32_t flags;
  atomic_bool *over;
};

static void *keep_reading(void *argument) {
  struct reader *reader = argument;
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 20000);
  safe_lock *lock;

  options.mode = SAFE_LOCK_SHARED;
  options.flags |= reader->flags;
  while (!atomic_load(reader->over)) {
    if (safe_lock_file(&lock, "fair", &options, NULL) != SAFE_OK) continue;
    sleep_ms(10);
    safe_unlock(lock);
  }
  return NULL;
}

/* How often of five times a writer gets in within half a second each. */
static int writes(uint32_t flags, int64_t each_ms) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, each_ms);
  struct reader readers[READERS];
  pthread_t threads[READERS];
  atomic_bool over = false;
  int at, got = 0;
  safe_lock *lock;

  options.flags |= flags;
  for (at = 0; at < READERS; at++) {
    readers[at] = (struct reader){flags, &over};
    assert_int_equal(pthread_create(&threads[at], NULL, keep_reading, &readers[at]), 0);
    sleep_ms(3);
  }
  for (at = 0; at < 5; at++)
    if (safe_lock_file(&lock, "fair", &options, NULL) == SAFE_OK) {
      got++;
      safe_unlock(lock);
    }
  atomic_store(&over, true);
  for (at = 0; at < READERS; at++) pthread_join(threads[at], NULL);
  return got;
}

static void a_writer_is_not_starved_by_readers(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, SAFE_NO_WAIT);
  safe_lock *one, *other;

  (void)state;
  options.flags |= SAFE_LOCK_FAIR;
  if (safe_lock_file(&one, "fair", &options, NULL) != SAFE_OK) {
    print_message("skipped: no fair locks with this system's default method\n");
    skip();
  }
  options.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_file(&other, "fair", &options, NULL), SAFE_EBUSY);
  safe_unlock(one);
  assert_int_equal(writes(SAFE_LOCK_FAIR, 500 * slowness()), 5);
  print_message("without SAFE_LOCK_FAIR the writer got in %d times of 5\n", writes(0, 100));
}

/* A reader that reads once more while a writer waits for it must not wait for the writer. */
static void a_reader_of_a_fair_lock_may_read_twice(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 20000);
  safe_lock *one, *other, *written;
  safe_lock_wait *writer;

  (void)state;
  options.flags |= SAFE_LOCK_FAIR;
  options.mode = SAFE_LOCK_SHARED;
  if (safe_lock_file(&one, "twice", &options, NULL) != SAFE_OK) {
    print_message("skipped: no fair locks with this system's default method\n");
    skip();
  }
  options.mode = SAFE_LOCK_EXCLUSIVE;
  assert_code(safe_lock_begin(&writer, "twice", &options, NULL), SAFE_OK);
  assert_code(safe_lock_wait_poll(writer), SAFE_EAGAIN);
  options.mode = SAFE_LOCK_SHARED;
  assert_code(safe_lock_file(&other, "twice", &options, NULL), SAFE_OK);
  assert_code(safe_unlock(other), SAFE_OK);
  assert_code(safe_unlock(one), SAFE_OK);
  assert_code(safe_lock_finish(writer, &written, NULL), SAFE_OK);
  assert_code(safe_unlock(written), SAFE_OK);
}

/* What a runtime does whose own flock() this is: the lock outlives the library's object, and goes with the file. */
static void a_detached_lock_is_its_files_alone(void **state) {
  const int methods[] = {SAFE_METHOD_FLOCK, SAFE_METHOD_OFD};
  safe_lock *lock, *second;
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(methods) / sizeof(methods[0]); at++) {
    safe_lock_options options = asking(methods[at], 0);
    int fd = open_file("detached"), code;

    code = safe_lock_handle(&lock, fd, &options, NULL);
    if (code == SAFE_ENOTSUP) {
      assert_int_equal(close(fd), 0);
      continue; /* not a method of this system's */
    }
    assert_code(code, SAFE_OK);
    assert_code(safe_lock_detach(lock), SAFE_OK);
    assert_code(safe_lock_file(&second, "detached", &options, NULL), SAFE_EBUSY);
    assert_int_equal(close(fd), 0); /* it had stayed open */
    assert_code(safe_lock_file(&second, "detached", &options, NULL), SAFE_OK);
    assert_code(safe_lock_detach(second), SAFE_EINVAL);
    assert_code(safe_unlock(second), SAFE_OK);
  }
}

static void what_cannot_be_detached(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_POSIX, 0);
  int fd = open_file("kept"), status;
  safe_lock *lock;
  pid_t child;

  (void)state;
  assert_code(safe_lock_detach(NULL), SAFE_EINVAL);
  assert_code(safe_lock_handle(&lock, fd, &options, NULL), SAFE_OK);
  assert_code(safe_lock_detach(lock), SAFE_ENOTSUP);
  assert_code(safe_unlock(lock), SAFE_OK);

  options.method = SAFE_METHOD_FLOCK;
  assert_code(safe_lock_handle(&lock, fd, &options, NULL), SAFE_OK);
  child = fork();
  assert_true(child >= 0);
  if (child == 0) _exit(safe_lock_detach(lock) == SAFE_EOWNER ? 0 : 1);
  assert_true(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_code(safe_unlock(lock), SAFE_OK);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_callers_file_is_locked_and_stays_open),
    cmocka_unit_test(a_wait_for_the_callers_file),
    cmocka_unit_test(a_handle_that_will_not_do),
    cmocka_unit_test(a_self_deadlock_across_handles),
    cmocka_unit_test(the_same_descriptor_twice_is_no_deadlock),
    cmocka_unit_test(the_holder_of_the_callers_file_is_named),
    cmocka_unit_test(a_detached_lock_is_its_files_alone),
    cmocka_unit_test(what_cannot_be_detached),
    cmocka_unit_test(refused_files_are_closed),
    cmocka_unit_test(closing_another_descriptor_drops_no_lock),
    cmocka_unit_test(posix_locks_keep_what_other_threads_share),
    cmocka_unit_test(release_frees_the_lock_though_a_fork_child_lives),
    cmocka_unit_test(a_fork_child_owns_nothing),
    cmocka_unit_test(a_killed_holder_with_a_fork_child),
    cmocka_unit_test(a_wait_belongs_to_its_process),
    cmocka_unit_test(a_signal_is_told_to_who_asked),
    cmocka_unit_test(a_signal_is_not_told_to_others),
    cmocka_unit_test(a_writer_is_not_starved_by_readers),
    cmocka_unit_test(a_reader_of_a_fair_lock_may_read_twice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
