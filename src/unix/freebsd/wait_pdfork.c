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
#include <fcntl.h>
#include <signal.h>
#include <sys/procdesc.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fork.h"
#include "held.h"
#include "lock_ask.h"
#include "lock_calls.h"
#include "own_locks.h"
#include "poll_wait.h"
#include "procdesc.h"
#include "timed_wait.h"

struct request {
  struct safe__file *file;
  struct safe__claim claim;
  struct safe_lock *noted; /* the process descriptor */
  int fd;                  /* the file's number, which is forgotten there when it is closed */
  int procdesc;
  pid_t pid;
};

/* Runs in a copy of a host that may have had threads: plain system calls only, see child_calls.h. */
static void help(const struct request *request, pid_t maker) {
  safe__procdesc_begin(maker, request->fd);
  _exit(safe__lock_ask(request->fd, &request->claim, true));
}

static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct request *request = argument;
  struct pollfd ready[2] = {{request->procdesc, POLLIN, 0}, {safe__cancel_fd(cancel), POLLIN, 0}};
  int count;

  for (;;) {
    count = safe__poll_once(ready, 2, deadline);
    if (count > 0) return ready[0].revents != 0 ? SAFE_OK : SAFE_ECANCELED;
    if (count < 0 && interruptible) return SAFE_EINTR;
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
  if (os_code == EINTR) os_code = safe__lock_ask(request->fd, &request->claim, false);
  if (os_code != 0) return safe__lock_failed(os_code, error);
  safe__own_lock_note(request->file->fd, &request->claim, NULL);
  return SAFE_OK;
}

/* The process descriptor has been closed or given away, or there never was one. */
static void free_request(struct request *request) {
  safe__own_wait_forget(request->file->fd);
  safe__held_release(request->noted);
  safe__free(request);
}

/* The number is forgotten first, see safe__os_file_close. */
static int give_away(struct request *request) {
  int procdesc = request->procdesc;

  request->procdesc = -1;
  return procdesc;
}

static void release(void *argument) {
  struct request *request = argument;

  safe__procdesc_close(give_away(request), request->pid);
  free_request(request);
}

/* The file is closed: a grant that still comes is on a description that only the helper has, and is gone with it. A
   caller's own stays his, and what else he holds on it can be given back. */
static void park(void *argument) {
  struct request *request = argument;
  struct safe__file *file = request->file;

  safe__procdesc_park(give_away(request), request->pid);
  free_request(request);
  if (!file->borrowed) safe__os_file_close(file);
}

/* Not the descriptor of a pipe or socket, but pollable, and known to poller_kqueue.c. */
static safe_handle handle(void *argument) { return ((struct request *)argument)->procdesc; }

static const struct safe__wait_calls calls = {await, take_back, settle, park, release, handle, NULL};

static bool start(struct request *request) {
  pid_t maker = (pid_t)safe__os_self();

  request->noted = safe__held_claim();
  if (request->noted == NULL) return false;
  request->noted->fds = &request->procdesc;
  request->noted->fd_count = 1;
  safe__fork_hold();
  request->pid = safe__procdesc_fork(&request->procdesc, PD_CLOEXEC);
  if (request->pid == 0) help(request, maker);
  safe__fork_allow();
  return request->pid > 0;
}

int safe__os_lock_queue(struct safe__file *file, const struct safe__claim *claim, bool polled, int64_t deadline,
                        struct safe__wait *wait, safe_error *error) {
  struct request *request;

  (void)polled, (void)deadline;
  if (claim->method != SAFE_METHOD_FLOCK) return SAFE_EBUSY; /* a POSIX lock would be the helper's */
  request = safe__alloc(sizeof(*request));
  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  request->file = file;
  request->claim = *claim;
  request->fd = file->fd; /* no copy of a caller's: closing that would drop the record locks its host has on the file */
  request->procdesc = -1;
  safe__own_wait_note(file->fd, claim);
  if (!start(request)) {
    free_request(request);
    return SAFE_EBUSY;
  }
  wait->calls = &calls;
  wait->request = request;
  wait->kind = SAFE_WAIT_QUEUED;
  return SAFE_OK;
}
