/* SPDX-License-Identifier: MIT */
/* Lock waits on Linux: the helper that queues for us, what happens when it is refused, killed, or cannot be killed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io_uring.h"
#include "kernel.h"
#include "proc_stat.h"
#include "support.h"

static const int methods[] = {SAFE_METHOD_OFD, SAFE_METHOD_FLOCK};

static safe_lock_options asking(int method, int64_t timeout_ms) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.method = method;
  options.timeout_ms = timeout_ms;
  return options;
}

/* What is tested is the helper that waits for us: not under Valgrind and qemu-user, which refuse it. */
static void need_helper(void) {
  if (safe__clone_works()) return;
  print_message("skipped: no process can share our memory here\n");
  skip();
}

/* Children of this process, of whatever kind; the first one's number goes to *pid. A spare helper is one. */
static int count_children(int64_t *pid) {
  struct safe__proc_stat stat;
  DIR *folder = opendir("/proc");
  int64_t one;
  int count = 0;

  assert_non_null(folder);
  while ((one = safe__proc_next(folder)) != 0)
    if (safe__proc_stat(one, &stat) && stat.parent == getpid()) {
      if (count++ == 0 && pid != NULL) *pid = one;
    }
  closedir(folder);
  return count;
}

/* What is left once the spare helpers have been sent home. */
static int children_left(void) {
  assert_code(safe_shutdown(5000), SAFE_OK);
  return count_children(NULL);
}

/* Sleeps in steps of a millisecond, and notes by how much the longest one was too long: what the machine itself does
   to a process that wants to run, be it this one's test or not. */
struct idleness {
  atomic_bool over;
  atomic_int worst_ms;
};

static void *watch_machine(void *argument) {
  struct idleness *idleness = argument;
  int64_t before;

  while (!idleness->over) {
    before = now_ms();
    sleep_ms(1);
    if (now_ms() - before > idleness->worst_ms) idleness->worst_ms = (int)(now_ms() - before);
  }
  return NULL;
}

#define BUSY_MS 6 /* steps longer than this: the machine was not idle in that round, which then does not count */

static int64_t one_wait(int method) {
  safe_lock_options options = asking(method, 200);
  safe_lock *held, *other;
  int64_t began;

  held = locked_by_another_thread("hundred", &options);
  began = now_ms();
  assert_code(safe_lock_file(&other, "hundred", &options, NULL), SAFE_ETIMEDOUT);
  began = now_ms() - began;
  safe_unlock(held);
  return began;
}

static void a_deadline_is_kept_100_times_of_100(void **state) {
  struct idleness idleness = {false, 0};
  int64_t took, worst = 0;
  int round, uncounted = 0;
  pthread_t watcher;

  (void)state;
  assert_int_equal(pthread_create(&watcher, NULL, watch_machine, &idleness), 0);
  for (round = 0; round < 100 && uncounted < 100; round++) {
    idleness.worst_ms = 0;
    took = one_wait(methods[round % 2]);
    if (took > 220 * slowness() && idleness.worst_ms > BUSY_MS) {
      uncounted++;
      round--;
      continue;
    }
    if (took > worst) worst = took;
    assert_in_range(took, 199, 220 * slowness());
  }
  idleness.over = true;
  pthread_join(watcher, NULL);
  print_message("worst of 100 waits of 200 ms: %d ms; %d did not count, the machine being busy\n", (int)worst,
                uncounted);
  assert_int_equal(round, 100);
  assert_int_equal(children_left(), 0);
}

static void a_wait_is_queued_and_leaves_nothing(void **state) {
  size_t at;

  (void)state;
  need_helper();
  for (at = 0; at < 2; at++) {
    char number[8];
    safe_lock_options options = asking(methods[at], 20000);
    safe_process *holder;
    safe_lock *lock;

    snprintf(number, sizeof(number), "%d", methods[at]);
    holder = start_helper("lock", number, "0", "100", "queued", NULL);
    expect_line(holder, "held");
    assert_code(safe_lock_file(&lock, "queued", &options, NULL), SAFE_OK);
    assert_int_equal(safe_lock_wait_kind(lock), SAFE_WAIT_QUEUED);
    safe_unlock(lock);
    end_helper(holder);
    assert_int_equal(children_left(), 0);
  }
}

/* Tells the tests' own threads what to wait for, and what came of it. */
struct waiter {
  const char *path;
  safe_lock_options options;
  safe_error error;
  int code, kind;
};

static void *wait_for_lock(void *argument) {
  struct waiter *waiter = argument;
  safe_lock *lock;

  waiter->code = safe_lock_file(&lock, waiter->path, &waiter->options, &waiter->error);
  if (waiter->code == SAFE_OK) {
    waiter->kind = safe_lock_wait_kind(lock);
    safe_unlock(lock);
  }
  return NULL;
}

static pthread_t start_waiter(struct waiter *waiter, const char *path, int method, int64_t timeout_ms) {
  static const safe_error no_error = SAFE_ERROR_INIT;
  pthread_t thread;

  waiter->path = path;
  waiter->options = asking(method, timeout_ms);
  waiter->error = no_error;
  assert_int_equal(pthread_create(&thread, NULL, wait_for_lock, waiter), 0);
  return thread;
}

static int64_t helper_of_this_process(void) {
  int64_t pid = 0, deadline = now_ms() + 5000;

  while (count_children(&pid) == 0 && now_ms() < deadline) sleep_ms(1);
  return pid;
}

static void a_helper_killed_from_outside_is_replaced(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, 0);
  struct waiter waiter;
  safe_lock *held;
  pthread_t thread;
  int64_t pid;

  (void)state;
  need_helper();
  assert_code(safe_lock_file(&held, "murdered", &options, NULL), SAFE_OK);
  thread = start_waiter(&waiter, "murdered", SAFE_METHOD_OFD, 20000);
  pid = helper_of_this_process();
  assert_true(pid > 0);
  assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
  sleep_ms(50);
  safe_unlock(held);
  pthread_join(thread, NULL);
  assert_code(waiter.code, SAFE_OK);
  assert_int_equal(children_left(), 0);
}

static void a_trigger_from_another_thread_ends_the_wait(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, 0);
  struct waiter waiter;
  safe_cancel *cancel;
  safe_lock *held;
  pthread_t thread;
  int64_t began;
  size_t at;

  (void)state;
  for (at = 0; at < 2; at++) {
    options.method = methods[at];
    assert_code(safe_cancel_create(&cancel), SAFE_OK);
    assert_code(safe_lock_file(&held, "trigger", &options, NULL), SAFE_OK);
    waiter = (struct waiter){.path = "trigger", .options = asking(methods[at], 60000), .error = SAFE_ERROR_INIT};
    waiter.options.cancel = cancel;
    assert_int_equal(pthread_create(&thread, NULL, wait_for_lock, &waiter), 0);
    sleep_ms(50);
    began = now_ms();
    safe_cancel_trigger(cancel);
    pthread_join(thread, NULL);
    assert_in_range(now_ms() - began, 0, 200 * slowness());
    assert_code(waiter.code, SAFE_ECANCELED);
    safe_unlock(held);
    safe_cancel_free(cancel);
  }
  assert_int_equal(children_left(), 0);
}

/* ---- A kernel that refuses. */
static long refuse_clone(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                         void *argument) {
  (void)flags, (void)stack, (void)pid_out, (void)tid_word, (void)run, (void)argument;
  return -EPERM;
}

static void a_refused_helper_means_backoff(void **state) {
  struct safe__kernel real = safe__kernel;
  safe_process *holder = start_helper("lock", "1", "0", "150", "refused", NULL);
  safe_lock_options options = asking(SAFE_METHOD_OFD, 20000);
  safe_lock *lock;

  (void)state;
  expect_line(holder, "held");
  safe__kernel.clone = refuse_clone;
  assert_code(safe_lock_file(&lock, "refused", &options, NULL), SAFE_OK);
  safe__kernel = real;
  assert_int_equal(safe_lock_wait_kind(lock), SAFE_WAIT_BACKOFF);
  safe_unlock(lock);
  end_helper(holder);
}

static long deaf_kill(int pidfd, int64_t pid, int number) {
  (void)pidfd, (void)pid, (void)number;
  return 0;
}

/* A helper that cannot be killed, as in uninterruptible sleep: parked within the deadline, collected when it goes,
   and its late grant holds nothing. */
static void a_helper_that_does_not_die_is_parked(void **state) {
  struct safe__kernel real = safe__kernel;
  safe_lock_options options;
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *held, *other;
  int64_t began;
  size_t at;
  int before;

  (void)state;
  need_helper();
  assert_code(safe_shutdown(5000), SAFE_OK);
  before = count_handles();
  for (at = 0; at < 2; at++) {
    options = asking(methods[at], 0);
    held = locked_by_another_thread("stuck", &options);
    options.timeout_ms = 50;
    safe__kernel.kill = deaf_kill;
    began = now_ms();
    assert_code(safe_lock_file(&other, "stuck", &options, &error), SAFE_ESTUCK);
    assert_in_range(now_ms() - began, 49, 50 + 100 + 200 * slowness());
    safe__kernel = real;
    assert_null(other);
    assert_int_equal(safe_parked_count(), 1);
    assert_non_null(strstr(error.message, "parked"));
    assert_code(safe_shutdown(20), SAFE_ESTUCK);
    safe_unlock(held); /* the parked helper is granted the lock, which goes with it */
    assert_code(safe_shutdown(5000), SAFE_OK);
    options.timeout_ms = SAFE_NO_WAIT;
    assert_code(safe_lock_file(&other, "stuck", &options, NULL), SAFE_OK);
    safe_unlock(other);
  }
  assert_int_equal(count_handles(), before);
  assert_int_equal(children_left(), 0);
}

static int unlock_in_child(void *lock) { return -safe_unlock(lock); }

/* ---- A host that is killed while it waits: neither a process nor a descriptor of it stays. */
static void a_killed_host_leaves_no_helper(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, 0);
  struct safe__proc_stat stat;
  safe_lock *held, *other;
  int64_t helper = 0, deadline;
  int pipe_ends[2];
  pid_t host;
  char byte;

  (void)state;
  need_helper();
  assert_code(safe_lock_file(&held, "host-killed", &options, NULL), SAFE_OK);
  assert_int_equal(pipe(pipe_ends), 0);
  host = fork();
  if (host == 0) {
    safe_lock_options wait = asking(SAFE_METHOD_FLOCK, 60000);
    close(pipe_ends[0]);
    safe_lock_file(&other, "host-killed", &wait, NULL);
    _exit(0);
  }
  close(pipe_ends[1]);
  for (deadline = now_ms() + 5000; helper == 0 && now_ms() < deadline; sleep_ms(1)) {
    DIR *folder = opendir("/proc");
    int64_t pid;
    while ((pid = safe__proc_next(folder)) != 0)
      if (safe__proc_stat(pid, &stat) && stat.parent == host) helper = pid;
    closedir(folder);
  }
  assert_true(helper > 0);
  kill(host, SIGKILL);
  waitpid(host, NULL, 0);
  /* The pipe's write end was open in the host: end of file says that it is open nowhere now. */
  assert_int_equal(read(pipe_ends[0], &byte, 1), 0);
  close(pipe_ends[0]);
  safe_unlock(held);
}

/* A fork past libc's atfork handlers, which the kernel itself tells us of. */
static void a_bare_fork_owns_nothing(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, 0);
  safe_lock *lock, *other;
  int status;
  pid_t child;

  (void)state;
  if (!safe__clone_works()) {
    print_message("skipped: an emulator may not clear the page that a fork is known by\n");
    skip();
  }
  assert_code(safe_lock_file(&lock, "bare", &options, NULL), SAFE_OK);
  child = (pid_t)safe__raw_clone(SIGCHLD, NULL, NULL, NULL, unlock_in_child, lock);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(WEXITSTATUS(status), -SAFE_EOWNER);
  assert_code(safe_lock_file(&other, "bare", &options, NULL), SAFE_EBUSY);
  safe_unlock(lock);
}

/* ---- The file. */
static void a_symbolic_link_is_refused_unless_allowed(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 0);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;
  char *text;

  (void)state;
  make_file("victim", "precious");
  assert_int_equal(symlink("victim", "link"), 0);
  assert_int_equal(symlink("nothing", "dangling"), 0);
  assert_code(safe_lock_file(&lock, "link", &options, &error), SAFE_ESYMLINK);
  assert_int_equal(error.os_code, ELOOP);
  assert_code(safe_lock_file(&lock, "dangling", &options, &error), SAFE_ESYMLINK);
  assert_int_equal(access("nothing", F_OK), -1);
  options.flags |= SAFE_LOCK_FOLLOW_SYMLINKS;
  assert_code(safe_lock_file(&lock, "link", &options, &error), SAFE_OK);
  safe_unlock(lock);
  text = read_file("victim");
  assert_string_equal(text, "precious");
  free(text);
}

static void only_regular_files_are_locked(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 0);
  safe_error error = SAFE_ERROR_INIT;
  safe_lock *lock;

  (void)state;
  assert_int_equal(mkfifo("fifo", 0600), 0);
  assert_code(safe_lock_file(&lock, "fifo", &options, &error), SAFE_ENOTREG); /* at once: nobody opens its other end */
  assert_code(safe_lock_file(&lock, "/dev/null", &options, &error), SAFE_ENOTREG);
  make_file("file", "");
  assert_code(safe_lock_file(&lock, "file/below", &options, &error), SAFE_ENOTDIR);
  assert_code(safe_lock_file(&lock, "/dev/null/x", &options, &error), SAFE_ENOTDIR);
}

static void a_new_file_has_the_asked_mode(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_DEFAULT, 0);
  mode_t old = umask(022);
  struct stat status;
  safe_lock *lock;

  (void)state;
  assert_code(safe_lock_file(&lock, "private", &options, NULL), SAFE_OK);
  safe_unlock(lock);
  assert_int_equal(stat("private", &status), 0);
  assert_int_equal(status.st_mode & 07777, 0600);
  options.create_mode = 0666;
  assert_code(safe_lock_file(&lock, "public", &options, NULL), SAFE_OK);
  safe_unlock(lock);
  assert_int_equal(stat("public", &status), 0);
  assert_int_equal(status.st_mode & 07777, 0644);
  umask(old);
}

/* Root may open everything, so the test becomes somebody else for it. */
static void without_permission(void **state) {
  int status;
  pid_t child;

  (void)state;
  make_file("forbidden", "");
  chmod("forbidden", 0);
  make_file("readable", "");
  chmod("readable", 0444);
  chmod(".", 0755);
  child = fork();
  if (child == 0) {
    safe_lock_options options = asking(SAFE_METHOD_OFD, 0);
    safe_lock *lock;
    int wrong = 0;
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(100);
    wrong += safe_lock_file(&lock, "forbidden", &options, NULL) != SAFE_EACCES;
    wrong += safe_lock_file(&lock, "readable", &options, NULL) != SAFE_EACCES;
    options.mode = SAFE_LOCK_SHARED; /* reading is enough for a shared lock */
    wrong += safe_lock_file(&lock, "readable", &options, NULL) != SAFE_OK;
    safe_unlock(lock);
    options = asking(SAFE_METHOD_FLOCK, 0);
    wrong += safe_lock_file(&lock, "readable", &options, NULL) != SAFE_OK;
    safe_unlock(lock);
    _exit(wrong);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void *replace_it(void *argument) {
  (void)argument;
  sleep_ms(50);
  make_file("replacement", "new");
  rename("replacement", "replaced");
  return NULL;
}

/* The file is replaced while a waiter is queued for the old one: it ends with the lock of the new one. */
static void a_replaced_file_is_locked_anew(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_OFD, 20000);
  struct stat there, ours;
  safe_lock *held, *lock;
  struct waiter waiter;
  pthread_t replacer, thread;

  (void)state;
  assert_code(safe_lock_file(&held, "replaced", &options, NULL), SAFE_OK);
  thread = start_waiter(&waiter, "replaced", SAFE_METHOD_OFD, 20000);
  pthread_create(&replacer, NULL, replace_it, NULL);
  pthread_join(replacer, NULL);
  safe_unlock(held);
  pthread_join(thread, NULL);
  assert_code(waiter.code, SAFE_OK);
  assert_code(safe_lock_file(&lock, "replaced", &options, NULL), SAFE_OK);
  assert_int_equal(stat("replaced", &there), 0);
  assert_int_equal(fstat(safe_lock_get_handle(lock), &ours), 0);
  assert_true(there.st_ino == ours.st_ino);
  safe_unlock(lock);
}

/* ---- Holders. */
static void the_holder_is_named(void **state) {
  size_t at;

  (void)state;
  for (at = 0; at < 2; at++) {
    safe_lock_options options = asking(methods[at], 800 * slowness());
    safe_error error = SAFE_ERROR_INIT;
    safe_process *holder;
    char number[8], name[32];
    safe_lock *lock;

    options.holder_query_ms = 400 * (unsigned)slowness(); /* the names are tested here, not the time */
    snprintf(number, sizeof(number), "%d", methods[at]);
    holder = start_helper("lock", number, "0", "60000", "named", NULL);
    expect_line(holder, "held");
    assert_code(safe_lock_file(&lock, "named", &options, &error), SAFE_ETIMEDOUT);
    snprintf(name, sizeof(name), "[%d]", (int)safe_process_pid(holder));
    if (strstr(error.message, name) == NULL) fail_msg("%s", error.message);
    assert_int_equal(error.holder_pid, safe_process_pid(holder));
    options.timeout_ms = SAFE_NO_WAIT;
    assert_code(safe_lock_file(&lock, "named", &options, &error), SAFE_EBUSY);
    assert_int_equal(error.holder_pid, safe_process_pid(holder));
    options.holder_query_ms = 0;
    assert_code(safe_lock_file(&lock, "named", &options, &error), SAFE_EBUSY);
    assert_int_equal(error.holder_pid, 0);
    end_helper(holder);
  }
}

static void holders_and_waiters_are_listed(void **state) {
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, 0);
  safe_holder_list *list;
  const safe_holder *holder;
  struct waiter waiter;
  pthread_t thread;
  safe_lock *held;
  size_t at;
  int waits = 0, holds = 0;

  (void)state;
  need_helper();
  make_file("unlocked", "");
  assert_code(safe_lock_holders("unlocked", 1000, &list, NULL), SAFE_OK);
  assert_int_equal(safe_holder_list_count(list), 0);
  assert_null(safe_holder_list_get(list, 0));
  safe_holder_list_free(list);

  assert_code(safe_lock_file(&held, "listed", &options, NULL), SAFE_OK);
  thread = start_waiter(&waiter, "listed", SAFE_METHOD_FLOCK, 20000);
  assert_true(helper_of_this_process() > 0);
  sleep_ms(50);
  assert_code(safe_lock_holders("listed", 5000, &list, NULL), SAFE_OK);
  for (at = 0; at < safe_holder_list_count(list); at++) {
    holder = safe_holder_list_get(list, at);
    assert_int_equal(holder->pid, getpid()); /* the helper that waits is the host's, and so named */
    assert_int_equal(holder->method, SAFE_METHOD_FLOCK);
    holds += holder->role == SAFE_HOLDER_HOLDS;
    waits += holder->role == SAFE_HOLDER_WAITS;
  }
  assert_int_equal(holds, 1);
  assert_int_equal(waits, 1);
  /* Complete, or, in a container, said to be not. */
  if (safe_holder_list_unknown(list) != NULL)
    assert_true(strstr(safe_holder_list_unknown(list), "container") != NULL ||
                strstr(safe_holder_list_unknown(list), "may not be read") != NULL);
  safe_holder_list_free(list);
  safe_unlock(held);
  pthread_join(thread, NULL);
  assert_code(waiter.code, SAFE_OK);
  assert_code(safe_lock_holders("not-there", 1000, &list, NULL), SAFE_ENOENT);
  assert_null(list);
  assert_code(safe_lock_holders("listed", SAFE_FOREVER, &list, NULL), SAFE_EINVAL);
}

/* flock(1) and a plain fcntl lock see ours, and we see theirs. */
static void other_programs_locks_are_seen(void **state) {
  const char *const argv[] = {"flock", "-n", "foreign", "true", NULL};
  safe_lock_options options = asking(SAFE_METHOD_FLOCK, 0);
  struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  safe_spawn_options spawn = SAFE_SPAWN_OPTIONS_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process;
  safe_lock *lock;
  int fd;

  (void)state;
  spawn.argv = argv;
  assert_code(safe_lock_file(&lock, "foreign", &options, NULL), SAFE_OK);
  assert_code(safe_spawn(&process, &spawn, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.code, 1);
  safe_process_free(process);
  safe_unlock(lock);

  fd = open("foreign", O_RDWR | O_CLOEXEC);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  assert_code(safe_lock_file(&lock, "foreign", &options, NULL), SAFE_EBUSY);
  assert_int_equal(flock(fd, LOCK_UN), 0);
  assert_int_equal(fcntl(fd, F_SETLK, &range), 0);
  options.method = SAFE_METHOD_OFD;
  assert_code(safe_lock_file(&lock, "foreign", &options, NULL), SAFE_EBUSY);
  close(fd);
}

/* What is tested here is what waits where io_uring cannot be had. */
static long no_uring(unsigned entries, struct safe__uring_params *params) {
  (void)entries, (void)params;
  return -ENOSYS;
}

static int refuse_io_uring(void **state) {
  (void)state;
  safe__uring_setup = no_uring;
  return 0;
}

/* ---- A lease (fcntl(2), F_SETLEASE): opening the file breaks it, and its owner takes his time. */

static volatile sig_atomic_t broken;

static void note_break(int number) {
  (void)number;
  broken = 1;
}

static void own_a_lease(int ready, int64_t keeps_ms) {
  int fd = open("leased", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  signal(SIGIO, note_break);
  if (write(ready, fcntl(fd, F_SETLEASE, F_WRLCK) == 0 ? "y" : "n", 1) != 1) _exit(1);
  while (!broken) usleep(1000);
  sleep_ms(keeps_ms);
  fcntl(fd, F_SETLEASE, F_UNLCK);
  for (;;) pause();
}

static void lock_blocking(safe_lock **lock) { assert_code(safe_lock_file(lock, "leased", NULL, NULL), SAFE_OK); }

static void lock_in_a_loop(safe_lock **lock) {
  struct pollfd ready = {-1, POLLIN, 0};
  int64_t began = now_ms();
  safe_lock_wait *wait;

  assert_code(safe_lock_begin(&wait, "leased", NULL, NULL), SAFE_OK);
  assert_in_range(now_ms() - began, 0, 100 * slowness());
  ready.fd = safe_lock_wait_handle(wait);
  while (safe_lock_wait_poll(wait) == SAFE_EAGAIN) assert_int_equal(poll(&ready, 1, 20000), 1);
  assert_code(safe_lock_finish(wait, lock, NULL), SAFE_OK);
}

static void wait_for_a_lease(void (*get)(safe_lock **)) {
  int64_t began, keeps_ms = 200;
  int ends[2];
  char answer;
  safe_lock *lock;
  pid_t owner;

  assert_int_equal(pipe(ends), 0);
  owner = fork();
  if (owner == 0) own_a_lease(ends[1], keeps_ms);
  assert_int_equal(read(ends[0], &answer, 1), 1);
  began = now_ms();
  if (answer == 'y') {
    get(&lock);
    assert_true(now_ms() - began >= keeps_ms - 5);
    assert_code(safe_unlock(lock), SAFE_OK);
  }
  kill(owner, SIGKILL);
  waitpid(owner, NULL, 0);
  close(ends[0]);
  close(ends[1]);
  if (answer != 'y') {
    print_message("skipped: there are no leases here\n");
    skip();
  }
}

static void a_lease_is_waited_for(void **state) {
  (void)state;
  wait_for_a_lease(lock_blocking);
}

static void an_event_loop_waits_for_a_lease_too(void **state) {
  (void)state;
  wait_for_a_lease(lock_in_a_loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_deadline_is_kept_100_times_of_100),
    cmocka_unit_test(a_wait_is_queued_and_leaves_nothing),
    cmocka_unit_test(a_helper_killed_from_outside_is_replaced),
    cmocka_unit_test(a_trigger_from_another_thread_ends_the_wait),
    cmocka_unit_test(a_refused_helper_means_backoff),
    cmocka_unit_test(a_helper_that_does_not_die_is_parked),
    cmocka_unit_test(a_killed_host_leaves_no_helper),
    cmocka_unit_test(a_bare_fork_owns_nothing),
    cmocka_unit_test(a_symbolic_link_is_refused_unless_allowed),
    cmocka_unit_test(only_regular_files_are_locked),
    cmocka_unit_test(a_new_file_has_the_asked_mode),
    cmocka_unit_test(without_permission),
    cmocka_unit_test(a_replaced_file_is_locked_anew),
    cmocka_unit_test(a_lease_is_waited_for),
    cmocka_unit_test(an_event_loop_waits_for_a_lease_too),
    cmocka_unit_test(the_holder_is_named),
    cmocka_unit_test(holders_and_waiters_are_listed),
    cmocka_unit_test(other_programs_locks_are_seen),
  };
  return cmocka_run_group_tests(tests, refuse_io_uring, NULL);
}
