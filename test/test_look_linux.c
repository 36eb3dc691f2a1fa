/* SPDX-License-Identifier: MIT */
/* What is seen on Linux of processes and of what their threads wait for: real ones, each made to wait. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "look.h"
#include "support_unix.h"

/* ---- Processes to look at: killed and reaped after each test. */

#define MOST_SUBJECTS 32

static pid_t subjects[MOST_SUBJECTS];
static size_t subject_count;

static int end_subjects(void **state) {
  (void)state;
  while (subject_count > 0) {
    pid_t pid = subjects[--subject_count];
    kill(pid, SIGKILL);
    kill(pid, SIGCONT);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  return 0;
}

/* What a subject knows: descriptors and a process. */
struct means {
  int fd, other;
  pid_t pid;
  int timeout;
};

static pid_t start(void (*run)(struct means *means), struct means *means) {
  pid_t pid = fork();

  assert_true(pid >= 0);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0L, 0L, 0L);
    run(means);
    _exit(0);
  }
  assert_true(subject_count < MOST_SUBJECTS);
  subjects[subject_count++] = pid;
  return pid;
}

static void pause_for_ever(struct means *means) {
  (void)means;
  for (;;) pause();
}

/* ---- Looking. */

static struct safe__scene scene;

static int set_up(void **state) {
  (void)state;
  safe__scene_init(&scene);
  return 0;
}

static int tear_down(void **state) {
  safe__scene_free(&scene);
  return end_subjects(state);
}

static void need_calls(void) {
  bool known = safe__look_knows_calls(&scene);

  safe__scene_free(&scene);
  if (known) return;
  print_message("skipped: an emulator shows its own system calls\n");
  skip();
}

static void look_once(pid_t pid) {
  safe__scene_free(&scene);
  safe__os_look_process(&scene, pid, safe__deadline(2000 * slowness()));
}

static void describe(void) {
  size_t at;

  for (at = 0; at < scene.want_count; at++) {
    const struct safe__want *want = &scene.wants[at];
    print_message("  %lld/%lld waits %d object %d mode %d method %d other %lld handle %lld since %lld limit %lld %s\n",
                  (long long)want->pid, (long long)want->thread, want->waits, want->object, want->mode, want->method,
                  (long long)want->other, (long long)want->handle, (long long)want->since_ms, (long long)want->limit_ms,
                  want->what);
  }
  for (at = 0; at < scene.unknown_count; at++) print_message("  unknown: %s\n", scene.unknown[at]);
}

/* Until it has so many wants, and the first of them is this one (or -1): it takes a moment to fall asleep. */
static const struct safe__want *look_until(pid_t pid, size_t count, int32_t waits) {
  int64_t deadline = now_ms() + 5000 * slowness();

  for (;;) {
    look_once(pid);
    if (scene.want_count == count && (waits < 0 || scene.wants[0].waits == waits)) return scene.wants;
    if (now_ms() >= deadline) {
      describe();
      fail_msg("%zu wants of kind %d were expected", count, waits);
    }
    sleep_ms(5);
  }
}

static const struct safe__want *look_for(pid_t pid, int32_t waits) { return look_until(pid, 1, waits); }

static void expect_plain(const struct safe__want *want, pid_t pid, int64_t handle, int64_t limit) {
  int64_t now = (int64_t)time(NULL) * 1000;

  assert_int_equal(want->pid, pid);
  assert_int_equal(want->thread, pid);
  assert_int_equal(want->handle, handle);
  assert_int_equal(want->limit_ms, limit);
  if (access("/proc/self/sched", R_OK) == 0) {
    assert_true(want->since_ms > now - 20000 * slowness());
    assert_true(want->since_ms <= now + 1500);
  } else {
    assert_int_equal(want->since_ms, 0);
  }
}

static void expect_object(const struct safe__want *want, enum safe__object_kind kind, int fd) {
  struct stat status;

  assert_int_equal(fstat(fd, &status), 0);
  assert_true(want->object >= 0 && (size_t)want->object < scene.object_count);
  assert_int_equal(scene.objects[want->object].kind, kind);
  assert_true(scene.objects[want->object].id.low == status.st_ino);
  if (kind == SAFE__OBJECT_FILE)
    assert_true(scene.objects[want->object].id.volume == ((uint64_t)major(status.st_dev) << 32 | minor(status.st_dev)));
}

/* ---- The process itself. */

static void a_process_that_is_not_there_is_gone(void **state) {
  struct means none = {0};
  pid_t pid = start(pause_for_ever, &none);

  (void)state;
  end_subjects(NULL);
  look_once(pid);
  assert_int_equal(scene.actor_count, 1);
  assert_true(scene.actors[0].gone);
  assert_int_equal(scene.want_count, 0);
}

static void spin(struct means *means) {
  (void)means;
  for (;;) continue;
}

static void one_that_runs_waits_for_nothing(void **state) {
  struct means none = {0};
  pid_t pid;

  (void)state;
  need_calls(); /* an emulator has a thread of its own, which sleeps */
  pid = start(spin, &none);
  look_for(pid, SAFE_WAITS_NOT);
  assert_int_equal(scene.wants[0].since_ms, 0);
  assert_int_equal(scene.actors[0].pid, pid);
  assert_int_equal(scene.actors[0].parent, getpid());
  assert_int_equal(scene.actors[0].state, 'R');
  assert_string_equal(scene.actors[0].channel, "");
  assert_false(scene.actors[0].hidden);
  assert_false(scene.actors[0].gone);
  assert_true(strlen(scene.actors[0].name) > 0);
}

static void exit_now(struct means *means) { (void)means; }

static void a_zombie_waits_for_its_parent(void **state) {
  struct means none = {0};
  pid_t pid = start(exit_now, &none);

  (void)state;
  look_for(pid, SAFE_WAITS_REAPING);
  assert_int_equal(scene.wants[0].other, getpid());
  assert_int_equal(scene.wants[0].thread, 0);
  assert_int_equal(scene.actors[0].state, 'Z');
}

static void stop_oneself(struct means *means) {
  (void)means;
  raise(SIGSTOP);
}

static void one_that_is_stopped_waits_to_be_continued(void **state) {
  struct means none = {0};
  pid_t pid = start(stop_oneself, &none);

  (void)state;
  look_for(pid, SAFE_WAITS_CONTINUE);
  assert_int_equal(scene.wants[0].thread, 0);
  assert_int_equal(scene.actors[0].state, 'T');
}

static void trace(struct means *means) {
  int status;

  if (ptrace(PTRACE_SEIZE, means->pid, 0L, 0L) != 0 || ptrace(PTRACE_INTERRUPT, means->pid, 0L, 0L) != 0) _exit(1);
  while (waitpid(means->pid, &status, __WALL) < 0 && errno == EINTR) continue;
  pause_for_ever(means);
}

static void one_that_a_debugger_stopped_waits_for_it(void **state) {
  struct means traced = {0};
  pid_t tracer, pid = start(pause_for_ever, &traced);

  (void)state;
  need_calls();
  traced.pid = pid;
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0L, 0L, 0L);
  tracer = start(trace, &traced);
  look_for(pid, SAFE_WAITS_DEBUGGER);
  assert_int_equal(scene.wants[0].other, tracer);
  assert_int_equal(scene.wants[0].thread, pid);
  assert_int_equal(scene.actors[0].state, 't');
}

/* ---- Threads. */

static void *read_a_byte(void *argument) {
  struct means *means = argument;
  char byte;

  while (read(means->fd, &byte, 1) != 1) continue;
  return NULL;
}

static void end_but_leave_a_thread(struct means *means) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, read_a_byte, means) != 0) _exit(1);
  syscall(SYS_exit, 0); /* this thread alone */
}

static void the_first_thread_may_end_before_the_others(void **state) {
  struct means pipe_end = {0};
  int ends[2];
  pid_t pid;

  (void)state;
  need_calls();
  assert_int_equal(pipe(ends), 0);
  pipe_end.fd = ends[0];
  pid = start(end_but_leave_a_thread, &pipe_end);
  look_for(pid, SAFE_WAITS_INPUT);
  assert_int_equal(scene.actors[0].state, 'S');
  assert_int_not_equal(scene.wants[0].thread, pid);
  expect_object(&scene.wants[0], SAFE__OBJECT_PIPE, ends[0]);
  close(ends[0]);
  close(ends[1]);
}

static void flock_beside_a_reader(struct means *means) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, read_a_byte, means) != 0) _exit(1);
  flock(means->other, LOCK_EX);
  pause_for_ever(means);
}

static void two_threads_wait_for_two_things(void **state) {
  int own = open("two", O_RDWR | O_CREAT, 0600), others = open("two", O_RDWR), ends[2];
  struct means both = {0};
  const struct safe__want *lock, *input;
  int64_t deadline = now_ms() + 5000 * slowness();
  pid_t pid;

  (void)state;
  need_calls();
  assert_int_equal(flock(own, LOCK_EX), 0);
  assert_int_equal(pipe(ends), 0);
  both.fd = ends[0];
  both.other = others;
  pid = start(flock_beside_a_reader, &both);
  lock = look_until(pid, 2, SAFE_WAITS_LOCK);
  while (scene.wants[1].waits != SAFE_WAITS_INPUT && now_ms() < deadline) lock = look_until(pid, 2, SAFE_WAITS_LOCK);
  input = lock + 1;
  assert_int_equal(input->waits, SAFE_WAITS_INPUT);
  assert_int_equal(lock->thread, pid);
  assert_int_not_equal(input->thread, pid);
  expect_object(lock, SAFE__OBJECT_FILE, own);
  expect_object(input, SAFE__OBJECT_PIPE, ends[0]);
  close(own);
  close(others);
  close(ends[0]);
  close(ends[1]);
}

/* ---- Locks. */

static void ask_flock(struct means *means) { flock(means->fd, means->other); }

static void ask_record(struct means *means) {
  struct flock range = {.l_type = (short)means->timeout, .l_whence = SEEK_SET};

  fcntl(means->fd, means->other, &range);
}

static void expect_lock(void (*ask)(struct means *means), struct means *means, int own, int32_t method, int32_t mode) {
  const struct safe__want *want;
  pid_t pid = start(ask, means);

  want = look_for(pid, SAFE_WAITS_LOCK);
  expect_plain(want, pid, means->fd, -1);
  expect_object(want, SAFE__OBJECT_FILE, own);
  assert_int_equal(want->method, method);
  assert_int_equal(want->mode, mode);
  assert_non_null(strstr(scene.objects[want->object].name, "/asked"));
  safe__scene_free(&scene);
  end_subjects(NULL);
}

static void one_that_asks_for_a_lock_waits_for_it(void **state) {
  int own = open("asked", O_RDWR | O_CREAT, 0600), others = open("asked", O_RDWR);
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  struct means means = {.fd = others};

  (void)state;
  need_calls();
  assert_int_equal(flock(own, LOCK_EX), 0);
  means.other = LOCK_EX;
  expect_lock(ask_flock, &means, own, SAFE_METHOD_FLOCK, SAFE_LOCK_EXCLUSIVE);
  means.other = LOCK_SH;
  expect_lock(ask_flock, &means, own, SAFE_METHOD_FLOCK, SAFE_LOCK_SHARED);
  assert_int_equal(flock(own, LOCK_UN), 0);
  assert_int_equal(fcntl(own, F_OFD_SETLK, &whole), 0);
  means.other = F_OFD_SETLKW;
  means.timeout = F_WRLCK;
  expect_lock(ask_record, &means, own, SAFE_METHOD_OFD, SAFE_LOCK_EXCLUSIVE);
  means.timeout = F_RDLCK;
  expect_lock(ask_record, &means, own, SAFE_METHOD_OFD, SAFE_LOCK_SHARED);
  means.other = F_SETLKW;
  expect_lock(ask_record, &means, own, SAFE_METHOD_POSIX, SAFE_LOCK_SHARED);
  close(own);
  close(others);
}

static void lock_by_the_library(struct means *means) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
  safe_lock *lock;

  options.timeout_ms = means->timeout;
  options.method = means->other;
  safe_lock_file(&lock, "library", &options, NULL);
  pause_for_ever(means);
}

/* The helper that asks for it is no process of its own in this. */
static void our_own_wait_for_a_lock_is_one(void **state) {
  int own = open("library", O_RDWR | O_CREAT, 0600);
  struct means means = {.timeout = 60000, .other = SAFE_METHOD_FLOCK};
  const struct safe__want *want;
  pid_t pid;

  (void)state;
  need_calls();
  assert_int_equal(flock(own, LOCK_EX), 0);
  pid = start(lock_by_the_library, &means);
  want = look_for(pid, SAFE_WAITS_LOCK);
  assert_int_equal(want->pid, pid);
  assert_int_equal(want->thread, pid);
  assert_int_equal(want->handle, -1);
  assert_int_equal(want->method, SAFE_METHOD_FLOCK);
  expect_object(want, SAFE__OBJECT_FILE, own);
  assert_true(want->limit_ms > 50000 && want->limit_ms <= 60000 + 1000);
  close(own);
}

/* ---- Children. */

static void wait_for_it(struct means *means) {
  siginfo_t info;
  pid_t child = fork();

  if (child == 0) pause_for_ever(means);
  if (means->other == 0)
    waitpid(child, NULL, 0);
  else if (means->other == 1)
    waitpid(-1, NULL, 0);
  else if (means->other == 2)
    waitid((idtype_t)SAFE__P_PIDFD, (id_t)safe__pidfd_open(child), &info, WEXITED | WNOWAIT);
  else if (means->other == 3)
    waitid(P_PID, (id_t)child, &info, WEXITED);
  else if (means->other == 4)
    waitid(P_PID, (id_t)child, &info, WSTOPPED);
}

static pid_t only_child_of(pid_t pid) {
  int64_t child = 0;

  assert_int_equal(safe__look_children_of(pid, pid, &child, 1), 1);
  return (pid_t)child;
}

static void end_with_child(pid_t pid) {
  pid_t child = only_child_of(pid);

  end_subjects(NULL);
  kill(child, SIGKILL);
}

static void one_that_waits_for_a_child_does_so(void **state) {
  struct means means = {0};
  const struct safe__want *want;
  pid_t pid;

  (void)state;
  need_calls();
  for (means.other = 0; means.other < 4; means.other++) {
    if (means.other == 2 && safe__pidfd_open(getpid()) < 0) continue;
    pid = start(wait_for_it, &means);
    want = look_for(pid, SAFE_WAITS_CHILD);
    assert_int_equal(want->other, means.other == 1 ? SAFE__ANY_CHILD : only_child_of(pid));
    assert_int_equal(want->thread, pid);
    assert_int_equal(want->limit_ms, -1);
    assert_true(means.other == 2 ? want->handle >= 0 : want->handle == -1);
    end_with_child(pid);
  }
  means.other = 4;
  pid = start(wait_for_it, &means);
  want = look_for(pid, SAFE_WAITS_OTHER);
  assert_string_equal(want->what, "a child to stop, or to go on");
  end_with_child(pid);
}

static void children_are_found(void **state) {
  struct means means = {.other = 1};
  pid_t pid, child;

  (void)state;
  need_calls();
  pid = start(wait_for_it, &means);
  look_for(pid, SAFE_WAITS_CHILD);
  child = only_child_of(pid);
  safe__os_look_children(&scene, pid, safe__deadline(2000));
  assert_int_equal(scene.actor_count, 2);
  assert_int_equal(scene.actors[1].pid, child);
  assert_int_equal(scene.actors[1].parent, pid);
  end_with_child(pid);
}

static void vfork_and_stay(struct means *means) {
  (void)means;
  if (vfork() == 0)
    for (;;) syscall(SYS_rt_sigsuspend, (long)0, 8L);
}

static void one_whose_vforked_child_does_not_exec_waits_for_it(void **state) {
  struct means none = {0};
  const struct safe__want *want;
  pid_t pid, child;

  (void)state;
  need_calls();
  pid = start(vfork_and_stay, &none);
  want = look_for(pid, SAFE_WAITS_CHILD);
  child = only_child_of(pid);
  assert_int_equal(want->other, child);
  assert_int_equal(scene.actors[0].state, 'D');
  kill(child, SIGKILL);
}

/* ---- Pipes. */

static void read_byte(struct means *means) { read_a_byte(means); }

static void write_for_ever(struct means *means) {
  static const char zeroes[4096];

  for (;;)
    if (write(means->fd, zeroes, sizeof(zeroes)) < 0) _exit(1);
}

static bool has_end(const struct safe__object *object, pid_t pid, int fd, int32_t role) {
  size_t at;

  for (at = 0; at < object->holders.count; at++) {
    const safe_holder *holder = &object->holders.items[at];
    if (holder->pid == pid && holder->handle == fd && holder->role == role) return true;
  }
  return false;
}

static const struct safe__object *examined(const struct safe__want *want) {
  int32_t object = want->object;

  safe__look_pipe(&scene, object, safe__deadline(5000 * slowness()));
  assert_true(scene.objects[object].examined);
  return &scene.objects[object];
}

/* Among those who could write is the reader itself, which has inherited that end. */
static void a_reader_waits_for_the_writers_of_its_pipe(void **state) {
  const struct safe__object *object;
  const struct safe__want *want;
  struct means means = {0};
  pid_t pid, idle;
  int ends[2];

  (void)state;
  need_calls();
  assert_int_equal(pipe(ends), 0);
  means.fd = ends[0];
  idle = start(pause_for_ever, &means);
  pid = start(read_byte, &means);
  want = look_for(pid, SAFE_WAITS_INPUT);
  expect_plain(want, pid, ends[0], -1);
  expect_object(want, SAFE__OBJECT_PIPE, ends[0]);
  object = examined(want);
  assert_int_equal(object->holders.count, 6);
  assert_true(has_end(object, pid, ends[1], SAFE__END_WRITES) && has_end(object, pid, ends[0], SAFE__END_READS));
  assert_true(has_end(object, idle, ends[1], SAFE__END_WRITES) && has_end(object, idle, ends[0], SAFE__END_READS));
  assert_true(has_end(object, getpid(), ends[1], SAFE__END_WRITES));
  assert_true(has_end(object, getpid(), ends[0], SAFE__END_READS));
  close(ends[0]);
  close(ends[1]);
}

static void a_writer_waits_for_room(void **state) {
  const struct safe__object *object;
  const struct safe__want *want;
  struct means means = {0};
  pid_t pid;
  int ends[2];

  (void)state;
  need_calls();
  assert_int_equal(pipe(ends), 0);
  means.fd = ends[1];
  pid = start(write_for_ever, &means);
  close(ends[1]);
  want = look_for(pid, SAFE_WAITS_ROOM);
  assert_int_equal(want->handle, ends[1]);
  object = examined(want);
  assert_int_equal(object->holders.count, 3);
  assert_true(has_end(object, getpid(), ends[0], SAFE__END_READS));
  assert_true(has_end(object, pid, ends[1], SAFE__END_WRITES));
  assert_true(has_end(object, pid, ends[0], SAFE__END_READS));
  close(ends[0]);
}

/* A FIFO that is open for both, under another name in another folder. */
static void a_fifo_is_a_pipe_too(void **state) {
  const struct safe__object *object;
  const struct safe__want *want;
  struct means means = {0};
  pid_t pid;
  int both;

  (void)state;
  need_calls();
  unlink("queue");
  assert_int_equal(mkfifo("queue", 0600), 0);
  both = open("queue", O_RDWR);
  means.fd = open("queue", O_RDONLY);
  pid = start(read_byte, &means);
  want = look_for(pid, SAFE_WAITS_INPUT);
  assert_int_equal(want->handle, means.fd);
  expect_object(want, SAFE__OBJECT_PIPE, both);
  object = examined(want);
  assert_int_equal(object->holders.count, 6);
  assert_true(has_end(object, getpid(), both, SAFE__END_WRITES) && has_end(object, getpid(), both, SAFE__END_READS));
  assert_true(has_end(object, pid, both, SAFE__END_WRITES));
  assert_true(has_end(object, pid, means.fd, SAFE__END_READS));
  assert_false(has_end(object, pid, means.fd, SAFE__END_WRITES));
  close(both);
  close(means.fd);
}

static void open_fifo(struct means *means) {
  (void)means;
  open("partner", O_RDONLY);
}

static void splice_all(struct means *means) {
  while (splice(means->fd, NULL, means->other, NULL, 4096, 0) > 0) continue;
}

static void splice_waits_at_one_of_its_ends(void **state) {
  static const char zeroes[4096];
  struct means means = {0};
  const struct safe__want *want;
  int from[2], to[2];
  pid_t pid;

  (void)state;
  need_calls();
  assert_int_equal(pipe(from), 0);
  assert_int_equal(pipe(to), 0);
  means.fd = from[0];
  means.other = to[1];
  pid = start(splice_all, &means);
  want = look_for(pid, SAFE_WAITS_INPUT);
  expect_object(want, SAFE__OBJECT_PIPE, from[0]);
  fcntl(to[1], F_SETFL, O_NONBLOCK);
  while (write(to[1], zeroes, sizeof(zeroes)) > 0) continue;
  fcntl(to[1], F_SETFL, 0);
  assert_int_equal(write(from[1], "x", 1), 1);
  want = look_for(pid, SAFE_WAITS_ROOM);
  expect_object(want, SAFE__OBJECT_PIPE, to[1]);
  close(from[0]), close(from[1]), close(to[0]), close(to[1]);
}

/* ---- poll and its relatives. */

static void poll_it(struct means *means) {
  struct pollfd polled[2] = {{means->fd, POLLIN, 0}, {means->other, POLLOUT, 0}};

  poll(polled, 2, means->timeout);
}

static void ppoll_it(struct means *means) {
  struct pollfd polled[2] = {{means->fd, POLLIN, 0}, {means->other, POLLOUT, 0}};
  struct timespec time = {means->timeout / 1000, (long)(means->timeout % 1000) * 1000000};

  ppoll(polled, 2, means->timeout < 0 ? NULL : &time, NULL);
}

static void select_it(struct means *means) {
  struct timeval time = {means->timeout / 1000, (long)(means->timeout % 1000) * 1000};
  fd_set input, room;

  FD_ZERO(&input);
  FD_ZERO(&room);
  FD_SET(means->fd, &input);
  FD_SET(means->other, &room);
  select((means->fd > means->other ? means->fd : means->other) + 1, &input, &room, NULL,
         means->timeout < 0 ? NULL : &time);
}

static void pselect_it(struct means *means) {
  struct timespec time = {means->timeout / 1000, (long)(means->timeout % 1000) * 1000000};
  fd_set input, room;

  FD_ZERO(&input);
  FD_ZERO(&room);
  FD_SET(means->fd, &input);
  FD_SET(means->other, &room);
  pselect((means->fd > means->other ? means->fd : means->other) + 1, &input, &room, NULL,
          means->timeout < 0 ? NULL : &time, NULL);
}

static void epoll_it(struct means *means) {
  struct epoll_event input = {.events = EPOLLIN}, room = {.events = EPOLLOUT}, got;
  int inner = epoll_create1(0), outer = epoll_create1(0);

  epoll_ctl(inner, EPOLL_CTL_ADD, means->fd, &input);
  epoll_ctl(inner, EPOLL_CTL_ADD, means->other, &room);
  epoll_ctl(outer, EPOLL_CTL_ADD, inner, &input); /* what is in an instance that is in another one counts */
  epoll_wait(outer, &got, 1, means->timeout);
}

/* For input of one pipe, or room in another one that is full. */
static void expect_polled(void (*run)(struct means *means), int64_t limit) {
  static const char zeroes[4096];
  struct means means = {.timeout = (int)limit};
  int first, quiet[2], full[2];
  pid_t pid;

  assert_int_equal(pipe(quiet), 0);
  assert_int_equal(pipe2(full, O_NONBLOCK), 0);
  while (write(full[1], zeroes, sizeof(zeroes)) > 0) continue;
  means.fd = quiet[0];
  means.other = full[1];
  pid = start(run, &means);
  look_until(pid, 2, -1);
  first = scene.wants[0].waits == SAFE_WAITS_INPUT ? 0 : 1; /* an epoll instance sorts them by their addresses */
  assert_int_equal(scene.wants[first].waits, SAFE_WAITS_INPUT);
  expect_plain(&scene.wants[first], pid, quiet[0], limit);
  expect_object(&scene.wants[first], SAFE__OBJECT_PIPE, quiet[0]);
  assert_int_equal(scene.wants[1 - first].waits, SAFE_WAITS_ROOM);
  expect_plain(&scene.wants[1 - first], pid, full[1], limit);
  expect_object(&scene.wants[1 - first], SAFE__OBJECT_PIPE, full[1]);
  safe__scene_free(&scene);
  end_subjects(NULL);
  close(quiet[0]), close(quiet[1]), close(full[0]), close(full[1]);
}

static void what_is_polled_are_alternatives(void **state) {
  static void (*const ways[])(struct means * means) = {poll_it, ppoll_it, select_it, pselect_it, epoll_it};
  size_t way;

  (void)state;
  need_calls();
  for (way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
    expect_polled(ways[way], -1);
    expect_polled(ways[way], 66500);
  }
}

static void poll_process(struct means *means) {
  struct pollfd polled[2] = {{safe__pidfd_open(means->pid), POLLIN, 0}, {means->fd, POLLIN, 0}};

  poll(polled, means->fd < 0 ? 1 : 2, means->timeout);
}

static void epoll_process(struct means *means) {
  struct epoll_event input = {.events = EPOLLIN}, got;
  int epoll = epoll_create1(0);

  epoll_ctl(epoll, EPOLL_CTL_ADD, safe__pidfd_open(means->pid), &input);
  epoll_wait(epoll, &got, 1, means->timeout);
}

static void a_polled_pidfd_is_a_process_that_is_waited_for(void **state) {
  struct means means = {.fd = -1, .timeout = -1};
  const struct safe__want *wants;
  int event = eventfd(0, 0), own = safe__pidfd_open(getpid());
  pid_t pid;

  (void)state;
  need_calls();
  if (own < 0) {
    print_message("skipped: there are no pidfds\n");
    skip();
  }
  close(own);
  means.pid = start(pause_for_ever, &means);
  pid = start(poll_process, &means);
  assert_int_equal(look_for(pid, SAFE_WAITS_CHILD)->other, means.pid);
  assert_int_equal(scene.wants[0].limit_ms, -1);
  pid = start(epoll_process, &means);
  assert_int_equal(look_for(pid, SAFE_WAITS_CHILD)->other, means.pid);
  means.fd = event;
  means.timeout = 70000;
  pid = start(poll_process, &means);
  wants = look_until(pid, 2, SAFE_WAITS_CHILD);
  assert_int_equal(wants[0].other, means.pid);
  assert_int_equal(wants[0].limit_ms, 70000);
  assert_int_equal(wants[1].waits, SAFE_WAITS_OTHER);
  assert_string_equal(wants[1].what, "an eventfd");
  assert_int_equal(wants[1].limit_ms, 70000);
  assert_int_equal(wants[1].handle, event);
  close(event);
}

static void wait_by_the_library(struct means *means) {
  const char *argv[] = {"sleep", "1000", NULL};
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
  safe_process *process;

  (void)means;
  options.argv = argv;
  if (safe_spawn(&process, &options, NULL) == SAFE_OK) safe_process_wait(process, NULL, NULL, NULL);
}

static void our_own_wait_for_a_child_is_one(void **state) {
  struct means none = {0};
  pid_t pid, child;

  (void)state;
  need_calls();
  pid = start(wait_by_the_library, &none);
  look_for(pid, SAFE_WAITS_CHILD);
  child = only_child_of(pid);
  assert_int_equal(scene.wants[0].other, child);
  end_subjects(NULL);
  kill(child, SIGKILL);
}

/* poll after SIGSTOP and SIGCONT goes on as restart_syscall(2). */
static void a_poll_that_goes_on_is_still_one(void **state) {
  struct means means = {.timeout = 70000};
  int ends[2];
  pid_t pid;

  (void)state;
  need_calls();
  assert_int_equal(pipe(ends), 0);
  means.fd = ends[0];
  means.other = -1;
  pid = start(poll_it, &means);
  look_for(pid, SAFE_WAITS_INPUT);
  kill(pid, SIGSTOP);
  look_for(pid, SAFE_WAITS_CONTINUE);
  kill(pid, SIGCONT);
  look_for(pid, SAFE_WAITS_INPUT);
  assert_int_equal(scene.wants[0].limit_ms, 70000);
  close(ends[0]);
  close(ends[1]);
}

/* ---- Other waits. */

static void wait_for_futex(struct means *means) {
  struct timespec time = {means->timeout / 1000, 0};
  int word = 0;

  syscall(SYS_futex, &word, means->other, 0, means->timeout < 0 ? NULL : &time, NULL, 0);
}

static void sleep_long(struct means *means) {
  struct timespec time = {means->timeout / 1000, 0};

  nanosleep(&time, NULL);
}

static void receive(struct means *means) {
  char byte;

  if (recv(means->fd, &byte, 1, 0) < 0) _exit(1);
}

static void wait_for_signal(struct means *means) {
  sigset_t none;

  (void)means;
  sigemptyset(&none);
  sigsuspend(&none);
}

static const struct safe__want *expect_other(void (*run)(struct means *means), struct means *means, const char *what,
                                             int64_t limit) {
  pid_t pid = start(run, means);
  const struct safe__want *want = look_for(pid, SAFE_WAITS_OTHER);
  int64_t deadline = now_ms() + 5000 * slowness();

  while (strcmp(want->what, what) != 0 && now_ms() < deadline) want = look_for(pid, SAFE_WAITS_OTHER);
  assert_string_equal(want->what, what);
  assert_int_equal(want->limit_ms, limit);
  assert_int_equal(want->thread, pid);
  return want;
}

static void other_waits_are_named(void **state) {
  struct means means = {.timeout = -1};
  int pair[2];

  (void)state;
  need_calls();
  assert_int_equal(expect_other(wait_for_futex, &means, "another thread, by a futex", -1)->other, 0);
  means.timeout = 80000;
  means.other = FUTEX_PRIVATE_FLAG;
  expect_other(wait_for_futex, &means, "another thread, by a futex", 80000);
  assert_int_equal(scene.wants[0].other, scene.wants[0].pid);
  expect_other(sleep_long, &means, "a timer", 80000);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  means.fd = pair[0];
  expect_other(receive, &means, "a socket", -1);
  expect_other(read_byte, &means, "a socket", -1);
  expect_other(wait_for_signal, &means, "a signal", -1);
  unlink("partner");
  assert_int_equal(mkfifo("partner", 0600), 0);
  expect_other(open_fifo, &means, "another process to open the FIFO", -1);
  close(pair[0]);
  close(pair[1]);
}

/* ---- A file system that does not go on. */

static int frozen = -1;

/* FIFREEZE or FITHAW; by a raw call, as musl's ioctl takes an int that they do not fit into. */
static bool order(int fd, unsigned long what) { return safe__raw6(SYS_ioctl, fd, (long)what, 0, 0, 0, 0) == 0; }

static void write_to_it(struct means *means) {
  if (pwrite(means->fd, "x", 1, 0) != 1) _exit(1);
}

static int thaw(void **state) {
  if (frozen >= 0) {
    order(frozen, FITHAW);
    close(frozen);
    frozen = -1;
  }
  tear_down(state);
  umount2("frozen", MNT_DETACH);
  return 0;
}

/* Even if the test itself is killed: when the pipe's other end closes. */
static void thaw_at_the_end(int watch, int own) {
  char byte;

  if (fork() != 0) return;
  close(own);
  setsid();
  while (read(watch, &byte, 1) < 0 && errno == EINTR) continue;
  order(frozen, FITHAW);
  umount2("frozen", MNT_DETACH);
  _exit(0);
}

static void one_in_the_kernel_is_stuck_if_it_stays_there(void **state) {
  struct means first = {0}, second = {0};
  int64_t before, alone, both;
  int watch[2];
  pid_t one, other;

  (void)state;
  need_calls(); /* an emulator does not know FIFREEZE */
  mkdir("frozen", 0700);
  if (geteuid() != 0 ||
      system("exec >/dev/null 2>&1; PATH=$PATH:/sbin:/usr/sbin; rm -f image && truncate -s 8M image && "
             "mkfs.ext4 -q -F image && mount -o loop image frozen") != 0) {
    print_message("skipped: no file system of our own can be mounted here\n");
    skip();
  }
  first.fd = open("frozen/one", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  second.fd = open("frozen/two", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  frozen = open("frozen", O_RDONLY | O_CLOEXEC);
  assert_true(first.fd >= 0 && second.fd >= 0 && frozen >= 0);
  assert_int_equal(pipe2(watch, O_CLOEXEC), 0);
  thaw_at_the_end(watch[0], watch[1]);
  assert_true(order(frozen, FIFREEZE));
  one = start(write_to_it, &first);
  other = start(write_to_it, &second);
  look_for(one, SAFE_WAITS_KERNEL);
  look_for(other, SAFE_WAITS_KERNEL);
  assert_int_equal(scene.actors[0].state, 'D');
  assert_int_equal(scene.wants[0].thread, other);
  assert_true(strlen(scene.wants[0].what) > 0);
  assert_string_equal(scene.wants[0].what, scene.actors[0].channel);
  /* One pause serves both. */
  safe__scene_free(&scene);
  before = now_ms();
  safe__os_look_process(&scene, one, safe__deadline(5000));
  alone = now_ms() - before;
  safe__os_look_process(&scene, other, safe__deadline(5000));
  both = now_ms() - before;
  assert_int_equal(scene.want_count, 2);
  assert_int_equal(scene.wants[1].waits, SAFE_WAITS_KERNEL);
  assert_true(alone >= 45);
  assert_true(both - alone < 40 * slowness());
  /* Without the time for a second look nothing is claimed. */
  safe__scene_free(&scene);
  safe__os_look_process(&scene, one, safe__deadline(20));
  assert_int_equal(scene.want_count, 1);
  assert_int_equal(scene.wants[0].waits, SAFE_WAITS_OTHER);
  assert_int_equal(scene.unknown_count, 1);
  close(watch[1]);
  close(first.fd);
  close(second.fd);
}

/* ---- Rights. */

static void look_as_nobody(struct means *means) {
  if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(2);
  safe__os_look_process(&scene, means->pid, safe__deadline(2000 * slowness()));
  if (scene.actor_count != 1 || scene.actors[0].state != 'S' || !scene.actors[0].hidden) _exit(3);
  if (scene.want_count != 1 || scene.wants[0].waits != SAFE_WAITS_OTHER) _exit(4);
  if (scene.unknown_count != 1 || strstr(scene.unknown[0], "may not see") == NULL) _exit(5);
  safe__os_look_process(&scene, means->other, safe__deadline(2000 * slowness())); /* stopped: that anybody may know */
  if (scene.actor_count != 2 || scene.actors[1].state != 'T' || scene.want_count != 2) _exit(6);
  if (scene.wants[1].waits != SAFE_WAITS_CONTINUE) _exit(7);
}

static void a_user_sees_of_roots_processes_what_he_may(void **state) {
  struct means means = {0};
  int status;
  pid_t pid;

  (void)state;
  need_calls();
  if (geteuid() != 0) {
    print_message("skipped: only root has another user to be\n");
    skip();
  }
  means.pid = start(wait_for_signal, &means);
  means.other = start(stop_oneself, &means);
  look_for((pid_t)means.other, SAFE_WAITS_CONTINUE);
  look_for(means.pid, SAFE_WAITS_OTHER);
  safe__scene_free(&scene);
  pid = start(look_as_nobody, &means);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  subject_count--;
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- The look itself. */

static void a_thousand_looks_leave_nothing(void **state) {
  struct means means = {.timeout = -1};
  int at, before, ends[2];
  pid_t pid;

  (void)state;
  assert_int_equal(pipe(ends), 0);
  means.fd = ends[0];
  means.other = -1;
  pid = start(poll_it, &means);
  sleep_ms(20);
  assert_code(safe_shutdown(1000 * slowness()), SAFE_OK);
  before = count_handles();
  for (at = 0; at < 1000; at++) look_once(pid);
  safe__scene_free(&scene);
  assert_code(safe_shutdown(1000 * slowness()), SAFE_OK); /* with the helper, which is kept for the next look */
  assert_int_equal(count_handles(), before);
  close(ends[0]);
  close(ends[1]);
}

/* What it shows of its processes is no call of theirs. */
static void an_emulator_is_not_believed(void **state) {
  struct means end = {0};
  int ends[2];
  size_t at;
  pid_t pid;

  (void)state;
  if (safe__look_knows_calls(&scene)) {
    print_message("skipped: there is no emulator\n");
    skip();
  }
  assert_int_equal(pipe(ends), 0);
  end.fd = ends[0];
  pid = start(read_byte, &end);
  sleep_ms(100 * slowness());
  look_once(pid);
  assert_true(scene.want_count > 0); /* the emulator has threads of its own */
  for (at = 0; at < scene.want_count; at++) assert_int_equal(scene.wants[at].waits, SAFE_WAITS_OTHER);
  assert_int_equal(scene.unknown_count, 1);
  assert_non_null(strstr(scene.unknown[0], "cannot be told"));
  assert_int_equal(scene.object_count, 0);
  close(ends[0]);
  close(ends[1]);
}

#define LOOK(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
    LOOK(a_process_that_is_not_there_is_gone),
    LOOK(one_that_runs_waits_for_nothing),
    LOOK(a_zombie_waits_for_its_parent),
    LOOK(one_that_is_stopped_waits_to_be_continued),
    LOOK(one_that_a_debugger_stopped_waits_for_it),
    LOOK(the_first_thread_may_end_before_the_others),
    LOOK(two_threads_wait_for_two_things),
    LOOK(one_that_asks_for_a_lock_waits_for_it),
    LOOK(our_own_wait_for_a_lock_is_one),
    LOOK(one_that_waits_for_a_child_does_so),
    LOOK(children_are_found),
    LOOK(one_whose_vforked_child_does_not_exec_waits_for_it),
    LOOK(a_reader_waits_for_the_writers_of_its_pipe),
    LOOK(a_writer_waits_for_room),
    LOOK(a_fifo_is_a_pipe_too),
    LOOK(splice_waits_at_one_of_its_ends),
    LOOK(what_is_polled_are_alternatives),
    LOOK(a_polled_pidfd_is_a_process_that_is_waited_for),
    LOOK(our_own_wait_for_a_child_is_one),
    LOOK(a_poll_that_goes_on_is_still_one),
    LOOK(other_waits_are_named),
    cmocka_unit_test_setup_teardown(one_in_the_kernel_is_stuck_if_it_stays_there, set_up, thaw),
    LOOK(a_user_sees_of_roots_processes_what_he_may),
    LOOK(a_thousand_looks_leave_nothing),
    LOOK(an_emulator_is_not_believed),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
