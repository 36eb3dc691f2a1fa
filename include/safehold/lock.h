/* SPDX-License-Identifier: MIT */
/*
 * File locks with a deadline.
 *
 * A lock belongs to an open file description that this library makes for it. Hence two locks on one file
 * exclude each other also within a process and between its threads, closing some other descriptor of the file
 * never drops a lock, and a child process never gets one: the description is closed on exec (POSIX) or not
 * inheritable (Windows). When the process that holds a lock dies, the kernel frees the lock.
 *
 *   safe_lock *lock;
 *   safe_error error = SAFE_ERROR_INIT;
 *   safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;
 *
 *   options.timeout_ms = 2000;
 *   if (safe_lock_file(&lock, "/var/lib/php/sessions/sess_x", &options, &error) != 0)
 *     return report(error.message);
 *   ...
 *   safe_unlock(lock);
 */
#ifndef SAFEHOLD_LOCK_H
#define SAFEHOLD_LOCK_H

#include "safehold/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct safe_lock safe_lock;

enum safe_lock_mode {
  SAFE_LOCK_EXCLUSIVE = 0, /* one holder */
  SAFE_LOCK_SHARED = 1     /* any number of shared holders, and no exclusive one */
};

/*
 * Which lock the kernel is asked for. Methods do not see each other, except where said:
 *
 *   method  system                        who else sees it
 *   OFD     Linux, macOS                  OFD users, fcntl(F_SETLK), lockf(3), SQLite; on macOS flock(2) too
 *   FLOCK   Linux, macOS, the BSDs        flock(2): flock(1), PHP, Ruby, Python's fcntl.flock
 *   FAR     Windows                       users of this method only; other programs read and write the file
 *                                         freely, as the locked range lies far beyond its end
 *
 * SAFE_METHOD_DEFAULT is OFD on Linux and macOS, FLOCK on the BSDs and FAR on Windows. Asking for a method that
 * the system does not have is SAFE_ENOTSUP.
 */
enum safe_lock_method { SAFE_METHOD_DEFAULT = 0, SAFE_METHOD_OFD = 1, SAFE_METHOD_FLOCK = 2, SAFE_METHOD_FAR = 3 };

enum safe_lock_flags {
  SAFE_LOCK_CREATE = 1 << 0,         /* make the file if it does not exist, with create_mode */
  SAFE_LOCK_FOLLOW_SYMLINKS = 1 << 1 /* allow the path itself to be a symbolic link */
};

/* How a lock that was not free at once was waited for; safe_lock_wait_kind tells. */
enum safe_lock_wait_kind {
  SAFE_WAIT_NONE = 0,    /* it was free */
  SAFE_WAIT_QUEUED = 1,  /* in the kernel's own queue: no polling, first come first served */
  SAFE_WAIT_BACKOFF = 2, /* asked again and again, with growing pauses of 1 to 16 ms */
  SAFE_WAIT_PLAIN = 3    /* one blocking call, as no deadline and no cancel was given */
};

typedef struct safe_lock_options {
  uint32_t size;
  uint32_t flags;           /* SAFE_LOCK_*; default SAFE_LOCK_CREATE */
  int32_t mode;             /* SAFE_LOCK_EXCLUSIVE */
  int32_t method;           /* SAFE_METHOD_DEFAULT */
  int64_t timeout_ms;       /* default 10,000 */
  safe_cancel *cancel;      /* or NULL */
  uint32_t create_mode;     /* permission bits of a file that is made, subject to the umask; default 0600. POSIX only */
  uint32_t holder_query_ms; /* how long a wait may look for the holder to name, at its end and within timeout_ms; a
                               SAFE_NO_WAIT that finds the file locked looks so long in addition. Default 50; 0 =
                               not at all, as with a NULL safe_error */
} safe_lock_options;

#define SAFE_LOCK_OPTIONS_INIT \
  { sizeof(safe_lock_options), SAFE_LOCK_CREATE, SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_DEFAULT, 10000, 0, 0600, 50 }

/*
 * Opens the file at path, never truncating it, and locks the whole of it. Once the lock is got, the file is
 * compared with the one now at path: if it was replaced or removed meanwhile, the call starts over, within the
 * same deadline.
 *
 * Blocks at most timeout_ms; with SAFE_NO_WAIT at most holder_query_ms. *lock is NULL on failure.
 *
 * SAFE_EBUSY (with SAFE_NO_WAIT) or SAFE_ETIMEDOUT: somebody else holds it; error->holder_pid and the message
 * name the holder where that can be known. SAFE_ECANCELED; SAFE_ESTUCK: the kernel did not take the request
 * back. SAFE_ENOENT, SAFE_EACCES, SAFE_EISDIR, SAFE_ENOTREG, SAFE_ESYMLINK, SAFE_EREPLACED: the path.
 * SAFE_ENOLCK, SAFE_ENOTSUP: the file system does not lock. Never a silent success.
 *
 * Locking a file that the same thread already holds waits like any other wait, until the deadline.
 */
SAFE_API int safe_lock_file(safe_lock **lock, const char *path, const safe_lock_options *options, safe_error *error);

/*
 * Gives the lock back and frees it, whatever it returns. Never blocks. In a forked child it only closes the
 * child's copy and returns SAFE_EOWNER: the parent keeps its lock. NULL is SAFE_EINVAL.
 */
SAFE_API int safe_unlock(safe_lock *lock);

/*
 * The open file, to read and write through; it stays the library's. Windows: opened for overlapped I/O.
 * SAFE_INVALID_HANDLE for NULL or in a forked child.
 */
SAFE_API safe_handle safe_lock_get_handle(const safe_lock *lock);

/* A SAFE_WAIT_*: what the wait for this lock cost the machine. */
SAFE_API int safe_lock_wait_kind(const safe_lock *lock);

#ifdef __cplusplus
}
#endif

#endif
