/* SPDX-License-Identifier: MIT */
/*
 * poll and its relatives wait for any of several things: one want each. What poll and select look at is in the
 * process's memory; an epoll instance has it in its fdinfo.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>

#include "look.h"

#define MOST_POLLED 64
#define DEEPEST 3 /* epoll instances in one another */

#define FOR_INPUT (POLLIN | POLLRDNORM)
#define FOR_ROOM (POLLOUT | POLLWRNORM)

static void look_at_epoll(struct safe__looker *looker, int number, int64_t limit_ms, int depth);

static void finish(struct safe__want *want, int number, int64_t limit_ms) {
  if (want == NULL) return;
  want->handle = number;
  want->limit_ms = limit_ms;
}

static void want_pipe(struct safe__looker *looker, const struct safe__waitable *waitable, int32_t waits, int number,
                      int64_t limit_ms) {
  int32_t object = safe__scene_object(looker->scene, SAFE__OBJECT_PIPE, &waitable->id, waitable->name);
  struct safe__want *want = safe__look_want(looker, waits);

  if (want != NULL) want->object = object;
  finish(want, number, limit_ms);
}

static void want_process(struct safe__looker *looker, const struct safe__waitable *waitable, int number,
                         int64_t limit_ms) {
  struct safe__want *want;

  if (waitable->pid > 0) {
    want = safe__look_want(looker, SAFE_WAITS_CHILD);
    if (want != NULL) want->other = waitable->pid;
  } else {
    want = safe__look_other(looker, "a process that cannot be seen", limit_ms);
  }
  finish(want, number, limit_ms);
}

static void want_polled(struct safe__looker *looker, int number, unsigned events, int64_t limit_ms, int depth) {
  struct safe__waitable waitable;

  safe__look_descriptor(looker, number, &waitable);
  if (waitable.kind == SAFE__IS_PIPE && (events & (FOR_INPUT | FOR_ROOM)) != 0) {
    if ((events & FOR_INPUT) != 0) want_pipe(looker, &waitable, SAFE_WAITS_INPUT, number, limit_ms);
    if ((events & FOR_ROOM) != 0) want_pipe(looker, &waitable, SAFE_WAITS_ROOM, number, limit_ms);
  } else if (waitable.kind == SAFE__IS_PIPE) {
    finish(safe__look_other(looker, "the other end of a pipe to be closed", limit_ms), number, limit_ms);
  } else if (waitable.kind == SAFE__IS_PIDFD && (events & FOR_INPUT) != 0) {
    want_process(looker, &waitable, number, limit_ms);
  } else if (waitable.kind == SAFE__IS_EPOLL && (events & FOR_INPUT) != 0 && depth < DEEPEST) {
    look_at_epoll(looker, number, limit_ms, depth + 1);
  } else {
    finish(safe__look_other(looker, waitable.words != NULL ? waitable.words : waitable.name, limit_ms), number,
           limit_ms);
  }
}

static void say_many(struct safe__looker *looker, int64_t limit_ms) {
  safe__look_other(looker, "one of many descriptors", limit_ms);
  safe__scene_unknown(looker->scene, "Process %lld waits for more descriptors than were looked at.",
                      (long long)looker->pid);
}

static void say_unreadable(struct safe__looker *looker, int64_t limit_ms) {
  safe__look_other(looker, "some of its descriptors", limit_ms);
  safe__scene_unknown(looker->scene, "Which descriptors process %lld waits for could not be read from its memory.",
                      (long long)looker->pid);
}

/* A wait for nothing is one for the time. */
static void want_time_alone(struct safe__looker *looker, size_t first, int64_t limit_ms) {
  if (looker->scene->want_count == first) safe__look_other(looker, "a timer", limit_ms);
}

/* ---- poll. */

static void look_at_polled(struct safe__looker *looker, int64_t limit_ms) {
  uint64_t at, count = looker->arguments[1];
  size_t first = looker->scene->want_count;
  struct pollfd polled[MOST_POLLED];

  if (count > MOST_POLLED) {
    say_many(looker, limit_ms);
    count = MOST_POLLED;
  }
  if (count > 0 &&
      !safe__peek_memory(looker->peek, looker->from, looker->arguments[0], polled, (size_t)count * sizeof(polled[0]))) {
    say_unreadable(looker, limit_ms);
    return;
  }
  for (at = 0; at < count; at++)
    if (polled[at].fd >= 0) want_polled(looker, polled[at].fd, (unsigned short)polled[at].events, limit_ms, 0);
  want_time_alone(looker, first, limit_ms);
}

void safe__look_poll(struct safe__looker *looker) {
  int timeout = (int)looker->arguments[2];

  look_at_polled(looker, timeout < 0 ? -1 : timeout);
}

void safe__look_ppoll(struct safe__looker *looker) {
  look_at_polled(looker, safe__look_time(looker, looker->arguments[2], false));
}

/* ---- select. */

static bool read_set(struct safe__looker *looker, uint64_t address, size_t size, fd_set *set) {
  FD_ZERO(set);
  return address == 0 || safe__peek_memory(looker->peek, looker->from, address, set, size);
}

static void look_at_sets(struct safe__looker *looker, int64_t limit_ms) {
  int number, count = (int)looker->arguments[0], found = 0;
  size_t first = looker->scene->want_count, size;
  fd_set input, room, other;
  unsigned events;

  if (count > FD_SETSIZE) count = FD_SETSIZE; /* larger sets than libc's have to be asked for */
  size = ((size_t)count + 8 * sizeof(long) - 1) / (8 * sizeof(long)) * sizeof(long);
  if (!read_set(looker, looker->arguments[1], size, &input) || !read_set(looker, looker->arguments[2], size, &room) ||
      !read_set(looker, looker->arguments[3], size, &other)) {
    say_unreadable(looker, limit_ms);
    return;
  }
  for (number = 0; number < count; number++) {
    events = (FD_ISSET(number, &input) ? FOR_INPUT : 0) | (FD_ISSET(number, &room) ? FOR_ROOM : 0);
    if (events == 0 && !FD_ISSET(number, &other)) continue;
    if (found++ == MOST_POLLED) {
      say_many(looker, limit_ms);
      break;
    }
    want_polled(looker, number, events, limit_ms, 0);
  }
  want_time_alone(looker, first, limit_ms);
}

void safe__look_select(struct safe__looker *looker) {
  look_at_sets(looker, safe__look_time(looker, looker->arguments[4], true));
}

void safe__look_pselect(struct safe__looker *looker) {
  look_at_sets(looker, safe__look_time(looker, looker->arguments[4], false));
}

/* ---- epoll. */

/* A number may be another file's by now, while the one that is waited for lives on under another number. */
static bool is_still(struct safe__looker *looker, int number, unsigned long long inode) {
  struct safe__waitable waitable;

  safe__look_descriptor(looker, number, &waitable);
  return waitable.kind != SAFE__IS_PIPE || waitable.id.low == inode;
}

static void look_at_epoll(struct safe__looker *looker, int number, int64_t limit_ms, int depth) {
  size_t first = looker->scene->want_count;
  char name[32], *text = safe__alloc(SAFE__PEEK_BYTES), *at;
  unsigned long long inode;
  unsigned events;
  int target, found = 0;

  snprintf(name, sizeof(name), "fdinfo/%d", number);
  if (text == NULL || safe__peek_proc(looker->peek, looker->from, looker->task, name, text, SAFE__PEEK_BYTES) <= 0) {
    safe__free(text);
    say_unreadable(looker, limit_ms);
    return;
  }
  for (at = strstr(text, "tfd:"); at != NULL; at = strstr(at + 1, "\ntfd:")) {
    inode = 0;
    if (sscanf(at + strspn(at, "\n"), "tfd: %d events: %x data: %*x pos:%*d ino:%llx", &target, &events, &inode) < 2)
      continue;
    if (found++ == MOST_POLLED) {
      say_many(looker, limit_ms);
      break;
    }
    if (inode == 0 || is_still(looker, target, inode))
      want_polled(looker, target, events & (FOR_INPUT | FOR_ROOM), limit_ms, depth);
    else
      finish(safe__look_other(looker, "a descriptor that was closed", limit_ms), target, limit_ms);
  }
  safe__free(text);
  want_time_alone(looker, first, limit_ms);
}

void safe__look_epoll(struct safe__looker *looker) {
  int timeout = (int)looker->arguments[3];

  look_at_epoll(looker, (int)looker->arguments[0], timeout < 0 ? -1 : timeout, 0);
}

void safe__look_epoll2(struct safe__looker *looker) {
  look_at_epoll(looker, (int)looker->arguments[0], safe__look_time(looker, looker->arguments[3], false), 0);
}
