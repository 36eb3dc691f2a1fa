/* SPDX-License-Identifier: MIT */
/* What is seen on Linux of processes that wait with pipes and pidfds: in read and write, and in poll and its relatives.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "look_subject.h"

/* ---- Pipes. */

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
  idle = start_subject(pause_for_ever, &means);
  pid = start_subject(read_byte, &means);
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
  pid = start_subject(write_for_ever, &means);
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
  pid = start_subject(read_byte, &means);
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
  pid = start_subject(splice_all, &means);
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
  pid = start_subject(run, &means);
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
  means.pid = start_subject(pause_for_ever, &means);
  pid = start_subject(poll_process, &means);
  assert_int_equal(look_for(pid, SAFE_WAITS_CHILD)->other, means.pid);
  assert_int_equal(scene.wants[0].limit_ms, -1);
  pid = start_subject(epoll_process, &means);
  assert_int_equal(look_for(pid, SAFE_WAITS_CHILD)->other, means.pid);
  means.fd = event;
  means.timeout = 70000;
  pid = start_subject(poll_process, &means);
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
  pid = start_subject(wait_by_the_library, &none);
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
  pid = start_subject(poll_it, &means);
  look_for(pid, SAFE_WAITS_INPUT);
  kill(pid, SIGSTOP);
  look_for(pid, SAFE_WAITS_CONTINUE);
  kill(pid, SIGCONT);
  look_for(pid, SAFE_WAITS_INPUT);
  assert_int_equal(scene.wants[0].limit_ms, 70000);
  close(ends[0]);
  close(ends[1]);
}

static void a_thousand_looks_leave_nothing(void **state) {
  struct means means = {.timeout = -1};
  int at, before, ends[2];
  pid_t pid;

  (void)state;
  assert_int_equal(pipe(ends), 0);
  means.fd = ends[0];
  means.other = -1;
  pid = start_subject(poll_it, &means);
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

int main(void) {
  const struct CMUnitTest tests[] = {
    LOOK(a_reader_waits_for_the_writers_of_its_pipe),
    LOOK(a_writer_waits_for_room),
    LOOK(a_fifo_is_a_pipe_too),
    LOOK(splice_waits_at_one_of_its_ends),
    LOOK(what_is_polled_are_alternatives),
    LOOK(a_polled_pidfd_is_a_process_that_is_waited_for),
    LOOK(our_own_wait_for_a_child_is_one),
    LOOK(a_poll_that_goes_on_is_still_one),
    LOOK(a_thousand_looks_leave_nothing),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
