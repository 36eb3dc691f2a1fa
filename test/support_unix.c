/* SPDX-License-Identifier: MIT */
#include "support_unix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define CHILD_MS 20000

void make_folder(const char *path) { assert_int_equal(mkdir(path, 0755), 0); }

bool on_wine(void) { return false; }

int count_handles(void) {
  DIR *folder = opendir("/dev/fd");
  int count = 0;

  assert_non_null(folder);
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

bool becomes_ready(safe_handle handle, int64_t ms) {
  struct pollfd ready = {handle, POLLIN, 0};

  return poll(&ready, 1, (int)ms) == 1;
}

struct work {
  void (*run)(void *);
  void *argument;
};

static void *do_work(void *argument) {
  struct work *work = argument;

  work->run(work->argument);
  return NULL;
}

void in_another_thread(void (*run)(void *), void *argument) {
  struct work work = {run, argument};
  pthread_t thread;

  assert_int_equal(pthread_create(&thread, NULL, do_work, &work), 0);
  pthread_join(thread, NULL);
}

bool long_tier(void) {
  const char *asked = getenv("SAFEHOLD_LONG");

  return asked != NULL && strcmp(asked, "1") == 0;
}

bool on_valgrind(void) {
  const char *preload = getenv("LD_PRELOAD");

  return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

bool memory_can_be_limited(void) {
  const struct rlimit wish = {(rlim_t)3 << 30, (rlim_t)3 << 30};
  struct rlimit found;
  int status = -1;
  pid_t child = fork();

  if (child == 0)
    _exit(setrlimit(RLIMIT_AS, &wish) != 0 || getrlimit(RLIMIT_AS, &found) != 0 || found.rlim_cur != wish.rlim_cur);
  waitpid(child, &status, 0);
  return status == 0;
}

safe_spawn_options of_helper(const char *const *argv) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

  options.file = helper_path();
  options.argv = argv;
  options.in.kind = options.err.kind = SAFE_STDIO_NULL;
  options.out.kind = SAFE_STDIO_PIPE;
  return options;
}

safe_spawn_options of_shell(const char *command) {
  safe_spawn_options options = of_helper(NULL);

  options.file = NULL;
  options.shell = command;
  return options;
}

char *output_of(const safe_spawn_options *options) {
  safe_communicate_options talk = SAFE_COMMUNICATE_OPTIONS_INIT;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  talk.timeout_ms = CHILD_MS;
  if (safe_spawn(&process, options, &error) != SAFE_OK) fail_msg("%s", error.message);
  if (safe_process_communicate(process, &talk, &output, &error) != SAFE_OK) fail_msg("%s", error.message);
  safe_process_free(process);
  free(output.err);
  return output.out;
}

void expect_output_at(const safe_spawn_options *options, const char *expected, const char *file, int line) {
  char *text = output_of(options);

  _assert_string_equal(text, expected, file, line);
  free(text);
}

#define LAST_FD 4096
#define MOST_GROUPS 256

struct host {
  struct {
    void (*handler)(int);
    int flags, blocked;
  } signals[NSIG];
  struct {
    int open, flags;
    dev_t device;
    ino_t inode;
  } descriptors[LAST_FD];
  struct {
    rlim_t soft, hard;
  } limits[16];
  uid_t uids[2];
  gid_t gids[2], groups[MOST_GROUPS];
  int group_count, nice, special[4];
  pid_t group, session;
  mode_t umask;
  char folder[4096];
};

static void read_signals(struct host *host) {
  struct sigaction action;
  sigset_t mask;
  int number;

  pthread_sigmask(SIG_SETMASK, NULL, &mask);
  for (number = 1; number < NSIG; number++) {
    if (sigaction(number, NULL, &action) != 0) continue;
    host->signals[number].handler = action.sa_handler;
    host->signals[number].flags = action.sa_flags;
    host->signals[number].blocked = sigismember(&mask, number);
  }
}

static void read_descriptors(struct host *host) {
  struct stat found;
  int fd;

  for (fd = 0; fd < LAST_FD; fd++) {
    host->descriptors[fd].flags = fcntl(fd, F_GETFD);
    if (host->descriptors[fd].flags < 0 || fstat(fd, &found) != 0) continue;
    host->descriptors[fd].open = 1;
    host->descriptors[fd].device = found.st_dev;
    host->descriptors[fd].inode = found.st_ino;
  }
}

static void read_limits(struct host *host) {
  struct rlimit limit;
  int kind;

  for (kind = 0; kind < 16 && getrlimit(kind, &limit) == 0; kind++) {
    host->limits[kind].soft = limit.rlim_cur;
    host->limits[kind].hard = limit.rlim_max;
  }
}

static void read_special(struct host *host) {
#ifdef __linux__
  host->special[0] = prctl(PR_GET_DUMPABLE);
  prctl(PR_GET_PDEATHSIG, &host->special[1]);
  prctl(PR_GET_CHILD_SUBREAPER, &host->special[2]);
  host->special[3] = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
#else
  (void)host;
#endif
}

struct host *host_now(void) {
  struct host *host = calloc(1, sizeof(*host));

  if (host == NULL) abort();
  read_signals(host);
  read_descriptors(host);
  read_limits(host);
  read_special(host);
  host->uids[0] = getuid();
  host->uids[1] = geteuid();
  host->gids[0] = getgid();
  host->gids[1] = getegid();
  host->group_count = getgroups(MOST_GROUPS, host->groups);
  host->nice = getpriority(PRIO_PROCESS, 0);
  host->group = getpgrp();
  host->session = getsid(0);
  host->umask = umask(0);
  umask(host->umask);
  if (getcwd(host->folder, sizeof(host->folder)) == NULL) host->folder[0] = '\0';
  return host;
}

#define DIFFERS(field) (memcmp(&before->field, &after->field, sizeof(before->field)) != 0)

static const char *difference(const struct host *before, const struct host *after) {
  if (DIFFERS(signals)) return "signals";
  if (DIFFERS(descriptors)) return "descriptors";
  if (DIFFERS(limits)) return "resource limits";
  if (DIFFERS(uids) || DIFFERS(gids) || DIFFERS(groups) || DIFFERS(group_count)) return "user and groups";
  if (DIFFERS(nice)) return "niceness";
  if (DIFFERS(special)) return "dumpable flag, signal of the parent's death, subreaper or new privileges";
  if (DIFFERS(group) || DIFFERS(session)) return "process group or session";
  if (DIFFERS(umask)) return "umask";
  return strcmp(before->folder, after->folder) == 0 ? NULL : "working directory";
}

#ifndef __WALL
#define __WALL 0
#endif

const char *host_trouble(const struct host *before) {
  bool childless = waitpid(-1, NULL, WNOHANG | __WALL) == -1 && errno == ECHILD;
  struct host *after = host_now();
  const char *trouble = difference(before, after);

  free(after);
  if (trouble == NULL && !childless) trouble = "children";
  return trouble == NULL && safe_parked_count() != 0 ? "parked things" : trouble;
}

void expect_host_at(const struct host *before, const char *file, int line) {
  const char *trouble = host_trouble(before);

  if (trouble == NULL) return;
  print_error("%s:%d: the host is not as it was: its %s\n", file, line, trouble);
  _fail(file, line);
}
