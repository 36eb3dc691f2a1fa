/* SPDX-License-Identifier: MIT */
/*
 * The n-th system call fails, for every n: in the host and in its child before exec. A forked copy of this test has
 * strace fail it, spawns with most options set, and then looks at itself: it must have come to an end, with success or
 * a clear error, and nothing may be left behind; and a child that did not get what was asked for must not be called
 * started (Linux).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support_unix.h"

#define DEADLINE_MS 20000

/*
 * strace counts the calls of each name and of each process on their own. So that one number does not hit both the host
 * and its child, the host makes so many calls of no effect first: the numbers below are then the child's.
 */
#define PADDING 100

/* What can fail for want of something, or by a policy. Not close, munmap and what sets the signal mask: strace would
   not execute them, and what they were to undo would be left behind by strace. */
static const struct call {
  const char *name;
  long number;      /* for calls of no effect; -1: the host makes none */
  bool interrupted; /* may be: EINTR, and nothing else for those that only wait or move bytes */
  bool refused;
} calls[] = {
  {"openat", SYS_openat, true, true},
  {"pipe2", SYS_pipe2, false, true},
  {"fcntl", SYS_fcntl, false, true},
  {"dup3", SYS_dup3, true, true},
  {"close_range", -1, false, true},
  {"ioctl", SYS_ioctl, false, true},
  {"pidfd_open", -1, false, true},
  {"clone", SYS_clone, false, true},
  {"clone3", -1, false, true},
  {"mmap", SYS_mmap, false, true},
  {"mprotect", SYS_mprotect, false, true},
  {"prctl", SYS_prctl, false, true},
  {"setpgid", SYS_setpgid, false, true},
  {"setsid", -1, false, true},
  {"chdir", SYS_chdir, false, true},
  {"prlimit64", SYS_prlimit64, false, true},
  {"setresuid", -1, false, true},
  {"setresgid", -1, false, true},
  {"setgroups", SYS_setgroups, false, true},
  {"getpriority", SYS_getpriority, false, true},
  {"setpriority", -1, false, true},
  {"execve", SYS_execve, false, true},
  {"getcwd", SYS_getcwd, false, true},
  {"statfs", SYS_statfs, false, true},
  {"mkdir", -1, false, true},
  {"signalfd4", -1, false, true},
  {"read", SYS_read, true, false},
  {"write", SYS_write, true, false},
  {"poll", -1, true, false},
  {"ppoll", -1, true, false},
  {"futex", -1, true, false},
};
#define CALLS (int)(sizeof(calls) / sizeof(calls[0]))

static const char *const errors[] = {"EINTR", "EMFILE", "ENOMEM", "EPERM", "ENOSYS", "EINVAL"};
#define ERRORS (int)(sizeof(errors) / sizeof(errors[0]))

struct fault {
  const struct call *call;
  const char *error;
  int when;
};

static bool is_meant(const struct call *call, int error) { return error == 0 ? call->interrupted : call->refused; }

/* ---- What is spawned. */
static struct {
  safe_child_handle handles[2];
  safe_limit limits[2];
} with;

static safe_spawn_options everything(void) {
  static const char *const changes[] = {"ADDED=1", "PATH", NULL};
  static const char *const argv[] = {"cat", NULL};
  safe_spawn_options options = of_helper(argv);

  options.file = "/bin/cat";
  with.handles[0] = (safe_child_handle){1, 8};
  with.handles[1] = (safe_child_handle){2, 9};
  with.limits[0] = (safe_limit){SAFE_LIMIT_CORE, 0, 0};
  with.limits[1] = (safe_limit){SAFE_LIMIT_OPEN_FILES, 0, 50};
  options.handles = with.handles;
  options.handle_count = 2;
  options.limits = with.limits;
  options.limit_count = 2;
  options.env_changes = changes;
  options.cwd = "/";
  options.umask = 027;
  options.nice = 1;
  options.timeout_ms = 5000;
  options.flags = SAFE_SPAWN_NO_NEW_PRIVILEGES | SAFE_SPAWN_KEEP_IGNORED;
  return options;
}

static safe_spawn_options by_pipes(void) {
  safe_spawn_options options = everything();

  options.in.kind = options.err.kind = SAFE_STDIO_PIPE;
  options.out.pipe_size = 8192;
  return options;
}

static safe_spawn_options by_paths(void) {
  safe_spawn_options options = everything();

  options.in.kind = options.out.kind = SAFE_STDIO_PATH;
  options.in.path = "/dev/null";
  options.out.path = "written";
  options.err.kind = SAFE_STDIO_TO_OUT;
  options.group = SAFE_GROUP_SESSION;
  return options;
}

static safe_spawn_options by_terminal(void) {
  safe_spawn_options options = everything();

  options.in.kind = options.out.kind = SAFE_STDIO_PTY;
  return options;
}

static safe_spawn_options as_another_user(void) {
  safe_spawn_options options = by_pipes();

  if (geteuid() != 0) return options;
  options.uid = 61238;
  options.gid = 61239;
  return options;
}

static safe_spawn_options under_a_guard(void) {
  safe_spawn_options options = by_pipes();

  options.tree = SAFE_TREE_WHOLE;
  options.flags |= SAFE_SPAWN_DIE_WITH_HOST;
  return options;
}

static const struct {
  const char *name;
  safe_spawn_options (*make)(void);
} scenes[] = {{"pipes", by_pipes},
              {"paths", by_paths},
              {"a terminal", by_terminal},
              {"another user", as_another_user},
              {"a guard", under_a_guard}};
#define SCENES (int)(sizeof(scenes) / sizeof(scenes[0]))

/* ---- The victim: a forked copy of this process. */
enum { SPAWNED = 0, FAILED = 1, UNCLEAR = 2, LEFT = 3, NO_TRACER = 4 };

static int spawn_and_talk(const safe_spawn_options *options) {
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_stop_options stop = SAFE_STOP_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int code = safe_spawn(&process, options, &error);

  if (code != SAFE_OK)
    return process == NULL && error.code == code && error.stage != SAFE_STAGE_NONE && error.message[0] != '\0'
             ? FAILED
             : UNCLEAR;
  talk.input = "line\n";
  talk.input_length = 5;
  talk.timeout_ms = 5000;
  talk.drain_ms = 100;
  stop.grace_ms = 0;
  /* Not ended without need: for its tree all of /proc would be read, and each look is a call that can fail. */
  if (safe_process_communicate(process, &talk, &output, NULL) != SAFE_OK) safe_process_stop(process, &stop, NULL, NULL);
  safe_output_free(&output);
  safe_process_free(process);
  return SPAWNED;
}

static pid_t start_tracer(const char *log, const struct fault *fault) {
  char trace[CALLS * 20] = "trace=close", inject[100], number[16];
  pid_t victim = getpid(), tracer;
  int at;

  /* "?": not every processor has each. */
  for (at = 0; at < CALLS; at++) strcat(strcat(trace, ",?"), calls[at].name);
  snprintf(inject, sizeof(inject), "inject=?%s:error=%s:when=%d", fault->call->name, fault->error, fault->when);
  snprintf(number, sizeof(number), "%d", (int)victim);
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0); /* a child may not trace its parent everywhere */
  tracer = fork();
  if (tracer == 0) {
    int null = open("/dev/null", O_RDWR);
    dup2(null, 1);
    dup2(null, 2);
    execlp("strace", "strace", "-f", "-q", "-o", log, "-e", trace, "-e", inject, "-p", number, (char *)NULL);
    _exit(127);
  }
  return tracer;
}

/* By calls that are none of those that are counted. */
static bool await_tracer(int status, pid_t tracer) {
  char text[4096], *found;
  int tries;

  for (tries = 0; tries < 10000; tries++) {
    ssize_t length = pread(status, text, sizeof(text) - 1, 0);
    text[length < 0 ? 0 : length] = '\0';
    found = strstr(text, "TracerPid:");
    if (found != NULL && atoi(found + 10) == tracer) return true;
    usleep(500);
  }
  return false;
}

static int be_victim(int scene, const struct fault *fault, const char *log) {
  int status = open("/proc/self/status", O_RDONLY | O_CLOEXEC), result, at, ended;
  safe_spawn_options options = scenes[scene].make();
  struct host *before = host_now();
  const char *trouble;
  pid_t tracer = start_tracer(log, fault);

  if (tracer < 0 || !await_tracer(status, tracer)) return NO_TRACER;
  for (at = 0; at < PADDING && fault->call->number >= 0; at++) syscall(fault->call->number, -1, -1, -1, -1, -1, -1);
  result = spawn_and_talk(&options);
  kill(tracer, SIGINT);
  while (waitpid(tracer, &ended, 0) < 0 && errno == EINTR) continue;
  safe_shutdown(DEADLINE_MS);
  trouble = host_trouble(before);
  if (trouble != NULL) print_error("left behind: %s\n", trouble);
  return trouble != NULL ? LEFT : result;
}

/* ---- What strace wrote. */
#define PROCESSES 64

struct record {
  int host, pids[PROCESSES], count; /* pids: those that have run exec, and are none of ours any more */
  int by_host[CALLS], by_child[CALLS];
  bool of_host, of_child; /* whose call failed: the guard's too is a child's */
  int failed_in;          /* the number of that child */
  bool closed_twice;
};

static bool has_run_exec(const struct record *record, int pid) {
  int at;

  for (at = 0; at < record->count; at++)
    if (record->pids[at] == pid) return true;
  return false;
}

static void read_call(struct record *record, int pid, const char *text) {
  size_t length = strcspn(text, "( ");
  bool resumed = strncmp(text, "<... ", 5) == 0;
  int at;

  if (resumed) {
    text += 5;
    length = strcspn(text, " ");
  }
  if (strncmp(text, "execve", length) == 0 && strstr(text, " = 0") != NULL && record->count < PROCESSES)
    record->pids[record->count++] = pid;
  if (strncmp(text, "close", length) == 0 && strstr(text, "EBADF") != NULL) record->closed_twice = true;
  for (at = 0; at < CALLS && !resumed; at++)
    if (strlen(calls[at].name) == length && strncmp(text, calls[at].name, length) == 0)
      ++*(pid == record->host ? &record->by_host[at] : &record->by_child[at]);
  if (strstr(text, "(INJECTED)") == NULL) return;
  record->of_host |= pid == record->host;
  record->of_child |= pid != record->host;
  if (record->of_child) record->failed_in = pid;
}

static void read_log(struct record *record, const char *path) {
  FILE *log = fopen(path, "r");
  char line[4096];
  int pid, skip;

  if (log == NULL) return;
  while (fgets(line, sizeof(line), log) != NULL)
    if (sscanf(line, "%d %n", &pid, &skip) == 1 && !has_run_exec(record, pid)) read_call(record, pid, line + skip);
  fclose(log);
}

/* ---- One run after the other. */
static int wait_for(pid_t victim) {
  int64_t deadline = now_ms() + 2 * DEADLINE_MS * slowness();
  int status;

  while (waitpid(victim, &status, WNOHANG) == 0) {
    if (now_ms() > deadline) {
      kill(victim, SIGKILL);
      waitpid(victim, &status, 0);
      return -1;
    }
    usleep(1000);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
}

static struct { int runs, hits, spawned, failed, wrong; } tally;

static int run(int scene, const struct fault *fault, struct record *record) {
  static const struct record none;
  int result;

  *record = none;
  unlink("log");
  unlink("written");
  fflush(stdout);
  record->host = fork();
  if (record->host == 0) _exit(be_victim(scene, fault, "log"));
  result = wait_for(record->host);
  read_log(record, "log");
  return result;
}

/* What a child may do without: where there is no such call, or it is refused, there is another way. */
static bool has_another_way(const struct call *call) {
  return strcmp(call->name, "close_range") == 0 || strcmp(call->name, "clone3") == 0;
}

static void try_one(int scene, const struct fault *fault) {
  struct record record;
  int result = run(scene, fault, &record);
  const char *what = NULL;

  tally.runs++;
  tally.hits += record.of_host || record.of_child;
  tally.spawned += result == SPAWNED;
  tally.failed += result == FAILED;
  if (result == -1) what = "it hung";
  if (result == -2) what = "it crashed";
  if (result == UNCLEAR) what = "the error says nothing";
  if (result == LEFT) what = "it left something behind";
  if (result == NO_TRACER) what = "strace does not trace it";
  if (record.closed_twice) what = "it closed a descriptor twice";
  if (result == SPAWNED && has_run_exec(&record, record.failed_in) && !has_another_way(fault->call))
    what = "a child without all that was asked for was called started";
  if (what == NULL) return;
  print_error("with %s, %s for %s %d of the %s: %s\n", scenes[scene].name, fault->error, fault->call->name, fault->when,
              record.of_child ? "child" : "host", what);
  tally.wrong++;
}

/* A guard reads all of /proc. */
#define MOST 40

static int most(int count) { return count < MOST ? count : MOST; }

/* Each call that a run without a fault makes; of these every stride-th, of which the first differs. */
static void try_all(int scene, int error, int stride) {
  static const struct fault nothing = {&calls[0], "EPERM", 10000};
  struct record usual;
  int call, at, number = scene + error;

  assert_int_equal(run(scene, &nothing, &usual), SPAWNED);
  usual.by_host[0] -= PADDING;
  for (call = 0; call < CALLS; call++) {
    struct fault fault = {&calls[call], errors[error], 0};
    int padding = calls[call].number < 0 ? 0 : PADDING;
    if (!is_meant(&calls[call], error)) continue;
    for (at = 1; at <= most(usual.by_child[call]); at++) {
      fault.when = at;
      if (number++ % stride == 0) try_one(scene, &fault);
    }
    for (at = padding == 0 ? usual.by_child[call] + 1 : 1; at <= most(usual.by_host[call]); at++) {
      fault.when = padding + at;
      if (number++ % stride == 0) try_one(scene, &fault);
    }
  }
}

static bool can_trace(void) {
  static const struct fault nothing = {&calls[0], "EPERM", 10000};
  struct record usual;

  return system("strace -V >/dev/null 2>&1") == 0 && run(0, &nothing, &usual) == SPAWNED;
}

static void the_nth_call_fails_and_nothing_is_left(void **state) {
  int scene, error, stride = long_tier() ? 1 : 17;
  int64_t began = now_ms();

  (void)state;
  if (!can_trace()) {
    print_message("skipped: there is no strace, or it may not trace here\n");
    skip();
  }
  for (scene = 0; scene < SCENES; scene++)
    for (error = 0; error < ERRORS; error++) try_all(scene, error, stride);
  print_message("%d runs in %d ms, a call failed in %d: %d spawned, %d said why not\n", tally.runs,
                (int)(now_ms() - began), tally.hits, tally.spawned, tally.failed);
  assert_int_equal(tally.wrong, 0);
  assert_true(tally.spawned > 0 && tally.failed > 0);
}

/* By hand: SCENE ERROR tries each call; SCENE ERROR CALL NUMBER one of them, and shows what strace wrote. */
static int again(int count, char **words) {
  int scene = atoi(words[0]) % SCENES, error = atoi(words[1]) % ERRORS, at;

  if (count == 4) {
    for (at = 0; at < CALLS; at++)
      if (strcmp(words[2], calls[at].name) == 0)
        try_one(scene, &(struct fault){&calls[at], errors[error], atoi(words[3])});
    return system("cat log");
  }
  try_all(scene, error, 1);
  print_message("%s, %s: %d runs, a call failed in %d, %d spawned, %d said why not\n", scenes[scene].name,
                errors[error], tally.runs, tally.hits, tally.spawned, tally.failed);
  return tally.wrong;
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_nth_call_fails_and_nothing_is_left),
  };
  return argc > 2 ? again(argc - 1, argv + 1) : cmocka_run_group_tests(tests, NULL, NULL);
}
