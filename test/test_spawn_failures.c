/* SPDX-License-Identifier: MIT */
/*
 * Each way in which a spawn can fail, by the real thing: it says the stage, the index and the system's error, and
 * leaves nothing behind; with a child on the host's memory and with a forked one (Linux).
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "support_unix.h"

#define LONG_STRINGS 100 /* of 128 KiB: more than the 6 MiB that exec takes at most */

/* What the attempts need; each begins with the same. */
static struct {
  const char *argv[LONG_STRINGS + 2];
  safe_child_handle handles[3];
  safe_limit limits[3];
  uint32_t groups[2];
  char path[300];
  struct rlimit files;
  int writer, other;
} with;

static const char *const true_argv[] = {"true", NULL};

static void free_descriptors(int count) {
  int lowest = dup(0);
  struct rlimit low = with.files;

  close(lowest);
  low.rlim_cur = (rlim_t)(lowest + count);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
}

/* ---- Descriptors. */
static void list(safe_spawn_options *options, safe_handle second) {
  with.handles[0] = (safe_child_handle){1, 7};
  with.handles[1] = (safe_child_handle){second, 6};
  with.handles[2] = (safe_child_handle){1, 5};
  options->handles = with.handles;
  options->handle_count = 3;
}

static void a_closed_handle(safe_spawn_options *options) { list(options, 987); }

static void a_target_beyond_the_limit(safe_spawn_options *options) {
  list(options, 1);
  with.handles[1].target = 300;
  free_descriptors(20);
}

/* Sources and targets crossed: the way round takes a third number, and the last one is the new process's. */
static void crossed_handles_in_a_full_table(safe_spawn_options *options) {
  int lowest = dup(0);

  close(lowest);
  with.other = fcntl(with.writer, F_DUPFD_CLOEXEC, lowest + 1);
  free_descriptors(2);
  with.handles[0] = (safe_child_handle){with.other, with.writer};
  with.handles[1] = (safe_child_handle){with.writer, with.other};
  options->handles = with.handles;
  options->handle_count = 2;
}

static void a_closed_stream(safe_spawn_options *options) {
  options->err.kind = SAFE_STDIO_HANDLE;
  options->err.handle = 986;
}

/* ---- The host's own table is full. */
static void no_descriptor_for_a_pipe(safe_spawn_options *options) {
  options->in.kind = SAFE_STDIO_PIPE;
  free_descriptors(1);
}

static void no_descriptor_for_the_third_pipe(safe_spawn_options *options) {
  options->in.kind = options->out.kind = options->err.kind = SAFE_STDIO_PIPE;
  free_descriptors(5);
}

static void no_descriptor_for_the_null_device(safe_spawn_options *options) {
  options->err.kind = SAFE_STDIO_NULL;
  free_descriptors(0);
}

static void no_descriptor_for_the_process(safe_spawn_options *options) { free_descriptors(0), (void)options; }

/* ---- Files by path. */
static void a_missing_input(safe_spawn_options *options) {
  options->in.kind = SAFE_STDIO_PATH;
  options->in.path = "no/such/input";
}

static void output_to_a_folder(safe_spawn_options *options) {
  options->out.kind = SAFE_STDIO_PATH;
  options->out.path = "/";
}

static void output_that_is_there(safe_spawn_options *options) {
  options->err.kind = SAFE_STDIO_PATH;
  options->err.flags = SAFE_STDIO_NEW;
  options->err.path = "plain";
}

/* ---- The folder. */
static void a_missing_folder(safe_spawn_options *options) { options->cwd = "no/such/folder"; }
static void a_folder_that_is_none(safe_spawn_options *options) { options->cwd = "plain"; }
static void a_ring_of_links(safe_spawn_options *options) { options->cwd = "ring"; }

static void too_long_a_folder(safe_spawn_options *options) {
  memset(with.path, 'x', sizeof(with.path) - 1);
  options->cwd = with.path;
}

/* ---- Limits, groups, terminal. */
static void a_limit_that_nobody_may_set(safe_spawn_options *options) {
  with.limits[0] = (safe_limit){SAFE_LIMIT_CORE, 0, 0};
  with.limits[1] = (safe_limit){SAFE_LIMIT_OPEN_FILES, 0, INT64_C(1) << 40}; /* above /proc/sys/fs/nr_open */
  options->limits = with.limits;
  options->limit_count = 2;
}

static void a_group_that_is_none(safe_spawn_options *options) {
  with.groups[0] = 5;
  with.groups[1] = UINT32_MAX;
  options->groups = with.groups;
  options->group_count = 2;
}

static void a_terminal_that_is_none(safe_spawn_options *options) {
  options->in.kind = SAFE_STDIO_NULL;
  options->group = SAFE_GROUP_SESSION;
  options->flags = SAFE_SPAWN_CONTROLLING_TERMINAL;
}

/* ---- The tree. */
static void a_cgroup_that_is_not_there(safe_spawn_options *options) {
  options->tree = SAFE_TREE_CGROUP;
  options->cgroup = "/no/such/cgroup";
}

static void a_cgroup_that_is_none(safe_spawn_options *options) {
  options->tree = SAFE_TREE_CGROUP;
  options->cgroup = "/";
}

/* ---- The program. */
static void a_missing_program(safe_spawn_options *options) { options->file = "./no-such-program"; }
static void a_program_found_nowhere(safe_spawn_options *options) { options->file = "no-such-program-on-path"; }
static void a_missing_interpreter(safe_spawn_options *options) { options->file = "./orphaned"; }
static void a_program_not_executable(safe_spawn_options *options) { options->file = "./plain"; }
static void a_folder_for_a_program(safe_spawn_options *options) { options->file = "/"; }
static void a_program_of_no_format(safe_spawn_options *options) { options->file = "./formless"; }
static void a_program_below_a_file(safe_spawn_options *options) { options->file = "./plain/x"; }
static void a_program_in_a_ring(safe_spawn_options *options) { options->file = "./ring"; }

static void too_long_a_name(safe_spawn_options *options) {
  memset(with.path, 'x', sizeof(with.path) - 1);
  with.path[0] = '/';
  options->file = with.path;
}

static void arguments_beyond_the_kernels_limit(safe_spawn_options *options) {
  static char string[128 * 1024];
  size_t at;

  memset(string, 'x', sizeof(string) - 1);
  with.argv[0] = "true";
  for (at = 1; at <= LONG_STRINGS; at++) with.argv[at] = string;
  with.argv[at] = NULL;
  options->argv = with.argv;
}

/* For longer than a child is patient. */
static void a_program_that_is_being_written(safe_spawn_options *options) { options->file = "./busy"; }

/* The second element has it, and it may not be executed; the third has none. */
static void one_on_path_not_executable(safe_spawn_options *options) {
  static char path[10000];
  static const char *const changes[] = {path, NULL};
  char here[4096];

  assert_non_null(getcwd(here, sizeof(here)));
  snprintf(path, sizeof(path), "PATH=%s/first:%s:/no/such/folder", here, here);
  options->env_changes = changes;
  options->flags = SAFE_SPAWN_PATH_OF_CHILD;
  options->file = "plain";
}

static void nowhere_to_look(safe_spawn_options *options) {
  static const char *const changes[] = {"PATH=:.:relative:", NULL};

  options->env_changes = changes;
  options->flags = SAFE_SPAWN_PATH_OF_CHILD;
  options->file = "true";
}

#define ROOT 1     /* needs it */
#define AS_CLONE 2 /* only a child on our memory */

static const struct {
  const char *name;
  void (*prepare)(safe_spawn_options *options);
  int code, stage, index, os_code, needs;
} attempts[] = {
#define ATTEMPT(what, code, stage, index, os_code, needs) \
  { #what, what, code, stage, index, os_code, needs }
  ATTEMPT(a_closed_handle, SAFE_EBADF, SAFE_STAGE_HANDLE, 1, EBADF, 0),
  ATTEMPT(a_target_beyond_the_limit, SAFE_EBADF, SAFE_STAGE_HANDLE, 1, EBADF, 0),
  ATTEMPT(crossed_handles_in_a_full_table, SAFE_EMFILE, SAFE_STAGE_HANDLE, 0, EMFILE, AS_CLONE),
  ATTEMPT(a_closed_stream, SAFE_EBADF, SAFE_STAGE_STDIO, 2, EBADF, 0),
  ATTEMPT(no_descriptor_for_a_pipe, SAFE_EMFILE, SAFE_STAGE_PIPE, 0, EMFILE, 0),
  ATTEMPT(no_descriptor_for_the_third_pipe, SAFE_EMFILE, SAFE_STAGE_PIPE, 2, EMFILE, 0),
  ATTEMPT(no_descriptor_for_the_null_device, SAFE_EMFILE, SAFE_STAGE_STDIO, 2, EMFILE, 0),
  ATTEMPT(no_descriptor_for_the_process, SAFE_EMFILE, SAFE_STAGE_CREATE, -1, EMFILE, 0),
  ATTEMPT(a_missing_input, SAFE_ENOENT, SAFE_STAGE_STDIO, 0, ENOENT, 0),
  ATTEMPT(output_to_a_folder, SAFE_EISDIR, SAFE_STAGE_STDIO, 1, EISDIR, 0),
  ATTEMPT(output_that_is_there, SAFE_ESYSTEM, SAFE_STAGE_STDIO, 2, EEXIST, 0),
  ATTEMPT(a_missing_folder, SAFE_ENOENT, SAFE_STAGE_CWD, -1, ENOENT, 0),
  ATTEMPT(a_folder_that_is_none, SAFE_ENOTDIR, SAFE_STAGE_CWD, -1, ENOTDIR, 0),
  ATTEMPT(a_ring_of_links, SAFE_ESYMLINK, SAFE_STAGE_CWD, -1, ELOOP, 0),
  ATTEMPT(too_long_a_folder, SAFE_ENAMETOOLONG, SAFE_STAGE_CWD, -1, ENAMETOOLONG, 0),
  ATTEMPT(a_limit_that_nobody_may_set, SAFE_EACCES, SAFE_STAGE_LIMIT, 1, EPERM, 0),
  ATTEMPT(a_group_that_is_none, SAFE_EINVAL, SAFE_STAGE_GROUPS, -1, EINVAL, ROOT),
  ATTEMPT(a_terminal_that_is_none, SAFE_ESYSTEM, SAFE_STAGE_TERMINAL, 0, ENOTTY, 0),
  ATTEMPT(a_cgroup_that_is_not_there, SAFE_ENOENT, SAFE_STAGE_CGROUP, -1, ENOENT, 0),
  ATTEMPT(a_cgroup_that_is_none, SAFE_ENOTSUP, SAFE_STAGE_CGROUP, -1, 0, 0),
  ATTEMPT(a_missing_program, SAFE_ENOENT, SAFE_STAGE_EXEC, 0, ENOENT, 0),
  ATTEMPT(a_program_found_nowhere, SAFE_ENOENT, SAFE_STAGE_EXEC, 1, ENOENT, 0),
  ATTEMPT(a_missing_interpreter, SAFE_ENOENT, SAFE_STAGE_EXEC, 0, ENOENT, 0),
  ATTEMPT(a_program_not_executable, SAFE_EACCES, SAFE_STAGE_EXEC, 0, EACCES, 0),
  ATTEMPT(a_folder_for_a_program, SAFE_EACCES, SAFE_STAGE_EXEC, 0, EACCES, 0),
  ATTEMPT(a_program_of_no_format, SAFE_ENOEXEC, SAFE_STAGE_EXEC, 0, ENOEXEC, 0),
  ATTEMPT(a_program_below_a_file, SAFE_ENOTDIR, SAFE_STAGE_EXEC, 0, ENOTDIR, 0),
  ATTEMPT(a_program_in_a_ring, SAFE_ESYMLINK, SAFE_STAGE_EXEC, 0, ELOOP, 0),
  ATTEMPT(too_long_a_name, SAFE_ENAMETOOLONG, SAFE_STAGE_EXEC, 0, ENAMETOOLONG, 0),
  ATTEMPT(arguments_beyond_the_kernels_limit, SAFE_E2BIG, SAFE_STAGE_EXEC, 0, E2BIG, 0),
  ATTEMPT(a_program_that_is_being_written, SAFE_ESYSTEM, SAFE_STAGE_EXEC, 0, ETXTBSY, 0),
  ATTEMPT(one_on_path_not_executable, SAFE_EACCES, SAFE_STAGE_EXEC, 1, EACCES, 0),
  ATTEMPT(nowhere_to_look, SAFE_ENOENT, SAFE_STAGE_SEARCH, -1, 0, 0),
};
#define COUNT (int)(sizeof(attempts) / sizeof(attempts[0]))

static struct safe__kernel real;

static long refusing_clone(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                           void *argument) {
  return (flags & CLONE_VM) != 0 ? -EPERM : real.clone(flags, stack, pid_out, tid_word, run, argument);
}

static void make_files(void) {
  make_file("plain", "no program\n");
  chmod("plain", 0644);
  make_file("formless", "no program\n");
  chmod("formless", 0755);
  make_file("orphaned", "#!/no/such/interpreter\n");
  chmod("orphaned", 0755);
  make_file("busy", "#!/bin/sh\n");
  chmod("busy", 0755);
  assert_int_equal(symlink("ring", "ring"), 0);
  make_folder("first");
  with.writer = open("busy", O_WRONLY | O_CLOEXEC);
  assert_true(with.writer >= 0);
}

/* False: it is not as it should be, and that was said. */
static bool try_one(int at) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  const char *trouble;
  struct host *before;
  int code;

  options.file = "/bin/true";
  options.argv = true_argv;
  with.other = -1;
  before = host_now();
  attempts[at].prepare(&options);
  code = safe_spawn(&process, &options, &error);
  setrlimit(RLIMIT_NOFILE, &with.files);
  if (with.other >= 0) close(with.other);
  if (code == SAFE_OK) {
    safe_process_wait(process, NULL, NULL, NULL);
    safe_process_free(process);
  }
  trouble = host_trouble(before);
  free(before);
  if (trouble != NULL) print_error("%s left something behind: %s\n", attempts[at].name, trouble);
  if (code != attempts[at].code || error.stage != attempts[at].stage || error.index != attempts[at].index ||
      error.os_code != attempts[at].os_code || error.message[0] == '\0') {
    print_error("%s: %s at %s, index %d, system error %d: %s\n", attempts[at].name, safe_code_name(code),
                safe_stage_name(error.stage), error.index, (int)error.os_code, error.message);
    return false;
  }
  return trouble == NULL;
}

static void each_failure_is_named_and_leaves_nothing(void **state) {
  char *path = strdup(getenv("PATH"));
  int at, round, tried = 0, wrong = 0;

  (void)state;
  setenv("PATH", "/usr/bin:/bin", 1);
  real = safe__kernel;
  make_files();
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &with.files), 0);
  for (round = 0; round < 2; round++) {
    bool forked = round == 1 || !safe__clone_works();
    if (round == 1) safe__kernel.clone = refusing_clone;
    for (at = 0; at < COUNT; at++) {
      if ((attempts[at].needs & ROOT) != 0 && geteuid() != 0) continue;
      if ((attempts[at].needs & AS_CLONE) != 0 && forked) continue;
      tried++;
      wrong += !try_one(at);
    }
    safe__kernel = real;
  }
  close(with.writer);
  setenv("PATH", path, 1);
  free(path);
  print_message("%d failures of %d kinds\n", tried, COUNT);
  assert_int_equal(wrong, 0);
}

/* ---- Each limit at each place in the list, as a user whose own hard limits they are. */
#define KINDS (SAFE_LIMIT_FILE_SIZE + 1)

static int fail_at_each_limit(void) {
  static const int resources[KINDS] = {RLIMIT_AS, RLIMIT_CPU, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_CORE, RLIMIT_FSIZE};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  struct rlimit hard[KINDS];
  safe_limit limits[KINDS];
  int first = memory_can_be_limited() ? 0 : SAFE_LIMIT_MEMORY + 1, at, other, wrong = 0;

  if (geteuid() == 0 && setuid(61237) != 0) return 77;
  for (at = 0; at < KINDS; at++) {
    if (getrlimit((unsigned)resources[at], &hard[at]) != 0) return 78;
    if (hard[at].rlim_max > INT64_C(1) << 32) hard[at].rlim_max = (rlim_t)1 << 32;
    hard[at].rlim_cur = hard[at].rlim_max;
    if (setrlimit((unsigned)resources[at], &hard[at]) != 0) return 78;
  }
  options.file = "/bin/true";
  options.argv = true_argv;
  options.limits = limits;
  options.limit_count = KINDS;
  for (at = first; at < KINDS; at++) {
    safe_error error = SAFE_ERROR_INIT;
    safe_process *process;
    for (other = 0; other < KINDS; other++)
      limits[other] = (safe_limit){other, 0, (int64_t)hard[other].rlim_max + (other == at)};
    if (safe_spawn(&process, &options, &error) != SAFE_EACCES || error.stage != SAFE_STAGE_LIMIT || error.index != at ||
        error.os_code != EPERM) {
      print_error("limit %d: %s, index %d: %s\n", at, safe_stage_name(error.stage), error.index, error.message);
      wrong++;
    }
  }
  return wrong;
}

static int in_a_child(int (*run)(void)) {
  int status = 0;
  pid_t child = fork();

  if (child == 0) _exit(run());
  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void each_limit_is_named_by_its_place(void **state) {
  int result;

  (void)state;
  result = in_a_child(fail_at_each_limit);
  if (result == 77 || result == 78) {
    print_message("skipped: %s\n", result == 77 ? "root cannot be given up here" : "limits cannot be set here");
    skip();
  }
  assert_int_equal(result, 0);
}

/* ---- In a user namespace in which there is user and group 0 and no other. */
static bool write_map(pid_t child, const char *name) {
  char path[64];
  bool done;
  int fd;

  snprintf(path, sizeof(path), "/proc/%d/%s", (int)child, name);
  fd = open(path, O_WRONLY | O_CLOEXEC);
  done = fd >= 0 && write(fd, "0 0 1\n", 6) == 6;
  if (fd >= 0) close(fd);
  return done;
}

static int spawn_as(int64_t uid, int64_t gid, int stage) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  int code;

  options.file = "/bin/true";
  options.argv = true_argv;
  options.uid = uid;
  options.gid = gid;
  code = safe_spawn(&process, &options, &error);
  if (code == SAFE_EINVAL && error.stage == stage && error.index == -1 && error.os_code == EINVAL &&
      waitpid(-1, NULL, WNOHANG | __WALL) == -1)
    return 0;
  print_error("user %d, group %d: %s: %s\n", (int)uid, (int)gid, safe_stage_name(error.stage), error.message);
  return 1;
}

/* Says that it is there, and waits for its maps, which only a process outside may write. */
static int be_others(int to, int from) {
  char byte = unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';

  if (write(to, &byte, 1) != 1 || read(from, &byte, 1) != 1 || byte != 'y') return 77;
  return spawn_as(0, 5, SAFE_STAGE_GID) + spawn_as(5, 0, SAFE_STAGE_UID);
}

static void users_and_groups_that_are_not_there_are_named(void **state) {
  int up[2], down[2], status;
  char byte = 'n';
  pid_t child;

  (void)state;
  assert_int_equal(pipe2(up, O_CLOEXEC), 0);
  assert_int_equal(pipe2(down, O_CLOEXEC), 0);
  child = fork();
  if (child == 0) _exit(be_others(up[1], down[0]));
  assert_int_equal(read(up[0], &byte, 1), 1);
  if (byte == 'y' && (!write_map(child, "uid_map") || !write_map(child, "gid_map"))) byte = 'n';
  assert_int_equal(write(down[1], &byte, 1), 1);
  assert_int_equal(waitpid(child, &status, 0), child);
  close(up[0]), close(up[1]), close(down[0]), close(down[1]);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
    print_message("skipped: no user namespace can be made here\n");
    skip();
  }
  assert_int_equal(status, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_failure_is_named_and_leaves_nothing),
    cmocka_unit_test(each_limit_is_named_by_its_place),
    cmocka_unit_test(users_and_groups_that_are_not_there_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
