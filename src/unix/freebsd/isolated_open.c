/* SPDX-License-Identifier: MIT */
/*
 * Runs in a copy of a host that may have had threads: plain system calls only, see child_calls.h. All signals are
 * blocked, so that no call is interrupted but by the one that cannot be.
 */
#include "isolated_open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock_ask.h"
#include "pass_descriptor.h"

/* ---- The work. Each step: 0 or errno. */

static int failed(struct safe__isolated_answer *answer, int stage) {
  answer->stage = stage;
  return answer->os_code = errno;
}

static int refused(struct safe__isolated_answer *answer, int stage, int code) {
  answer->stage = stage;
  answer->code = code;
  return answer->os_code = EPERM;
}

/* As lock_file.c does it, see there for why. */
static int open_file(const struct safe__isolated_order *order, struct safe__isolated_answer *answer) {
  int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK | ((order->flags & SAFE_LOCK_FOLLOW_SYMLINKS) ? 0 : O_NOFOLLOW);
  int fd = open(order->path, O_RDWR | flags);

  if (fd < 0 && errno == ENOENT && (order->flags & SAFE_LOCK_CREATE) != 0) {
    fd = open(order->path, O_RDWR | O_CREAT | O_EXCL | flags, (mode_t)order->create_mode);
    answer->created = fd >= 0;
    if (fd < 0 && errno == EEXIST) fd = open(order->path, O_RDWR | O_CREAT | flags, (mode_t)order->create_mode);
  }
  /* An flock, which it always is here, needs no more than to read. */
  if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS)) fd = open(order->path, O_RDONLY | flags);
  return fd;
}

static int examine(const struct safe__isolated_order *order, struct safe__isolated_answer *answer, int fd) {
  struct stat status;

  if (fstat(fd, &status) != 0) return failed(answer, SAFE_STAGE_OPEN);
  if (S_ISDIR(status.st_mode)) return refused(answer, SAFE_STAGE_OPEN, SAFE_EISDIR);
  if (!S_ISREG(status.st_mode)) return refused(answer, SAFE_STAGE_OPEN, SAFE_ENOTREG);
  if ((order->flags & SAFE_LOCK_CHECK_OWNER) != 0 && status.st_uid != order->user)
    return refused(answer, SAFE_STAGE_OPEN, SAFE_EACCES);
  answer->device = status.st_dev;
  answer->inode = status.st_ino;
  return 0;
}

static int lock(const struct safe__isolated_order *order, struct safe__isolated_answer *answer, int fd) {
  int os_code = safe__lock_ask(fd, &order->claim, order->waits);

  if (os_code != 0) answer->stage = SAFE_STAGE_LOCK;
  return answer->os_code = os_code;
}

static int verify(const struct safe__isolated_order *order, struct safe__isolated_answer *answer) {
  bool follow = (order->flags & SAFE_LOCK_FOLLOW_SYMLINKS) != 0;
  struct stat there;
  int result = follow ? stat(order->path, &there) : lstat(order->path, &there);

  if (result != 0 && errno != ENOENT && errno != ENOTDIR) return failed(answer, SAFE_STAGE_VERIFY);
  if (result == 0 && there.st_dev == answer->device && there.st_ino == answer->inode) return 0;
  return refused(answer, SAFE_STAGE_VERIFY, SAFE_EREPLACED);
}

_Noreturn void safe__isolated_serve(const struct safe__isolated_order *order, int socket) {
  struct safe__isolated_answer answer;
  int fd, os_code;

  memset(&answer, 0, sizeof(answer));
  fd = open_file(order, &answer);
  os_code = fd < 0 ? failed(&answer, SAFE_STAGE_OPEN) : examine(order, &answer, fd);
  if (os_code == 0) os_code = lock(order, &answer, fd);
  if (os_code == 0) os_code = verify(order, &answer);
  /* If nobody listens any more, the lock goes with this process. */
  safe__descriptor_send(socket, &answer, sizeof(answer), os_code == 0 ? fd : -1);
  _exit(0);
}
