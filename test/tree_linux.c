/* SPDX-License-Identifier: MIT */
#include "tree_linux.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "proc_stat.h"

safe_spawn_options of_bomb(const char **argv, const char *count, bool orphans, const char *name) {
  argv[0] = "helper";
  argv[1] = "bomb";
  argv[2] = count;
  argv[3] = orphans ? "1" : "0";
  argv[4] = "60000";
  argv[5] = name;
  argv[6] = NULL;
  return of_helper(argv);
}

static bool has_word(int64_t pid, const char *name) {
  char path[64], words[4096];
  ssize_t length, at;
  int fd;

  snprintf(path, sizeof(path), "/proc/%lld/cmdline", (long long)pid);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  length = fd < 0 ? 0 : read(fd, words, sizeof(words) - 1);
  if (fd >= 0) close(fd);
  words[length < 0 ? 0 : length] = '\0';
  for (at = 0; at < length; at += (ssize_t)strlen(words + at) + 1)
    if (strcmp(words + at, name) == 0) return true;
  return false;
}

static int signal_named(const char *name, int number) {
  DIR *folder = opendir("/proc");
  int count = 0;
  int64_t pid;

  assert_non_null(folder);
  while ((pid = safe__proc_next(folder)) != 0)
    if (has_word(pid, name)) count += kill((pid_t)pid, number) == 0; /* a zombie has no words */
  closedir(folder);
  return count;
}

int count_named(const char *name) { return signal_named(name, 0); }

void kill_named(const char *name) {
  signal_named(name, SIGKILL);
  expect_named(name, 0);
}

void expect_named_at(const char *name, int count, const char *file, int line) {
  int64_t until = now_ms() + 1000 * slowness();

  while (count_named(name) != count && now_ms() < until) sleep_ms(10);
  if (count_named(name) != count)
    fail_msg("%s:%d: %d processes named %s, expected %d", file, line, count_named(name), name, count);
}

safe_tree_info tree_of(const safe_process *process) {
  safe_tree_info info = SAFE_TREE_INFO_INIT;

  assert_code(safe_process_tree(process, &info, NULL), SAFE_OK);
  return info;
}

bool is_alive(int64_t pid) {
  struct safe__proc_stat stat;

  return safe__proc_stat(pid, &stat) && stat.state != 'Z' && stat.state != 'X';
}

bool is_emulated(void) {
  const char *helper = helper_path();

  return strcmp(helper + strlen(helper) - 3, ".sh") == 0;
}

void need_adoption(void) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 0L, 0L, 0L, 0L) == 0) return;
  print_message("skipped: PR_SET_CHILD_SUBREAPER is refused here\n");
  skip();
}

void expect_nothing_parked(void) { assert_code(safe_shutdown(1000 * slowness()), SAFE_OK); }
