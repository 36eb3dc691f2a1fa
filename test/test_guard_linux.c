/* SPDX-License-Identifier: MIT */
/* The guard process: it adopts, reports, outlives its host by as much as it takes, and leaves nothing behind. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proc_stat.h"
#include "tree.h"
#include "tree_linux.h"

static struct safe__kernel real;

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

static const char no_cgroup[] = "/"; /* a folder that is none: a guard is the next best */

/* On a busy machine a hundred processes may need longer to die than a stop waits for them: it is called again, for as
   long as they may live. */
static int stop_at_once(safe_process *process, safe_stop_report *report) {
  int64_t until = now_ms() + 1000 * slowness();
  safe_stop_options options = SAFE_STOP_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  int code;

  options.grace_ms = 0;
  code = safe_process_stop(process, &options, report, &error);
  while (code == SAFE_ESTUCK && now_ms() < until) {
    print_message("%s\n", error.message);
    code = safe_process_stop(process, &options, NULL, &error);
    if (code == SAFE_OK && report != NULL) report->verdict = SAFE_STOP_FORCED;
  }
  if (code != SAFE_OK) print_message("%s\n", error.message);
  return code;
}

static safe_process *start(const safe_spawn_options *options) {
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  if (safe_spawn(&process, options, &error) != SAFE_OK) fail_msg("%s", error.message);
  return process;
}

/* ---- The whole tree. */
static void end_bomb_under_guard(const char *name) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "100", true, name);
  struct host *before = host_now();
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process;
  safe_tree_info info;

  options.tree = SAFE_TREE_WHOLE;
  options.cgroup = no_cgroup;
  process = start(&options);
  info = tree_of(process);
  expect_line(process, "ready");
  assert_int_equal(info.kind, SAFE_TREE_BY_GUARD);
  assert_true(is_alive(info.guard));
  assert_int_equal(count_named(name), BOMB + 1);
  assert_code(stop_at_once(process, &report), SAFE_OK);
  assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  assert_int_equal(count_named(name), 0);
  safe_process_free(process);
  expect_nothing_parked();
  assert_false(is_alive(info.guard));
  expect_host(before);
  free(before);
}

static void nobody_escapes_from_a_guard(void **state) {
  (void)state;
  need_adoption();
  end_bomb_under_guard("bomb-guard");
}

static unsigned long refused_flags;
static long refusal;

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

static void a_forked_guard_is_as_good(void **state) {
  (void)state;
  need_adoption();
  refuse(CLONE_VM, -EPERM);
  end_bomb_under_guard("bomb-forked-guard");
  refuse(CLONE_VM | CLONE_PIDFD, -EINVAL);
  end_bomb_under_guard("bomb-libc-guard");
}

static void without_any_guard_the_links_are_left(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "20", false, "bomb-none");
  struct host *before = host_now();
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  refuse(CLONE_VM | CLONE_PIDFD, -EPERM);
  options.tree = SAFE_TREE_WHOLE;
  options.cgroup = no_cgroup;
  process = start(&options);
  expect_line(process, "ready");
  assert_int_equal(tree_of(process).kind, SAFE_TREE_BY_WALK);
  assert_int_equal(tree_of(process).guard, 0);
  assert_code(stop_at_once(process, NULL), SAFE_OK);
  assert_int_equal(count_named("bomb-none"), 0);
  safe_process_free(process);
  options.tree = SAFE_TREE_DEFAULT;
  options.flags = SAFE_SPAWN_GUARD;
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOTSUP);
  assert_int_equal(error.stage, SAFE_STAGE_GUARD);
  assert_non_null(strstr(error.message, "guard"));
  expect_host(before);
  free(before);
}

static int count_zombies_of(int64_t parent) {
  struct safe__proc_stat stat;
  DIR *folder = opendir("/proc");
  int count = 0;
  int64_t pid;

  assert_non_null(folder);
  while ((pid = safe__proc_next(folder)) != 0)
    count += safe__proc_stat(pid, &stat) && stat.parent == parent && stat.state == 'Z';
  closedir(folder);
  return count;
}

/* The child has ended and keeps its number; whoever it left behind is reaped all the same. */
static void orphans_do_not_pile_up_beside_the_childs_zombie(void **state) {
  safe_spawn_options options = of_shell("for n in 1 2 3 4 5; do (sleep 0.2 &); done; exit 3");
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process;
  int64_t guard, until;

  (void)state;
  need_adoption();
  options.flags = SAFE_SPAWN_GUARD;
  options.out.kind = SAFE_STDIO_NULL;
  process = start(&options);
  guard = tree_of(process).guard;
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.code, 3);
  sleep_ms(400);
  until = now_ms() + 2000 * slowness();
  while (count_zombies_of(guard) != 1 && now_ms() < until) sleep_ms(20);
  assert_int_equal(count_zombies_of(guard), 1);
  assert_true(kill((pid_t)safe_process_pid(process), 0) == 0); /* its own still */
  safe_process_free(process);
  expect_nothing_parked();
}

/* ---- The child is as it would be without. */
static void a_guarded_child_is_given_what_was_listed(void **state) {
  const char *const handles[] = {"helper", "handles", NULL}, *const signals[] = {"helper", "signals", NULL};
  safe_spawn_options options = of_helper(handles);
  struct host *before;
  int variant;

  (void)state;
  signal(SIGCHLD, SIG_DFL); /* as below, with libc's flags */
  before = host_now();
  options.flags = SAFE_SPAWN_GUARD | SAFE_SPAWN_DIE_WITH_HOST;
  for (variant = 0; variant < 2; variant++) {
    if (variant == 1) refuse(CLONE_VM, -EPERM);
    options.argv = handles;
    expect_output(&options, "0\n1\n2\n");
    options.argv = signals;
    expect_output(&options, "done\n");
    signal(SIGCHLD, SIG_IGN);
    expect_output(&options, "done\n");
    options.flags |= SAFE_SPAWN_KEEP_IGNORED;
    if (!is_emulated()) expect_output(&options, "not default 17\ndone\n"); /* else sh is between, and resets it */
    options.flags &= ~(uint32_t)SAFE_SPAWN_KEEP_IGNORED;
    signal(SIGCHLD, SIG_DFL);
  }
  expect_host(before);
  free(before);
}

static void a_failed_start_is_told_as_without(void **state) {
  const char *const argv[] = {"/no/such/program", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  struct host *before = host_now();
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int variant;

  (void)state;
  options.argv = argv;
  options.flags = SAFE_SPAWN_GUARD;
  for (variant = 0; variant < 2; variant++) {
    if (variant == 1) refuse(CLONE_VM, -EPERM);
    assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
    assert_int_equal(error.stage, SAFE_STAGE_EXEC);
    assert_null(process);
    expect_nothing_parked();
  }
  expect_host(before);
  free(before);
}

static void another_user_under_a_guard(void **state) {
  safe_spawn_options options = of_shell("id -u");
  struct host *before = host_now();

  (void)state;
  if (geteuid() != 0) {
    print_message("skipped: only root may change a child's user\n");
    skip();
  }
  options.uid = options.gid = 65534;
  options.flags = SAFE_SPAWN_DIE_WITH_HOST;
  expect_output(&options, "65534\n");
  expect_host(before);
  free(before);
}

/* ---- Nothing of the host's is kept. */
static void a_guard_keeps_no_descriptor_open(void **state) {
  const char *const argv[] = {"helper", "sleep", "60000", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_process *process;
  int fds[2];

  (void)state;
  assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
  options.flags = SAFE_SPAWN_GUARD;
  process = start(&options);
  close(fds[1]);
  assert_true(becomes_ready(fds[0], 200 * slowness())); /* its end: POLLHUP */
  close(fds[0]);
  end_helper(process);
  expect_nothing_parked();
}

static void a_child_that_is_let_go_of_lives_on_without_its_guard(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "1", true, "bomb-released");
  safe_process *process;
  safe_tree_info info;

  (void)state;
  options.flags = SAFE_SPAWN_GUARD;
  process = start(&options);
  expect_line(process, "ready");
  info = tree_of(process);
  safe_process_free(process);
  expect_nothing_parked();
  assert_false(is_alive(info.guard));
  assert_int_equal(count_named("bomb-released"), 2);
  kill_named("bomb-released");
}

/* It still may have to end it. */
static void with_the_hosts_end_to_watch_for_it_stays(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "1", true, "bomb-watched");
  struct host *before = host_now();
  safe_process *process;
  safe_tree_info info;

  (void)state;
  options.flags = SAFE_SPAWN_DIE_WITH_HOST;
  process = start(&options);
  expect_line(process, "ready");
  info = tree_of(process);
  safe_process_free(process);
  assert_int_equal(safe_parked_count(), 1);
  assert_true(is_alive(info.guard));
  kill_named("bomb-watched");
  expect_nothing_parked();
  expect_host(before);
  free(before);
}

/* ---- The status, whoever would take it away. */
static long no_info(int pidfd, int *wait_status) {
  (void)pidfd, (void)wait_status;
  return -ENOTTY;
}

static safe_exit status_of(uint32_t flags) {
  const char *const argv[] = {"helper", "exit", "7", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process;

  options.flags = flags;
  process = start(&options);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  safe_process_free(process);
  return status;
}

static void an_older_kernel_tells_nothing_without_a_guard(void **state) {
  (void)state;
  safe__kernel.pidfd_exit = no_info;
  signal(SIGCHLD, SIG_IGN);
  assert_int_equal(status_of(0).kind, SAFE_EXIT_UNKNOWN);
  assert_int_equal(status_of(0).code, -1);
  assert_int_equal(status_of(SAFE_SPAWN_GUARD).kind, SAFE_EXIT_CODE);
  assert_int_equal(status_of(SAFE_SPAWN_GUARD).code, 7);
  signal(SIGCHLD, SIG_DFL);
}

static atomic_bool reaping;

static void *reap_everything(void *unused) {
  while (reaping)
    if (waitpid(-1, NULL, __WALL | WNOHANG) <= 0) sched_yield();
  return unused;
}

static void a_thread_that_reaps_everything_gets_nothing_of_ours(void **state) {
  pthread_t thread;
  int at;

  (void)state;
  safe__kernel.pidfd_exit = no_info;
  reaping = true;
  assert_int_equal(pthread_create(&thread, NULL, reap_everything, NULL), 0);
  for (at = 0; at < 20; at++) assert_int_equal(status_of(SAFE_SPAWN_GUARD).code, 7);
  reaping = false;
  pthread_join(thread, NULL);
}

static void what_it_used_is_told(void **state) {
  const char *const argv[] = {"helper", "work", "100", "32", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_exit status;
  safe_process *process;
  int variant;

  (void)state;
  for (variant = 0; variant < 2; variant++) {
    static const safe_exit none = SAFE_EXIT_INIT;
    options.flags = variant == 0 ? 0 : SAFE_SPAWN_GUARD;
    status = none;
    process = start(&options);
    assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
    safe_process_free(process);
    assert_int_equal(status.code, 0);
    assert_in_range(status.user_us + status.system_us, 90000, 2000000 * slowness());
    assert_in_range(status.peak_memory, 32 << 20, INT64_C(1) << 31);
  }
}

/* ---- Somebody ends the guard itself. */
static void a_guard_killed_from_outside(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "0", false, "bomb-orphaned");
  safe_exit status = SAFE_EXIT_INIT;
  int tries, code = SAFE_ESTUCK;
  safe_process *process;

  (void)state;
  options.flags = SAFE_SPAWN_GUARD; /* the child goes on, and is ended by its pidfd */
  process = start(&options);
  expect_line(process, "ready");
  kill((pid_t)tree_of(process).guard, SIGKILL);
  sleep_ms(50);
  assert_int_equal(count_named("bomb-orphaned"), 1);
  /* Nobody but init reaps it now, and a busy machine may take its time to end it. */
  for (tries = 0; tries < 50 && code != SAFE_OK; tries++) code = stop_at_once(process, NULL);
  assert_code(code, SAFE_OK);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_true(status.kind == SAFE_EXIT_UNKNOWN || status.signal == SIGKILL);
  safe_process_free(process);
  options.flags = SAFE_SPAWN_DIE_WITH_HOST; /* the child goes with it */
  process = start(&options);
  expect_line(process, "ready");
  kill((pid_t)tree_of(process).guard, SIGKILL);
  expect_named("bomb-orphaned", 0);
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(process);
  expect_nothing_parked();
}

static void another_users_child_goes_with_its_guard_too(void **state) {
  safe_spawn_options options = of_shell("exec sleep 60");
  safe_process *process;

  (void)state;
  if (geteuid() != 0) {
    print_message("skipped: only root may change a child's user\n");
    skip();
  }
  options.uid = options.gid = 65534;
  options.flags = SAFE_SPAWN_DIE_WITH_HOST;
  process = start(&options);
  kill((pid_t)tree_of(process).guard, SIGKILL);
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(process);
  expect_nothing_parked();
}

/* ---- A child that is stuck before its program. */
static long hanging_exec(const char *path, char *const *argv, char *const *envp) {
  (void)path, (void)argv, (void)envp;
  while (safe__raw6(SYS_ppoll, 0, 0, 0, 0, 0, 0) <= 0) continue;
  return -EINTR;
}

static int64_t spared_pid;

static long deaf_kill(int pidfd, int64_t pid, int number) {
  if (number != SIGKILL) return real.kill(pidfd, pid, number);
  spared_pid = pid;
  return 0;
}

static void a_child_that_hangs_before_exec_costs_the_deadline(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  safe_spawn_options options = of_helper(argv);
  struct host *before = host_now();
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int64_t began;
  int round;

  (void)state;
  options.timeout_ms = 200;
  options.flags = SAFE_SPAWN_GUARD;
  for (round = 0; round < 4; round++) {
    if (round == 2) refuse(CLONE_VM, -EPERM);
    safe__kernel.exec = hanging_exec;
    safe__kernel.kill = round % 2 == 1 ? deaf_kill : real.kill;
    began = now_ms();
    assert_code(safe_spawn(&process, &options, &error), round % 2 == 1 ? SAFE_ESTUCK : SAFE_ETIMEDOUT);
    assert_in_range(now_ms() - began, 199, 200 + 100 + 200 * slowness());
    assert_int_equal(error.stage, SAFE_STAGE_EXEC);
    assert_int_equal(safe_parked_count(), round % 2);
    if (round % 2 == 1) assert_int_equal(kill((pid_t)spared_pid, SIGKILL), 0);
    expect_nothing_parked();
  }
  safe__kernel = real;
  expect_host(before);
  free(before);
}

/* ---- The host's end. */
struct hosted {
  safe_process *host;
  long long child, guard;
  char cgroup[300];
};

/* With a daemon to be found by its guard alone. */
static struct hosted start_host(uint32_t flags, int tree, const char *cgroup, const char *name) {
  char flags_text[16], tree_text[16], line[400] = "";
  const char *const argv[] = {"helper", "host", flags_text, tree_text, cgroup, "helper",
                              "bomb",   "20",   "1",        "60000",   name,   NULL};
  safe_spawn_options options = of_helper(argv);
  struct hosted hosted = {NULL, 0, 0, ""};
  size_t length = 0;
  safe_handle out;

  snprintf(flags_text, sizeof(flags_text), "%u", (unsigned)flags);
  snprintf(tree_text, sizeof(tree_text), "%d", tree);
  options.tree = SAFE_TREE_GROUP;
  hosted.host = start(&options);
  out = safe_process_take_pipe(hosted.host, 1);
  while (strstr(line, "ready") == NULL && becomes_ready(out, 20000) && length < sizeof(line) - 1) {
    ssize_t moved = read(out, line + length, sizeof(line) - 1 - length);
    if (moved <= 0) break;
    length += (size_t)moved;
  }
  close(out);
  if (sscanf(line, "started %lld %lld %299s", &hosted.child, &hosted.guard, hosted.cgroup) < 2) fail_msg("%s", line);
  if (strcmp(hosted.cgroup, "ready") == 0) hosted.cgroup[0] = '\0';
  assert_int_equal(count_named(name), 20 + 3); /* the host, its guard, the child */
  return hosted;
}

static void expect_end(int64_t pid) {
  int64_t until = now_ms() + 1000 * slowness();

  while (is_alive(pid) && now_ms() < until) sleep_ms(5);
  assert_false(is_alive(pid));
}

/* By a signal to its whole group too, which a guard in that group would not survive. */
static void the_tree_dies_with_its_host(void **state) {
  static const int trees[] = {SAFE_TREE_DEFAULT, SAFE_TREE_WHOLE};
  int at, group;

  (void)state;
  need_adoption();
  for (at = 0; at < 2; at++)
    for (group = 0; group < 2; group++) {
      struct hosted hosted = start_host(SAFE_SPAWN_DIE_WITH_HOST, trees[at], no_cgroup, "bomb-hosted");
      int64_t pid = safe_process_pid(hosted.host), began = now_ms();
      assert_true(hosted.guard > 0);
      kill((pid_t)(group ? -pid : pid), SIGKILL);
      expect_named("bomb-hosted", 0);
      print_message("gone after %d ms\n", (int)(now_ms() - began));
      expect_end(hosted.guard);
      safe_process_free(hosted.host);
    }
}

static void its_cgroup_goes_too(void **state) {
  struct hosted hosted = start_host(SAFE_SPAWN_DIE_WITH_HOST, SAFE_TREE_WHOLE, "-", "bomb-hosted-cgroup");

  (void)state;
  if (hosted.cgroup[0] == '\0') {
    end_helper(hosted.host);
    print_message("skipped: no cgroup can be made here\n");
    skip();
  }
  assert_int_equal(access(hosted.cgroup, F_OK), 0);
  kill((pid_t)safe_process_pid(hosted.host), SIGKILL);
  expect_named("bomb-hosted-cgroup", 0);
  expect_end(hosted.guard);
  assert_int_equal(access(hosted.cgroup, F_OK), -1);
  safe_process_free(hosted.host);
}

#define SLOW_TO_END ((size_t)128 << 20) /* bytes of small pages, which the kernel takes back before it lets go */

static bool is_in(const char *folder, const char *name) {
  char path[400];

  snprintf(path, sizeof(path), "%s/%s", folder, name);
  return access(path, F_OK) == 0;
}

static pid_t join_and_stay(const char *cgroup) {
  char path[400];
  bool joined;
  int told[2];
  pid_t pid;

  snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
  assert_int_equal(pipe(told), 0);
  pid = fork();
  if (pid == 0) {
    char *pages = mmap(NULL, SLOW_TO_END, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int procs = open(path, O_WRONLY | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (pages == MAP_FAILED || procs < 0) _exit(1);
    madvise(pages, SLOW_TO_END, MADV_NOHUGEPAGE);
    memset(pages, 1, SLOW_TO_END);
    if (write(procs, "0", 1) != 1 || write(told[1], "j", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(told[1]);
  joined = becomes_ready(told[0], 20000) && read(told[0], path, 1) == 1;
  close(told[0]);
  assert_true(joined);
  return pid;
}

static void its_cgroup_goes_with_who_joined_it(void **state) {
  struct hosted hosted = start_host(SAFE_SPAWN_DIE_WITH_HOST, SAFE_TREE_WHOLE, "-", "bomb-joined-cgroup");
  pid_t joined;

  (void)state;
  if (hosted.cgroup[0] == '\0' || !is_in(hosted.cgroup, "cgroup.kill")) {
    end_helper(hosted.host);
    print_message("skipped: no cgroup can be made here, or it has no cgroup.kill (Linux before 5.14)\n");
    skip();
  }
  joined = join_and_stay(hosted.cgroup);
  kill((pid_t)safe_process_pid(hosted.host), SIGKILL);
  assert_int_equal(waitpid(joined, NULL, 0), joined);
  expect_end(hosted.guard);
  assert_int_equal(access(hosted.cgroup, F_OK), -1);
  safe_process_free(hosted.host);
}

static void without_the_flag_the_tree_lives_on(void **state) {
  struct hosted hosted = start_host(SAFE_SPAWN_GUARD, SAFE_TREE_DEFAULT, "-", "bomb-outlives");

  (void)state;
  kill((pid_t)safe_process_pid(hosted.host), SIGKILL);
  assert_code(safe_process_wait(hosted.host, NULL, NULL, NULL), SAFE_OK);
  sleep_ms(100);
  assert_false(is_alive(hosted.guard));
  assert_int_equal(count_named("bomb-outlives"), 21);
  kill_named("bomb-outlives");
  safe_process_free(hosted.host);
}

struct from_thread {
  safe_spawn_options options;
  safe_process *process;
};

static void start_in_thread(void *argument) {
  struct from_thread *from = argument;

  from->process = start(&from->options);
}

static void the_spawning_threads_end_is_not_the_hosts(void **state) {
  const char *argv[8];
  struct from_thread from = {of_bomb(argv, "0", false, "bomb-thread"), NULL};

  (void)state;
  from.options.flags = SAFE_SPAWN_DIE_WITH_HOST;
  in_another_thread(start_in_thread, &from);
  expect_line(from.process, "ready");
  sleep_ms(100);
  assert_int_equal(count_named("bomb-thread"), 1);
  assert_true(is_alive(tree_of(from.process).guard));
  end_helper(from.process);
  expect_nothing_parked();
}

/* A forked copy keeps the pipe's end, and is not asked. */
static void a_forked_copy_of_the_host_changes_nothing(void **state) {
  const char *argv[8];
  safe_spawn_options options = of_bomb(argv, "0", false, "bomb-copy");
  safe_process *process;
  safe_tree_info info;
  pid_t copy;

  (void)state;
  options.flags = SAFE_SPAWN_GUARD;
  process = start(&options);
  expect_line(process, "ready");
  info = tree_of(process);
  copy = fork();
  if (copy == 0) {
    if (safe_process_stop(process, NULL, NULL, NULL) != SAFE_EOWNER) _exit(1);
    pause();
  }
  sleep_ms(50);
  assert_int_equal(count_named("bomb-copy"), 1);
  end_helper(process);
  expect_end(info.guard);
  kill(copy, SIGKILL);
  waitpid(copy, NULL, 0);
}

#define faulty_test(test) cmocka_unit_test_setup_teardown(test, remember_kernel, restore_kernel)

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(nobody_escapes_from_a_guard),
    faulty_test(a_forked_guard_is_as_good),
    faulty_test(without_any_guard_the_links_are_left),
    cmocka_unit_test(orphans_do_not_pile_up_beside_the_childs_zombie),
    faulty_test(a_guarded_child_is_given_what_was_listed),
    faulty_test(a_failed_start_is_told_as_without),
    cmocka_unit_test(another_user_under_a_guard),
    cmocka_unit_test(a_guard_keeps_no_descriptor_open),
    cmocka_unit_test(a_child_that_is_let_go_of_lives_on_without_its_guard),
    cmocka_unit_test(with_the_hosts_end_to_watch_for_it_stays),
    faulty_test(an_older_kernel_tells_nothing_without_a_guard),
    faulty_test(a_thread_that_reaps_everything_gets_nothing_of_ours),
    cmocka_unit_test(what_it_used_is_told),
    cmocka_unit_test(a_guard_killed_from_outside),
    cmocka_unit_test(another_users_child_goes_with_its_guard_too),
    faulty_test(a_child_that_hangs_before_exec_costs_the_deadline),
    cmocka_unit_test(the_tree_dies_with_its_host),
    cmocka_unit_test(its_cgroup_goes_too),
    cmocka_unit_test(its_cgroup_goes_with_who_joined_it),
    cmocka_unit_test(without_the_flag_the_tree_lives_on),
    cmocka_unit_test(the_spawning_threads_end_is_not_the_hosts),
    cmocka_unit_test(a_forked_copy_of_the_host_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
