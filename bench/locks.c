/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"
#include "safehold.h"

#define HELD_NAME "held"
#define FILE_NAME "bench.lock"

static int raw_ofd(int fd, short type, int command) {
  struct flock range = {.l_type = type, .l_whence = SEEK_SET};

  return fcntl(fd, command, &range);
}

static void pause_us(long us) {
  struct timespec pause = {0, us * 1000};

  nanosleep(&pause, NULL);
}

static int raw_lock(int fd, int method, bool wait) {
  if (method == SAFE_METHOD_FLOCK) return flock(fd, wait ? LOCK_EX : LOCK_EX | LOCK_NB);
  return raw_ofd(fd, F_WRLCK, wait ? F_OFD_SETLKW : F_OFD_SETLK);
}

static int raw_unlock(int fd, int method) {
  return method == SAFE_METHOD_FLOCK ? flock(fd, LOCK_UN) : raw_ofd(fd, F_UNLCK, F_OFD_SETLK);
}

/* ---- lock.pair: lock and unlock an open file; nobody else there. */

static void raw_pair(int fd, int method) {
  bench_need(raw_lock(fd, method, false) == 0, "lock");
  bench_need(raw_unlock(fd, method) == 0, "unlock");
}

static void our_pair(int fd, int method) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.method = method;
  bench_need(safe_lock_handle(&lock, fd, &options, NULL) == 0, "safe_lock_handle");
  safe_unlock(lock);
}

static void pair(const char *name, int method) {
  struct samples ours = {0}, raw = {0};
  int round, at, fd = open(FILE_NAME, O_RDWR | O_CLOEXEC);
  char extra[64];

  for (round = 0; round < bench_rounds(1000); round++) {
    int64_t began = bench_now();
    for (at = 0; at < 200; at++) our_pair(fd, method);
    samples_add(&ours, (double)(bench_now() - began) / 200);
    began = bench_now();
    for (at = 0; at < 200; at++) raw_pair(fd, method);
    samples_add(&raw, (double)(bench_now() - began) / 200);
  }
  close(fd);
  snprintf(extra, sizeof(extra), "more_ns=%.0f", samples_median(&ours) - samples_median(&raw));
  bench_report(name, "ns", 1, &ours, &raw, extra);
}

/* ---- lock.cycle: open, lock, verify, unlock, close; nobody else there. */

static void raw_cycle(int method) {
  struct stat ours, there;
  int fd = open(FILE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);

  bench_need(fd >= 0, FILE_NAME);
  bench_need(raw_lock(fd, method, false) == 0, "lock");
  bench_need(fstat(fd, &ours) == 0 && lstat(FILE_NAME, &there) == 0 && ours.st_ino == there.st_ino, "stat");
  bench_need(raw_unlock(fd, method) == 0, "unlock");
  close(fd);
}

static void our_cycle(int method) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.method = method;
  bench_need(safe_lock_file(&lock, FILE_NAME, &options, NULL) == 0, "safe_lock_file");
  safe_unlock(lock);
}

static void cycle(const char *name, int method) {
  struct samples ours = {0}, raw = {0};
  int round, at;

  for (round = 0; round < bench_rounds(400); round++) {
    int64_t began = bench_now();
    for (at = 0; at < 100; at++) our_cycle(method);
    samples_add(&ours, (double)(bench_now() - began) / 100);
    began = bench_now();
    for (at = 0; at < 100; at++) raw_cycle(method);
    samples_add(&raw, (double)(bench_now() - began) / 100);
  }
  bench_report(name, "ns", 1, &ours, &raw, NULL);
}

/* ---- lock.handoff: from the holder's unlock to the waiter's return. */

struct meeting {
  atomic_int turn;       /* even: the holder's, odd: the waiter's */
  atomic_llong unlocked; /* when */
};

static void wait_turn(struct meeting *meeting, int turn) {
  while (atomic_load(&meeting->turn) != turn) sched_yield();
}

/* Holds, lets the waiter go to sleep, unlocks. */
static void hold_rounds(struct meeting *meeting, int rounds) {
  int fd = open(FILE_NAME, O_RDWR | O_CLOEXEC), round;

  for (round = 0; round < rounds; round++) {
    wait_turn(meeting, 2 * round);
    bench_need(raw_ofd(fd, F_WRLCK, F_OFD_SETLKW) == 0, "hold");
    atomic_store(&meeting->turn, 2 * round + 1);
    pause_us(1500);
    atomic_store(&meeting->unlocked, bench_now());
    raw_ofd(fd, F_UNLCK, F_OFD_SETLK);
  }
  close(fd);
}

/* -1 when it came too late to have to wait. */
static double our_wait(struct meeting *meeting, int fd, int kind) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;
  int64_t end;
  int got;

  bench_need(safe_lock_handle(&lock, fd, &options, NULL) == 0, "safe_lock_handle");
  end = bench_now();
  got = safe_lock_wait_kind(lock);
  bench_need((got == SAFE_WAIT_SIGNAL) == (kind == SAFE_WAIT_SIGNAL) || got == SAFE_WAIT_NONE, "the kind of wait");
  safe_unlock(lock);
  return got == SAFE_WAIT_NONE ? -1 : (double)(end - atomic_load(&meeting->unlocked));
}

static double raw_wait(struct meeting *meeting, int fd) {
  int64_t end;

  bench_need(raw_ofd(fd, F_WRLCK, F_OFD_SETLKW) == 0, "wait");
  end = bench_now();
  raw_ofd(fd, F_UNLCK, F_OFD_SETLK);
  return (double)(end - atomic_load(&meeting->unlocked));
}

/* The least that a wait with a deadline can cost: the timer is stopped before the host goes on, or its signal would
   interrupt a call of the host's. It has to be one that would ring: with SIGEV_NONE the kernel does not even start it.
 */
static double raw_wait_with_a_timer(struct meeting *meeting, int fd, timer_t timer) {
  static const struct itimerspec after = {{0, 1000000}, {10, 0}}, never;
  int64_t end;

  timer_settime(timer, 0, &after, NULL);
  bench_need(raw_ofd(fd, F_WRLCK, F_OFD_SETLKW) == 0, "wait");
  timer_settime(timer, 0, &never, NULL);
  end = bench_now();
  raw_ofd(fd, F_UNLCK, F_OFD_SETLK);
  return (double)(end - atomic_load(&meeting->unlocked));
}

static void handoff(const char *name, int kind) {
  struct meeting *meeting = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct samples ours = {0}, raw = {0}, least = {0};
  int rounds = bench_rounds(3600) / 6 * 6, round, way, fd = open(FILE_NAME, O_RDWR | O_CLOEXEC);
  static const int order[6] = {0, 1, 2, 0, 2, 1}; /* each way comes after each other as often */
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMAX};
  char extra[32];
  timer_t timer;
  double took;
  pid_t holder;

  bench_need(meeting != MAP_FAILED, "mmap");
  holder = fork();
  if (holder == 0) {
    hold_rounds(meeting, rounds);
    _exit(0);
  }
  bench_need(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0, "timer_create");
  for (round = 0; round < rounds; round++) {
    wait_turn(meeting, 2 * round + 1);
    way = order[round % 6];
    took = way == 0   ? our_wait(meeting, fd, kind)
           : way == 1 ? raw_wait(meeting, fd)
                      : raw_wait_with_a_timer(meeting, fd, timer);
    if (took >= 0) samples_add(way == 0 ? &ours : way == 1 ? &raw : &least, took);
    atomic_store(&meeting->turn, 2 * round + 2);
  }
  timer_delete(timer);
  waitpid(holder, NULL, 0);
  munmap(meeting, 4096);
  close(fd);
  snprintf(extra, sizeof(extra), "least=%.2f", samples_median(&least) / 1000);
  samples_free(&least);
  bench_report(name, "us", 1000, &ours, &raw, extra);
}

/* ---- lock.deadline: how late an expired wait returns; raw is poll(2) with the same time-out. */

static int64_t cpu_ns(void) {
  struct timespec used;

  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static void interrupt(int number) { (void)number; }

/* The least that a wait of 2 s can cost: one blocking call and one signal. */
static void raw_wait_with_an_alarm(int fd) {
  const struct itimerval after = {{0, 0}, {2, 0}};
  struct sigaction action = {.sa_handler = interrupt};

  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &after, NULL);
  bench_need(raw_ofd(fd, F_WRLCK, F_OFD_SETLKW) != 0, "an alarm");
}

static void deadline(void) {
  struct samples ours = {0}, raw = {0}, cpu = {0}, raw_cpu = {0};
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  int held = open(FILE_NAME, O_RDWR | O_CLOEXEC); /* the library would not let a thread wait for itself */
  int fd = open(FILE_NAME, O_RDWR | O_CLOEXEC);
  safe_lock *other;
  char extra[96];
  int round;

  bench_need(raw_ofd(held, F_WRLCK, F_OFD_SETLK) == 0, "lock");
  for (round = 0; round < bench_rounds(300); round++) {
    int64_t began = bench_now();
    options.timeout_ms = 3 + round % 5;
    bench_need(safe_lock_file(&other, FILE_NAME, &options, NULL) == SAFE_ETIMEDOUT, "time-out");
    samples_add(&ours, (double)(bench_now() - began - options.timeout_ms * 1000000));
    began = bench_now();
    poll(NULL, 0, (int)options.timeout_ms);
    samples_add(&raw, (double)(bench_now() - began - options.timeout_ms * 1000000));
  }
  options.timeout_ms = 2000;
  for (round = 0; round < 5; round++) {
    int64_t used = cpu_ns();
    bench_need(safe_lock_file(&other, FILE_NAME, &options, NULL) == SAFE_ETIMEDOUT, "time-out");
    samples_add(&cpu, (double)(cpu_ns() - used));
    used = cpu_ns();
    raw_wait_with_an_alarm(fd);
    samples_add(&raw_cpu, (double)(cpu_ns() - used));
  }
  close(held);
  close(fd);
  snprintf(extra, sizeof(extra), "cpu_us_of_2s=%.0f\traw_cpu_us_of_2s=%.0f", samples_median(&cpu) / 1000,
           samples_median(&raw_cpu) / 1000);
  samples_free(&cpu);
  samples_free(&raw_cpu);
  bench_report("lock.deadline", "us", 1000, &ours, &raw, extra);
}

/* ---- lock.hog: served by a process that locks again at once, and holds for 1 ms each time. */

static void spin_us(int64_t us) {
  int64_t end = bench_now() + us * 1000;

  while (bench_now() < end) continue;
}

static void hog(const char *name, int method) {
  struct samples ours = {0}, raw = {0};
  int served = 0, round;
  pid_t process = fork();
  char extra[64];

  if (process == 0) {
    int fd = open(FILE_NAME, O_RDWR | O_CLOEXEC);
    for (;;) {
      raw_lock(fd, method, true);
      spin_us(1000);
      raw_unlock(fd, method);
    }
  }
  pause_us(20000);
  for (round = 0; round < 80; round++) {
    safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
    int64_t began = bench_now();
    safe_lock *lock;
    int fd;
    options.timeout_ms = 100;
    options.method = method;
    if (round % 2 == 0) {
      if (safe_lock_file(&lock, FILE_NAME, &options, NULL) == 0) {
        served++;
        safe_unlock(lock);
      }
      samples_add(&ours, (double)(bench_now() - began));
    } else {
      fd = open(FILE_NAME, O_RDWR | O_CLOEXEC);
      raw_lock(fd, method, true);
      close(fd);
      samples_add(&raw, (double)(bench_now() - began));
    }
    pause_us(3000);
  }
  kill(process, SIGKILL);
  waitpid(process, NULL, 0);
  snprintf(extra, sizeof(extra), "served=%d\tof=40", served);
  bench_report(name, "us", 1000, &ours, &raw, extra);
}

/* ---- lock.scale: many processes that add to one counter in the file. */

struct board {
  atomic_int ready;
  atomic_int go; /* 1: work, 2: stop */
  atomic_long counts[512];
};

static void add_one(int fd) {
  long counter = 0;

  bench_need(pread(fd, &counter, sizeof(counter), 0) >= 0, "pread");
  counter++;
  bench_need(pwrite(fd, &counter, sizeof(counter), 0) == (ssize_t)sizeof(counter), "pwrite");
}

/* On a file that each process has opened once: to open and to compare it belongs to lock.cycle. */
static void add_until_stopped(struct board *board, int number, bool ours) {
  int fd = open(FILE_NAME, O_RDWR | O_CLOEXEC);
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  long count = 0;
  safe_lock *lock;

  /* What a first wait has to make is not a part of the hundreds that follow. */
  options.timeout_ms = 1;
  if (ours) bench_need(safe_lock_file(&lock, HELD_NAME, &options, NULL) == SAFE_ETIMEDOUT, "a first wait");
  options.timeout_ms = 60000;
  atomic_fetch_add(&board->ready, 1);
  while (atomic_load(&board->go) == 0) syscall(SYS_futex, &board->go, FUTEX_WAIT, 0, NULL, NULL, 0);
  for (; atomic_load(&board->go) == 1; count++) {
    if (ours) {
      bench_need(safe_lock_handle(&lock, fd, &options, NULL) == 0, "safe_lock_handle");
      add_one(fd);
      safe_unlock(lock);
    } else {
      bench_need(raw_ofd(fd, F_WRLCK, F_OFD_SETLKW) == 0, "lock");
      add_one(fd);
      raw_ofd(fd, F_UNLCK, F_OFD_SETLK);
    }
  }
  close(fd);
  atomic_store(&board->counts[number], count);
}

/* What the processes have done so far. */
static double counted(int fd) {
  long counter = 0;

  bench_need(pread(fd, &counter, sizeof(counter), 0) > 0, "the counter");
  return (double)counter;
}

/* ns per increment, once all have begun; the Jain index of the processes' shares goes to *jain. */
static double scale_round(int processes, bool ours, double *jain) {
  struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  double sum = 0, squares = 0, before;
  long counter = 0;
  int64_t began, took;
  int at, fd = open(FILE_NAME, O_RDWR | O_CLOEXEC), held = open(HELD_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  bench_need(raw_ofd(held, F_WRLCK, F_OFD_SETLK) == 0, "hold");
  bench_need(board != MAP_FAILED && pwrite(fd, &counter, sizeof(counter), 0) > 0, "board");
  for (at = 0; at < processes; at++)
    if (fork() == 0) {
      add_until_stopped(board, at, ours);
      _exit(0);
    }
  while (atomic_load(&board->ready) < processes) pause_us(500);
  atomic_store(&board->go, 1);
  syscall(SYS_futex, &board->go, FUTEX_WAKE, processes, NULL, NULL, 0);
  pause_us(200000);
  before = counted(fd);
  began = bench_now();
  pause_us((long)(800000 * (bench_scale < 1 ? 0.25 : 1)));
  before = counted(fd) - before;
  took = bench_now() - began;
  atomic_store(&board->go, 2);
  while (wait(NULL) > 0) continue;
  for (at = 0; at < processes; at++) {
    double count = (double)atomic_load(&board->counts[at]);
    sum += count;
    squares += count * count;
  }
  bench_need(pread(fd, &counter, sizeof(counter), 0) > 0 && (double)counter == sum, "the count is exact");
  close(fd);
  close(held);
  munmap(board, sizeof(*board));
  *jain = squares > 0 ? sum * sum / (processes * squares) : 0;
  return (double)took / before;
}

static void scale(int processes) {
  struct samples ours = {0}, raw = {0}, our_jain = {0}, raw_jain = {0};
  char name[32], extra[64];
  double jain;
  int round;

  snprintf(name, sizeof(name), processes == 32 ? "lock.scale" : "lock.scale.%d", processes);
  if (!bench_wanted(name)) return;
  for (round = 0; round < (bench_scale < 1 ? 1 : 3); round++) {
    samples_add(&ours, scale_round(processes, true, &jain));
    samples_add(&our_jain, jain);
    samples_add(&raw, scale_round(processes, false, &jain));
    samples_add(&raw_jain, jain);
  }
  snprintf(extra, sizeof(extra), "jain=%.3f\traw_jain=%.3f", samples_median(&our_jain), samples_median(&raw_jain));
  samples_free(&our_jain);
  samples_free(&raw_jain);
  bench_report(name, "us", 1000, &ours, &raw, extra);
}

static void with_lent_signal(void) {
  bool handed = bench_wanted("lock.handoff.signal"), hogged = bench_wanted("lock.hog.signal");

  if (!handed && !hogged) return;
  bench_need(safe_use_signal(SIGRTMAX - 3) == 0, "safe_use_signal");
  if (handed) handoff("lock.handoff.signal", SAFE_WAIT_SIGNAL);
  if (hogged) hog("lock.hog.signal", SAFE_METHOD_OFD);
  bench_need(safe_use_signal(0) == 0, "safe_use_signal");
}

void bench_locks(void) {
  static const int sizes[] = {2, 8, 32, 128, 512};
  size_t at;

  close(open(FILE_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (bench_wanted("lock.pair")) pair("lock.pair", SAFE_METHOD_FLOCK);
  if (bench_wanted("lock.pair.ofd")) pair("lock.pair.ofd", SAFE_METHOD_OFD);
  if (bench_wanted("lock.cycle")) cycle("lock.cycle", SAFE_METHOD_FLOCK);
  if (bench_wanted("lock.cycle.ofd")) cycle("lock.cycle.ofd", SAFE_METHOD_OFD);
  if (bench_wanted("lock.handoff")) handoff("lock.handoff", SAFE_WAIT_QUEUED);
  if (bench_wanted("lock.deadline")) deadline();
  if (bench_wanted("lock.hog")) hog("lock.hog", SAFE_METHOD_OFD);
  if (bench_wanted("lock.hog.flock")) hog("lock.hog.flock", SAFE_METHOD_FLOCK);
  with_lent_signal();
  for (at = 0; at < sizeof(sizes) / sizeof(sizes[0]); at++) scale(sizes[at]);
  unlink(FILE_NAME);
}
