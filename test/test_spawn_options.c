/* SPDX-License-Identifier: MIT */
/* What a Unix child was given, as the child itself sees it: environment, name, umask, niceness, limits, pipes. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support_unix.h"

/* ---- The environment. */
static void changes_are_applied_to_the_hosts_environment(void **state) {
  const char *const changes[] = {"KEPT",       "SET=first", "GONE",       "SET", "MISSING",
                                 "SET=l=a=st", "EMPTY=",    "KEPT=again", NULL};
  safe_spawn_options options = of_shell("echo \"$KEPT/$SET/${GONE-gone}/${EMPTY-unset}/$STAYS/${MISSING-missing}\"");

  (void)state;
  setenv("KEPT", "hosts", 1);
  setenv("GONE", "hosts", 1);
  setenv("STAYS", "hosts", 1);
  options.env_changes = changes;
  expect_output(&options, "again/l=a=st/gone//hosts/missing\n");
  assert_string_equal(getenv("KEPT"), "hosts"); /* the host's own stays */
  assert_string_equal(getenv("GONE"), "hosts");
  assert_null(getenv("SET"));
}

static void changes_are_applied_to_a_given_environment(void **state) {
  const char *const env[] = {"ONE=1", "ONES=11", "TWO=2", "PATH=/usr/bin:/bin", NULL};
  const char *const changes[] = {"ONE", "TWO=early", "THREE=early", "TWO=changed", "THREE", "THREE=3", NULL};
  const char *const none[] = {NULL};
  const char *const argv[] = {"env", NULL};
  safe_spawn_options options = of_helper(argv);

  (void)state;
  options.file = NULL;
  options.env = env;
  options.env_changes = changes;
  expect_output(&options, "ONES=11\nPATH=/usr/bin:/bin\nTWO=changed\nTHREE=3\n");
  options.env_changes = none;
  expect_output(&options, "ONE=1\nONES=11\nTWO=2\nPATH=/usr/bin:/bin\n");
  options.env = none;
  options.env_changes = NULL;
  expect_output(&options, "");
}

static void bad_changes_are_refused(void **state) {
  static const char *const bad[] = {"", "="};
  safe_spawn_options options = of_shell("true");
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  size_t at;

  (void)state;
  for (at = 0; at < 2; at++) {
    const char *const changes[] = {"GOOD=1", bad[at], NULL};
    options.env_changes = changes;
    assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
    assert_int_equal(error.stage, SAFE_STAGE_ARGUMENTS);
    assert_int_equal(error.index, 1);
  }
}

/* ---- Where a program is found, and what it is called. */
static void plant(const char *path, const char *says) {
  char script[128];

  snprintf(script, sizeof(script), "#!/bin/sh\necho %s\n", says);
  make_file(path, script);
  assert_int_equal(chmod(path, 0755), 0);
}

static void the_childs_own_path_is_walked_if_asked_for(void **state) {
  const char *const argv[] = {"planted", NULL};
  char here[4096], host_path[5000], child_path[10000], *old = strdup(getenv("PATH"));
  const char *changes[] = {child_path, NULL}, *none[] = {"OTHER=1", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  assert_non_null(getcwd(here, sizeof(here)));
  make_folder("host");
  make_folder("child");
  plant("host/planted", "hosts");
  plant("child/planted", "childs");
  plant("planted", "here");
  snprintf(host_path, sizeof(host_path), "%s/host", here);
  snprintf(child_path, sizeof(child_path), "PATH=:.:child:%s/missing:%s/child", here, here);
  setenv("PATH", host_path, 1);
  options.file = NULL;
  options.env_changes = changes;
  expect_output(&options, "hosts\n");
  options.flags = SAFE_SPAWN_PATH_OF_CHILD;
  expect_output(&options, "childs\n");
  options.env = none; /* and the changes to it */
  expect_output(&options, "childs\n");

  /* Empty and relative elements are nobody's, wherever the child begins. */
  snprintf(child_path, sizeof(child_path), "PATH=:.:child:");
  options.cwd = here;
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  assert_int_equal(error.stage, SAFE_STAGE_SEARCH);
  options.env_changes = NULL; /* no PATH at all: where the system has its programs */
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  assert_int_equal(error.stage, SAFE_STAGE_EXEC);
  setenv("PATH", old, 1);
  free(old);
}

/* Its name is its own, whatever file it was. */
static void argv_0_is_what_the_program_sees(void **state) {
  const char *const argv[] = {"-quite another", "-c", "echo \"$0\"", NULL};
  safe_spawn_options options = of_helper(argv);

  (void)state;
  options.file = "sh";
  expect_output(&options, "-quite another\n");
}

/* ---- Umask, niceness, limits. */
static void the_umask_is_the_childs_alone(void **state) {
  safe_spawn_options options = of_shell("umask; : >masked; ls -l masked | cut -c1-10");
  mode_t old = umask(022);

  (void)state;
  options.umask = 0;
  expect_output(&options, "0000\n-rw-rw-rw-\n");
  assert_int_equal(unlink("masked"), 0);
  options.umask = 0777;
  options.shell = "umask";
  expect_output(&options, "0777\n");
  options.umask = -1;
  expect_output(&options, "0022\n");
  assert_int_equal(umask(old), 022);
}

static void niceness_is_added(void **state) {
  safe_spawn_options options = of_shell("nice");
  int own = getpriority(PRIO_PROCESS, 0);
  char expected[16];

  (void)state;
  options.nice = 3;
  snprintf(expected, sizeof(expected), "%d\n", own + 3 < 19 ? own + 3 : 19);
  expect_output(&options, expected);
  options.nice = 40;
  expect_output(&options, "19\n");
  assert_int_equal(getpriority(PRIO_PROCESS, 0), own);
}

static void limits_are_the_childs_alone(void **state) {
  safe_limit limits[] = {{SAFE_LIMIT_CPU_TIME, 0, 7},       {SAFE_LIMIT_OPEN_FILES, 0, 33},
                         {SAFE_LIMIT_CORE, 0, 0},           {SAFE_LIMIT_FILE_SIZE, 0, 1024 * 512},
                         {SAFE_LIMIT_PROCESSES, 0, 100000}, {SAFE_LIMIT_MEMORY, 0, INT64_C(3) << 30}};
  safe_spawn_options options = of_shell("ulimit -t; ulimit -Ht; ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hc; "
                                        "ulimit -f; ulimit -Hf; ulimit -v; ulimit -Hv");
  struct rlimit processes;
  struct host *before;
  bool memory = memory_can_be_limited();

  (void)state;
  if (on_valgrind()) {
    print_message("skipped: Valgrind keeps the limit on descriptors to itself\n");
    skip();
  }
  before = host_now();
  options.limits = limits;
  options.limit_count = memory ? 6 : 5;
  if (!memory) print_message("left out: memory cannot be limited here\n");
  assert_int_equal(getrlimit(RLIMIT_NPROC, &processes), 0);
  if (processes.rlim_max < 100000) limits[4].value = (int64_t)processes.rlim_max;
  /* SIGKILL comes a second after SIGXCPU; files in units of 512 bytes, memory of 1024. */
  expect_output(&options, memory ? "7\n8\n33\n33\n0\n0\n1024\n1024\n3145728\n3145728\n"
                                 : "7\n8\n33\n33\n0\n0\n1024\n1024\nunlimited\nunlimited\n");
  expect_host(before);
  free(before);
}

static void a_limit_on_cpu_time_ends_the_child(void **state) {
  safe_limit limit = {SAFE_LIMIT_CPU_TIME, 0, 1};
  safe_spawn_options options = of_shell("while :; do :; done");
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process;

  (void)state;
  options.limits = &limit;
  options.limit_count = 1;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.kind, SAFE_EXIT_SIGNAL);
  assert_int_equal(status.signal, SIGXCPU);
  safe_process_free(process);
}

static void bad_limits_are_refused(void **state) {
  safe_limit limits[2] = {{SAFE_LIMIT_CORE, 0, 0}, {SAFE_LIMIT_CORE, 0, 0}};
  safe_spawn_options options = of_shell("true");
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int at;

  (void)state;
  options.limits = limits;
  options.limit_count = 2;
  for (at = 0; at < 4; at++) {
    assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
    assert_int_equal(error.stage, SAFE_STAGE_ARGUMENTS);
    assert_int_equal(error.index, 1);
    if (at == 0) limits[1].kind = 77;
    if (at == 1) limits[1] = (safe_limit){SAFE_LIMIT_FILE_SIZE, 1, 0};
    if (at == 2) limits[1] = (safe_limit){SAFE_LIMIT_FILE_SIZE, 0, -2};
  }
}

/* ---- Signals and privileges. */
static void handler(int number) { (void)number; }

static void ignored_signals_are_kept_if_asked_for(void **state) {
  const char *const argv[] = {"helper", "signals", NULL};
  safe_spawn_options options = of_helper(argv);
  struct sigaction old_hup, old_usr1;
  sigset_t blocked, old;
  char expected[64];

  (void)state;
  sigaction(SIGHUP, &(struct sigaction){.sa_handler = SIG_IGN}, &old_hup);
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler}, &old_usr1);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &blocked, &old);
  expect_output(&options, "done\n");
  options.flags = SAFE_SPAWN_KEEP_IGNORED;
  snprintf(expected, sizeof(expected), "not default %d\ndone\n", SIGHUP);
  expect_output(&options, expected);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  sigaction(SIGHUP, &old_hup, NULL);
  sigaction(SIGUSR1, &old_usr1, NULL);
}

static void no_new_privileges_is_the_childs(void **state) {
  safe_spawn_options options = of_shell("grep -s NoNewPrivs /proc/self/status || echo none");
  char *text = output_of(&options);
  bool without = strcmp(text, "NoNewPrivs:\t0\n") == 0;

  (void)state;
  free(text);
  if (!without) {
    print_message("skipped: the children here cannot be asked for it, or have it anyway\n");
    skip();
  }
  options.flags = SAFE_SPAWN_NO_NEW_PRIVILEGES;
  expect_output(&options, "NoNewPrivs:\t1\n");
  options.flags = 0;
  expect_output(&options, "NoNewPrivs:\t0\n");
}

/* ---- Handles and pipes. */
static void a_handle_is_told_by_its_place_in_the_list(void **state) {
  safe_spawn_options options = of_shell("echo nine >&9; echo four >&4");
  safe_child_handle list[2] = {{-1, 9}, {-1, 4}};
  safe_process *process;
  char *text;

  (void)state;
  list[0].handle = open("nine", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  list[1].handle = open("four", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  options.handles = list;
  options.handle_count = 2;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_int_equal(safe_process_handle(process, 0), 9);
  assert_int_equal(safe_process_handle(process, 1), 4);
  assert_int_equal(safe_process_handle(process, 2), SAFE_INVALID_HANDLE);
  assert_int_equal(safe_process_handle(NULL, 0), SAFE_INVALID_HANDLE);
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(process);
  close(list[0].handle);
  close(list[1].handle);
  text = read_file("nine");
  assert_string_equal(text, "nine\n");
  free(text);
  text = read_file("four");
  assert_string_equal(text, "four\n");
  free(text);
}

static int flags_of(int fd) { return fcntl(fd, F_GETFL) & O_NONBLOCK; }

static void each_end_of_a_pipe_blocks_as_it_was_asked_to(void **state) {
  const char *const argv[] = {"helper", "nonblock", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_process *process;
  char line[64] = {0};
  int fd;

  (void)state;
  options.in.kind = SAFE_STDIO_PIPE;
  expect_output(&options, "blocking blocking\n");
  options.in.flags = SAFE_STDIO_NON_BLOCKING_CHILD;
  expect_output(&options, "non-blocking blocking\n");
  options.in.flags = 0;
  options.out.flags = SAFE_STDIO_BLOCKING | SAFE_STDIO_NON_BLOCKING_CHILD;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  fd = safe_process_take_pipe(process, 0);
  assert_true(fd >= 0 && flags_of(fd) != 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
  close(fd);
  fd = safe_process_take_pipe(process, 1);
  assert_true(fd >= 0 && flags_of(fd) == 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
  assert_true(read(fd, line, sizeof(line) - 1) > 0); /* waits, as it blocks */
  assert_string_equal(line, "blocking non-blocking\n");
  close(fd);
  assert_int_equal(safe_process_take_pipe(process, 1), SAFE_INVALID_HANDLE);
  assert_int_equal(safe_process_take_pipe(process, 2), SAFE_INVALID_HANDLE);
  assert_int_equal(safe_process_take_pipe(process, 3), SAFE_INVALID_HANDLE);
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(process);
}

/* How much the child's stdin takes while nobody reads it. */
static long capacity(uint32_t wish) {
  const char *const argv[] = {"helper", "sleep", "60000", NULL};
  static char bytes[4096];
  safe_spawn_options options = of_helper(argv);
  safe_process *process;
  long total = 0;
  ssize_t moved;
  int fd;

  options.in.kind = SAFE_STDIO_PIPE;
  options.in.pipe_size = wish;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  fd = safe_process_take_pipe(process, 0);
  while ((moved = write(fd, bytes, sizeof(bytes))) > 0) total += moved;
  close(fd);
  end_helper(process);
  return total;
}

static void a_pipe_is_as_large_as_wished(void **state) {
  long usual = capacity(0), small = capacity(8192), large = capacity(512 * 1024), absurd = capacity(UINT32_MAX);

  (void)state;
  print_message("pipes hold %ld, %ld, %ld and %ld bytes\n", usual, small, large, absurd);
  assert_true(absurd >= 4096); /* a wish: less without complaint */
#ifdef F_SETPIPE_SZ
  assert_int_equal(small, 8192);
  assert_true(large == 512 * 1024 || large == usual); /* the user's quota may be used up */
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(changes_are_applied_to_the_hosts_environment),
    cmocka_unit_test(changes_are_applied_to_a_given_environment),
    cmocka_unit_test(bad_changes_are_refused),
    cmocka_unit_test(the_childs_own_path_is_walked_if_asked_for),
    cmocka_unit_test(argv_0_is_what_the_program_sees),
    cmocka_unit_test(the_umask_is_the_childs_alone),
    cmocka_unit_test(niceness_is_added),
    cmocka_unit_test(limits_are_the_childs_alone),
    cmocka_unit_test(a_limit_on_cpu_time_ends_the_child),
    cmocka_unit_test(bad_limits_are_refused),
    cmocka_unit_test(ignored_signals_are_kept_if_asked_for),
    cmocka_unit_test(no_new_privileges_is_the_childs),
    cmocka_unit_test(a_handle_is_told_by_its_place_in_the_list),
    cmocka_unit_test(each_end_of_a_pipe_blocks_as_it_was_asked_to),
    cmocka_unit_test(a_pipe_is_as_large_as_wished),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
