/* SPDX-License-Identifier: MIT */
/* What it takes to find out who holds a lock, on a machine with many processes; and what that costs those who lock. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "safehold.h"

#define FILE_NAME "looks.lock"
#define CROWD 2000
#define DESCRIPTORS 20

/* ---- A crowd of processes, whose first one, and so the last that is looked at, has the lock. */

static void be_one_of(int number, const char *lock_file) {
  char name[32];
  int at;

  for (at = 0; at < DESCRIPTORS; at++) {
    snprintf(name, sizeof(name), "looks.%d", (number * DESCRIPTORS + at) % 1000);
    bench_need(open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600) >= 0, name);
  }
  if (lock_file != NULL) bench_need(flock(open(lock_file, O_RDWR | O_CREAT, 0600), LOCK_EX) == 0, lock_file);
}

static void be_crowd(int ready) {
  int at;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setpgid(0, 0);
  signal(SIGTERM, SIG_DFL);
  for (at = 0; at < CROWD; at++) {
    pid_t pid = fork();
    bench_need(pid >= 0, "2,000 processes");
    if (pid != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    be_one_of(at, at == 0 ? FILE_NAME : NULL);
    bench_need(write(ready, "r", 1) == 1, "ready");
    for (;;) pause();
  }
  for (;;) pause();
}

static pid_t start_crowd(void) {
  int ends[2], at;
  pid_t pid;
  char byte;

  bench_need(pipe(ends) == 0, "pipe");
  pid = fork();
  if (pid == 0) be_crowd(ends[1]);
  close(ends[1]);
  for (at = 0; at < CROWD; at++) bench_need(read(ends[0], &byte, 1) == 1, "the crowd");
  close(ends[0]);
  return pid;
}

static void end_crowd(pid_t pid) {
  char name[32];
  int at;

  kill(-pid, SIGKILL);
  waitpid(pid, NULL, 0);
  for (at = 0; at < 1000; at++) {
    snprintf(name, sizeof(name), "looks.%d", at);
    unlink(name);
  }
}

/* ---- look.holders.2000, look.explain.2000, and look.queue.2000, where one waits; raw: to read all that is read then,
 * on one thread. */

static void read_all_of(const char *pid) {
  char path[300], text[4096];
  struct dirent *entry;
  DIR *folder;
  int fd;

  snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
  folder = opendir(path);
  if (folder == NULL) return;
  while ((entry = readdir(folder)) != NULL) {
    fd = entry->d_name[0] == '.' ? -1 : openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    bench_need(read(fd, text, sizeof(text)) >= 0 || 1, "fdinfo");
    close(fd);
  }
  closedir(folder);
}

static void raw_look(void) {
  DIR *proc = opendir("/proc");
  struct dirent *entry;

  while ((entry = readdir(proc)) != NULL)
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') read_all_of(entry->d_name);
  closedir(proc);
}

static void our_holders(void) {
  safe_holder_list *list;

  bench_need(safe_lock_holders(FILE_NAME, 10000, &list, NULL) == 0, "safe_lock_holders");
  bench_need(safe_holder_list_count(list) == 1, "one holder");
  safe_holder_list_free(list);
}

static void our_queue(void) {
  safe_holder_list *list;

  bench_need(safe_lock_holders(FILE_NAME, 10000, &list, NULL) == 0, "safe_lock_holders");
  bench_need(safe_holder_list_count(list) == 2, "one holder, and one that waits");
  safe_holder_list_free(list);
}

static void our_explanation(void) {
  safe_explain_options options = SAFE_EXPLAIN_OPTIONS_INIT;
  safe_explanation *why;

  options.path = FILE_NAME;
  options.timeout_ms = 10000;
  bench_need(safe_explain(&options, &why, NULL) == 0, "safe_explain");
  bench_need(safe_explanation_verdict(why) == SAFE_VERDICT_HELD, "it is held");
  safe_explanation_free(why);
}

static void crowded(const char *name, void (*look)(void)) {
  struct samples ours = {0}, raw = {0};
  int round;

  for (round = 0; round < bench_rounds(30); round++) {
    int64_t began = bench_now();
    look();
    samples_add(&ours, (double)(bench_now() - began));
    began = bench_now();
    raw_look();
    samples_add(&raw, (double)(bench_now() - began));
  }
  bench_report(name, "ms", 1e6, &ours, &raw, NULL);
}

static pid_t start_waiter(void) {
  struct timespec pause = {0, 100000000};
  pid_t pid = fork();

  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    flock(open(FILE_NAME, O_RDWR | O_CLOEXEC), LOCK_EX);
    _exit(0);
  }
  nanosleep(&pause, NULL);
  return pid;
}

static void crowded_queue(void) {
  pid_t waiter = start_waiter();

  crowded("look.queue.2000", our_queue);
  kill(waiter, SIGKILL);
  waitpid(waiter, NULL, 0);
}

/* ---- look.cost: lock and unlock by two processes, while looks go on beside (ours) and while none do (raw). */

struct board {
  atomic_int stop;
  atomic_long pairs[2][16]; /* of each worker; no two in a line of the cache */
};

static void work(struct board *board, int number) {
  struct flock taken = {.l_type = F_WRLCK}, given = {.l_type = F_UNLCK};
  char name[32];
  int fd;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  snprintf(name, sizeof(name), "looks.%d", number);
  fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  while (atomic_load(&board->stop) == 0) {
    bench_need(fcntl(fd, F_OFD_SETLKW, &taken) == 0 && fcntl(fd, F_OFD_SETLKW, &given) == 0, "lock");
    atomic_fetch_add_explicit(&board->pairs[number][0], 1, memory_order_relaxed);
  }
  unlink(name);
  _exit(0);
}

static double cpu_ns(pid_t pid) {
  struct timespec used;
  clockid_t clock;

  bench_need(clock_getcpuclockid(pid, &clock) == 0 && clock_gettime(clock, &used) == 0, "the workers' clock");
  return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

struct reading {
  double cpu, pairs, time;
};

static struct reading read_workers(struct board *board, const pid_t *workers) {
  struct reading reading = {0};
  int at;

  for (at = 0; at < 2; at++) {
    reading.cpu += cpu_ns(workers[at]);
    reading.pairs += (double)atomic_load(&board->pairs[at][0]);
  }
  reading.time = (double)bench_now();
  return reading;
}

#define WINDOW 50 /* looks, one each 5 ms */

static void look_for_a_while(bool looks) {
  struct timespec pause = {0, 5000000};
  safe_error error = SAFE_ERROR_INIT;
  safe_holder_list *list;
  int at;

  for (at = 0; at < WINDOW; at++) {
    nanosleep(&pause, NULL);
    if (!looks) continue;
    bench_need(safe_lock_holders("looks.0", 5000, &list, &error) == 0, error.message);
    safe_holder_list_free(list);
  }
}

static bool is_readable(const char *pid) {
  char path[300];
  int fd;

  snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
  fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) close(fd);
  return fd >= 0 || (errno != EACCES && errno != EPERM);
}

/* A process that even root may not look at, such as one on the other side of a security module's border, makes the look
   read /proc/locks, as it may be who has the lock. It is covered: how many, or -1 where that cannot be. */
static int hide_unreadable(void) {
  DIR *proc = opendir("/proc");
  struct dirent *entry;
  int hidden = 0;
  char path[300];

  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) hidden = -1;
  while (hidden >= 0 && (entry = readdir(proc)) != NULL) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || is_readable(entry->d_name)) continue;
    snprintf(path, sizeof(path), "/proc/%s", entry->d_name);
    hidden = mount("none", path, "tmpfs", 0, NULL) == 0 ? hidden + 1 : -1;
  }
  closedir(proc);
  return hidden;
}

/* In time of the workers' own on a processor: that a look, too, needs one is not what is asked. With it, in the extras.
 */
static void cost(void) {
  struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct samples ours = {0}, raw = {0}, our_wall = {0}, raw_wall = {0};
  struct reading before, after;
  int at, hidden = hide_unreadable();
  pid_t workers[2];
  char extra[96];

  bench_need(board != MAP_FAILED, "mmap");
  for (at = 0; at < 2; at++)
    if ((workers[at] = fork()) == 0) work(board, at);
  while (atomic_load(&board->pairs[0][0]) == 0 || atomic_load(&board->pairs[1][0]) == 0) sched_yield();
  for (at = 0; at < 2 * bench_rounds(20); at++) {
    bool looks = at % 2 == 0;
    before = read_workers(board, workers);
    look_for_a_while(looks);
    after = read_workers(board, workers);
    samples_add(looks ? &ours : &raw, (after.cpu - before.cpu) / (after.pairs - before.pairs));
    samples_add(looks ? &our_wall : &raw_wall, (after.time - before.time) / (after.pairs - before.pairs));
  }
  atomic_store(&board->stop, 1);
  for (at = 0; at < 2; at++) waitpid(workers[at], NULL, 0);
  munmap(board, sizeof(*board));
  snprintf(extra, sizeof(extra), "wall_ns=%.0f\traw_wall_ns=%.0f\thidden=%d", samples_median(&our_wall),
           samples_median(&raw_wall), hidden);
  samples_free(&our_wall);
  samples_free(&raw_wall);
  bench_report("look.cost", "ns", 1, &ours, &raw, extra);
}

/* In a child, which has mounts of its own. */
static void cost_aside(void) {
  int status = 1;
  pid_t pid = fork();

  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cost();
    exit(0);
  }
  bench_need(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "look.cost");
}

void bench_looks(void) {
  bool holders = bench_wanted("look.holders.2000"), explain = bench_wanted("look.explain.2000");
  bool queue = bench_wanted("look.queue.2000");
  pid_t crowd = holders || explain || queue ? start_crowd() : -1;

  if (holders) crowded("look.holders.2000", our_holders);
  if (explain) crowded("look.explain.2000", our_explanation);
  if (queue) crowded_queue();
  if (crowd > 0) end_crowd(crowd);
  unlink(FILE_NAME);
  if (bench_wanted("look.cost")) cost_aside();
}
