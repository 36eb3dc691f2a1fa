/* SPDX-License-Identifier: MIT */
/*
 * What the guard process itself runs: in a copy of a host that may have had threads, with all signals blocked, and so
 * plain system calls only, see child_calls.h.
 *
 * It reaps whatever comes back to it. The child it does not: waitpid(-1) does not see a process with a descriptor, and
 * the descriptor is the host's.
 */
#include <sys/types.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/event.h>
#include <sys/procctl.h>
#include <sys/procdesc.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "pass_descriptor.h"
#include "usage.h"

struct guard {
  const struct safe__guard_post *post;
  pid_t child;
  int procdesc; /* until the host has said that the child may stay; then -1 */
  int queue;
  bool released;
};

static _Noreturn void fail(const struct safe__guard_post *post, int os_code) {
  struct safe__guard_answer answer = {SAFE_STAGE_GUARD, os_code, 0};

  safe__descriptor_send(post->socket, &answer, sizeof(answer), -1);
  _exit(0);
}

/* ---- The tree. */

#define AT_A_TIME 128

static bool belongs(const struct guard *guard, pid_t pid) {
  if (guard->post->group == SAFE_GROUP_HOST) return pid == guard->child;
  if (guard->post->keeping != SAFE_TREE_GROUP) return true;
  return getpgid(pid) == guard->child || (guard->post->group == SAFE_GROUP_SESSION && getsid(pid) == guard->child);
}

/*
 * How many of the tree are left, as far as can be seen at a time. A number that is listed can be nobody else's if it is
 * of a child of our own, as only we reap those; for the others, whose parents are there to reap them, that is so but
 * for the microseconds until the signal. Never PROC_REAP_KILL for all of the tree: it stops each process first, and so
 * waits for one that is in an uninterruptible sleep (kern_procctl.c: reap_kill_proc_locked).
 */
static int count_tree(const struct guard *guard, int signal) {
  struct procctl_reaper_pidinfo found[AT_A_TIME];
  struct procctl_reaper_pids order;
  int at, count = 0;

  memset(found, 0, sizeof(found));
  memset(&order, 0, sizeof(order));
  order.rp_count = AT_A_TIME;
  order.rp_pids = found;
  if (procctl(P_PID, 0, PROC_REAP_GETPIDS, &order) != 0) return 0;
  for (at = 0; at < AT_A_TIME && (found[at].pi_flags & REAPER_PIDINFO_VALID) != 0; at++) {
    if (!belongs(guard, found[at].pi_pid)) continue;
    count++;
    if (signal != 0) kill(found[at].pi_pid, signal);
  }
  return count;
}

static void reap(const struct guard *guard) {
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  /* The host has let go of it, or a forked copy of the host keeps its descriptor. */
  if (guard->released) waitpid(guard->child, NULL, WNOHANG);
}

#define ROUNDS 1000 /* then one is in an uninterruptible sleep */

static _Noreturn void end_tree(struct guard *guard) {
  struct timespec pause = {0, 1000000};
  int rounds;

  guard->released = true;
  for (rounds = 0; count_tree(guard, SIGKILL) > 0; rounds++) {
    if (rounds == ROUNDS) pause.tv_nsec = 100000000;
    nanosleep(&pause, NULL);
    reap(guard);
  }
  _exit(0);
}

/* ---- Orders. */

static void release(struct guard *guard) {
  if (guard->procdesc >= 0) { /* it has not begun its program, or so it seems to the host */
    pdkill(guard->procdesc, SIGKILL);
    _exit(0);
  }
  if (!guard->post->dies) _exit(0);
  guard->released = true;
}

static void tell_usage(const struct guard *guard) {
  struct safe__usage usage = {-1, -1, -1};

  safe__usage_of(guard->child, &usage);
  safe__descriptor_send(guard->post->socket, &usage, sizeof(usage), -1);
}

static void take_order(struct guard *guard) {
  struct kevent forget;
  char order = SAFE__GUARD_RELEASE; /* nobody has the other end any more */

  if (read(guard->post->socket, &order, 1) < 0) order = SAFE__GUARD_RELEASE;
  switch (order) {
  case SAFE__GUARD_KEEP:
    close(guard->procdesc);
    guard->procdesc = -1;
    break;
  case SAFE__GUARD_USAGE:
    tell_usage(guard);
    break;
  default:
    release(guard);
    EV_SET(&forget, (uintptr_t)guard->post->socket, EVFILT_READ, EV_DELETE, 0, 0, NULL);
    kevent(guard->queue, &forget, 1, NULL, 0, NULL);
    break;
  }
}

static void host_gone(struct guard *guard) {
  if (guard->post->dies) end_tree(guard);
  release(guard);
}

/* A released guard looks again after so long at the latest: the end of a child that init has is not told to us. */
static _Noreturn void serve(struct guard *guard) {
  static const struct timespec second = {1, 0};
  struct kevent event;
  int count;

  for (;;) {
    count = kevent(guard->queue, NULL, 0, &event, 1, guard->released ? &second : NULL);
    if (count > 0 && event.filter == EVFILT_PROC) host_gone(guard);
    if (count > 0 && event.filter == EVFILT_READ) take_order(guard);
    reap(guard);
    if (guard->released && count_tree(guard, 0) == 0) _exit(0);
  }
}

/* ---- Coming to be. */

/* The host's end is watched, and not whose child we are: the host may close our descriptor by calling exec, which makes
   us init's though it lives. */
static int watch(const struct safe__guard_post *post) {
  struct kevent changes[3];
  int queue = kqueue();

  if (queue < 0) fail(post, errno);
  EV_SET(&changes[0], (uintptr_t)post->host, EVFILT_PROC, EV_ADD, NOTE_EXIT, 0, NULL);
  EV_SET(&changes[1], (uintptr_t)post->socket, EVFILT_READ, EV_ADD, 0, 0, NULL);
  EV_SET(&changes[2], SIGCHLD, EVFILT_SIGNAL, EV_ADD, 0, 0, NULL);
  if (kevent(queue, changes, 3, NULL, 0, NULL) != 0) fail(post, errno);
  return queue;
}

static void close_others(const int keep[3]) {
  int at, next, from = 0;

  for (;;) {
    next = -1;
    for (at = 0; at < 3; at++)
      if (keep[at] >= from && (next < 0 || keep[at] < next)) next = keep[at];
    if (next < 0) break;
    if (next > from) close_range((unsigned)from, (unsigned)next - 1, 0);
    from = next + 1;
  }
  close_range((unsigned)from, ~0u, 0);
}

/* Only once the child has been made, which is to have the host's group and folder. A group of our own, so that who
   kills the host's does not kill us; but not a session: a group whose leader's parent is in another one is an orphaned
   group to the terminal. */
static void settle_down(const struct guard *guard) {
  const int keep[3] = {guard->post->socket, guard->procdesc, guard->queue};
  struct sigaction action;

  setpgid(0, 0);
  chdir("/");
  memset(&action, 0, sizeof(action));
  action.sa_handler = SIG_DFL; /* ignored, it would give what we are to reap to init */
  syscall(SYS_sigaction, SIGCHLD, &action, NULL);
  close_others(keep);
}

_Noreturn void safe__guard_serve(const struct safe__guard_post *post) {
  struct guard guard = {post, 0, -1, -1, false};
  struct safe__guard_answer answer = {0, 0, 0};

  if (procctl(P_PID, 0, PROC_REAP_ACQUIRE, NULL) != 0) fail(post, errno);
  guard.queue = watch(post);
  guard.child = syscall(SYS_pdfork, &guard.procdesc, PD_CLOEXEC | PD_DAEMON);
  if (guard.child == 0) _exit(safe__child_run(post->plan));
  if (guard.child < 0) fail(post, errno);
  settle_down(&guard);
  answer.child = guard.child;
  safe__descriptor_send(post->socket, &answer, sizeof(answer),
                        guard.procdesc); /* if in vain, the socket's end follows */
  serve(&guard);
}
