/* SPDX-License-Identifier: MIT */
#include "lockers_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lock_sight.h"
#include "proc_stat.h"

#define MOST 4096

static pid_t started[MOST];
static int count;
static int others; /* so many at the beginning are the parent's, in a child of the test */

/* ---- In the child. */

static int lock(int fd, const struct orders *orders, bool waits) {
  bool shared = orders->mode == SAFE_LOCK_SHARED;
  struct flock range = {.l_type = shared ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET};

  range.l_start = orders->offset;
  range.l_len = orders->length;
  if (orders->method == SAFE_METHOD_FLOCK) return flock(fd, (shared ? LOCK_SH : LOCK_EX) | (waits ? 0 : LOCK_NB));
  if (orders->method == SAFE_METHOD_POSIX) return fcntl(fd, waits ? F_SETLKW : F_SETLK, &range);
  return fcntl(fd, waits ? F_OFD_SETLKW : F_OFD_SETLK, &range);
}

static void sleep_for_ever(void) {
  for (;;) pause();
}

static pid_t fork_tied(void) {
  pid_t parent = getpid(), pid = fork();

  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  return 0;
}

/* Not tied to its parent, which it may have to survive; to be ended by lockers_end. */
static pid_t fork_child(void) {
  pid_t pid = fork();

  if (pid == 0) sleep_for_ever();
  return pid;
}

/* The one before, who was killed, may have it a moment longer: he is a zombie, and a thread of his (an emulator has
   some) has not ended yet. */
static bool lock_soon(int fd, const struct orders *orders) {
  int tries = 0;

  while (lock(fd, orders, orders->waits) != 0) {
    if ((errno != EWOULDBLOCK && errno != EACCES) || tries++ == 1000) return false;
    sleep_ms(1);
  }
  return true;
}

static void obey(struct orders *orders, int ready) {
  int fd = -1;

  if (orders->path != NULL) {
    fd = open(orders->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, LOCKER_FD) != LOCKER_FD || close(fd) != 0) _exit(10);
    fd = LOCKER_FD;
  }
  if (orders->waits && write(ready, "r", 1) != 1) _exit(11);
  if (fd >= 0 && !lock_soon(fd, orders)) _exit(12);
  if (orders->forks) orders->child = fork_child();
  if (!orders->waits && write(ready, "r", 1) != 1) _exit(13);
  close(ready);
  if (orders->then != NULL) orders->then(orders);
  sleep_for_ever();
}

/* ---- In the test. */

pid_t locker_start(struct orders *orders) {
  struct orders *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ends[2];
  char byte;
  pid_t pid;

  assert_true(shared != MAP_FAILED && count + 2 < MOST);
  *shared = *orders;
  assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
  pid = fork_tied();
  assert_true(pid >= 0);
  if (pid == 0) {
    close(ends[0]);
    obey(shared, ends[1]);
  }
  close(ends[1]);
  started[count++] = pid;
  assert_int_equal(read(ends[0], &byte, 1), 1);
  close(ends[0]);
  *orders = *shared;
  if (orders->child > 0) started[count++] = orders->child;
  munmap(shared, sizeof(*shared));
  return pid;
}

pid_t locker_holding(const char *path, int method) {
  struct orders orders = {.path = path, .method = method, .mode = SAFE_LOCK_EXCLUSIVE};

  return locker_start(&orders);
}

pid_t locker_waiting(const char *path, int method) {
  struct orders orders = {.path = path, .method = method, .mode = SAFE_LOCK_EXCLUSIVE, .waits = true};

  return locker_start(&orders);
}

/* One that is not our child, or not any more, is somebody else's to reap; it has let go of everything once it is a
   zombie. */
static void end_one(pid_t pid) {
  int64_t deadline = now_ms() + 5000;
  struct safe__proc_stat stat;

  kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  while (safe__proc_stat(pid, &stat) && stat.state != 'Z' && now_ms() < deadline) sleep_ms(1);
}

void locker_end(pid_t pid) {
  int at;

  for (at = 0; at < count; at++)
    if (started[at] == pid) started[at] = 0;
  end_one(pid);
}

int lockers_end(void **state) {
  (void)state;
  while (count > others)
    if (started[--count] > 0) end_one(started[count]);
  return 0;
}

/* ---- What is found. */

static int count_waiting(const char *path) {
  char line[256], id[64];
  struct stat status;
  FILE *table = fopen("/proc/locks", "re");
  int waiting = 0;

  assert_non_null(table);
  assert_int_equal(stat(path, &status), 0);
  snprintf(id, sizeof(id), ":%llu ", (unsigned long long)status.st_ino);
  while (fgets(line, sizeof(line), table) != NULL) waiting += strstr(line, "->") != NULL && strstr(line, id) != NULL;
  fclose(table);
  return waiting;
}

void expect_queue(const char *path, int wanted) {
  int64_t deadline = now_ms() + 5000 * slowness();

  int waiting;

  /* Not asked again for the verdict: where others lock meanwhile the table may show one twice, or not at all. */
  while ((waiting = count_waiting(path)) != wanted && now_ms() < deadline) sleep_ms(5);
  assert_int_equal(waiting, wanted);
}

safe_holder_list *look_at(const char *path) {
  safe_error error = SAFE_ERROR_INIT;
  safe_holder_list *list = NULL;

  if (safe_lock_holders(path, 5000 * slowness(), &list, &error) != SAFE_OK) fail_msg("%s: %s", path, error.message);
  return list;
}

const char *unknown_of(const safe_holder_list *list) {
  const char *unknown = safe_holder_list_unknown(list);

  return unknown != NULL ? unknown : "";
}

const safe_holder *found_in(const safe_holder_list *list, int64_t pid, int role) {
  const safe_holder *holder;
  size_t at;

  for (at = 0; (holder = safe_holder_list_get(list, at)) != NULL; at++)
    if (holder->pid == pid && holder->role == role) return holder;
  return NULL;
}

int count_role(const safe_holder_list *list, int role) {
  const safe_holder *holder;
  int found = 0;
  size_t at;

  for (at = 0; (holder = safe_holder_list_get(list, at)) != NULL; at++) found += holder->role == role;
  return found;
}

static void wait_in_pause(void *orders) {
  (void)orders;
  syscall(SYS_ppoll, NULL, 0, NULL, NULL, 0);
}

const char *calls_are_hidden(void) {
  struct orders orders = {.then = wait_in_pause};
  pid_t pid = locker_start(&orders);
  char text[128];
  int tries;
  long call = -1;

  for (tries = 0; tries < 200 && call != SYS_ppoll; tries++) {
    if (safe__proc_read(pid, pid, "syscall", text, sizeof(text)) <= 0) break;
    if (sscanf(text, "%ld", &call) != 1) call = -1;
    sleep_ms(5);
  }
  locker_end(pid);
  return call == SYS_ppoll ? NULL : "what a thread waits in cannot be read here, or is an emulator's own call";
}

const char *others_are_hidden(void) {
  return safe__sees_all_processes() ? NULL : "processes outside of this container cannot be seen";
}

void skip_because(const char *reason) {
  print_message("skipped: %s\n", reason);
  skip();
}

void in_a_child(void (*run)(void)) {
  int status;
  pid_t pid = fork();

  assert_true(pid >= 0);
  if (pid == 0) {
    others = count;
    run();
    lockers_end(NULL);
    _exit(0);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}
