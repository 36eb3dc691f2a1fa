/* SPDX-License-Identifier: MIT */
#include "fuse_mount.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc_stat.h"

#define PROGRAM_MS 20000

static safe_process *program;
static int orders = -1, answers = -1;

/* Why there can be no mount, or NULL. */
static const char *prepare(void) {
  static bool done;

  if (done) return NULL;
  if (geteuid() != 0) return "only root may mount";
  if (access("/dev/fuse", R_OK | W_OK) != 0) return "there is no /dev/fuse";
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return "there can be no mount namespace";
  done = true;
  return NULL;
}

static void skip_because(const char *reason) {
  print_message("skipped: %s\n", reason);
  skip();
}

/* ---- Talking to it. */

static void read_answer(char *line, size_t size) {
  struct pollfd ready = {answers, POLLIN, 0};
  int64_t deadline = now_ms() + PROGRAM_MS;
  size_t length = 0;

  while (length < size - 1 && now_ms() < deadline && poll(&ready, 1, 100) >= 0) {
    if (ready.revents == 0) continue;
    if (read(answers, line + length, 1) != 1 || line[length] == '\n') break;
    length++;
  }
  line[length] = '\0';
}

void fuse_tell(const char *order) {
  char line[64];

  assert_int_equal(write(orders, order, strlen(order)), strlen(order));
  read_answer(line, sizeof(line));
  assert_string_equal(line, "done");
}

void fuse_start(void) {
  const char *argv[] = {"fuse_fs", MOUNT, NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  char line[128];

  if (prepare() != NULL) skip_because(prepare());
  make_folder(MOUNT);
  options.file = SAFEHOLD_TEST_FUSE;
  options.argv = argv;
  options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
  if (safe_spawn(&program, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  orders = safe_process_take_pipe(program, 0);
  answers = safe_process_take_pipe(program, 1);
  read_answer(line, sizeof(line));
  if (strcmp(line, "ready") != 0) skip_because(line);
}

/* ---- Its end. */

void fuse_stop(int stop) { kill((pid_t)safe_process_pid(program), stop ? SIGSTOP : SIGCONT); }

void fuse_kill(void) { kill((pid_t)safe_process_pid(program), SIGKILL); }

/* The mount's device number names its switch. Not asked by stat, which would ask the file system. */
static int connection(void) {
  char line[1024], folder[256];
  FILE *mounts = fopen("/proc/self/mountinfo", "r");
  int minor = -1, found = -1;

  assert_non_null(mounts);
  while (fgets(line, sizeof(line), mounts) != NULL) {
    if (sscanf(line, "%*d %*d %*d:%d %*s %255s", &minor, folder) != 2 || strstr(line, "safehold-test") == NULL)
      continue;
    found = minor;
  }
  fclose(mounts);
  return found;
}

void fuse_abort(void) {
  char path[64];
  int fd;

  make_folder("switches");
  assert_int_equal(mount("fusectl", "switches", "fusectl", 0, NULL), 0);
  snprintf(path, sizeof(path), "switches/%d/abort", connection());
  fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "1", 1) != 1) print_error("%s: %s\n", path, strerror(errno));
  close(fd);
  umount2("switches", MNT_DETACH);
  rmdir("switches");
}

int fuse_end(void **state) {
  (void)state;
  if (program != NULL) {
    fuse_kill();
    safe_process_wait(program, NULL, NULL, NULL);
    safe_process_free(program);
    close(orders);
    close(answers);
    program = NULL;
  }
  umount2(MOUNT, MNT_DETACH);
  rmdir(MOUNT);
  return 0;
}

/* ---- */

int children_of(int64_t process, int64_t *pid) {
  struct safe__proc_stat stat;
  DIR *folder = opendir("/proc");
  int64_t one;
  int count = 0;

  assert_non_null(folder);
  while ((one = safe__proc_next(folder)) != 0) {
    if (!safe__proc_stat(one, &stat) || stat.parent != process || stat.state == 'Z') continue;
    if (program != NULL && one == safe_process_pid(program)) continue;
    if (count++ == 0 && pid != NULL) *pid = one;
  }
  closedir(folder);
  return count;
}

/* Asked without asking the file system. */
void expect_own_table(int64_t helper) {
  char folder[64], path[320], target[512];
  struct dirent *entry;
  ssize_t length;
  DIR *listing;

  snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)helper);
  listing = opendir(folder);
  assert_non_null(listing);
  while ((entry = readdir(listing)) != NULL) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
    length = readlink(path, target, sizeof(target) - 1);
    assert_true(length > 0);
    target[length] = '\0';
    if (strncmp(target, "socket:", 7) != 0 && strstr(target, "/" MOUNT "/") == NULL)
      fail_msg("the helper has %s open", target);
  }
  closedir(listing);
}

void expect_end_of_file(int fd) {
  struct pollfd ready = {fd, POLLIN, 0};
  char byte;

  assert_int_equal(poll(&ready, 1, 1000 * slowness()), 1);
  assert_int_equal(read(fd, &byte, 1), 0);
  close(fd);
}
