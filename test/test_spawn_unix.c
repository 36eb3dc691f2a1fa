/* SPDX-License-Identifier: MIT */
/* What a child gets on Unix, and what stays as it was in its host. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_unix.h"

extern char **environ;

/* Descriptors that somebody opened without close-on-exec, low and high ones. */
static int decoys[40];

static void open_decoys(void) {
  size_t at;

  for (at = 0; at < 40; at++) {
    decoys[at] =
      at % 4 == 3 ? fcntl(decoys[at - 1], F_DUPFD, 200 + (int)at * 10) : open("decoy", O_RDWR | O_CREAT, 0600);
    assert_true(decoys[at] >= 0);
    assert_int_equal(fcntl(decoys[at], F_GETFD) & FD_CLOEXEC, 0);
  }
}

static void close_decoys(void) {
  size_t at;

  for (at = 0; at < 40; at++) close(decoys[at]);
}

static void a_child_gets_its_streams_and_nothing_else(void **state) {
  const char *const argv[] = {"helper", "handles", NULL};
  safe_spawn_options options = of_helper(argv);
  char *text;

  (void)state;
  open_decoys();
  text = output_of(&options);
  assert_string_equal(text, "0\n1\n2\n");
  free(text);
  close_decoys();
}

static void listed_descriptors_arrive_under_their_numbers(void **state) {
  const char *const argv[] = {"helper", "handles", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_child_handle list[4];
  char *text;

  (void)state;
  open_decoys();
  /* Sources and targets that overlap crosswise, one that stays, and one number given twice. */
  list[0] = (safe_child_handle){decoys[0], decoys[1]};
  list[1] = (safe_child_handle){decoys[1], decoys[0]};
  list[2] = (safe_child_handle){decoys[2], decoys[2]};
  list[3] = (safe_child_handle){decoys[0], 100};
  options.handles = list;
  options.handle_count = 4;
  text = output_of(&options);
  {
    char expected[64];
    snprintf(expected, sizeof(expected), "0\n1\n2\n%d\n%d\n%d\n100\n", decoys[0], decoys[1], decoys[2]);
    assert_string_equal(text, expected);
  }
  free(text);
  assert_int_equal(fcntl(decoys[0], F_GETFD), 0); /* the caller's are as they were */
  close_decoys();
}

static void crossed_descriptors_are_not_mixed_up(void **state) {
  const char *const argv[] = {"sh", "-c", "read one <&5; read two <&6; echo $one $two", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_child_handle list[2];
  int five, six;
  char *text;

  (void)state;
  make_file("five", "was-five\n");
  make_file("six", "was-six\n");
  five = fcntl(open("five", O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 5);
  six = fcntl(open("six", O_RDONLY | O_CLOEXEC), F_DUPFD_CLOEXEC, 6);
  list[0] = (safe_child_handle){five, 6};
  list[1] = (safe_child_handle){six, 5};
  options.file = "sh";
  options.handles = list;
  options.handle_count = 2;
  text = output_of(&options);
  assert_string_equal(text, "was-six was-five\n");
  free(text);
}

/* Its number is the lowest free one, and the first pipe of our own would get it. */
static void a_closed_handle_is_told_from_our_own(void **state) {
  const char *const argv[] = {"helper", "handles", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  safe_child_handle list[1];
  int at;

  (void)state;
  options.in.kind = SAFE_STDIO_PIPE;
  options.handles = list;
  options.handle_count = 1;
  for (at = 0; at < 4; at++) {
    /* The last one is closed again: the lowest free number, or, with those before it closed too, one of the next. */
    int fds[4], last;
    for (last = 0; last <= at; last++) fds[last] = dup(1);
    list[0] = (safe_child_handle){fds[at], 9};
    for (last = at; last >= 0; last--) close(fds[last]);
    assert_code(safe_spawn(&process, &options, &error), SAFE_EBADF);
    assert_int_equal(error.stage, SAFE_STAGE_HANDLE);
  }
  options.handle_count = 0;
  options.err.kind = SAFE_STDIO_HANDLE;
  options.err.handle = 900;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EBADF);
  assert_int_equal(error.index, 2);
}

static void a_target_at_the_limit_can_be_given(void **state) {
  const char *const argv[] = {"helper", "handles", NULL};
  safe_spawn_options options = of_helper(argv);
  struct rlimit old, low;
  safe_child_handle list[1];
  char *text;

  (void)state;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
  low = old;
  low.rlim_cur = 256;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  list[0] = (safe_child_handle){1, 255};
  options.handles = list;
  options.handle_count = 1;
  text = output_of(&options);
  setrlimit(RLIMIT_NOFILE, &old);
  assert_string_equal(text, "0\n1\n2\n255\n");
  free(text);
}

static void bad_handle_lists_are_named(void **state) {
  const char *const argv[] = {"helper", "handles", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_error error = SAFE_ERROR_INIT;
  safe_child_handle list[2] = {{0, 5}, {0, 5}};
  safe_process *process;

  (void)state;
  options.handles = list;
  options.handle_count = 2;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  list[1].target = 2;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  assert_int_equal(error.index, 1);
  list[1].target = 70000;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  list[1] = (safe_child_handle){987, 6};
  assert_code(safe_spawn(&process, &options, &error), SAFE_EBADF);
  assert_int_equal(error.stage, SAFE_STAGE_HANDLE);
  assert_int_equal(error.index, 1);
  assert_int_equal(error.os_code, EBADF);
}

static void a_closed_standard_stream_is_null_in_the_child(void **state) {
  const char *const argv[] = {"helper", "swallow", NULL};
  safe_spawn_options options = of_helper(argv);
  int saved = fcntl(0, F_DUPFD_CLOEXEC, 3);
  char *text;

  (void)state;
  options.in.kind = SAFE_STDIO_INHERIT;
  close(0);
  text = output_of(&options); /* our own pipe got number 0 meanwhile, and must not be mistaken for stdin */
  if (saved >= 0) {
    dup2(saved, 0);
    close(saved);
  }
  assert_string_equal(text, "0\n");
  free(text);
}

static void handler(int number) { (void)number; }

static void the_child_begins_with_default_signals(void **state) {
  const char *const argv[] = {"helper", "signals", NULL};
  safe_spawn_options options = of_helper(argv);
  struct sigaction old_usr1, old_pipe;
  sigset_t blocked, old;
  char *text;

  (void)state;
  sigaction(SIGUSR1, &(struct sigaction){.sa_handler = handler}, &old_usr1);
  sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, &old_pipe);
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR2);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &old);
  text = output_of(&options);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  sigaction(SIGUSR1, &old_usr1, NULL);
  sigaction(SIGPIPE, &old_pipe, NULL);
  assert_string_equal(text, "done\n");
  free(text);
}

static void do_everything_once(void) {
  const char *const argv[] = {"helper", "both", "1000", NULL};
  const char *const missing[] = {"no/such/program", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_output output = SAFE_OUTPUT_INIT;
  safe_lock *one, *other;
  safe_lock_options brief = SAFE_LOCK_OPTIONS_INIT;
  safe_process *process;

  brief.timeout_ms = 20;
  one = locked_by_another_thread("host", NULL);
  assert_code(safe_lock_file(&other, "host", &brief, NULL), SAFE_ETIMEDOUT);
  options.cwd = "/";
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_communicate(process, NULL, &output, NULL), SAFE_OK);
  assert_code(safe_process_stop(process, NULL, NULL, NULL), SAFE_OK);
  safe_output_free(&output);
  safe_process_free(process);
  options.argv = missing;
  options.file = NULL;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_ENOENT);
  safe_unlock(one);
}

/* What POSIX has of the options, in two children, as a pseudo-terminal and a file are not to be had together. */
static void spawn_with_every_option(void) {
  static const char *const argv[] = {"true", NULL}, *const changes[] = {"NEW=1", "PATH", NULL};
  static const safe_limit limits[] = {{SAFE_LIMIT_CORE, 0, 0}, {SAFE_LIMIT_OPEN_FILES, 0, 40}};
  static const safe_child_handle list[] = {{1, 7}, {2, 8}};
  safe_spawn_options options = of_helper(argv);
  safe_process *process;
  int round;

  options.file = "/bin/true";
  options.env_changes = changes;
  options.limits = limits;
  options.limit_count = on_valgrind() ? 1 : 2;
  options.handles = list;
  options.handle_count = 2;
  options.cwd = "/";
  options.umask = 0;
  options.nice = 2;
  options.flags = SAFE_SPAWN_KEEP_IGNORED;
#ifdef __linux__
  options.flags |= SAFE_SPAWN_NO_NEW_PRIVILEGES;
#endif
  for (round = 0; round < 3; round++) {
    options.in.kind = round == 1 ? SAFE_STDIO_PTY : SAFE_STDIO_PIPE;
    options.err.kind = round == 1 ? SAFE_STDIO_PTY : SAFE_STDIO_PATH;
    options.err.path = round == 1 ? NULL : "written";
    options.group = round == 1 ? SAFE_GROUP_SESSION : SAFE_GROUP_NEW;
    if (round == 2 && geteuid() == 0) options.uid = options.gid = 61233;
    assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
    assert_code(safe_process_communicate(process, NULL, NULL, NULL), SAFE_OK);
    assert_code(safe_process_stop(process, NULL, NULL, NULL), SAFE_OK);
    safe_process_free(process);
  }
}

static void the_host_is_as_it_was(void **state) {
  struct sigaction old;
  struct host *before;

  (void)state;
  sigaction(SIGCHLD, &(struct sigaction){.sa_handler = handler, .sa_flags = SA_RESTART}, &old);
  do_everything_once();
  safe_shutdown(0); /* the helper of the thread's last wait is a child */
  before = host_now();
  do_everything_once();
  spawn_with_every_option();
  safe_shutdown(0);
  expect_host(before);
  free(before);
  sigaction(SIGCHLD, &old, NULL);
}

static void communicating_with_a_dead_reader_raises_no_signal(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  static char input[200000];
  safe_spawn_options options = of_helper(argv);
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  struct sigaction old;
  sigset_t pending;
  safe_process *process;

  (void)state;
  sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_DFL}, &old); /* it would end this program */
  options.in.kind = SAFE_STDIO_PIPE;
  talk.input = input;
  talk.input_length = sizeof(input);
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  assert_code(safe_process_communicate(process, &talk, NULL, NULL), SAFE_OK);
  sigpending(&pending);
  assert_int_equal(sigismember(&pending, SIGPIPE), 0);
  safe_process_free(process);
  sigaction(SIGPIPE, &old, NULL);
}

static void a_program_is_not_found_in_the_current_folder(void **state) {
  const char *const argv[] = {"planted", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  char *old = strdup(getenv("PATH"));
  safe_process *process;

  (void)state;
  make_file("planted", "#!/bin/sh\nexit 0\n");
  chmod("planted", 0755);
  options.argv = argv;
  setenv("PATH", ":.:/nowhere::relative", 1);
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  setenv("PATH", ".:", 1);
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  assert_int_equal(error.stage, SAFE_STAGE_SEARCH);
  setenv("PATH", old, 1);
  free(old);
}

static void failures_name_their_reason(void **state) {
  const char *const argv[] = {"x", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  options.argv = argv;
  make_file("closed", "#!/bin/sh\n");
  chmod("closed", 0644);
  options.file = "./closed";
  assert_code(safe_spawn(&process, &options, &error), SAFE_EACCES);
  make_file("formless", "no program at all");
  chmod("formless", 0755);
  options.file = "./formless";
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOEXEC);
  options.file = "./closed/x";
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOTDIR);
  options.file = "/bin/sh";
  options.cwd = "formless";
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOTDIR);
  assert_int_equal(error.stage, SAFE_STAGE_CWD);
  assert_int_equal(error.os_code, ENOTDIR);
}

static void a_missing_interpreter_is_told_from_a_missing_program(void **state) {
  const char *const argv[] = {"x", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  if (on_valgrind()) {
    print_message("skipped: Valgrind does not survive this refusal of execve\n");
    skip();
  }
  make_file("orphaned", "#!/no/such/interpreter\n");
  chmod("orphaned", 0755);
  options.file = "./orphaned";
  options.argv = argv;
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  assert_non_null(strstr(error.message, "interpreter"));
}

/* A path that is relative is meant from the host's folder, whatever the child's will be. */
static void a_relative_program_is_meant_from_here(void **state) {
  const char *const argv[] = {"x", NULL};
  safe_spawn_options options = of_helper(argv);
  char *text;

  (void)state;
  make_file("here", "#!/bin/sh\necho started in $PWD\n");
  chmod("here", 0755);
  options.file = "./here";
  options.cwd = "/";
  text = output_of(&options);
  assert_string_equal(text, "started in /\n");
  free(text);
}

static void a_shell_command_runs(void **state) {
  safe_spawn_options options = of_helper(NULL);
  char *text;

  (void)state;
  options.file = NULL;
  options.shell = "echo \"one  two\" | tr a-z A-Z; echo $((6 * 7))";
  text = output_of(&options);
  assert_string_equal(text, "ONE  TWO\n42\n");
  free(text);
}

static void a_host_without_an_environment_can_spawn(void **state) {
  const char *const argv[] = {"helper", "env", "PATH", NULL};
  safe_spawn_options options = of_helper(argv);
  char **saved = environ, *text;

  (void)state;
  environ = NULL; /* as clearenv(3) leaves it */
  text = output_of(&options);
  environ = saved;
  assert_string_equal(text, "unset\n");
  free(text);
}

static void groups_are_as_asked(void **state) {
  static const char command[] = "ps -o pgid=,sid= -p $$ | tr -s ' '";
  safe_spawn_options options = of_helper(NULL);
  long group, session;
  char *text;

  (void)state;
  options.file = NULL;
  options.shell = command;
  options.group = SAFE_GROUP_HOST;
  text = output_of(&options);
  assert_int_equal(sscanf(text, "%ld %ld", &group, &session), 2);
  assert_int_equal(group, getpgrp());
  free(text);
  options.group = SAFE_GROUP_NEW;
  text = output_of(&options);
  assert_int_equal(sscanf(text, "%ld %ld", &group, &session), 2);
  assert_true(group != getpgrp());
  assert_int_equal(session, getsid(0));
  free(text);
  options.group = SAFE_GROUP_SESSION;
  text = output_of(&options);
  assert_int_equal(sscanf(text, "%ld %ld", &group, &session), 2);
  assert_int_equal(session, group);
  assert_true(session != getsid(0));
  free(text);
}

static void a_crash_is_a_signal(void **state) {
  const char *const argv[] = {"helper", "crash", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_exit status = SAFE_EXIT_INIT;
  safe_process *process;

  (void)state;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  assert_int_equal(status.kind, SAFE_EXIT_SIGNAL);
  assert_int_equal(status.signal, SIGSEGV);
  assert_int_equal(status.code, -1);
  safe_process_free(process);
}

/* Never a false 0: the true status where the kernel still knows it, "unknown" elsewhere. */
static void a_stolen_status_is_never_a_false_success(void **state) {
  const char *const argv[] = {"helper", "exit", "7", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_exit status = SAFE_EXIT_INIT;
  struct sigaction old;
  safe_process *process;
  int ignored;

  (void)state;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_int_equal(waitpid((pid_t)safe_process_pid(process), &ignored, 0), safe_process_pid(process));
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  if (status.kind != SAFE_EXIT_UNKNOWN) assert_int_equal(status.code, 7);
  safe_process_free(process);

  status = (safe_exit)SAFE_EXIT_INIT;
  sigaction(SIGCHLD, &(struct sigaction){.sa_handler = SIG_IGN}, &old);
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, &status, NULL), SAFE_OK);
  if (status.kind != SAFE_EXIT_UNKNOWN) assert_int_equal(status.code, 7);
  print_message("status of a stolen child: %s\n", status.kind == SAFE_EXIT_UNKNOWN ? "unknown" : "known");
  assert_code(safe_process_stop(process, NULL, NULL, NULL), SAFE_OK);
  safe_process_free(process);
  sigaction(SIGCHLD, &old, NULL);
}

/* The host took the leader's status: what is left of its group is ended, or named, and never passed over. */
static void what_a_stolen_leader_left_is_not_passed_over(void **state) {
  const char *const argv[] = {"helper", "leave", "60000", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_stop_options at_once = SAFE_STOP_OPTIONS_INIT;
  safe_stop_report report = SAFE_STOP_REPORT_INIT;
  safe_process *process;
  pid_t left;
  int code;

  (void)state;
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  assert_code(safe_process_wait(process, NULL, NULL, NULL), SAFE_OK);
  assert_int_equal(waitpid((pid_t)safe_process_pid(process), NULL, 0), safe_process_pid(process));
  at_once.grace_ms = 0;
  code = safe_process_stop(process, &at_once, &report, NULL);
  if (code == SAFE_OK) {
    assert_int_equal(report.verdict, SAFE_STOP_FORCED);
  } else {
    assert_code(code, SAFE_ESTUCK);
    assert_int_equal(report.left_count, 1);
    left = (pid_t)report.left[0];
    assert_int_equal(kill(left, SIGKILL), 0);
  }
  print_message("what a stolen leader left was %s\n", code == SAFE_OK ? "ended" : "named");
  safe_process_free(process);
}

static void a_forked_copy_only_closes(void **state) {
  const char *const argv[] = {"helper", "sleep", "60000", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_process *process;
  safe_lock *lock, *other;
  safe_lock_options no_wait = SAFE_LOCK_OPTIONS_INIT;
  int status;
  pid_t child;

  (void)state;
  no_wait.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_lock_file(&lock, "forked", NULL, NULL), SAFE_OK);
  assert_code(safe_spawn(&process, &options, NULL), SAFE_OK);
  child = fork();
  if (child == 0) {
    int wrong = 0;
    wrong += safe_process_wait(process, NULL, NULL, NULL) != SAFE_EOWNER;
    wrong += safe_process_stop(process, NULL, NULL, NULL) != SAFE_EOWNER;
    wrong += safe_process_take_pipe(process, 1) != SAFE_INVALID_HANDLE;
    wrong += safe_lock_get_handle(lock) != SAFE_INVALID_HANDLE;
    wrong += safe_unlock(lock) != SAFE_EOWNER;
    safe_process_free(process);
    _exit(wrong);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_code(safe_lock_file(&other, "forked", &no_wait, NULL), SAFE_EBUSY); /* still the parent's */
  assert_code(safe_unlock(lock), SAFE_OK);
  end_helper(process);
}

/* The parent's release frees the lock at once, though a forked child that has not called exec keeps a copy. */
static void a_release_frees_the_lock_beside_a_forked_child(void **state) {
  safe_lock_options no_wait = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock, *other;
  pid_t child;

  (void)state;
  no_wait.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_lock_file(&lock, "released", NULL, NULL), SAFE_OK);
  child = fork();
  if (child == 0) {
    sleep(30);
    _exit(0);
  }
  assert_code(safe_unlock(lock), SAFE_OK);
  assert_code(safe_lock_file(&other, "released", &no_wait, NULL), SAFE_OK);
  safe_unlock(other);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_child_gets_its_streams_and_nothing_else),
    cmocka_unit_test(listed_descriptors_arrive_under_their_numbers),
    cmocka_unit_test(crossed_descriptors_are_not_mixed_up),
    cmocka_unit_test(a_closed_handle_is_told_from_our_own),
    cmocka_unit_test(a_target_at_the_limit_can_be_given),
    cmocka_unit_test(bad_handle_lists_are_named),
    cmocka_unit_test(a_closed_standard_stream_is_null_in_the_child),
    cmocka_unit_test(the_child_begins_with_default_signals),
    cmocka_unit_test(the_host_is_as_it_was),
    cmocka_unit_test(communicating_with_a_dead_reader_raises_no_signal),
    cmocka_unit_test(a_program_is_not_found_in_the_current_folder),
    cmocka_unit_test(failures_name_their_reason),
    cmocka_unit_test(a_missing_interpreter_is_told_from_a_missing_program),
    cmocka_unit_test(a_relative_program_is_meant_from_here),
    cmocka_unit_test(a_shell_command_runs),
    cmocka_unit_test(a_host_without_an_environment_can_spawn),
    cmocka_unit_test(groups_are_as_asked),
    cmocka_unit_test(a_crash_is_a_signal),
    cmocka_unit_test(a_stolen_status_is_never_a_false_success),
    cmocka_unit_test(what_a_stolen_leader_left_is_not_passed_over),
    cmocka_unit_test(a_forked_copy_only_closes),
    cmocka_unit_test(a_release_frees_the_lock_beside_a_forked_child),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
