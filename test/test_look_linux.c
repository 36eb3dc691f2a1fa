/* SPDX-License-Identifier: MIT */
/* What is seen on Linux of processes and of what their threads wait for: real ones, each made to wait. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "look_subject.h"

/* ---- The process itself. */

static void a_process_that_is_not_there_is_gone(void **state) {
  struct means none = {0};
  pid_t pid = start_subject(pause_for_ever, &none);

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
  pid = start_subject(spin, &none);
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
  pid_t pid = start_subject(exit_now, &none);

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
  pid_t pid = start_subject(stop_oneself, &none);

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
  pid_t tracer, pid = start_subject(pause_for_ever, &traced);

  (void)state;
  need_calls();
  traced.pid = pid;
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0L, 0L, 0L);
  tracer = start_subject(trace, &traced);
  look_for(pid, SAFE_WAITS_DEBUGGER);
  assert_int_equal(scene.wants[0].other, tracer);
  assert_int_equal(scene.wants[0].thread, pid);
  assert_int_equal(scene.actors[0].state, 't');
}

/* ---- Threads. */

static void *read_aside(void *means) {
  read_byte(means);
  return NULL;
}

static void end_but_leave_a_thread(struct means *means) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, read_aside, means) != 0) _exit(1);
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
  pid = start_subject(end_but_leave_a_thread, &pipe_end);
  look_for(pid, SAFE_WAITS_INPUT);
  assert_int_equal(scene.actors[0].state, 'S');
  assert_int_not_equal(scene.wants[0].thread, pid);
  expect_object(&scene.wants[0], SAFE__OBJECT_PIPE, ends[0]);
  close(ends[0]);
  close(ends[1]);
}

static void flock_beside_a_reader(struct means *means) {
  pthread_t thread;

  if (pthread_create(&thread, NULL, read_aside, means) != 0) _exit(1);
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
  pid = start_subject(flock_beside_a_reader, &both);
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
  pid_t pid = start_subject(ask, means);

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
  pid = start_subject(lock_by_the_library, &means);
  want = look_for(pid, SAFE_WAITS_LOCK);
  assert_int_equal(want->pid, pid);
  assert_int_equal(want->thread, pid);
  assert_int_equal(want->handle, -1);
  assert_int_equal(want->method, SAFE_METHOD_FLOCK);
  expect_object(want, SAFE__OBJECT_FILE, own);
  assert_true(want->limit_ms > 50000 && want->limit_ms <= 60000 + 1000);
  close(own);
}

static void lock_with_a_signal(struct means *means) {
  safe_use_signal(SIGRTMAX - 3);
  lock_by_the_library(means);
}

/* Of these the call itself has no time. */
static void our_own_wait_by_ring_or_signal_has_its_limit(void **state) {
  void (*const ways[])(struct means * means) = {lock_by_the_library, lock_with_a_signal};
  int own = open("library", O_RDWR | O_CREAT, 0600);
  struct means means = {.timeout = 60000, .other = SAFE_METHOD_OFD};
  struct flock range = {.l_type = F_WRLCK};
  const struct safe__want *want;
  size_t at;

  (void)state;
  need_calls();
  assert_int_equal(fcntl(own, F_OFD_SETLK, &range), 0);
  for (at = 0; at < 2; at++) {
    want = look_for(start_subject(ways[at], &means), SAFE_WAITS_LOCK);
    assert_int_equal(want->method, SAFE_METHOD_OFD);
    assert_true(want->limit_ms > 50000 && want->limit_ms <= 60000 + 1000);
    end_subjects(NULL);
  }
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
    pid = start_subject(wait_for_it, &means);
    want = look_for(pid, SAFE_WAITS_CHILD);
    assert_int_equal(want->other, means.other == 1 ? SAFE__ANY_CHILD : only_child_of(pid));
    assert_int_equal(want->thread, pid);
    assert_int_equal(want->limit_ms, -1);
    assert_true(means.other == 2 ? want->handle >= 0 : want->handle == -1);
    end_with_child(pid);
  }
  means.other = 4;
  pid = start_subject(wait_for_it, &means);
  want = look_for(pid, SAFE_WAITS_OTHER);
  assert_string_equal(want->what, "a child to stop, or to go on");
  end_with_child(pid);
}

static void children_are_found(void **state) {
  struct means means = {.other = 1};
  pid_t pid, child;

  (void)state;
  need_calls();
  pid = start_subject(wait_for_it, &means);
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
  pid = start_subject(vfork_and_stay, &none);
  want = look_for(pid, SAFE_WAITS_CHILD);
  child = only_child_of(pid);
  assert_int_equal(want->other, child);
  assert_int_equal(scene.actors[0].state, 'D');
  kill(child, SIGKILL);
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

static void open_fifo(struct means *means) {
  (void)means;
  open("partner", O_RDONLY);
}

static const struct safe__want *expect_other(void (*run)(struct means *means), struct means *means, const char *what,
                                             int64_t limit) {
  pid_t pid = start_subject(run, means);
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
  means.pid = start_subject(wait_for_signal, &means);
  means.other = start_subject(stop_oneself, &means);
  look_for((pid_t)means.other, SAFE_WAITS_CONTINUE);
  look_for(means.pid, SAFE_WAITS_OTHER);
  safe__scene_free(&scene);
  pid = start_subject(look_as_nobody, &means);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  forget_subject();
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- The look itself. */

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
  pid = start_subject(read_byte, &end);
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
    LOOK(our_own_wait_by_ring_or_signal_has_its_limit),
    LOOK(one_that_waits_for_a_child_does_so),
    LOOK(children_are_found),
    LOOK(one_whose_vforked_child_does_not_exec_waits_for_it),
    LOOK(other_waits_are_named),
    LOOK(a_user_sees_of_roots_processes_what_he_may),
    LOOK(an_emulator_is_not_believed),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
