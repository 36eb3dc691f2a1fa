/* SPDX-License-Identifier: MIT */
/*
 * SAFE_LOCK_ISOLATE: a helper, a process of pdfork, opens the file, locks it, compares it with the path and hands the
 * descriptor over, while we wait no longer than we want to. On a file system that does not answer each of these may
 * block uninterruptibly; the helper, which has nothing of the host's open but its end of a socket, is then parked, and
 * goes when the mount does.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/procdesc.h>
#include <sys/socket.h>
#include <unistd.h>

#include "above_stdio.h"
#include "fork.h"
#include "held.h"
#include "isolated_failure.h"
#include "isolated_open.h"
#include "lock_calls.h"
#include "own_locks.h"
#include "pass_descriptor.h"
#include "poll_wait.h"
#include "procdesc.h"
#include "timed_wait.h"

enum { OURS = 0, THEIRS = 1, PROCDESC = 2, DESCRIPTORS = 3 };

struct request {
  struct safe__isolated_order order; /* its path is the caller's: the helper has a copy of all memory */
  struct safe__file *file;
  struct safe_lock *noted;
  int fds[DESCRIPTORS];
  pid_t pid;
  bool killed;
};

/* The number is forgotten first, see safe__os_file_close. */
static int give_away(int *fd) {
  int number = *fd;

  *fd = -1;
  return number;
}

static void close_one(int *fd) {
  int number = give_away(fd);

  if (number >= 0) close(number);
}

/* ---- The life of the request. */

static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  struct request *request = argument;
  struct pollfd ready[3] = {
    {request->fds[OURS], POLLIN, 0}, {request->fds[PROCDESC], POLLIN, 0}, {safe__cancel_fd(cancel), POLLIN, 0}};
  int count;

  for (;;) {
    count = safe__poll_once(ready, 3, deadline);
    if (count > 0) return (ready[0].revents | ready[1].revents) != 0 ? SAFE_OK : SAFE_ECANCELED;
    if (count < 0 && interruptible) return SAFE_EINTR;
    if (safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
  }
}

static void take_back(void *argument) {
  struct request *request = argument;

  request->killed = true;
  pdkill(request->fds[PROCDESC], SIGKILL);
}

static void take_over(struct request *request, const struct safe__isolated_answer *answer) {
  struct safe__file *file = request->file;
  struct safe__file_id id;

  file->device = answer->device;
  file->inode = answer->inode;
  file->created = answer->created;
  if (safe__os_file_id(file, &id)) safe__own_lock_note(file->fd, &request->order.claim, &id);
}

/* One that was killed may have answered before. */
static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct request *request = argument;
  struct safe__isolated_answer answer;
  int fd, os_code;

  if (request->killed && !safe__procdesc_ended(request->fds[PROCDESC], deadline)) return SAFE_ESTUCK;
  safe__fork_hold();
  os_code = safe__descriptor_receive(request->fds[OURS], &answer, sizeof(answer), &fd);
  fd = safe__above_stdio(fd);
  request->file->fd = fd;
  safe__fork_allow();
  if (os_code == EAGAIN || os_code == ECONNRESET) {
    safe__error_clear(error);
    return error->code = SAFE_EBUSY;
  }
  if (os_code == 0 && answer.os_code != 0)
    return safe__isolated_failed(answer.code, answer.stage, answer.os_code, error);
  if (os_code == 0 && fd >= 0) {
    take_over(request, &answer);
    return SAFE_OK;
  }
  return safe__fail_os(error, os_code != 0 ? os_code : EMFILE, SAFE_STAGE_OPEN, -1, "No descriptor could be received");
}

/* The helper goes when it has gone: it may have to close the file, too, and that may take as long as the lock did. */
static void park(void *argument) {
  struct request *request = argument;

  safe__procdesc_park(give_away(&request->fds[PROCDESC]), request->pid);
  close_one(&request->fds[THEIRS]);
  close_one(&request->fds[OURS]);
  safe__held_release(request->noted);
  safe__free(request);
}

/* Waited for, so that nothing of ours has the file open once the call has returned. */
static void release(void *argument) {
  struct request *request = argument;

  if (safe__procdesc_ended(request->fds[PROCDESC], safe__deadline(SAFE__SETTLE_MS)))
    safe__procdesc_close(give_away(&request->fds[PROCDESC]), request->pid);
  else
    take_back(request);
  if (request->fds[PROCDESC] >= 0) {
    park(request);
    return;
  }
  close_one(&request->fds[OURS]);
  safe__held_release(request->noted);
  safe__free(request);
}

static safe_handle handle(void *argument) { return ((struct request *)argument)->fds[OURS]; }

static const struct safe__wait_calls calls = {await, take_back, settle, park, release, handle, NULL};

/* ---- Its beginning. */

static bool open_sockets(struct request *request) {
  int pair[2];

  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return false;
  request->fds[OURS] = safe__above_stdio(pair[0]);
  request->fds[THEIRS] = safe__above_stdio(pair[1]);
  return request->fds[OURS] >= 0 && request->fds[THEIRS] >= 0;
}

static bool start(struct request *request) {
  pid_t maker = (pid_t)safe__os_self();

  request->noted = safe__held_claim();
  if (request->noted == NULL) return false;
  request->noted->fds = request->fds;
  request->noted->fd_count = DESCRIPTORS;
  request->pid = -1;
  safe__fork_hold();
  if (open_sockets(request)) request->pid = safe__procdesc_fork(&request->fds[PROCDESC], PD_CLOEXEC);
  if (request->pid == 0) {
    safe__procdesc_begin(maker, request->fds[THEIRS]);
    safe__isolated_serve(&request->order, request->fds[THEIRS]);
  }
  close_one(&request->fds[THEIRS]); /* so that its end is the socket's */
  safe__fork_allow();
  return request->pid > 0;
}

static struct request *make_request(struct safe__file *file, const char *path, const safe_lock_options *options,
                                    const struct safe__claim *claim) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return NULL;
  request->file = file;
  request->order.path = path;
  request->order.claim = *claim;
  request->order.flags = options->flags;
  request->order.create_mode = options->create_mode;
  request->order.user = geteuid();
  request->order.waits = options->timeout_ms != SAFE_NO_WAIT;
  request->fds[OURS] = request->fds[THEIRS] = request->fds[PROCDESC] = -1;
  return request;
}

int safe__os_lock_isolated(struct safe__file *file, const char *path, const safe_lock_options *options,
                           const struct safe__claim *claim, struct safe__wait *wait, safe_error *error) {
  struct request *request = make_request(file, path, options, claim);

  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  safe__os_file_none(file);
  file->borrowed = file->created = false;
  if (!start(request)) {
    close_one(&request->fds[OURS]);
    safe__held_release(request->noted);
    safe__free(request);
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_PREPARE, -1,
                      "No process can be made here that would open the file in this one's stead.");
  }
  wait->calls = &calls;
  wait->request = request;
  wait->kind = SAFE_WAIT_QUEUED;
  return SAFE_OK;
}
