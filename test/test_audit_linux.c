/* SPDX-License-Identifier: MIT */
/* safe_audit_handles on Linux: each kind of descriptor, locks, other processes, and what may not be seen. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel.h"
#include "support_unix.h"

static safe_handle_list *audited(int64_t pid, uint32_t flags) {
  safe_audit_options options = SAFE_AUDIT_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_handle_list *list;

  options.pid = pid;
  options.flags = flags;
  options.timeout_ms = 5000;
  if (safe_audit_handles(&options, &list, &error) != SAFE_OK) fail_msg("%s", error.message);
  return list;
}

static int refused(int64_t pid, safe_error *error) {
  safe_audit_options options = SAFE_AUDIT_OPTIONS_INIT;
  safe_handle_list *list;
  int code;

  *error = (safe_error)SAFE_ERROR_INIT;
  options.pid = pid;
  code = safe_audit_handles(&options, &list, error);
  safe_handle_list_free(list);
  return code;
}

/* What the test was given itself is none of its own leaks. */
static int set_up(void **state) {
  int fd;

  for (fd = STDERR_FILENO + 1; fd < 1024; fd++) fcntl(fd, F_SETFD, FD_CLOEXEC);
  (void)state;
  return 0;
}

static void expect_none(void) {
  safe_handle_list *list = audited(0, 0);

  if (safe_handle_list_count(list) > 0)
    fail_msg("%d: %s", (int)safe_handle_list_get(list, 0)->handle, safe_handle_list_get(list, 0)->what);
  safe_handle_list_free(list);
}

/* ---- Every kind. */

static int a_file(void) { return open("file", O_RDWR | O_CREAT, 0600); }
static int a_path(void) { return open("file", O_PATH); }
static int a_folder(void) { return open(".", O_RDONLY); }
static int a_folder_as_such(void) { return open(".", O_RDONLY | O_DIRECTORY); }
static int a_null_device(void) { return open("/dev/null", O_RDONLY); }
static int a_terminal(void) { return posix_openpt(O_RDWR | O_NOCTTY); }
static int a_memfd(void) { return memfd_create("planted", 0); }
static int an_eventfd(void) { return eventfd(0, 0); }
static int an_epoll(void) { return epoll_create1(0); }
static int a_timer(void) { return timerfd_create(CLOCK_MONOTONIC, 0); }
static int an_inotify(void) { return inotify_init1(0); }
static int a_pidfd(void) {
  int fd = safe__pidfd_open(getpid());

  fcntl(fd, F_SETFD, 0);
  return fd;
}

static int a_removed_file(void) {
  int fd = open("removed", O_RDWR | O_CREAT, 0600);

  unlink("removed");
  return fd;
}

static int a_fifo(void) {
  mkfifo("fifo", 0600);
  return open("fifo", O_RDWR);
}

/* A device outside of /dev; root's alone. */
static int a_device(void) {
  mknod("device", S_IFCHR | 0600, makedev(1, 3));
  return open("device", O_RDONLY);
}

static int a_shared_memory(void) {
  int fd = shm_open("/safehold-audit", O_RDWR | O_CREAT, 0600);

  shm_unlink("/safehold-audit");
  if (fd >= 0) fcntl(fd, F_SETFD, 0);
  return fd;
}

static int a_signalfd(void) {
  sigset_t set;

  sigemptyset(&set);
  return signalfd(-1, &set, 0);
}

static int a_pipe(void) {
  int ends[2];

  if (pipe(ends) != 0) return -1;
  close(ends[0]);
  return ends[1];
}

static int a_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }

static const struct {
  int (*make)(void);
  int32_t kind;
  const char *what; /* its beginning, or its end after a star */
} kinds[] = {
  {a_file, SAFE_KIND_FILE, "*/file"},
  {a_path, SAFE_KIND_FILE, "*/file"},
  {a_removed_file, SAFE_KIND_FILE, "*/removed (deleted)"},
  {a_folder, SAFE_KIND_FOLDER, "/"},
  {a_folder_as_such, SAFE_KIND_FOLDER, "/"},
  {a_pipe, SAFE_KIND_PIPE, "pipe:["},
  {a_fifo, SAFE_KIND_PIPE, "*/fifo"},
  {a_socket, SAFE_KIND_SOCKET, "socket:["},
  {a_null_device, SAFE_KIND_DEVICE, "/dev/null"},
  {a_terminal, SAFE_KIND_DEVICE, "*ptmx"},
  {a_device, SAFE_KIND_DEVICE, "*/device"},
  {a_memfd, SAFE_KIND_MEMORY, "/memfd:planted"},
  {a_shared_memory, SAFE_KIND_MEMORY, "/dev/shm/safehold-audit"},
  {an_eventfd, SAFE_KIND_EVENT, "anon_inode:[eventfd]"},
  {an_epoll, SAFE_KIND_EVENT, "anon_inode:[eventpoll]"},
  {a_timer, SAFE_KIND_EVENT, "anon_inode:[timerfd]"},
  {a_signalfd, SAFE_KIND_EVENT, "anon_inode:[signalfd]"},
  {an_inotify, SAFE_KIND_EVENT, "anon_inode:inotify"},
  {a_pidfd, SAFE_KIND_PROCESS, ""},
};

static bool is_named(const char *what, const char *expected) {
  size_t length = strlen(what), end;

  if (expected[0] != '*') return strncmp(what, expected, strlen(expected)) == 0;
  end = strlen(++expected);
  return length >= end && strcmp(what + length - end, expected) == 0;
}

static void expect_leak(const safe_handle_list *list, size_t at, int fd, size_t kind) {
  const safe_leak *leak = safe_handle_list_get(list, at);

  if (leak == NULL) fail_msg("kind %zu is not seen", kind);
  if (leak->handle != fd || leak->kind != kinds[kind].kind || !is_named(leak->what, kinds[kind].what))
    fail_msg("kind %zu: %d is told to be %d, of kind %d, %s", kind, fd, (int)leak->handle, (int)leak->kind, leak->what);
  assert_int_equal(leak->standard, 0);
  assert_int_equal(leak->lock_mode, -1);
  assert_int_equal(leak->lock_method, -1);
}

static void each_kind_is_told(void **state) {
  safe_handle_list *list;
  size_t at;
  int fd;

  (void)state;
  for (at = 0; at < sizeof(kinds) / sizeof(kinds[0]); at++) {
    fd = kinds[at].make();
    if (fd < 0) print_message("kind %zu cannot be made here: %s\n", at, strerror(errno));
    if (fd < 0) continue;
    list = audited(0, 0);
    assert_int_equal(safe_handle_list_count(list), 1);
    assert_null(safe_handle_list_unknown(list));
    expect_leak(list, 0, fd, at);
    safe_handle_list_free(list);
    assert_int_equal(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
    expect_none();
    close(fd);
  }
}

/* ---- Locks. */

static void expect_lock(int fd, int32_t mode, int32_t method) {
  safe_handle_list *list = audited(0, 0);
  const safe_leak *leak = safe_handle_list_get(list, 0);

  assert_non_null(leak);
  assert_int_equal(leak->handle, fd);
  assert_int_equal(leak->lock_mode, mode);
  assert_int_equal(leak->lock_method, method);
  safe_handle_list_free(list);
}

static void set_lock(int fd, int command, short type) {
  struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};

  assert_int_equal(fcntl(fd, command, &lock), 0);
}

static void locks_are_told(void **state) {
  int fd = open("locked", O_RDWR | O_CREAT, 0600);

  (void)state;
  expect_lock(fd, -1, -1);
  assert_int_equal(flock(fd, LOCK_SH), 0);
  expect_lock(fd, SAFE_LOCK_SHARED, SAFE_METHOD_FLOCK);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  expect_lock(fd, SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_FLOCK);
  assert_int_equal(flock(fd, LOCK_UN), 0);
  set_lock(fd, F_OFD_SETLK, F_RDLCK);
  expect_lock(fd, SAFE_LOCK_SHARED, SAFE_METHOD_OFD);
  set_lock(fd, F_OFD_SETLK, F_WRLCK);
  expect_lock(fd, SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_OFD);
  set_lock(fd, F_OFD_SETLK, F_UNLCK);
  set_lock(fd, F_SETLK, F_WRLCK); /* no child has it */
  expect_lock(fd, -1, -1);
  close(fd);
}

/* ---- Against what a child really gets. */

static char *what_ls_sees(void) {
  static const char *const argv[] = {"ls", "-l", "/proc/self/fd", NULL};
  int out = open("ls", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), status;
  pid_t pid = fork();

  if (pid == 0) {
    dup2(out, STDOUT_FILENO);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
  }
  close(out);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  return read_file("ls");
}

static void a_child_gets_what_is_told(void **state) {
  int made[sizeof(kinds) / sizeof(kinds[0])], closed = open("closed", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  safe_handle_list *list;
  char line[512], *seen, *at;
  size_t kind, count = 0;

  (void)state;
  for (kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) made[kind] = kinds[kind].make();
  list = audited(0, SAFE_AUDIT_STANDARD);
  seen = what_ls_sees();
  for (at = seen; (at = strstr(at, " -> ")) != NULL; at++) count += strncmp(at + 4, "/proc/", 6) != 0; /* its own */
  assert_int_equal(count, safe_handle_list_count(list));
  for (kind = 0; kind < safe_handle_list_count(list); kind++) {
    const safe_leak *leak = safe_handle_list_get(list, kind);
    if (leak->handle == STDOUT_FILENO) continue; /* which is the file "ls" there */
    snprintf(line, sizeof(line), " %d -> %s\n", (int)leak->handle, leak->what);
    if (strstr(seen, line) == NULL) fail_msg("a child has no%sbut:\n%s", line, seen);
  }
  free(seen);
  safe_handle_list_free(list);
  for (kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) close(made[kind]);
  close(closed);
}

static void standard_streams_are_told_on_request(void **state) {
  safe_handle_list *list = audited(0, SAFE_AUDIT_STANDARD);
  int fd = 0;

  (void)state;
  assert_int_equal(safe_handle_list_count(list), 3);
  for (fd = 0; fd < 3; fd++) {
    assert_int_equal(safe_handle_list_get(list, (size_t)fd)->handle, fd);
    assert_int_equal(safe_handle_list_get(list, (size_t)fd)->standard, 1);
  }
  safe_handle_list_free(list);
  expect_none();
}

/* ---- Names. */

static void expect_name(const char *path, const char *end) {
  int fd = open(path, O_RDWR | O_CREAT, 0600);
  safe_handle_list *list = audited(0, 0);
  const safe_leak *leak = safe_handle_list_get(list, 0);

  assert_non_null(leak);
  if (!is_named(leak->what, end)) fail_msg("%s", leak->what);
  safe_handle_list_free(list);
  close(fd);
  unlink(path);
}

static void names_can_be_printed(void **state) {
  char here[2048], folder[600] = "", before;
  safe_handle_list *list;
  const safe_leak *leak;
  size_t at;
  int fd;

  (void)state;
  expect_name("bell\a and\nnewline", "*/bell? and?newline");
  /* A name that is cut ends with a whole character, whichever of its bytes comes last. */
  for (at = 0; at < 3; at++) {
    memset(folder, 'x', at + 1);
    snprintf(folder + at + 1, sizeof(folder) - at - 1, "%s",
             "€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€€");
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_non_null(getcwd(here, sizeof(here)));
    snprintf(here + strlen(here), sizeof(here) - strlen(here), "/%s/%s", folder, folder);
    fd = open(here, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    list = audited(0, 0);
    leak = safe_handle_list_get(list, 0);
    assert_non_null(leak);
    assert_true(is_named(leak->what, "*..."));
    before = leak->what[strlen(leak->what) - 4]; /* the last byte of the sign, if it is one */
    assert_true(before == 'x' || before == '/' || before == "€"[2]);
    assert_true(strlen(leak->what) >= sizeof(leak->what) - 3);
    safe_handle_list_free(list);
    close(fd);
    unlink(here);
    rmdir(folder);
  }
}

/* ---- Other processes. */

/* A child that does what it is told, says so, and waits to be ended. */
static pid_t child_that(void (*act)(void)) {
  int ready[2];
  char byte;
  pid_t pid;

  assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
  pid = fork();
  if (pid == 0) {
    act();
    if (write(ready[1], "r", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  assert_int_equal(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  return pid;
}

static void end(pid_t pid) {
  kill(pid, SIGKILL);
  assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void plant(void) {
  int fd = dup2(a_file(), 100);

  if (fd != 100 || flock(fd, LOCK_EX) != 0) _exit(1);
  fcntl(dup2(fd, 101), F_SETFD, FD_CLOEXEC);
}

static void another_process_can_be_asked(void **state) {
  pid_t pid = child_that(plant);
  safe_handle_list *list = audited(pid, 0);
  bool found = false;
  size_t at;

  (void)state;
  for (at = 0; at < safe_handle_list_count(list); at++) {
    const safe_leak *leak = safe_handle_list_get(list, at);
    assert_int_not_equal(leak->handle, 101);
    if (leak->handle != 100) continue;
    found = true;
    assert_int_equal(leak->kind, SAFE_KIND_FILE);
    assert_int_equal(leak->lock_mode, SAFE_LOCK_EXCLUSIVE);
    assert_int_equal(leak->lock_method, SAFE_METHOD_FLOCK);
    assert_true(is_named(leak->what, "*/file"));
  }
  assert_true(found);
  assert_null(safe_handle_list_unknown(list));
  safe_handle_list_free(list);
  end(pid);
}

static void do_nothing(void) {}

static void a_zombie_has_none(void **state) {
  pid_t pid = child_that(plant);
  safe_handle_list *list;
  siginfo_t info;

  (void)state;
  kill(pid, SIGKILL);
  assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
  list = audited(pid, 0);
  assert_int_equal(safe_handle_list_count(list), 0);
  assert_non_null(strstr(safe_handle_list_unknown(list), "has ended"));
  safe_handle_list_free(list);
  end(pid);
}

static void *stay(void *unused) {
  for (;;) pause();
  return unused;
}

static void leave_a_thread(void) {
  pthread_t thread;

  plant();
  if (pthread_create(&thread, NULL, stay, NULL) != 0) _exit(1);
}

/* The first thread ends, the process lives on. */
static pid_t child_without_first_thread(void) {
  int ready[2];
  char byte;
  pid_t pid;

  assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
  pid = fork();
  if (pid == 0) {
    leave_a_thread();
    if (write(ready[1], "r", 1) != 1) _exit(1);
    syscall(SYS_exit, 0); /* of this thread alone */
  }
  close(ready[1]);
  assert_int_equal(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  return pid;
}

static void a_process_lives_on_in_another_thread(void **state) {
  pid_t pid = child_without_first_thread();
  safe_handle_list *list;
  bool found = false;
  size_t at;

  (void)state;
  sleep_ms(100 * slowness()); /* until it is a zombie */
  list = audited(pid, 0);
  for (at = 0; at < safe_handle_list_count(list); at++) found = found || safe_handle_list_get(list, at)->handle == 100;
  assert_true(found);
  safe_handle_list_free(list);
  end(pid);
}

static void a_process_that_is_gone(void **state) {
  pid_t pid = child_that(do_nothing);
  safe_error error;

  (void)state;
  end(pid);
  assert_code(refused(pid, &error), SAFE_ENOENT);
  assert_non_null(strstr(error.message, "There is no process"));
}

/* ---- A thread with a descriptor table of its own. */

static void *own_table(void *unused) {
  safe_handle_list *list;
  int fd;

  if (unshare(CLONE_FILES) != 0) return "it may not unshare";
  fd = eventfd(0, 0);
  list = audited(0, 0);
  if (safe_handle_list_count(list) != 1 || safe_handle_list_get(list, 0)->handle != fd) return "it sees another table";
  safe_handle_list_free(list);
  return unused;
}

static void a_thread_sees_its_own(void **state) {
  pthread_t thread;
  void *trouble;

  (void)state;
  assert_int_equal(pthread_create(&thread, NULL, own_table, NULL), 0);
  assert_int_equal(pthread_join(thread, &trouble), 0);
  if (trouble != NULL) fail_msg("%s", (const char *)trouble);
  expect_none();
}

/* ---- What may not be seen: in a child, which answers with its exit code. */

#define USER 61237
#define CANNOT 77

static int in_child(int (*act)(int64_t parent)) {
  int64_t parent = getpid();
  int status;
  pid_t pid = fork();

  if (pid == 0) _exit(act(parent));
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT) {
    print_message("skipped: this cannot be set up without root's rights\n");
    skip();
  }
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static bool become_user(void) { return setgroups(0, NULL) == 0 && setgid(USER) == 0 && setuid(USER) == 0; }

static int ask_as_user(int64_t parent) {
  safe_error error;

  if (!become_user()) return CANNOT;
  if (refused(parent, &error) != SAFE_EACCES || strstr(error.message, "may not be seen by this user") == NULL) return 1;
  return error.stage == SAFE_STAGE_INSPECT && error.os_code == EACCES ? 0 : 2;
}

static void a_user_may_not_look_at_roots(void **state) {
  (void)state;
  assert_int_equal(in_child(ask_as_user), 0);
}

static int ask_where_it_is_hidden(int64_t parent) {
  safe_error error;

  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
      mount("proc", "/proc", "proc", 0, "hidepid=2") != 0 || !become_user())
    return CANNOT;
  if (refused(parent, &error) != SAFE_EACCES || strstr(error.message, "hidden") == NULL) return 1;
  return refused(2147483632, &error) == SAFE_ENOENT ? 0 : 2;
}

static void a_hidden_process_is_said_to_be(void **state) {
  (void)state;
  assert_int_equal(in_child(ask_where_it_is_hidden), 0);
}

/* Before, as afterwards a descriptor alone is left of it. */
static int own_socket, own_pipe;

static bool has(const safe_handle_list *list, int fd, int32_t kind) {
  size_t at;

  for (at = 0; at < safe_handle_list_count(list); at++)
    if (safe_handle_list_get(list, at)->handle == fd) return safe_handle_list_get(list, at)->kind == kind;
  return false;
}

static int own_by_number(void) {
  safe_handle_list *list = NULL;
  int kept;

  if (safe_audit_handles(NULL, &list, NULL) != SAFE_OK) return 1;
  if (!has(list, own_socket, SAFE_KIND_SOCKET) || !has(list, own_pipe, SAFE_KIND_OTHER)) return 2;
  if (safe_handle_list_count(list) != 2 || strstr(safe_handle_list_unknown(list), "/proc cannot be read") == NULL)
    return 3;
  safe_handle_list_free(list);
  kept = fcntl(own_socket, F_GETFD);
  return kept == 0 ? 0 : 4;
}

static int ask_without_proc(int64_t parent) {
  safe_error error;

  own_socket = a_socket();
  own_pipe = a_pipe();
  if (mkdir("empty", 0700) != 0 || chroot("empty") != 0) return CANNOT;
  return refused(parent, &error) == SAFE_ENOTSUP ? own_by_number() : 10;
}

static void own_ones_are_known_without_proc(void **state) {
  (void)state;
  assert_int_equal(in_child(ask_without_proc), 0);
}

/* When a host has run out of descriptors is when it is looked for what leaks. */
static int ask_without_descriptors(int64_t parent) {
  struct rlimit limit;

  (void)parent;
  own_socket = a_socket();
  own_pipe = a_pipe();
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = (rlim_t)own_pipe + 2;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return CANNOT;
  while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) continue;
  return own_by_number();
}

static void own_ones_are_known_without_a_descriptor(void **state) {
  (void)state;
  assert_int_equal(in_child(ask_without_descriptors), 0);
}

static void no_time_is_said(void **state) {
  safe_audit_options options = SAFE_AUDIT_OPTIONS_INIT;
  safe_handle_list *list;
  int fd = a_file();

  (void)state;
  options.timeout_ms = 0;
  assert_code(safe_audit_handles(&options, &list, NULL), SAFE_OK);
  assert_int_equal(safe_handle_list_count(list), 0);
  assert_non_null(strstr(safe_handle_list_unknown(list), "time for looking"));
  safe_handle_list_free(list);
  close(fd);
}

/* ---- Nothing is left. */

static void a_thousand_audits_leave_nothing(void **state) {
  struct host *before;
  pid_t pid = child_that(plant);
  int64_t start;
  int at, fd = a_file();

  (void)state;
  end(pid);
  before = host_now();
  start = now_ms();
  for (at = 0; at < 1000; at++) safe_handle_list_free(audited(0, SAFE_AUDIT_STANDARD));
  print_message("1000 audits: %d ms\n", (int)(now_ms() - start));
  expect_host(before);
  free(before);
  close(fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_kind_is_told),
    cmocka_unit_test(locks_are_told),
    cmocka_unit_test(a_child_gets_what_is_told),
    cmocka_unit_test(standard_streams_are_told_on_request),
    cmocka_unit_test(names_can_be_printed),
    cmocka_unit_test(another_process_can_be_asked),
    cmocka_unit_test(a_zombie_has_none),
    cmocka_unit_test(a_process_lives_on_in_another_thread),
    cmocka_unit_test(a_process_that_is_gone),
    cmocka_unit_test(a_thread_sees_its_own),
    cmocka_unit_test(a_user_may_not_look_at_roots),
    cmocka_unit_test(a_hidden_process_is_said_to_be),
    cmocka_unit_test(own_ones_are_known_without_proc),
    cmocka_unit_test(own_ones_are_known_without_a_descriptor),
    cmocka_unit_test(no_time_is_said),
    cmocka_unit_test(a_thousand_audits_leave_nothing),
  };
  return cmocka_run_group_tests(tests, set_up, NULL);
}
