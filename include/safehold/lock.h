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

#include <stddef.h>

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
 *   BOTH    Linux, local file systems     everybody named above: it is an flock and an OFD lock. Elsewhere
 *                                         SAFE_ENOTSUP, as a network file system makes one of the two
 *   POSIX   every Unix                    as OFD, but the lock is the process's: any close of the file, anywhere in
 *                                         the process, drops it. For systems with neither of the first two; locks of
 *                                         this method exclude each other within the process and close no sooner
 *                                         than the last of them
 *   FAR     Windows                       users of this method only; other programs read and write the file
 *                                         freely, as the locked range lies far beyond its end
 *   COMPAT  Windows                       PHP's flock, and all who lock byte 0. That byte cannot be read or written
 *                                         through another handle meanwhile
 *
 * SAFE_METHOD_DEFAULT is OFD on Linux and macOS, FLOCK on the BSDs and FAR on Windows. Asking for a method that
 * the system does not have is SAFE_ENOTSUP.
 */
enum safe_lock_method {
  SAFE_METHOD_DEFAULT = 0,
  SAFE_METHOD_OFD = 1,
  SAFE_METHOD_FLOCK = 2,
  SAFE_METHOD_FAR = 3,
  SAFE_METHOD_BOTH = 4,
  SAFE_METHOD_POSIX = 5,
  SAFE_METHOD_COMPAT = 6
};

enum safe_lock_flags {
  SAFE_LOCK_CREATE = 1 << 0,          /* make the file if it does not exist, with create_mode */
  SAFE_LOCK_FOLLOW_SYMLINKS = 1 << 1, /* allow the path itself to be a symbolic link */
  SAFE_LOCK_RETURN_ON_EINTR = 1 << 2, /* SAFE_EINTR when a signal handler of the host ran during the wait. POSIX only;
                                         a handler that runs just before the wait begins is not noticed: let that
                                         handler trigger a safe_cancel */
  SAFE_LOCK_FAIR = 1 << 3,            /* a writer is not kept out by a stream of readers. All users of the file have to
                                         ask for it. Methods OFD and FAR, on the whole file */
  SAFE_LOCK_ISOLATE = 1 << 4,         /* safe_lock_file: open and lock where a dead file system cannot hold up this
                                         process. Costs about as much as a child process */
  SAFE_LOCK_REMOVE_ON_UNLOCK =
    1 << 5,                        /* safe_lock_file, exclusive: safe_unlock removes the file before it unlocks it */
  SAFE_LOCK_RECORD_OWNER = 1 << 6, /* safe_lock_file: say in the file who holds it; see safe_lock_owner in inspect.h */
  SAFE_LOCK_CHECK_OWNER = 1 << 7,  /* SAFE_EACCES unless the file belongs to this process's effective user. POSIX */
  SAFE_LOCK_REGULAR_ONLY = 1 << 8  /* safe_lock_handle: SAFE_ENOTREG unless it is a regular file; safe_lock_file
                                      always asks for one */
};

/* How a lock that was not free at once was waited for; safe_lock_wait_kind tells. */
enum safe_lock_wait_kind {
  SAFE_WAIT_NONE = 0,    /* it was free */
  SAFE_WAIT_QUEUED = 1,  /* in the kernel's own queue: no polling, first come first served */
  SAFE_WAIT_BACKOFF = 2, /* asked again and again, with growing pauses of 1 to 16 ms */
  SAFE_WAIT_PLAIN = 3,   /* one blocking call, as no deadline and no cancel was given */
  SAFE_WAIT_SIGNAL = 4,  /* one blocking call, ended at its deadline by the signal of safe_use_signal */
  SAFE_WAIT_RING = 5     /* one blocking call, ended at its deadline or by the cancel through io_uring (Linux 6.8) */
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
  int64_t offset, length; /* the bytes to lock; a length of 0 is as far as there can be bytes, and so 0, 0 is the whole
                             file. Methods OFD, POSIX and FAR; on Windows both below 2^62 */
  const char *label;      /* for SAFE_LOCK_RECORD_OWNER: what the lock is for, at most 64 bytes; or NULL */
} safe_lock_options;

#define SAFE_LOCK_OPTIONS_INIT \
  { sizeof(safe_lock_options), SAFE_LOCK_CREATE, SAFE_LOCK_EXCLUSIVE, SAFE_METHOD_DEFAULT, 10000, 0, 0600, 50, 0, 0, 0 }

/*
 * Opens the file at path, never truncating it, and locks it. Once the lock is got, the file is compared with the one
 * now at path: if it was replaced or removed meanwhile, the call starts over, within the same deadline.
 *
 * Blocks at most timeout_ms; with SAFE_NO_WAIT at most holder_query_ms. Opening a file on a dead network or FUSE mount
 * may take as long as the kernel takes to give up, unless SAFE_LOCK_ISOLATE is set; then SAFE_NO_WAIT gives the file
 * system 100 ms to answer. *lock is NULL on failure.
 *
 * SAFE_EBUSY (with SAFE_NO_WAIT) or SAFE_ETIMEDOUT: somebody else holds it; error->holder_pid and the message
 * name the holder where that can be known. SAFE_EDEADLK: this very thread holds it, and would wait for itself; told
 * at once. SAFE_ECANCELED; SAFE_EINTR; SAFE_ESTUCK: the kernel did not take the request back. SAFE_ENOENT, SAFE_EACCES,
 * SAFE_EISDIR, SAFE_ENOTREG, SAFE_ESYMLINK, SAFE_EREPLACED: the path. SAFE_ENOLCK, SAFE_ENOTSUP: the file system does
 * not lock. Never a silent success.
 *
 * Linux: a wait is done by a helper, a process that shares this one's memory but none of its descriptors. It is no
 * child that waitpid(-1) would see. One is kept for the thread's next wait, until the thread ends or safe_shutdown;
 * call that before exec, unsharing a user namespace, or setuid.
 */
SAFE_API int safe_lock_file(safe_lock **lock, const char *path, const safe_lock_options *options, safe_error *error);

/*
 * Locks a file that the caller has opened, in its stead: what replaces a runtime's own flock(). The file stays the
 * caller's, who closes it after safe_unlock; on POSIX the lock is its open file description's, so that two locks on
 * one description (a dup, or a descriptor inherited through fork) do not exclude each other. Flags that speak of a
 * path are SAFE_EINVAL, but SAFE_LOCK_CREATE, which is the default, means nothing here.
 *
 * Blocks and fails as safe_lock_file does. SAFE_EBADF: not open, or not open for what the method asks (OFD and POSIX
 * locks: for writing, or for reading when shared).
 */
SAFE_API int safe_lock_handle(safe_lock **lock, safe_handle file, const safe_lock_options *options, safe_error *error);

/*
 * The same without blocking, for event loops: begin, wait until the wait handle is ready, finish.
 *
 *   safe_lock_begin(&wait, path, &options, &error);
 *   poll({safe_lock_wait_handle(wait), POLLIN}) ... or add it to the loop
 *   if (safe_lock_wait_poll(wait) == 0) code = safe_lock_finish(wait, &lock, &error);
 *
 * begin opens the file and asks once; then the kernel's queue has the request. Never SAFE_EDEADLK: a thread may begin
 * a wait for what it holds itself. *wait is NULL on failure. The path and the label are copied.
 */
typedef struct safe_lock_wait safe_lock_wait;
SAFE_API int safe_lock_begin(safe_lock_wait **wait, const char *path, const safe_lock_options *options,
                             safe_error *error);
SAFE_API int safe_lock_begin_handle(safe_lock_wait **wait, safe_handle file, const safe_lock_options *options,
                                    safe_error *error);
/*
 * Becomes readable (POSIX) or signalled (Windows) when safe_lock_wait_poll should be called: at the grant, the
 * deadline, the cancel, and now and then without a reason. The library's; valid until finish or cancel. Made on the
 * first call; SAFE_INVALID_HANDLE when that fails.
 */
SAFE_API safe_handle safe_lock_wait_handle(safe_lock_wait *wait);
/* 0: safe_lock_finish will not block. SAFE_EAGAIN: not yet. Does not wait for the lock, nor for a kernel that does not
   let the request go; near the deadline it may take what the look for the holder takes (holder_query_ms). */
SAFE_API int safe_lock_wait_poll(safe_lock_wait *wait);
/* Sets options.holder_query_ms anew: for a loop that has less time to spare for that look now than when the wait was
   begun. 0: no look. SAFE_EINVAL for NULL; SAFE_EOWNER. */
SAFE_API int safe_lock_wait_set_query(safe_lock_wait *wait, uint32_t holder_query_ms);
/*
 * The outcome, as safe_lock_file would return it; blocks for what is left of the timeout if it is called early. Frees
 * the wait, except with SAFE_EINTR: then the request keeps its place, and finish is to be called again.
 */
SAFE_API int safe_lock_finish(safe_lock_wait *wait, safe_lock **lock, safe_error *error);
/*
 * Takes the request back without blocking: the wait goes to its end as if its cancel had been triggered, with poll and
 * finish as before, which then says SAFE_ECANCELED. On a dead file system that may take 100 ms, and end with
 * SAFE_ESTUCK. A lock that was got already is given back. SAFE_EINVAL for NULL; SAFE_EOWNER.
 */
SAFE_API int safe_lock_wait_revoke(safe_lock_wait *wait);
/* Takes the request back and frees the wait. Blocks at most 100 ms. NULL does nothing. */
SAFE_API void safe_lock_wait_cancel(safe_lock_wait *wait);

/*
 * Changes a lock that is held to options->mode, with the deadline, cancel and flag SAFE_LOCK_RETURN_ON_EINTR of the
 * options; the rest of them is not looked at. When it fails, what is left depends on the method:
 *
 *   - OFD, POSIX: the lock as it was.
 *   - FLOCK: exclusive to shared does not fail. Shared to exclusive gives the shared lock up before it asks (Linux), or
 *     before it waits (FreeBSD), or keeps it (macOS).
 *   - BOTH: as FLOCK, but while it is the OFD lock that is refused, the lock is as it was.
 *   - FAR, COMPAT: as FLOCK on Linux.
 *
 * SAFE_ELOST: the lock is lost, and nothing is held; error->message says why. safe_unlock frees it as always. Two
 * holders of a shared lock that both ask for an exclusive one wait for each other until the first deadline.
 */
SAFE_API int safe_lock_convert(safe_lock *lock, const safe_lock_options *options, safe_error *error);

/*
 * Lends the library a signal number. Linux only; elsewhere, under Valgrind and where a timer's signal does not come
 * (some emulators) SAFE_ENOTSUP. It makes the wake-up of a waiting thread quicker (tools/bench.sh: lock.handoff and
 * lock.handoff.signal), as the thread blocks in the kernel itself and not through a helper. The library installs an
 * empty handler for it, which is the one exception from what the library leaves alone; while a thread waits, the signal
 * is not blocked in it. Waits with a safe_cancel, those of begin and finish, and those on file systems of other
 * machines or of a process, are done as before.
 *
 * SIGRTMAX - 3 is a good choice. SAFE_EBUSY: somebody has a handler for it, or another one was lent. 0 takes the signal
 * back and restores its default action; no call may be waiting then.
 */
SAFE_API int safe_use_signal(int signal_number);

/*
 * Gives the lock back and frees it, whatever it returns. Never blocks, but for files locked with SAFE_LOCK_ISOLATE,
 * which get 100 ms and are then parked. In a forked child it only closes the child's copy and returns SAFE_EOWNER: the
 * parent keeps its lock. NULL is SAFE_EINVAL.
 */
SAFE_API int safe_unlock(safe_lock *lock);

/*
 * Frees a lock of safe_lock_handle and leaves what was locked locked: from now on it belongs to the caller's open file
 * alone, who gives it back with the system's own call (flock(fd, LOCK_UN), fcntl, UnlockFileEx), or by closing the
 * file. For hosts that keep such a lock with a file object of their own. Never blocks.
 *
 * SAFE_EINVAL: NULL, or a lock of safe_lock_file, whose file is the library's. SAFE_ENOTSUP: method POSIX, which needs
 * the library to close at the right time. SAFE_EOWNER. After any of them but the last the lock is as it was.
 */
SAFE_API int safe_lock_detach(safe_lock *lock);

/*
 * Tells that the calling thread is from now on the one that has the lock, which another one took. Only
 * SAFE_EDEADLK depends on it: a lock that was handed on without it could make the first thread's next blocking call
 * on the same file fail, though nobody would have waited for himself. SAFE_EINVAL for NULL; SAFE_EOWNER.
 */
SAFE_API int safe_lock_adopt(safe_lock *lock);

/*
 * The open file, to read and write through; it stays the library's. Windows: opened for overlapped I/O.
 * SAFE_INVALID_HANDLE for NULL or in a forked child.
 */
SAFE_API safe_handle safe_lock_get_handle(const safe_lock *lock);

/* Read or write at a place of the locked file, the same on every system. The number of bytes, which is smaller than
   length only at the end of the file (read), or a SAFE_E*. No deadline: they block as long as the file system does.
   Windows: on a caller's synchronous handle they move its file position. */
SAFE_API int64_t safe_lock_read_at(safe_lock *lock, void *buffer, size_t length, int64_t offset);
SAFE_API int64_t safe_lock_write_at(safe_lock *lock, const void *bytes, size_t length, int64_t offset);

/* A SAFE_WAIT_*: what the wait for this lock cost the machine. */
SAFE_API int safe_lock_wait_kind(const safe_lock *lock);

#ifdef __cplusplus
}
#endif

#endif
