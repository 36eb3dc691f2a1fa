/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "above_stdio.h"
#include "fork.h"
#include "lock_calls.h"
#include "uncancelled.h"

/*
 * O_NONBLOCK: opening a FIFO must not wait for its other end; it means nothing for a regular file. O_NOCTTY: nor
 * may a terminal at the path become the host's. Never O_TRUNC: the file may be somebody's.
 */
static int open_flags(const safe_lock_options *options) {
  return O_CLOEXEC | O_NOCTTY | O_NONBLOCK | ((options->flags & SAFE_LOCK_FOLLOW_SYMLINKS) ? 0 : O_NOFOLLOW);
}

/* A shared lock, and a flock of either kind, needs no more than to read. */
static bool reading_is_enough(const safe_lock_options *options) {
  return (options->mode == SAFE_LOCK_SHARED && (options->flags & SAFE_LOCK_FAIR) == 0) ||
         options->method == SAFE_METHOD_FLOCK;
}

static int open_once(const char *path, int flags, const safe_lock_options *options) {
  int fd;

  do fd = safe__open_uncancelled(path, flags, (mode_t)options->create_mode);
  while (fd < 0 && errno == EINTR);
  return safe__above_stdio(fd);
}

static int open_any(struct safe__file *file, const char *path, const safe_lock_options *options) {
  int fd, flags = open_flags(options);

  file->created = false;
  /* Without O_CREAT first: in a sticky folder Linux refuses it for somebody else's file, though that may be opened
     (protected_regular, proc_sys_fs(5)). */
  if ((options->flags & SAFE__READ_ONLY) != 0) return open_once(path, O_RDONLY | flags, options);
  fd = open_once(path, O_RDWR | flags, options);
  if (fd < 0 && errno == ENOENT && (options->flags & SAFE_LOCK_CREATE) != 0) {
    fd = open_once(path, O_RDWR | O_CREAT | O_EXCL | flags, options);
    file->created = fd >= 0;
    /* Made by somebody else in between; or a symbolic link to nothing, which O_EXCL does not follow. */
    if (fd < 0 && errno == EEXIST) fd = open_once(path, O_RDWR | O_CREAT | flags, options);
  }
  if (fd < 0 && (errno == EACCES || errno == EPERM || errno == EROFS) && reading_is_enough(options))
    fd = open_once(path, O_RDONLY | flags, options);
  return fd;
}

static int check_kind(struct safe__file *file, const safe_lock_options *options, bool any, safe_error *error) {
  struct stat status;

  if (fstat(file->fd, &status) != 0)
    return safe__fail_os(error, errno, SAFE_STAGE_OPEN, -1, "The file cannot be examined");
  file->device = status.st_dev;
  file->inode = status.st_ino;
  if (!any && S_ISDIR(status.st_mode))
    return safe__fail(error, SAFE_EISDIR, SAFE_STAGE_OPEN, -1, "A folder cannot be locked.");
  if (!any && !S_ISREG(status.st_mode))
    return safe__fail(error, SAFE_ENOTREG, SAFE_STAGE_OPEN, -1, "Only a regular file can be locked.");
  if ((options->flags & SAFE_LOCK_CHECK_OWNER) != 0 && status.st_uid != geteuid())
    return safe__fail(error, SAFE_EACCES, SAFE_STAGE_OPEN, -1, "The file belongs to user %ld, not to %ld.",
                      (long)status.st_uid, (long)geteuid());
  return SAFE_OK;
}

void safe__os_file_none(struct safe__file *file) {
  file->fd = -1;
  file->device = 0;
  file->inode = 0;
  file->borrowed = file->created = false;
}

int safe__os_file_open(struct safe__file *file, const char *path, const safe_lock_options *options, safe_error *error) {
  int code, os_code;

  safe__os_file_none(file);
  safe__fork_hold();
  file->fd = open_any(file, path, options);
  os_code = errno;
  safe__fork_allow();
  if (file->fd < 0) return safe__fail_os(error, os_code, SAFE_STAGE_OPEN, -1, "The lock file cannot be opened");
  code = check_kind(file, options, false, error);
  if (code != SAFE_OK) safe__os_file_close(file);
  return code;
}

int safe__os_file_borrow(struct safe__file *file, safe_handle handle, const safe_lock_options *options,
                         safe_error *error) {
  bool any = (options->flags & SAFE_LOCK_REGULAR_ONLY) == 0;

  file->fd = handle;
  file->borrowed = true;
  file->created = false;
  if (handle < 0) return safe__fail(error, SAFE_EBADF, SAFE_STAGE_ARGUMENTS, -1, "%d is no descriptor.", handle);
  if (any && (options->flags & SAFE_LOCK_CHECK_OWNER) == 0) return SAFE_OK;
  return check_kind(file, options, any, error);
}

static int look_at(const char *path, const safe_lock_options *options, struct stat *status) {
  return (options->flags & SAFE_LOCK_FOLLOW_SYMLINKS) ? stat(path, status) : lstat(path, status);
}

int safe__os_file_verify(const struct safe__file *file, const char *path, const safe_lock_options *options,
                         safe_error *error) {
  struct stat there;
  int result = look_at(path, options, &there);

  if (result != 0 && errno != ENOENT && errno != ENOTDIR)
    return safe__fail_os(error, errno, SAFE_STAGE_VERIFY, -1, "The path cannot be examined");
  if (result == 0 && file->device == there.st_dev && file->inode == there.st_ino) return SAFE_OK;
  return safe__fail(error, SAFE_EREPLACED, SAFE_STAGE_VERIFY, -1, "The file was removed or replaced.");
}

/* Between the look and the unlink somebody who does not lock could put another file there; all who lock cannot. */
void safe__os_file_remove(const struct safe__file *file, const char *path, const safe_lock_options *options) {
  struct stat there;

  if (look_at(path, options, &there) == 0 && file->device == there.st_dev && file->inode == there.st_ino) unlink(path);
}

/* The number is forgotten first: between the close and that, a fork in another thread could take it for ours. */
void safe__os_file_close(struct safe__file *file) {
  int fd = file->fd;

  file->fd = -1;
  if (fd >= 0 && !file->borrowed) safe__close_locked(fd, file);
}

int *safe__os_file_descriptors(struct safe__file *file, int *count) {
  *count = 1;
  return &file->fd;
}

safe_handle safe__os_file_handle(const struct safe__file *file) { return file->fd; }

bool safe__os_file_created(const struct safe__file *file) { return file->created; }

bool safe__os_handle_id(safe_handle handle, struct safe__file_id *id) {
  struct stat status;

  if (fstat(handle, &status) != 0) return false;
  id->volume = (uint64_t)status.st_dev;
  id->low = (uint64_t)status.st_ino;
  id->high = 0;
  return true;
}

bool safe__os_file_id(const struct safe__file *file, struct safe__file_id *id) {
  if (file->borrowed) return safe__os_handle_id(file->fd, id);
  if (file->inode == 0) return false; /* not opened yet */
  id->volume = (uint64_t)file->device;
  id->low = (uint64_t)file->inode;
  id->high = 0;
  return true;
}

int64_t safe__os_file_read(const struct safe__file *file, void *buffer, size_t length, int64_t offset) {
  size_t done = 0;
  ssize_t one;

  while (done < length) {
    one = pread(file->fd, (char *)buffer + done, length - done, (off_t)(offset + (int64_t)done));
    if (one < 0 && errno == EINTR) continue;
    if (one < 0) return safe__os_translate(errno);
    if (one == 0) break;
    done += (size_t)one;
  }
  return (int64_t)done;
}

int64_t safe__os_file_write(const struct safe__file *file, const void *bytes, size_t length, int64_t offset) {
  size_t done = 0;
  ssize_t one;

  while (done < length) {
    one = pwrite(file->fd, (const char *)bytes + done, length - done, (off_t)(offset + (int64_t)done));
    if (one < 0 && errno == EINTR) continue;
    if (one < 0) return safe__os_translate(errno);
    done += (size_t)one;
  }
  return (int64_t)done;
}
