/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "above_stdio.h"
#include "os.h"

/*
 * O_NONBLOCK: opening a FIFO must not wait for its other end; it means nothing for a regular file. O_NOCTTY: nor
 * may a terminal at the path become the host's. Never O_TRUNC: the file may be somebody's.
 */
static int open_flags(const safe_lock_options *options) {
  return O_CLOEXEC | O_NOCTTY | O_NONBLOCK | ((options->flags & SAFE_LOCK_FOLLOW_SYMLINKS) ? 0 : O_NOFOLLOW);
}

/* A shared lock, and a flock of either kind, needs no more than to read. */
static bool reading_is_enough(const safe_lock_options *options) {
  return options->mode == SAFE_LOCK_SHARED || options->method == SAFE_METHOD_FLOCK;
}

static int open_once(const char *path, int flags, const safe_lock_options *options) {
  int fd;

  do fd = open(path, flags, (mode_t)options->create_mode);
  while (fd < 0 && errno == EINTR);
  return safe__above_stdio(fd);
}

static int open_any(const char *path, const safe_lock_options *options) {
  int fd, flags = open_flags(options);

  /* Without O_CREAT first: in a sticky folder Linux refuses it for somebody else's file, though that may be opened
     (protected_regular, proc_sys_fs(5)). */
  fd = open_once(path, O_RDWR | flags, options);
  if (fd < 0 && errno == ENOENT && (options->flags & SAFE_LOCK_CREATE) != 0)
    fd = open_once(path, O_RDWR | O_CREAT | flags, options);
  if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS) && reading_is_enough(options))
    fd = open_once(path, O_RDONLY | flags, options);
  return fd;
}

static int check_kind(struct safe__file *file, safe_error *error) {
  struct stat status;

  if (fstat(file->fd, &status) != 0)
    return safe__fail_os(error, errno, SAFE_STAGE_OPEN, -1, "The file cannot be examined");
  if (S_ISDIR(status.st_mode)) return safe__fail(error, SAFE_EISDIR, SAFE_STAGE_OPEN, -1, "A folder cannot be locked.");
  if (!S_ISREG(status.st_mode))
    return safe__fail(error, SAFE_ENOTREG, SAFE_STAGE_OPEN, -1, "Only a regular file can be locked.");
  file->device = status.st_dev;
  file->inode = status.st_ino;
  return SAFE_OK;
}

int safe__os_file_open(struct safe__file *file, const char *path, const safe_lock_options *options, safe_error *error) {
  int code;

  file->fd = open_any(path, options);
  if (file->fd < 0) return safe__fail_os(error, errno, SAFE_STAGE_OPEN, -1, "The lock file cannot be opened");
  code = check_kind(file, error);
  if (code != SAFE_OK) safe__os_file_close(file);
  return code;
}

int safe__os_file_verify(const struct safe__file *file, const char *path, const safe_lock_options *options,
                         safe_error *error) {
  struct stat there;
  int result = (options->flags & SAFE_LOCK_FOLLOW_SYMLINKS) ? stat(path, &there) : lstat(path, &there);

  if (result != 0 && errno != ENOENT && errno != ENOTDIR)
    return safe__fail_os(error, errno, SAFE_STAGE_VERIFY, -1, "The path cannot be examined");
  if (result == 0 && file->device == there.st_dev && file->inode == there.st_ino) return SAFE_OK;
  return safe__fail(error, SAFE_EREPLACED, SAFE_STAGE_VERIFY, -1, "The file was removed or replaced.");
}

void safe__os_file_close(struct safe__file *file) {
  if (file->fd >= 0) close(file->fd);
  file->fd = -1;
}

safe_handle safe__os_file_handle(const struct safe__file *file) { return file->fd; }
