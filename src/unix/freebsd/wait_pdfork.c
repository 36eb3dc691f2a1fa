/* SPDX-License-Identifier: MIT */
/*
 * A lock wait with a deadline, in the kernel's own queue: no polling, no signal, no handler, no thread.
 *
 * A helper process, forked from us, blocks in flock on our open file description, which it has inherited: a grant is
 * the description's, and stays with us when the helper is gone. We wait for its exit, and take the request back by
 * killing it: kern_lockf.c takes a killed process off the queue, and where the grant came first it stays granted. One
 * more call that does not block tells.
 *
 * The helper is one of pdfork: no SIGCHLD, and unseen by waitpid(-1).
 */
#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/procctl.h>
#include <sys/procdesc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lock_calls.h"
#include "poll_wait.h"
#include "procdesc.h"
#include "timed_wait.h"
#include "wait_queued.h"

struct request {
  int fd, mode;
  pid_t host, pid;
  int procdesc;
};

/* Runs in a copy of a host that may have had threads: plain system calls only, see child_calls.h. */
static void help(const struct request *request) {
  int result, signal = SIGKILL;

  /* Killed with its maker. The kernel does so as well when the last copy of our descriptor is closed, but a forked
     child of the host may have a copy. Asked after, as the maker may have died before. */
  procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &signal);
  if (getppid() != request->host) _exit(EINTR);
  /* Nothing of the host's may be kept open by a mere helper, and be it only until the lock is given. */
  if (request->fd > 0) close_range(0, (unsigned)request->fd - 1, 0);
  close_range((unsigned)request->fd + 1, ~0u, 0);
  do result = flock(request->fd, request->mode == SAFE_LOCK_SHARED ? LOCK_SH : LOCK_EX);
  while (result != 0 && errno == EINTR);
  _exit(result == 0 ? 0 : errno);
}

static int start(void *argument, safe_error *error) {
  struct request *request = argument;

  request->pid = safe__procdesc_fork(&request->procdesc, PD_CLOEXEC);
  if (request->pid == 0) help(request);
  if (request->pid > 0) return SAFE_OK;
  return safe__fail(error, SAFE_EBUSY, SAFE_STAGE_WAIT, -1, "No helper can be made to wait for the lock.");
}

static int await(void *argument, int64_t deadline, safe_cancel *cancel) {
  struct request *request = argument;
  struct pollfd ready[2] = {{request->procdesc, POLLIN, 0}, {safe__cancel_fd(cancel), POLLIN, 0}};

  for (;;) {
    if (safe__poll(ready, 2, deadline) > 0) {
      if (ready[0].revents != 0) return SAFE_OK;
      if (ready[1].revents != 0) return SAFE_ECANCELED;
    }
    if (safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
  }
}

static void take_back(void *argument) {
  struct request *request = argument;

  pdkill(request->procdesc, SIGKILL);
}

/* The helper goes first: a lock call that it may still be in could be granted after we have asked. */
static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct request *request = argument;
  int status, os_code = EINTR;

  if (!safe__procdesc_ended(request->procdesc, deadline)) return SAFE_ESTUCK;
  if (safe__procdesc_status(request->procdesc, &status) && WIFEXITED(status)) os_code = WEXITSTATUS(status);
  /* Killed, maybe between the grant and its word of it. On a description that has the lock already, asking
     again changes nothing. */
  if (os_code == EINTR) os_code = safe__lock_call(request->fd, request->mode, SAFE_METHOD_FLOCK, false);
  return os_code == 0 ? SAFE_OK : safe__lock_failed(os_code, error);
}

/* The file is closed: a grant that still comes is on a description that only the helper has, and is gone with it. */
static void park(void *argument) {
  struct request *request = argument;

  close(request->fd);
  safe__procdesc_park(request->procdesc, request->pid);
}

static const struct safe__wait_calls calls = {start, await, take_back, settle, park};

int safe__wait_queued(struct safe__file *file, const safe_lock_options *options, int64_t deadline,
                      struct safe__notice *notice, int *kind, safe_error *error) {
  struct request request = {file->fd, options->mode, (pid_t)safe__os_self(), -1, -1};
  bool granted;
  int code;

  *kind = SAFE_WAIT_QUEUED;
  code = safe__timed_wait(&calls, &request, deadline, notice, options->cancel, &granted, error);
  if (code == SAFE_ESTUCK) {
    file->fd = -1; /* parked with the request */
    return code;
  }
  if (request.procdesc >= 0) safe__procdesc_close(request.procdesc, request.pid);
  /* A grant that came too late for a cancelled caller goes back at once, not only when the file is closed. */
  if (granted && code != SAFE_OK) safe__os_unlock(file, options);
  return code;
}
