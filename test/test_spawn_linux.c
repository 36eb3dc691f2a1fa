/* SPDX-License-Identifier: MIT */
/* Spawning on Linux when the kernel refuses, hangs, or will not let go. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "support_unix.h"

static const char *const handles_argv[] = {"helper", "handles", NULL};
static const char *const exit_argv[] = {"helper", "exit", "0", NULL};

/* ---- Refusals: what a container's policy or an older kernel answers. */
static long refusal;
static unsigned long refused_flags; /* any of these */
static struct safe__kernel real;

static long refusing_clone(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                           void *argument) {
  if ((flags & refused_flags) != 0) return refusal;
  return real.clone(flags, stack, pid_out, tid_word, run, argument);
}

static void refuse(unsigned long flags, long with) {
  refused_flags = flags;
  refusal = with;
  safe__kernel.clone = refusing_clone;
}

static void refused_sharing_falls_back_to_a_fork(void **state) {
  static const int reasons[] = {EPERM, ENOSYS, EINVAL, E2BIG};
  safe_spawn_options options = of_helper(handles_argv);
  int decoy = open("decoy", O_RDWR | O_CREAT, 0600), high = fcntl(decoy, F_DUPFD, 300);
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(reasons) / sizeof(reasons[0]); at++) {
    char *text;
    refuse(CLONE_VM, -reasons[at]);
    text = output_of(&options);
    assert_string_equal(text, "0\n1\n2\n");
    free(text);
    options.file = "no/such/program";
    assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
    assert_int_equal(error.stage, SAFE_STAGE_EXEC);
    options.file = helper_path();
    safe__kernel = real;
  }
  close(decoy);
  close(high);
}

/* No pidfd either: Linux before 5.2. */
static void refused_pidfds_fall_back_to_libcs_fork(void **state) {
  safe_spawn_options options = of_helper(handles_argv);
  char *text;

  (void)state;
  refuse(CLONE_VM | CLONE_PIDFD, -EINVAL);
  text = output_of(&options);
  safe__kernel = real;
  assert_string_equal(text, "0\n1\n2\n");
  free(text);
}

static int written; /* instead of a pidfd, which the kernel has closed again */

static long clone_that_fails_late(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                                  void *argument) {
  (void)stack, (void)tid_word, (void)run, (void)argument;
  if ((flags & CLONE_VM) != 0) return -EPERM;
  *pid_out = written;
  return refusal;
}

/* By then the number may be another descriptor of the host's. */
static void what_a_late_failure_has_written_is_no_pidfd(void **state) {
  safe_spawn_options options = of_helper(handles_argv);
  safe_process *process;
  char *text;

  (void)state;
  assert_true(fcntl(0, F_GETFD) >= 0);
  written = 0;
  refusal = -EAGAIN;
  safe__kernel.clone = clone_that_fails_late;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_EAGAIN);
  assert_true(fcntl(0, F_GETFD) >= 0);
  written = open("decoy", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  refusal = -EINVAL;
  text = output_of(&options);
  safe__kernel = real;
  assert_string_equal(text, "0\n1\n2\n");
  free(text);
  assert_int_equal(close(written), 0);
}

static void a_limit_on_processes_is_named(void **state) {
  safe_spawn_options options = of_helper(exit_argv);
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int before = count_handles();

  (void)state;
  refuse(CLONE_VM | CLONE_PIDFD, -EAGAIN);
  assert_code(safe_spawn(&process, &options, &error), SAFE_EAGAIN);
  safe__kernel = real;
  assert_int_equal(error.stage, SAFE_STAGE_CREATE);
  assert_int_equal(error.os_code, EAGAIN);
  assert_int_equal(count_handles(), before);
}

/* ---- A child that is stuck before its program: on a dead file system, say. */
static long hanging_exec(const char *path, char *const *argv, char *const *envp) {
  (void)path, (void)argv, (void)envp;
  while (safe__raw6(SYS_ppoll, 0, 0, 0, 0, 0, 0) <= 0) continue;
  return -EINTR;
}

static void a_child_that_hangs_before_exec_costs_the_deadline(void **state) {
  safe_spawn_options options = of_helper(exit_argv);
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int before = count_handles(), round;
  int64_t began;

  (void)state;
  options.timeout_ms = 200;
  for (round = 0; round < 2; round++) {
    safe__kernel.exec = hanging_exec;
    if (round == 1) refuse(CLONE_VM, -EPERM); /* the fork as well */
    began = now_ms();
    assert_code(safe_spawn(&process, &options, &error), SAFE_ETIMEDOUT);
    safe__kernel = real;
    assert_in_range(now_ms() - began, 199, 200 + 200 * slowness());
    assert_int_equal(error.stage, SAFE_STAGE_EXEC);
    assert_null(process);
    assert_int_equal(count_handles(), before);
    assert_int_equal(safe_parked_count(), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG | __WALL), -1);
  }
}

/* ---- Ignored signals that stay: the kernel takes the handlers away, or the child itself does. */
static atomic_int heard, clones;
static long clone3_refusal;

static void hear(int number) {
  (void)number;
  heard++;
}

static long counted_clone3(uint64_t flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *), void *argument,
                           int cgroup) {
  clones++;
  if (clone3_refusal != 0) return clone3_refusal;
  return real.clone3(flags, stack, pid_out, tid_word, run, argument, cgroup);
}

/* In the child, which has all signals unblocked by then. */
static long exec_with_signals(const char *path, char *const *argv, char *const *envp) {
  long self = safe__raw6(SYS_getpid, 0, 0, 0, 0, 0, 0);

  safe__raw6(SYS_kill, self, SIGPIPE, 0, 0, 0, 0);
  safe__raw6(SYS_kill, self, SIGUSR1, 0, 0, 0, 0);
  return real.exec(path, argv, envp);
}

static void no_handler_runs_in_a_child_that_keeps_ignored_signals(void **state) {
  static const long refusals[] = {0, -ENOSYS};
  safe_spawn_options options = of_helper(exit_argv);
  struct sigaction old_usr1, old_pipe;
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process;
  int round, spawns;

  (void)state;
  options.flags = SAFE_SPAWN_KEEP_IGNORED;
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = hear}, &old_usr1);
  sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &old_pipe);
  safe__kernel.clone3 = counted_clone3;
  safe__kernel.exec = exec_with_signals;
  for (round = 0; round < 2; round++) {
    clone3_refusal = refusals[round];
    for (spawns = 0; spawns < 2; spawns++) {
      assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
      assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
      assert_int_equal(status.kind, SAFE_EXIT_SIGNAL);
      assert_int_equal(status.signal, SIGUSR1);
      safe_process_free(process);
    }
  }
  sigaction(SIGUSR1, &old_usr1, NULL);
  sigaction(SIGPIPE, &old_pipe, NULL);
  assert_int_equal(heard, 0);
  /* Who was refused does not ask again. */
  if (safe__clone_works()) assert_in_range(clones, 1, 3);
}

static int64_t spared_pid;
static int spared_pidfd;

static long deaf_kill(int pidfd, int64_t pid, int number) {
  if (number != SIGKILL) return real.kill(pidfd, pid, number);
  spared_pid = pid;
  spared_pidfd = pidfd;
  return 0;
}

static long deaf_kill_group(int pidfd, int64_t pid, bool reaped, int number) {
  return number == SIGKILL ? 0 : real.kill_group(pidfd, pid, reaped, number);
}

/* As in uninterruptible sleep: neither the spawn nor anything after it waits for such a child. */
static void a_child_that_cannot_be_killed_is_parked(void **state) {
  safe_spawn_options options = of_helper(exit_argv);
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int before = count_handles(), round;
  int64_t began;

  (void)state;
  options.timeout_ms = 100;
  for (round = 0; round < 2; round++) {
    safe__kernel.exec = hanging_exec;
    safe__kernel.kill = deaf_kill;
    if (round == 1) refuse(CLONE_VM, -EPERM);
    began = now_ms();
    assert_code(safe_spawn(&process, &options, &error), SAFE_ESTUCK);
    safe__kernel = real;
    assert_in_range(now_ms() - began, 199, 200 + 200 * slowness());
    assert_int_equal(safe_parked_count(), 1);
    assert_code(safe_shutdown(30), SAFE_ESTUCK);
    assert_int_equal(kill((pid_t)spared_pid, SIGKILL), 0); /* "the file system comes back" */
    assert_code(safe_shutdown(5000), SAFE_OK);
    assert_int_equal(count_handles(), before);
  }
}

static long deaf_signal(int pidfd, int number) { return number == SIGKILL ? 0 : real.signal(pidfd, number); }

static void a_process_that_cannot_be_killed_is_described(void **state) {
  const char *const argv[] = {"helper", "stubborn", "60000", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int64_t began, pid;

  (void)state;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  expect_line(process, "ready");
  pid = safe_process_pid(process);
  stop.grace_ms = 100;
  safe__kernel.kill = deaf_kill;
  safe__kernel.kill_group = deaf_kill_group;
  safe__kernel.signal = deaf_signal;
  began = now_ms();
  assert_code(safe_process_stop(process, &stop, &report, &error), SAFE_ESTUCK);
  assert_in_range(now_ms() - began, 99, 100 + 100 + 200 * slowness());
  safe__kernel = real;
  assert_int_equal(report.verdict, SAFE_STOP_STUCK);
  assert_int_equal(report.left_count, 1);
  assert_int_equal(report.left[0], pid);
  assert_int_equal(report.state, 'S');
  if (strstr(error.message, "state S") == NULL) fail_msg("%s", error.message);
  safe_process_free(process); /* still there: parked, and not waited for */
  assert_int_equal(safe_parked_count(), 1);
  kill((pid_t)pid, SIGKILL);
  assert_code(safe_shutdown(5000), SAFE_OK);
}

static void the_host_keeps_its_dumpable_flag(void **state) {
  safe_spawn_options options = of_helper(exit_argv);
  int before = prctl(PR_GET_DUMPABLE);
  char *text = output_of(&options);

  (void)state;
  assert_int_equal(prctl(PR_GET_DUMPABLE), before);
  free(text);
}

/* ---- While other threads open descriptors without close-on-exec, and write programs that they then run. */
#define STORM_THREADS 4
static atomic_bool storm_over;

static void *open_and_close(void *argument) {
  (void)argument;
  while (!storm_over) {
    int fd = open("/dev/null", O_RDONLY), copy = dup(fd);
    close(fd);
    close(copy);
  }
  return NULL;
}

#define NO_DECOY "no-decoy" /* an empty file */

/* In turns: pipes, a listed handle, files by path, and a terminal. */
static const char *shape(safe_spawn_options *options, intptr_t round) {
  static const safe_child_handle list[] = {{1, 7}};

  *options = of_helper(handles_argv);
  if (round % 4 == 0) options->in.kind = options->err.kind = SAFE_STDIO_PIPE;
  if (round % 4 == 1) {
    options->handles = list;
    options->handle_count = 1;
    return "0\n1\n2\n7\n";
  }
  if (round % 4 == 2) {
    options->in.kind = options->err.kind = SAFE_STDIO_PATH;
    /* A relative path: for an absolute one qemu-user takes a lock (util/path.c), which in a forked child may be held
       for ever by a thread of the parent that opens files. */
    options->in.path = options->err.path = NO_DECOY;
  }
  if (round % 4 == 3) options->in.kind = options->err.kind = SAFE_STDIO_PTY;
  return "0\n1\n2\n";
}

static void *spawn_and_look(void *argument) {
  intptr_t left = (intptr_t)argument;

  for (; left > 0; left--) {
    safe_output output = SAFE_OUTPUT_INIT;
    safe_error error = SAFE_ERROR_INIT;
    safe_spawn_options options;
    const char *expected = shape(&options, left);
    safe_process *process;
    bool right;
    if (safe_spawn(&process, &options, &error) != SAFE_OK) {
      print_error("no child: %s\n", error.message);
      break;
    }
    right = safe_process_communicate(process, NULL, &output, NULL) == SAFE_OK && strcmp(output.out, expected) == 0;
    if (!right) print_error("a child had: %s\n", output.out);
    safe_output_free(&output);
    safe_process_free(process);
    if (!right) break;
  }
  return (void *)left;
}

static void no_decoy_reaches_any_child(void **state) {
  intptr_t rounds = long_tier() ? (slowness() > 1 ? 250 : 25000) : (slowness() > 1 ? 25 : 250);
  pthread_t openers[2], spawners[STORM_THREADS];
  struct rlimit old, low;
  int at;

  (void)state;
  /* Each child asks for every number up to the limit: a low one for many children. */
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  low = old;
  low.rlim_cur = 512;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  close(open(NO_DECOY, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  storm_over = false;
  for (at = 0; at < 2; at++) pthread_create(&openers[at], NULL, open_and_close, NULL);
  for (at = 0; at < STORM_THREADS; at++) pthread_create(&spawners[at], NULL, spawn_and_look, (void *)rounds);
  for (at = 0; at < STORM_THREADS; at++) {
    void *left;
    pthread_join(spawners[at], &left);
    assert_int_equal((intptr_t)left, 0);
  }
  storm_over = true;
  for (at = 0; at < 2; at++) pthread_join(openers[at], NULL);
  setrlimit(RLIMIT_NOFILE, &old);
  print_message("%d children looked, each had its streams, what was listed, and nothing else\n",
                (int)rounds * STORM_THREADS);
}

/* Writes a program and runs it, as a build tool does: a child of another thread that had the file open for
   writing, for a moment between clone and exec, would make it ETXTBSY. */
static void *write_and_run(void *argument) {
  intptr_t number = (intptr_t)argument, busy = 0;
  char *image = malloc(1 << 20), path[32];
  int source = open("/bin/true", O_RDONLY | O_CLOEXEC), round;
  ssize_t size = read(source, image, 1 << 20);

  snprintf(path, sizeof(path), "./written-%d", (int)number);
  for (round = 0; round < (long_tier() ? 2500 : 100) && busy >= 0; round++) {
    const char *const argv[] = {path, NULL};
    safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
    safe_error error = SAFE_ERROR_INIT;
    safe_process *process;
    int fd;
    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    if (write(fd, image, (size_t)size) != size) busy = -1;
    close(fd);
    options.argv = argv;
    if (safe_spawn(&process, &options, &error) == SAFE_OK) {
      safe_process_wait(process, NULL, NULL, NULL);
      safe_process_free(process);
    } else {
      busy += error.os_code == ETXTBSY;
    }
  }
  close(source);
  free(image);
  return (void *)busy;
}

static void a_program_just_written_is_never_busy(void **state) {
  pthread_t threads[STORM_THREADS];
  intptr_t at;

  (void)state;
  if (!safe__clone_works()) {
    print_message("skipped: children are forked here, and a fork cannot keep this promise\n");
    skip();
  }
  for (at = 0; at < STORM_THREADS; at++) pthread_create(&threads[at], NULL, write_and_run, (void *)at);
  for (at = 0; at < STORM_THREADS; at++) {
    void *busy;
    pthread_join(threads[at], &busy);
    assert_int_equal((intptr_t)busy, 0);
  }
}

static int remember_kernel(void **state) {
  (void)state;
  real = safe__kernel;
  return 0;
}

static int restore_kernel(void **state) {
  (void)state;
  safe__kernel = real;
  return 0;
}

#define faulty_test(test) cmocka_unit_test_setup_teardown(test, remember_kernel, restore_kernel)

int main(void) {
  const struct CMUnitTest tests[] = {
    faulty_test(refused_sharing_falls_back_to_a_fork),
    faulty_test(refused_pidfds_fall_back_to_libcs_fork),
    faulty_test(what_a_late_failure_has_written_is_no_pidfd),
    faulty_test(a_limit_on_processes_is_named),
    faulty_test(a_child_that_hangs_before_exec_costs_the_deadline),
    faulty_test(no_handler_runs_in_a_child_that_keeps_ignored_signals),
    faulty_test(a_child_that_cannot_be_killed_is_parked),
    faulty_test(a_process_that_cannot_be_killed_is_described),
    cmocka_unit_test(the_host_keeps_its_dumpable_flag),
    cmocka_unit_test(no_decoy_reaches_any_child),
    cmocka_unit_test(a_program_just_written_is_never_busy),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
