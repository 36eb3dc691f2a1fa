/* SPDX-License-Identifier: MIT */
#include "look_subject.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- Processes to look at: killed and reaped after each test. */

#define MOST_SUBJECTS 32

static pid_t subjects[MOST_SUBJECTS];
static size_t subject_count;

int end_subjects(void **state) {
  (void)state;
  while (subject_count > 0) {
    pid_t pid = subjects[--subject_count];
    kill(pid, SIGKILL);
    kill(pid, SIGCONT);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  }
  return 0;
}

pid_t start_subject(void (*run)(struct means *means), struct means *means) {
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

void pause_for_ever(struct means *means) {
  (void)means;
  for (;;) pause();
}

void forget_subject(void) { subject_count--; }

void read_byte(struct means *means) {
  char byte;

  while (read(means->fd, &byte, 1) != 1) continue;
}

pid_t only_child_of(pid_t pid) {
  int64_t child = 0;

  assert_int_equal(safe__look_children_of(pid, pid, &child, 1), 1);
  return (pid_t)child;
}

/* ---- Looking. */

struct safe__scene scene;

int look_set_up(void **state) {
  (void)state;
  safe__scene_init(&scene);
  return 0;
}

int look_tear_down(void **state) {
  safe__scene_free(&scene);
  return end_subjects(state);
}

void need_calls(void) {
  bool known = safe__look_knows_calls(&scene);

  safe__scene_free(&scene);
  if (known) return;
  print_message("skipped: an emulator shows its own system calls\n");
  skip();
}

void look_once(pid_t pid) {
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
const struct safe__want *look_until(pid_t pid, size_t count, int32_t waits) {
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

const struct safe__want *look_for(pid_t pid, int32_t waits) { return look_until(pid, 1, waits); }

void expect_plain(const struct safe__want *want, pid_t pid, int64_t handle, int64_t limit) {
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

void expect_object(const struct safe__want *want, enum safe__object_kind kind, int fd) {
  struct stat status;

  assert_int_equal(fstat(fd, &status), 0);
  assert_true(want->object >= 0 && (size_t)want->object < scene.object_count);
  assert_int_equal(scene.objects[want->object].kind, kind);
  assert_true(scene.objects[want->object].id.low == status.st_ino);
  if (kind == SAFE__OBJECT_FILE)
    assert_true(scene.objects[want->object].id.volume == ((uint64_t)major(status.st_dev) << 32 | minor(status.st_dev)));
}
