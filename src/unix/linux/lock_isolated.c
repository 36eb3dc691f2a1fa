/* SPDX-License-Identifier: MIT */
/*
 * SAFE_LOCK_ISOLATE: a helper opens the file, locks it, compares it with the path and hands the descriptor over, while
 * we wait no longer than we want to. On a file system that does not answer, a network's or FUSE's, each of these may
 * block uninterruptibly; the helper is then parked, and goes when the mount does.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef STATX_BASIC_STATS /* musl before 1.2.5 leaves it to the kernel's header */
#include <linux/stat.h>
#endif

#include "lock_calls.h"
#include "lock_raw.h"
#include "timed_wait.h"
#include "wait_helper.h"

/* Until the helper has answered, all of it is the helper's. */
struct request {
  struct safe__job job;
  struct safe__helper *helper;
  struct safe__file *file;
  struct safe__claim claim;
  struct flock range;
  char *path;
  uint32_t flags, create_mode;
  long user;
  bool waits, created, killed;
  int stage, code; /* what failed; code is a SAFE_E* where the system has no number for it */
};

/* ---- In the helper. */

static int fail(struct request *request, int stage, long result) {
  request->stage = stage;
  return (int)-result;
}

static int refuse(struct request *request, int stage, int code) {
  request->stage = stage;
  request->code = code;
  return EPERM;
}

/* As lock_file.c does it, see there for why. */
static long open_file(struct request *request) {
  long flags =
    O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_LARGEFILE | ((request->flags & SAFE_LOCK_FOLLOW_SYMLINKS) ? 0 : O_NOFOLLOW);
  long path = (long)request->path, mode = request->create_mode;
  bool reading = request->claim.mode == SAFE_LOCK_SHARED || request->claim.method == SAFE_METHOD_FLOCK;
  long fd = safe__raw6(SYS_openat, AT_FDCWD, path, flags | O_RDWR, 0, 0, 0);

  if (fd == -ENOENT && (request->flags & SAFE_LOCK_CREATE) != 0) {
    fd = safe__raw6(SYS_openat, AT_FDCWD, path, flags | O_RDWR | O_CREAT | O_EXCL, mode, 0, 0);
    request->created = fd >= 0;
    if (fd == -EEXIST) fd = safe__raw6(SYS_openat, AT_FDCWD, path, flags | O_RDWR | O_CREAT, mode, 0, 0);
  }
  /* A file server's lease is waited for, as nobody waits for us longer than he wants. */
  if (fd == -EAGAIN) fd = safe__raw6(SYS_openat, AT_FDCWD, path, (flags & ~(long)O_NONBLOCK) | O_RDWR, 0, 0, 0);
  if (reading && (fd == -EACCES || fd == -EPERM || fd == -EROFS))
    fd = safe__raw6(SYS_openat, AT_FDCWD, path, flags | O_RDONLY, 0, 0, 0);
  return fd;
}

static int examine(struct request *request, long fd) {
  struct statx status;
  long result = safe__raw6(SYS_statx, fd, (long)"", AT_EMPTY_PATH, STATX_BASIC_STATS, (long)&status, 0);

  if (result < 0) return fail(request, SAFE_STAGE_OPEN, result);
  if (S_ISDIR(status.stx_mode)) return refuse(request, SAFE_STAGE_OPEN, SAFE_EISDIR);
  if (!S_ISREG(status.stx_mode)) return refuse(request, SAFE_STAGE_OPEN, SAFE_ENOTREG);
  if ((request->flags & SAFE_LOCK_CHECK_OWNER) != 0 && (long)status.stx_uid != request->user)
    return refuse(request, SAFE_STAGE_OPEN, SAFE_EACCES);
  request->file->device = makedev(status.stx_dev_major, status.stx_dev_minor);
  __atomic_store_n(&request->file->inode, status.stx_ino, __ATOMIC_RELEASE); /* for whoever looks for the holder */
  return 0;
}

static int lock(struct request *request, long fd) {
  long how = request->claim.mode == SAFE_LOCK_SHARED ? LOCK_SH : LOCK_EX, result;

  if (request->claim.method == SAFE_METHOD_FLOCK)
    result = safe__raw6(SYS_flock, fd, request->waits ? how : how | LOCK_NB, 0, 0, 0, 0);
  else
    result = safe__raw6(SYS_fcntl, fd, request->waits ? F_OFD_SETLKW : F_OFD_SETLK, (long)&request->range, 0, 0, 0);
  return result < 0 ? fail(request, SAFE_STAGE_LOCK, result) : 0;
}

static int verify(struct request *request) {
  long how = (request->flags & SAFE_LOCK_FOLLOW_SYMLINKS) ? 0 : AT_SYMLINK_NOFOLLOW;
  struct statx there;
  long result = safe__raw6(SYS_statx, AT_FDCWD, (long)request->path, how, STATX_INO, (long)&there, 0);

  if (result == -ENOENT || result == -ENOTDIR) return refuse(request, SAFE_STAGE_VERIFY, SAFE_EREPLACED);
  if (result < 0) return fail(request, SAFE_STAGE_VERIFY, result);
  if (request->file->inode == there.stx_ino &&
      request->file->device == makedev(there.stx_dev_major, there.stx_dev_minor))
    return 0;
  return refuse(request, SAFE_STAGE_VERIFY, SAFE_EREPLACED);
}

static int run(struct safe__job *job, int none, int *reply) {
  struct request *request = (struct request *)job;
  long fd = open_file(request);
  int os_code;

  (void)none;
  if (fd < 0) return fail(request, SAFE_STAGE_OPEN, fd);
  os_code = examine(request, fd);
  if (os_code == 0) os_code = lock(request, fd);
  if (os_code == 0) os_code = verify(request);
  if (os_code == 0)
    *reply = (int)fd;
  else
    safe__raw6(SYS_close, fd, 0, 0, 0, 0, 0);
  return os_code;
}

/* ---- In the host. */

static int await(void *argument, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  return safe__helper_await(((struct request *)argument)->helper, deadline, cancel, interruptible);
}

static void take_back(void *argument) {
  struct request *request = argument;

  if (!safe__helper_answered(request->helper)) safe__helper_kill(request->helper);
}

static const char *sentence(int code) {
  switch (code) {
  case SAFE_EISDIR:
    return "A folder cannot be locked.";
  case SAFE_ENOTREG:
    return "Only a regular file can be locked.";
  case SAFE_EREPLACED:
    return "The file was removed or replaced.";
  default:
    return "The file belongs to another user.";
  }
}

static int say(const struct request *request, safe_error *error) {
  int os_code = request->job.result;

  if (os_code == EINTR) return SAFE_EBUSY; /* killed */
  if (request->code != 0) return safe__fail(error, request->code, request->stage, -1, "%s", sentence(request->code));
  if (request->stage == SAFE_STAGE_LOCK) return safe__lock_failed(os_code, error);
  return safe__fail_os(error, os_code, request->stage, -1,
                       request->stage == SAFE_STAGE_OPEN ? "The lock file cannot be opened"
                                                         : "The path cannot be examined");
}

static int settle(void *argument, int64_t deadline, safe_error *error) {
  struct request *request = argument;
  struct safe__helper *helper = request->helper;
  int fd = -1;

  safe__helper_is_late(helper); /* one that went early has not closed the socket */
  /* One that was killed may have sent the descriptor before it was. */
  if (helper->killed && !safe__reap(helper->fds[2], helper->pid, deadline)) return SAFE_ESTUCK;
  if (!helper->killed || request->job.result == 0) fd = safe__helper_reply(helper);
  request->killed = helper->killed;
  request->helper = NULL;
  /* Never kept for another wait: closing its own copy of the descriptor is a question to the file system too, and it
     may still hang there. That does not concern what we have received. */
  safe__helper_dismiss_soon(helper);
  if (request->job.result == 0 && fd >= 0) {
    request->file->created = request->created;
    request->file->fd = fd;
    return SAFE_OK;
  }
  if (request->job.result == 0 && request->killed) return SAFE_EBUSY; /* before it could send what it had */
  if (request->job.result == 0)
    return safe__fail_os(error, EMFILE, SAFE_STAGE_OPEN, -1, "No descriptor could be received");
  return say(request, error);
}

static void release(void *argument) {
  struct request *request = argument;

  safe__free(request->path);
  safe__free(request);
}

static void free_parked(struct safe__helper *helper) { release(helper->parked_data); }

static void park(void *argument) {
  struct request *request = argument;

  safe__helper_park(request->helper, free_parked, request);
}

static safe_handle handle(void *argument) { return ((struct request *)argument)->helper->fds[0]; }

static int64_t retry_at(void *argument) {
  return safe__helper_is_late(((struct request *)argument)->helper) ? safe__deadline(SAFE__HELPER_LATE_MS)
                                                                    : SAFE__NEVER;
}

static const struct safe__wait_calls calls = {await, take_back, settle, park, release, handle, retry_at};

static struct request *make_request(struct safe__file *file, const char *path, const safe_lock_options *options,
                                    const struct safe__claim *claim) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return NULL;
  request->path = safe__copy_text(path);
  if (request->path == NULL) {
    safe__free(request);
    return NULL;
  }
  request->job.run = run;
  request->file = file;
  request->claim = *claim;
  request->range = safe__record_range(claim, safe__record_type(claim));
  request->flags = options->flags;
  request->create_mode = options->create_mode;
  request->user = (long)geteuid();
  request->waits = options->timeout_ms != SAFE_NO_WAIT;
  return request;
}

int safe__os_lock_isolated(struct safe__file *file, const char *path, const safe_lock_options *options,
                           const struct safe__claim *claim, struct safe__wait *wait, safe_error *error) {
  struct request *request = make_request(file, path, options, claim);
  bool stuck;

  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_WAIT);
  file->fd = -1;
  file->borrowed = file->created = false;
  file->inode = 0;
  request->helper = safe__helper_get_soon(&stuck);
  if (request->helper == NULL) {
    release(request);
    if (stuck)
      return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_PREPARE, -1,
                        "A file that this process has open, and that a helper has to close its copy of, is on a file "
                        "system that does not answer.");
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_PREPARE, -1,
                      "No helper can be made here that would open the file in this process's stead.");
  }
  if (!safe__helper_post(request->helper, &request->job, -1, true)) {
    safe__helper_dismiss(request->helper);
    release(request);
    return safe__fail(error, SAFE_ESYSTEM, SAFE_STAGE_PREPARE, -1, "The helper could not be told what to do.");
  }
  wait->calls = &calls;
  wait->request = request;
  wait->kind = SAFE_WAIT_QUEUED;
  return SAFE_OK;
}
