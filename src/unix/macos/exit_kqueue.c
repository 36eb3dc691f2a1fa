/* SPDX-License-Identifier: MIT */
/* How a child's end is waited for, its status read, and its number given back. */
#include "exit_kqueue.h"

#include <errno.h>
#include <libproc.h>
#include <mach/mach_time.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child_exit.h"
#include "child_release.h"
#include "exit_status.h"
#include "poll_wait.h"
#include "tree.h"

#define STEP_MS 5    /* between two looks where there is no kqueue */
#define EXITING_MS 1 /* the notice comes shortly before the zombie (kern_exit.c: proc_exit) */

int safe__watch_exit(pid_t pid) {
  struct kevent event;
  int queue = kqueue();

  if (queue < 0) return -1;
  EV_SET(&event, (uintptr_t)pid, EVFILT_PROC, EV_ADD, NOTE_EXIT | NOTE_EXITSTATUS, 0, NULL);
  if (kevent(queue, &event, 1, NULL, 0, NULL) == 0) return queue;
  close(queue);
  return -1;
}

/* Somebody else reaped it, or SIGCHLD is ignored: the notice of its exit carries the status. It can be fetched once;
   another event takes its place, so that the queue stays readable. */
static void ask_queue(int queue, safe_exit *exit) {
  static const struct timespec no_time = {0, 0};
  struct kevent event, again[2];

  if (queue < 0 || kevent(queue, NULL, 0, &event, 1, &no_time) != 1) return;
  if (event.filter == EVFILT_PROC && (event.fflags & NOTE_EXITSTATUS) != 0)
    safe__exit_from_status((int)event.data & 0xffff, exit);
  EV_SET(&again[0], 1, EVFILT_USER, EV_ADD, 0, 0, NULL);
  EV_SET(&again[1], 1, EVFILT_USER, 0, NOTE_TRIGGER, 0, NULL);
  kevent(queue, again, 2, NULL, 0, NULL);
}

static void from_siginfo(const siginfo_t *info, safe_exit *exit) {
  if (info->si_code == CLD_EXITED) {
    exit->kind = SAFE_EXIT_CODE;
    exit->code = info->si_status & 0xff; /* the upper bits are the kernel's own (kern_exit.c: p_xhighbits) */
  } else {
    exit->kind = SAFE_EXIT_SIGNAL;
    exit->signal = info->si_status & 0x7f;
    exit->core = info->si_code == CLD_DUMPED;
  }
}

static int64_t microseconds(uint64_t ticks) {
  mach_timebase_info_data_t base;

  if (mach_timebase_info(&base) != KERN_SUCCESS || base.denom == 0) return -1;
  return (int64_t)((double)ticks * base.numer / base.denom / 1000);
}

/* The kernel keeps it with the zombie (kern_resource.c: proc_get_rusage). Its times are in ticks of the clock, which
   are nanoseconds on Intel's machines only. */
static void add_usage(pid_t pid, safe_exit *exit) {
  struct rusage_info_v4 used;

  if (proc_pid_rusage(pid, RUSAGE_INFO_V4, (rusage_info_t *)&used) != 0) return;
  exit->user_us = microseconds(used.ri_user_time + used.ri_child_user_time);
  exit->system_us = microseconds(used.ri_system_time + used.ri_child_system_time);
  exit->peak_memory = (int64_t)used.ri_lifetime_max_phys_footprint;
}

/* True once it has ended. It is not reaped: as a zombie it keeps its number, and its group's, from being given away.
   The status is left where it is when nobody wants it. */
static bool look(struct safe__child *child, safe_exit *status) {
  siginfo_t info;
  int result;

  info.si_pid = 0; /* left alone when there is nothing to tell */
  do result = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT);
  while (result != 0 && errno == EINTR);
  if (result == 0 && info.si_pid == 0) return false;
  if (result != 0) child->stolen = true;
  if (status != NULL && result == 0) {
    from_siginfo(&info, status);
    add_usage((pid_t)child->pid, status);
  }
  if (status != NULL && result != 0) ask_queue(child->exit_fd, status);
  child->ended = true;
  return true;
}

bool safe__child_ended(struct safe__child *child) { return child->ended || look(child, NULL); }

long safe__child_signal(struct safe__child *child, int signal) {
  return kill((pid_t)child->pid, signal) == 0 ? 0 : -errno;
}

static void wait_once(struct safe__child *child, struct pollfd ready[2], int64_t deadline, safe_cancel *cancel) {
  if (child->exit_fd < 0)
    safe__os_sleep(safe__deadline_min(deadline, safe__deadline(STEP_MS)), cancel, false);
  else if (ready[0].revents != 0)
    safe__os_sleep(safe__deadline_min(deadline, safe__deadline(EXITING_MS)), cancel, false);
  else
    safe__poll(ready, 2, deadline);
}

int safe__os_child_wait(struct safe__child *child, int64_t deadline, safe_cancel *cancel, safe_exit *status,
                        safe_error *error) {
  struct pollfd ready[2] = {{child->exit_fd, POLLIN, 0}, {safe__cancel_fd(cancel), POLLIN, 0}};

  for (;;) {
    if (look(child, status)) return SAFE_OK;
    if (safe__os_cancel_triggered(cancel))
      return safe__fail(error, SAFE_ECANCELED, SAFE_STAGE_WAIT, -1, "The wait for process %lld was cancelled.",
                        (long long)child->pid);
    if (safe__os_now() >= deadline)
      return safe__fail(error, SAFE_ETIMEDOUT, SAFE_STAGE_WAIT, -1, "Process %lld still runs.", (long long)child->pid);
    wait_once(child, ready, deadline, cancel);
  }
}

safe_handle safe__os_child_exit_handle(struct safe__child *child) { return child->exit_fd; }

int64_t safe__os_child_pid(const struct safe__child *child) { return child->pid; }

/* A child that was let go of while it ran: nobody else will reap it. */
struct running_child {
  struct safe__parked parked;
  pid_t pid;
};

static bool collect(struct safe__parked *item) {
  struct running_child *running = (struct running_child *)item;

  if (waitpid(running->pid, NULL, WNOHANG) == 0) return false;
  safe__free(running);
  return true;
}

void safe__child_let_go(struct safe__child *child) {
  struct running_child *running;

  if (child->exit_fd >= 0) close(child->exit_fd);
  if (child->stolen || waitpid((pid_t)child->pid, NULL, WNOHANG) != 0) return;
  running = safe__alloc(sizeof(*running));
  if (running == NULL) return;
  running->parked.collect = collect;
  running->pid = (pid_t)child->pid;
  safe__park(&running->parked);
}

void safe__os_child_free(struct safe__child *child, bool own) {
  safe__child_release(child);
  safe__tree_end(child, own);
  /* A forked copy has no kqueue: in there the number is nobody's, or another file's. */
  if (own) safe__child_let_go(child);
}
