/* SPDX-License-Identifier: MIT */
#include "procdesc.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/procctl.h>
#include <sys/procdesc.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "poll_wait.h"

/* Under a number that is no standard stream's. What cannot be is ended. */
static pid_t above_stdio(int *fd, pid_t pid) {
  int saved, low = *fd;

  if (low > 2) return pid;
  *fd = fcntl(low, F_DUPFD_CLOEXEC, 3);
  saved = errno;
  if (*fd < 0) {
    pdkill(low, SIGKILL);
    waitpid(pid, NULL, 0);
    pid = -1;
  }
  close(low);
  errno = saved;
  return pid;
}

/* The system call itself, made as libthr makes it (thr_fork.c): its own pdfork runs the atfork handlers, where it has
   one, and takes the loader's and malloc's locks, which another thread may hold for long. */
pid_t safe__procdesc_fork(int *fd, int flags) {
  sigset_t all, old;
  pid_t pid;
  int saved;

  *fd = -1;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  pid = syscall(SYS_pdfork, fd, flags);
  if (pid == 0) return 0;
  if (pid > 0) pid = above_stdio(fd, pid);
  saved = errno;
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  errno = saved;
  return pid;
}

void safe__procdesc_begin(pid_t maker, int keep) {
  int signal = SIGKILL;

  /* The kernel kills it as well when the last copy of our descriptor is closed, but a forked child of the host may have
     a copy. Asked after, as the maker may have died before. */
  procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &signal);
  if (getppid() != maker) _exit(EINTR);
  /* Nothing of the host's may be kept open by a mere helper, and be it only until the lock is given. */
  if (keep > 0) close_range(0, (unsigned)keep - 1, 0);
  close_range((unsigned)(keep + 1), ~0u, 0);
}

bool safe__procdesc_ended(int fd, int64_t deadline) {
  struct pollfd ready = {fd, POLLIN, 0}; /* answered is POLLHUP, which need not be asked for */

  do
    if (safe__poll(&ready, 1, deadline) > 0) return true;
  while (safe__os_now() < deadline);
  return false;
}

/* The descriptor keeps the status for itself (pd_xstat in sys_procdesc.c), and a filter that is registered after the
   exit is answered at once. */
bool safe__procdesc_status(int fd, int *status) {
  static const struct timespec no_time = {0, 0};
  struct kevent event;
  int count, queue = kqueue();

  if (queue < 0) return false;
  EV_SET(&event, (uintptr_t)fd, EVFILT_PROCDESC, EV_ADD, NOTE_EXIT, 0, NULL);
  count = kevent(queue, &event, 1, &event, 1, &no_time);
  close(queue);
  if (count != 1 || (event.flags & EV_ERROR) != 0 || (event.fflags & NOTE_EXIT) == 0) return false;
  *status = (int)event.data;
  return true;
}

/* A zombie can be signalled in vain; one that is gone altogether cannot be found (procdesc_find). */
bool safe__procdesc_reaped(int fd) { return pdkill(fd, 0) != 0 && errno == ESRCH; }

void safe__procdesc_close(int fd, pid_t pid) {
  /* Closing reaps too, but only with the last copy, and a forked child of the host may have one. */
  if (safe__procdesc_ended(fd, 0) && !safe__procdesc_reaped(fd)) waitpid(pid, NULL, WNOHANG);
  close(fd);
}

struct parked_process {
  struct safe__parked parked;
  int fd;
  pid_t pid;
};

static bool collect(struct safe__parked *item) {
  struct parked_process *process = (struct parked_process *)item;

  if (!safe__procdesc_ended(process->fd, 0)) return false;
  safe__procdesc_close(process->fd, process->pid);
  safe__free(process);
  return true;
}

void safe__procdesc_park(int fd, pid_t pid) {
  struct parked_process *process = safe__alloc(sizeof(*process));

  if (process == NULL) {
    close(fd); /* the process becomes init's to reap */
    return;
  }
  process->parked.collect = collect;
  process->fd = fd;
  process->pid = pid;
  safe__park(&process->parked);
}
