/* SPDX-License-Identifier: MIT */
/*
 * What a thread waits for, by the system call that it is in: /proc/PID/task/TID/syscall has its number and arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kernel.h"
#include "look.h"
#include "old_calls.h"
#include "shared_stack.h"

/* ---- The call. */

static bool parse(struct safe__looker *looker, const char *text, uint64_t *stack) {
  char *end;
  int at;

  memset(looker->arguments, 0, sizeof(looker->arguments));
  looker->call = strtoll(text, &end, 10);
  if (end == text) return false;
  for (at = 0; looker->call >= 0 && at < 6; at++) looker->arguments[at] = strtoull(end, &end, 16);
  *stack = strtoull(end, &end, 16);
  return true;
}

/* A call of ours is seen as what it is, unless another processor is played to us. */
static bool sees_own_call(void) {
  struct safe__looker self = {0};
  char text[256];
  uint64_t stack;
  int64_t thread = safe__raw6(SYS_gettid, 0, 0, 0, 0, 0, 0);

  return safe__proc_read(safe__os_self(), thread, "syscall", text, sizeof(text)) > 0 && parse(&self, text, &stack) &&
         self.call == SYS_read && self.arguments[1] == (uint64_t)(uintptr_t)text &&
         self.arguments[2] == sizeof(text) - 1;
}

bool safe__look_knows_calls(struct safe__scene *scene) {
  struct safe__look *look = safe__look_of(scene);

  if (look == NULL) return false;
  if (look->calls == SAFE__UNTRIED) look->calls = sees_own_call() ? SAFE__KNOWN : SAFE__FOREIGN;
  if (look->calls == SAFE__FOREIGN)
    safe__scene_unknown(scene, "Which system calls processes wait in cannot be told here.");
  return look->calls == SAFE__KNOWN;
}

/* A process of the other size of word has other numbers. Its stack tells: a 64-bit one's is never in the lowest 4 GiB
   but by intent, and then nothing is known of it. */
static bool has_our_words(uint64_t stack) { return (stack >> 32 != 0) == (sizeof(long) == 8); }

bool safe__look_call(struct safe__looker *looker, int *os_code) {
  char text[256];
  uint64_t stack;
  long length;

  looker->call = -1;
  *os_code = 0;
  length = safe__peek_proc(looker->peek, looker->from, looker->task, "syscall", text, sizeof(text));
  if (length <= 0) {
    *os_code = length < 0 ? (int)-length : ESRCH;
    return false;
  }
  if (strncmp(text, "running", 7) == 0) *os_code = EAGAIN;
  if (!parse(looker, text, &stack) || looker->call < 0) return false;
  if (!safe__look_knows_calls(looker->scene) || !has_our_words(stack)) looker->call = -1;
  return looker->call >= 0;
}

bool safe__look_is_vfork(const struct safe__looker *looker) {
  if (looker->call == SYS_vfork) return true;
  return looker->call == SYS_clone || looker->call == SYS_clone3;
}

/* ---- Times of an end. */

static int64_t now_ms(clockid_t clock) {
  struct timespec now;

  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* How long a wait until then is, from its beginning, if that is known. */
static int64_t until(const struct safe__looker *looker, int64_t at, clockid_t clock) {
  int64_t left = at - now_ms(clock);
  int64_t passed = looker->since_ms > 0 ? now_ms(CLOCK_REALTIME) - looker->since_ms : 0;

  if (at < 0) return -1;
  return left + passed > 0 ? left + passed : 0;
}

/* ---- Locks. */

static bool is_lock_command(uint64_t command) { return command == F_SETLKW || command == F_OFD_SETLKW; }

bool safe__look_asks_for_lock(const struct safe__looker *looker) {
  if (looker->call == SYS_flock) return (looker->arguments[1] & LOCK_NB) == 0;
  return looker->call == SYS_fcntl && is_lock_command(looker->arguments[1]);
}

static struct safe__want *want_lock(struct safe__looker *looker, int32_t method, int32_t mode) {
  int number = (int)looker->arguments[0];
  char name[256] = "";
  int32_t object = safe__look_locked_file(looker, number, name, sizeof(name));
  struct safe__want *want = safe__look_want(looker, SAFE_WAITS_LOCK);

  if (want == NULL) return NULL;
  want->object = object;
  want->method = method;
  want->mode = mode;
  want->handle = number;
  snprintf(want->what, sizeof(want->what), "%.*s", (int)sizeof(want->what) - 1, name);
  return want;
}

static void look_at_flock(struct safe__looker *looker) {
  want_lock(looker, SAFE_METHOD_FLOCK, (looker->arguments[1] & LOCK_EX) != 0 ? SAFE_LOCK_EXCLUSIVE : SAFE_LOCK_SHARED);
}

/* Of a thread of a process with this library, which something takes out of its wait in time; -1: nothing does. False:
   it is no such thread. */
static bool noted_limit(struct safe__looker *looker, uint64_t address, int64_t *limit) {
  static const struct safe__wait_note own = {SAFE__WAIT_NOTE_MAGIC, 0};
  struct safe__wait_note note;

  if (!safe__peek_memory(looker->peek, looker->from, address, &note, sizeof(note)) ||
      memcmp(note.magic, own.magic, sizeof(note.magic)) != 0)
    return false;
  *limit = note.deadline == SAFE__NEVER ? -1 : until(looker, note.deadline / 1000000, CLOCK_MONOTONIC);
  return true;
}

static void look_at_fcntl(struct safe__looker *looker) {
  int32_t method = looker->arguments[1] == F_SETLKW ? SAFE_METHOD_POSIX : SAFE_METHOD_OFD, mode = -1;
  struct safe__want *want;
  struct flock range;

  if (!is_lock_command(looker->arguments[1])) {
    safe__look_other(looker, NULL, -1);
    return;
  }
  if (safe__peek_memory(looker->peek, looker->from, looker->arguments[2], &range, sizeof(range)))
    mode = range.l_type == F_RDLCK ? SAFE_LOCK_SHARED : range.l_type == F_WRLCK ? SAFE_LOCK_EXCLUSIVE : -1;
  want = want_lock(looker, method, mode);
  if (want != NULL && method == SAFE_METHOD_OFD)
    noted_limit(looker, looker->arguments[2] + sizeof(range), &want->limit_ms);
}

/* ---- Children. */

static void want_child(struct safe__looker *looker, int64_t other, int64_t handle) {
  struct safe__want *want = safe__look_want(looker, SAFE_WAITS_CHILD);

  if (want == NULL) return;
  want->other = other > 0 ? other : SAFE__ANY_CHILD;
  want->handle = handle;
}

static void look_at_wait4(struct safe__looker *looker) { want_child(looker, (int32_t)looker->arguments[0], -1); }

static void look_at_waitid(struct safe__looker *looker) {
  int number = (int)looker->arguments[1];
  struct safe__waitable waitable;

  if ((looker->arguments[3] & WEXITED) == 0) {
    safe__look_other(looker, "a child to stop, or to go on", -1);
  } else if (looker->arguments[0] == SAFE__P_PIDFD) {
    safe__look_descriptor(looker, number, &waitable);
    want_child(looker, waitable.pid, number);
  } else {
    want_child(looker, looker->arguments[0] == P_PID ? number : SAFE__ANY_CHILD, -1);
  }
}

/* ---- Reading and writing. */

static void want_of(struct safe__looker *looker, int number, int32_t waits) {
  struct safe__waitable waitable;
  struct safe__want *want;
  int32_t object;

  safe__look_descriptor(looker, number, &waitable);
  if (waitable.kind == SAFE__IS_PIPE) {
    object = safe__scene_object(looker->scene, SAFE__OBJECT_PIPE, &waitable.id, waitable.name);
    want = safe__look_want(looker, waits);
    if (want != NULL) want->object = object;
  } else {
    want = safe__look_other(looker, waitable.words != NULL ? waitable.words : waitable.name, -1);
  }
  if (want != NULL) want->handle = number;
}

static void look_at_read(struct safe__looker *looker) { want_of(looker, (int)looker->arguments[0], SAFE_WAITS_INPUT); }

static void look_at_write(struct safe__looker *looker) { want_of(looker, (int)looker->arguments[0], SAFE_WAITS_ROOM); }

/* It waits for input before it takes any, and then for room: where, its wait channel tells (pipe_wait_readable and
   _writable of fs/pipe.c, 5.10), or else that only one of them is a pipe. */
static void look_at_splice_of(struct safe__looker *looker, int from, int to) {
  struct safe__waitable source;
  bool room = strstr(looker->channel, "writable") != NULL;

  safe__look_descriptor(looker, from, &source);
  if (!room && strstr(looker->channel, "pipe") != NULL) room = source.kind != SAFE__IS_PIPE;
  if (room)
    want_of(looker, to, SAFE_WAITS_ROOM);
  else
    want_of(looker, from, SAFE_WAITS_INPUT);
}

static void look_at_splice(struct safe__looker *looker) {
  look_at_splice_of(looker, (int)looker->arguments[0], (int)looker->arguments[2]);
}

static void look_at_tee(struct safe__looker *looker) {
  look_at_splice_of(looker, (int)looker->arguments[0], (int)looker->arguments[1]);
}

static void look_at_sendfile(struct safe__looker *looker) {
  look_at_splice_of(looker, (int)looker->arguments[1], (int)looker->arguments[0]);
}

/* ---- Time. */

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13 /* 5.14 */
#endif

int64_t safe__look_time(struct safe__looker *looker, uint64_t address, bool microseconds) {
  long time[2]; /* struct timespec, and timeval, of the calls that are looked at here */
  int64_t unit = microseconds ? 1000 : 1000000;

  if (address == 0 || !safe__peek_memory(looker->peek, looker->from, address, time, sizeof(time)) || time[0] < 0)
    return -1;
  if (time[0] > INT64_MAX / 2000) return -1; /* for ever, as good as */
  return (int64_t)time[0] * 1000 + (time[1] + unit - 1) / unit;
}

#define WORD_TO_NOTE (offsetof(struct safe__shared_stack, note) - offsetof(struct safe__shared_stack, word))

/* Of those that wait, all but FUTEX_WAIT take the time of the end; the rest has no time there. */
static int64_t futex_limit(struct safe__looker *looker, int command) {
  bool real = (looker->arguments[1] & FUTEX_CLOCK_REALTIME) != 0 || command == FUTEX_LOCK_PI;
  int64_t time;

  if (command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET && command != FUTEX_LOCK_PI &&
      command != FUTEX_WAIT_REQUEUE_PI && command != FUTEX_LOCK_PI2)
    return -1;
  /* A wait for a helper, which is interrupted to have it look whether the lock passes by. */
  if (command == FUTEX_WAIT && noted_limit(looker, looker->arguments[0] + WORD_TO_NOTE, &time)) return time;
  time = safe__look_time(looker, looker->arguments[3], false);
  return command == FUTEX_WAIT ? time : until(looker, time, real ? CLOCK_REALTIME : CLOCK_MONOTONIC);
}

static bool has_time(const struct safe__looker *looker, int command) {
  return !(command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET || command == FUTEX_LOCK_PI ||
           command == FUTEX_WAIT_REQUEUE_PI || command == FUTEX_LOCK_PI2) ||
         looker->arguments[3] != 0;
}

/* pthread_join of glibc: the word has the other thread's number until the kernel clears it (CLONE_CHILD_CLEARTID),
   which wakes without FUTEX_PRIVATE_FLAG (mm_release, kernel/fork.c). */
static bool is_join(const struct safe__looker *looker, int command) {
  int64_t thread = (int32_t)looker->arguments[2];
  char path[64];

  if ((command != FUTEX_WAIT && command != FUTEX_WAIT_BITSET) || thread <= 0 || thread == looker->thread) return false;
  snprintf(path, sizeof(path), "/proc/%lld/task/%lld", (long long)looker->pid, (long long)thread);
  return access(path, F_OK) == 0;
}

/* A private one none but its own threads can wake, or a handler of signals of its own (sem_post(3)). Our helpers share
   their memory, but are waited for without that flag, and are seen in its stead. */
static void look_at_futex(struct safe__looker *looker) {
  int command = (int)looker->arguments[1] & FUTEX_CMD_MASK;
  int64_t limit = futex_limit(looker, command);
  struct safe__want *want = safe__look_other(looker, "another thread, by a futex", limit);

  if (want == NULL) return;
  if ((looker->arguments[1] & FUTEX_PRIVATE_FLAG) == 0 && !is_join(looker, command)) return;
  want->other = looker->pid;
  want->within = !has_time(looker, command) && !safe__look_may_be_signalled(looker);
}

static void look_at_nanosleep(struct safe__looker *looker) {
  safe__look_other(looker, "a timer", safe__look_time(looker, looker->arguments[0], false));
}

static void look_at_clock_nanosleep(struct safe__looker *looker) {
  int64_t time = safe__look_time(looker, looker->arguments[2], false);
  clockid_t clock = (clockid_t)looker->arguments[0];

  if ((looker->arguments[1] & TIMER_ABSTIME) != 0)
    time = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ? until(looker, time, clock) : -1;
  safe__look_other(looker, "a timer", time);
}

/* After SIGCONT some calls go on by another number, with the arguments that they had: which, only the place tells. */
static void look_at_restarted(struct safe__looker *looker) {
  if (strstr(looker->channel, "poll") != NULL)
    safe__look_poll(looker);
  else if (strstr(looker->channel, "futex") != NULL)
    look_at_futex(looker);
  else if (strstr(looker->channel, "nanosleep") != NULL)
    safe__look_other(looker, "a timer", -1);
  else
    safe__look_other(looker, NULL, -1);
}

/* ---- Which call is what. */

static const struct {
  long number;
  void (*look)(struct safe__looker *looker);
  const char *words; /* where there is no function */
} calls[] = {
  {SYS_fcntl, look_at_fcntl, NULL},
  {SYS_flock, look_at_flock, NULL},
  {SYS_wait4, look_at_wait4, NULL},
  {SYS_waitid, look_at_waitid, NULL},
  {SYS_read, look_at_read, NULL},
  {SYS_readv, look_at_read, NULL},
  {SYS_pread64, look_at_read, NULL},
  {SYS_preadv, look_at_read, NULL},
  {SYS_preadv2, look_at_read, NULL},
  {SYS_write, look_at_write, NULL},
  {SYS_writev, look_at_write, NULL},
  {SYS_pwrite64, look_at_write, NULL},
  {SYS_pwritev, look_at_write, NULL},
  {SYS_pwritev2, look_at_write, NULL},
  {SYS_vmsplice, look_at_write, NULL},
  {SYS_splice, look_at_splice, NULL},
  {SYS_tee, look_at_tee, NULL},
  {SYS_sendfile, look_at_sendfile, NULL},
  {SYS_poll, safe__look_poll, NULL},
  {SYS_select, safe__look_select, NULL},
  {SYS_epoll_wait, safe__look_epoll, NULL},
  {SYS_pause, NULL, "a signal"},
  {SYS_ppoll, safe__look_ppoll, NULL},
  {SYS_pselect6, safe__look_pselect, NULL},
  {SYS_epoll_pwait, safe__look_epoll, NULL},
  {441 /* SYS_epoll_pwait2, 5.11 */, safe__look_epoll2, NULL},
  {SYS_futex, look_at_futex, NULL},
  {449 /* SYS_futex_waitv, 5.16 */, NULL, "another thread, by a futex"},
  {SYS_nanosleep, look_at_nanosleep, NULL},
  {SYS_clock_nanosleep, look_at_clock_nanosleep, NULL},
  {SYS_restart_syscall, look_at_restarted, NULL},
  {SYS_rt_sigsuspend, NULL, "a signal"},
  {SYS_rt_sigtimedwait, NULL, "a signal"},
  {SYS_accept, NULL, "a socket"},
  {SYS_accept4, NULL, "a socket"},
  {SYS_connect, NULL, "a socket"},
  {SYS_recvfrom, NULL, "a socket"},
  {SYS_recvmsg, NULL, "a socket"},
  {SYS_recvmmsg, NULL, "a socket"},
  {SYS_sendto, NULL, "a socket"},
  {SYS_sendmsg, NULL, "a socket"},
  {SYS_sendmmsg, NULL, "a socket"},
  {SYS_io_getevents, NULL, "asynchronous I/O"},
  {426 /* SYS_io_uring_enter, 5.1 */, NULL, "io_uring"},
  {SYS_semtimedop, NULL, "a semaphore"},
  {SYS_semop, NULL, "a semaphore"},
  {SYS_msgrcv, NULL, "a message queue"},
  {SYS_msgsnd, NULL, "a message queue"},
  {SYS_mq_timedreceive, NULL, "a message queue"},
  {SYS_mq_timedsend, NULL, "a message queue"},
};

/* What the call itself does not tell. */
static const char *place_in_words(const struct safe__looker *looker) {
  static const struct {
    const char *channel, *words;
  } places[] = {
    {"wait_for_partner", "another process to open the FIFO"},     /* fs/pipe.c, of open(2) */
    {"request_wait_answer", "the program of a FUSE file system"}, /* fs/fuse/dev.c */
  };
  size_t at;

  for (at = 0; at < sizeof(places) / sizeof(places[0]); at++)
    if (strcmp(looker->channel, places[at].channel) == 0) return places[at].words;
  return NULL;
}

void safe__look_wait(struct safe__looker *looker) {
  size_t at;

  for (at = 0; at < sizeof(calls) / sizeof(calls[0]); at++) {
    if (looker->call != calls[at].number) continue;
    if (calls[at].look != NULL)
      calls[at].look(looker);
    else
      safe__look_other(looker, calls[at].words, -1);
    return;
  }
  safe__look_other(looker, place_in_words(looker), -1);
}
