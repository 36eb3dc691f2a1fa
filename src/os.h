/* SPDX-License-Identifier: MIT */
/*
 * The seam: what each system provides, and nothing else. The portable files of this folder call only these
 * functions; src/unix and src/win implement them, one mechanism a file, chosen by src/sources.cmake.
 *
 * Rules of the seam: a function that can block takes a deadline (an absolute safe__os_now time, or
 * SAFE__NEVER) and returns by it. It returns 0 or a SAFE_E*; on failure it has filled the error, which is never
 * NULL here, through safe__fail or safe__fail_os, and leaves nothing behind.
 */
#ifndef SAFEHOLD_OS_H
#define SAFEHOLD_OS_H

#include "internal.h"
#include "scene.h"

/* struct safe__file, safe__poller, safe__child and safe__stream, as this system lays them out. */
#include "os_types.h"

struct safe__wait; /* timed_wait.h */

/* ---- Clock: nanoseconds on the monotonic clock that safehold.h names. */
int64_t safe__os_now(void);

/* ---- What is kept for the next call, so that it need not be made again: given back. */
void safe__os_release_spares(void);

/* ---- System errors: errno or GetLastError as a SAFE_E*, and in words. */
int safe__os_translate(int64_t os_code);
void safe__os_describe(int64_t os_code, char *text, size_t size);

/* ---- This process: changes in a forked child. Where there is no fork it is constant. */
int64_t safe__os_self(void);

/* ---- Thread cancellation (pthread_cancel), held off for the length of a public call: what the call has made so
   far would be lost with the thread. */
int safe__os_hold_cancellation(void);
void safe__os_allow_cancellation(int held);

/* ---- Cancel. The struct is the system's own. */
int safe__os_cancel_create(safe_cancel **cancel);
void safe__os_cancel_trigger(safe_cancel *cancel);
void safe__os_cancel_free(safe_cancel *cancel);
/* Sleeps until the deadline: 0. Or until the trigger: SAFE_ECANCELED. Or, if that is asked for, until a signal handler
   has run: SAFE_EINTR. cancel may be NULL. */
int safe__os_sleep(int64_t deadline, safe_cancel *cancel, bool interruptible);
bool safe__os_cancel_triggered(const safe_cancel *cancel); /* false for NULL */

/* ---- The lock file. */
void safe__os_file_none(struct safe__file *file); /* one that is not open */
int safe__os_file_open(struct safe__file *file, const char *path, const safe_lock_options *options, safe_error *error);
/* A file that the caller has opened, and will close. */
int safe__os_file_borrow(struct safe__file *file, safe_handle handle, const safe_lock_options *options,
                         safe_error *error);
/* 0 when the open file is the one now at path, SAFE_EREPLACED when it is not or there is none. */
int safe__os_file_verify(const struct safe__file *file, const char *path, const safe_lock_options *options,
                         safe_error *error);
/* Takes the name of the locked file away, if it still is this file's. */
void safe__os_file_remove(const struct safe__file *file, const char *path, const safe_lock_options *options);
void safe__os_file_close(struct safe__file *file);
/* The descriptors that a forked child is to close, and how many; NULL where there is no fork. */
int *safe__os_file_descriptors(struct safe__file *file, int *count);
safe_handle safe__os_file_handle(const struct safe__file *file);
bool safe__os_file_created(const struct safe__file *file); /* by this open, and not found there */
/* Which file it is, whoever has it open; false if that cannot be told. */
bool safe__os_file_id(const struct safe__file *file, struct safe__file_id *id);
bool safe__os_handle_id(safe_handle handle, struct safe__file_id *id);
/* The number of bytes, 0 at the end of the file, or a SAFE_E*. */
int64_t safe__os_file_read(const struct safe__file *file, void *buffer, size_t length, int64_t offset);
int64_t safe__os_file_write(const struct safe__file *file, const void *bytes, size_t length, int64_t offset);

/* ---- The locks on it. Fills in what SAFE_METHOD_DEFAULT means here; SAFE_ENOTSUP for a method or flag that this
   system lacks. */
int safe__os_lock_supported(safe_lock_options *options, safe_error *error);
/* Whether this file's file system has the method; asked once the file is open. */
int safe__os_lock_fits(const struct safe__file *file, const safe_lock_options *options, safe_error *error);
/* Never blocks: 0, SAFE_EBUSY, or an error. */
int safe__os_lock_try(struct safe__file *file, const struct safe__claim *claim, safe_error *error);
/* The same for a lock that is held in the other mode. */
int safe__os_lock_convert(struct safe__file *file, const struct safe__claim *held, const struct safe__claim *wanted,
                          safe_error *error);
/* Whether a conversion that was refused, or (waited) given up after it was queued, leaves the lock as it was. */
bool safe__os_convert_keeps(const struct safe__claim *held, const struct safe__claim *wanted, bool waited);
/* Blocks without end, and nothing but the grant ends it. SAFE_EBUSY: this system does not do that. */
int safe__os_lock_plain(struct safe__file *file, const struct safe__claim *claim, safe_error *error);
/* Lends a signal, or with 0 takes it back; SAFE_ENOTSUP where it is of no use. Then the calling thread itself blocks
   for the lock until the deadline: SAFE_ETIMEDOUT. SAFE_EBUSY: no signal was lent. No cancellation point. */
int safe__os_use_signal(int number);
bool safe__os_signal_is_lent(void);
int safe__os_lock_signalled(struct safe__file *file, const struct safe__claim *claim, int64_t deadline,
                            safe_error *error);
/* The same without a signal, also until the cancel (which may be NULL) is triggered: SAFE_ECANCELED. SAFE_EBUSY: this
   system cannot do that, for such a lock or at the moment. */
int safe__os_lock_ring(struct safe__file *file, const struct safe__claim *claim, int64_t deadline, safe_cancel *cancel,
                       safe_error *error);
/*
 * Queues a request in the kernel, which safe__wait_until and safe__wait_give_up (timed_wait.h) bring to its end. The
 * deadline is a hint; polled: its handle, or a cancel, will be waited for. The file must stay where it is meanwhile.
 * SAFE_EBUSY: there is no queue here. After SAFE_ESTUCK the file was parked with the request, and is closed as far as
 * the caller is concerned.
 */
int safe__os_lock_queue(struct safe__file *file, const struct safe__claim *claim, bool polled, int64_t deadline,
                        struct safe__wait *wait, safe_error *error);
/*
 * Queues all of it: open, lock and verify, where a dead file system cannot hold us up. Once it is granted the file is
 * filled in; SAFE_EREPLACED is an answer too.
 */
int safe__os_lock_isolated(struct safe__file *file, const char *path, const safe_lock_options *options,
                           const struct safe__claim *claim, struct safe__wait *wait, safe_error *error);
int safe__os_unlock(struct safe__file *file, const struct safe__claim *claim);
/* The system's lock_at_once.h has safe__os_lock_try and safe__os_unlock inline, for who counts in nanoseconds:
   safe__os_lock_at_once, safe__os_unlock_at_once. SAFE__AGAIN: nothing was done, and the functions are to be asked. */
/* Unlocks and closes within the deadline, or parks what does not come to an end: SAFE_ESTUCK. */
int safe__os_unlock_isolated(struct safe__file *file, const struct safe__claim *claim, int64_t deadline);

/* ---- One handle to poll for several things: ready (or SAFE_INVALID_HANDLE), cancel (or NULL), and a time. To be armed
   without a ready one before that may be closed. */
void safe__os_poller_none(struct safe__poller *poller); /* one that has not been made */
int safe__os_poller_arm(struct safe__poller *poller, safe_handle ready, safe_cancel *cancel, int64_t at);
safe_handle safe__os_poller_handle(const struct safe__poller *poller);
void safe__os_poller_close(struct safe__poller *poller);

/* ---- Who this process and this thread are, for the owner record. */
void safe__os_identify(struct safe_owner *owner);
/* Whether the process of a record of this machine and this boot is still the same one. */
bool safe__os_is_alive(const struct safe_owner *owner);

/* The first bytes of the file at path, at most 512: how many, or a SAFE_E*. On Linux its file system need not answer;
   the other systems ask one that has answered just now (safe__os_holders, safe__os_look_path). */
int64_t safe__os_read_start(const char *path, void *buffer, size_t size, int64_t deadline);

/* ---- Who holds a lock: adds to the list until the deadline. */
int safe__os_holders(const char *path, int64_t deadline, safe_holder_list *list, safe_error *error);

/* ---- Who waits for whom. Each adds to the scene what it finds until the deadline, and says among the unknown what it
   could not see; nothing of it asks a file system that may be dead, unless where that can be abandoned. */
/* The object of the file at path. 0 and its index, or an error: SAFE_ENOENT, or SAFE_ESTUCK if the file system does not
   answer in time. */
int safe__os_look_path(struct safe__scene *scene, const char *path, int64_t deadline, int32_t *object,
                       safe_error *error);
/* Fills in the holders of an object: of a file's locks, or the ends of a pipe. */
void safe__os_look_object(struct safe__scene *scene, int32_t object, int64_t deadline);
/* Fills in the actor, and adds what its threads want, with their objects. */
void safe__os_look_process(struct safe__scene *scene, int64_t pid, int64_t deadline);
/* The children of a process that waits for any of them: adds an actor each. */
void safe__os_look_children(struct safe__scene *scene, int64_t pid, int64_t deadline);
/* Processes were looked at one after the other. Whoever has moved since his turn, of those for whom still is set, is
   no part of a standstill: his wants become SAFE_WAITS_NOT. True: there was such a one. still has a place for each
   want. */
bool safe__os_look_again(struct safe__scene *scene, const bool *still, int64_t deadline);
void safe__os_look_end(struct safe__scene *scene);

/* ---- What a child would inherit: adds to the list (audit.c). pid is not 0. SAFE_ENOENT, SAFE_EACCES or SAFE_ENOTSUP
   as in inspect.h. */
int safe__os_audit(int64_t pid, uint32_t flags, int64_t deadline, safe_handle_list *list, safe_error *error);

/* ---- Spawn: everything in the options has been validated, and nothing is NULL but env and cwd. */
int safe__os_spawn(struct safe__child *child, const safe_spawn_options *options, int64_t deadline, safe_error *error);
/* 0 once the child has ended, with its status; SAFE_ETIMEDOUT, SAFE_ECANCELED or an error. */
int safe__os_child_wait(struct safe__child *child, int64_t deadline, safe_cancel *cancel, safe_exit *status,
                        safe_error *error);
/* How its tree is kept together; info is filled with zeroes, and the size. */
void safe__os_child_tree(const struct safe__child *child, safe_tree_info *info);
/* The value of listed handle index in the child, or SAFE_INVALID_HANDLE. */
safe_handle safe__os_child_handle(const struct safe__child *child, size_t index);
/* A new size for its pseudo-terminal: SAFE_EINVAL if it has none. */
int safe__os_child_resize(struct safe__child *child, int columns, int rows);
/* Keeps low descriptor numbers for children's pipes: how many, or SAFE_ENOTSUP. */
int safe__os_reserve_descriptors(int count);
safe_handle safe__os_child_exit_handle(struct safe__child *child);
int64_t safe__os_child_pid(const struct safe__child *child);
/* Asks (force false) or makes (force true) the child and its group or job end. Never blocks. False if waiting is in
   vain: the child has ended, and those it left behind cannot be asked. */
bool safe__os_child_end(struct safe__child *child, bool force);
/* A signal to the child, or to its whole group or job. Never blocks. SAFE_ESRCH: they have ended. SAFE_EINVAL: there is
   no such signal, or no such group. */
int safe__os_child_signal(struct safe__child *child, int signal_number, bool group, safe_error *error);
/* Whether any of them is left; names those that are, as far as the report has room, and the first one's state. */
bool safe__os_child_left(struct safe__child *child, safe_stop_report *report);
/* Waits until something may have changed for safe__os_child_left since it was last asked: true; or until the deadline,
   which may have passed: then it only looks whether. */
bool safe__os_child_settle(struct safe__child *child, int64_t deadline);
/* Gives everything back; parks a child that still runs. In a forked copy (own false) only closes. */
void safe__os_child_free(struct safe__child *child, bool own);

/* ---- Streams: our ends of a child's pipes, and handles that the caller lends to safe_process_communicate. */
void safe__os_stream_none(struct safe__stream *stream); /* one that is not open */
bool safe__os_stream_open(const struct safe__stream *stream);
/* Whether it is one that the calls below can move: not a pipe that was asked for with SAFE_STDIO_BLOCKING. */
bool safe__os_stream_ours(const struct safe__stream *stream);
/* A handle of the caller's, to be read or written to without blocking, and without a change to it that another owner of
   the same open file could see. Closing the stream leaves the handle open. index: whose it is in the error. */
int safe__os_stream_borrow(struct safe__stream *stream, safe_handle handle, bool writes, int index, safe_error *error);
/* > 0 bytes moved; 0 for the end (read) or a reader that is gone (write); SAFE__AGAIN when it would block, after
   which the same bytes must be offered again; or an error. Never raises SIGPIPE. */
int64_t safe__os_stream_read(struct safe__stream *stream, void *buffer, size_t length);
int64_t safe__os_stream_write(struct safe__stream *stream, const void *bytes, size_t length);
/* Whether the last wait found that it can move; also if it was not waited for. */
bool safe__os_stream_ready(const struct safe__stream *stream);
/* Whether nobody will ever read what is written to it. */
bool safe__os_stream_gone(struct safe__stream *stream);
/* The end of what is written: closes it, a terminal after its end-of-file character. SAFE_OK or SAFE__AGAIN. */
int64_t safe__os_stream_finish(struct safe__stream *stream);
/* Calls off what is under way on a handle of the caller's. True: the next read or write tells what came of it. */
bool safe__os_stream_settle(struct safe__stream *stream);
void safe__os_stream_close(struct safe__stream *stream);
safe_handle safe__os_stream_take(struct safe__stream *stream);
/* Larger pipe buffers where the system lets us; never fails. */
void safe__os_stream_widen(struct safe__stream *stream);

/* A stream to wait for; gone: not until it can be written to, only until nobody reads it any more. */
struct safe__awaited {
  struct safe__stream *stream;
  bool gone;
};
enum { SAFE__WOKEN_BY_CHILD = 1, SAFE__WOKEN_BY_CANCEL = 2 };
/*
 * Waits until one of the streams can move, the child (if not NULL) has ended, the cancel is triggered, or the
 * deadline is reached. May return early. Answers what may have happened besides: SAFE__WOKEN_BY_*.
 */
int safe__os_stream_wait(const struct safe__awaited *awaited, size_t count, struct safe__child *child,
                         safe_cancel *cancel, int64_t deadline);

#endif
