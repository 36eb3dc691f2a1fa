/* SPDX-License-Identifier: MIT */
/*
 * Locks and child processes on a libuv loop: a pending lock, a running child and a stop that takes its time are events
 * of the loop, and cost neither a thread of libuv's pool nor the host's SIGCHLD. Target safehold::uv; libuv 1.44 or
 * newer. The library itself never links libuv, and safehold.h never includes this file.
 *
 * As with libuv: one thread for each loop, callbacks run in it and never within the call that asks for them; errors are
 * returned as UV_E* (safe_uv_code), in addition to the safe_error; memory of the structs is the caller's and must stay
 * where it is until the callback has begun (lock) or the close callback has (process). Any number of loops and threads,
 * also in a process that uses uv_spawn.
 *
 *   static void on_lock(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error) {
 *     if (status != 0) return report(error->message);
 *     ...
 *     safe_unlock(lock);
 *   }
 *   safe_uv_lock_file(loop, &request, "/var/lib/php/sessions/sess_x", NULL, on_lock, &error);
 */
#ifndef SAFEHOLD_UV_H
#define SAFEHOLD_UV_H

#include <uv.h>

#include "safehold.h"

/* The adapter is a static library: what links it into a shared one of its own decides what is seen of it. */
#define SAFE_UV_API

#ifdef __cplusplus
extern "C" {
#endif

/* The UV_E* that comes nearest to what error says; 0 for SAFE_OK. */
SAFE_UV_API int safe_uv_code(const safe_error *error);

/* ---- Locks. A lock that is asked for is a request, like uv_getaddrinfo_t: there is nothing to close. */

typedef struct safe_uv_lock safe_uv_lock;
struct safe__uv_lock;

/* status is 0 and the lock the caller's, or a UV_E* and lock is NULL. error is valid during the call. The request may
   be used again, or freed, from the beginning of the call on. */
typedef void (*safe_uv_lock_cb)(safe_uv_lock *request, int status, safe_lock *lock, const safe_error *error);

struct safe_uv_lock {
  void *data; /* the caller's */
  uv_loop_t *loop;
  struct safe__uv_lock *own; /* the library's; NULL when nothing is pending */
};

/*
 * Asks for a lock as safe_lock_file does, and calls back when the outcome is known: also when the lock is free at once.
 * Never SAFE_EDEADLK: a loop may wait for what it holds itself. Returns 0, or a UV_E* with *error filled, and then
 * there is no callback. Opening the file is done at once, and on a dead file system as slow as that is, unless
 * SAFE_LOCK_ISOLATE is set.
 *
 * The look for the holder of a lock that is not got in time is done in the loop's thread. All looks of a thread
 * together take no more than a twentieth of the time, or options.holder_query_ms if that is less; what does not find a
 * place in that is told without a name.
 */
SAFE_UV_API int safe_uv_lock_file(uv_loop_t *loop, safe_uv_lock *request, const char *path,
                                  const safe_lock_options *options, safe_uv_lock_cb callback, safe_error *error);
/* The same for a file that the caller has opened, who keeps it open until the callback; see safe_lock_handle. */
SAFE_UV_API int safe_uv_lock_handle(uv_loop_t *loop, safe_uv_lock *request, safe_handle file,
                                    const safe_lock_options *options, safe_uv_lock_cb callback, safe_error *error);
/* Takes the request back. The callback comes with UV_ECANCELED, from the loop, not within this call; UV_EINVAL: nothing
   is pending (its callback has begun). UV_EALREADY: it was taken back before. Also a lock that was granted meanwhile is
   given back. */
SAFE_UV_API int safe_uv_lock_cancel(safe_uv_lock *request);
/* A pending request keeps the loop alive, unless it is unreferenced. */
SAFE_UV_API void safe_uv_lock_ref(safe_uv_lock *request);
SAFE_UV_API void safe_uv_lock_unref(safe_uv_lock *request);
SAFE_UV_API int safe_uv_lock_has_ref(const safe_uv_lock *request);
/* Whether its callback is still to come. */
SAFE_UV_API int safe_uv_lock_is_active(const safe_uv_lock *request);

/* ---- Child processes. A child is a handle, like uv_process_t: active while it runs, and to be closed. */

typedef struct safe_uv_process safe_uv_process;
struct safe__uv_process;

/* The child has ended. status is valid during the call; its kind is SAFE_EXIT_UNKNOWN, never a false 0, where the host
   took the status away. The tree may live on: see safe_uv_process_stop. */
typedef void (*safe_uv_exit_cb)(safe_uv_process *process, const safe_exit *status);
/* The stop is over. status is 0, UV_ETIMEDOUT for SAFE_ESTUCK, or UV_ECANCELED when the handle is closed meanwhile.
   report and error are valid during the call. If the child itself ended by it, its exit callback has been called
   before. */
typedef void (*safe_uv_stop_cb)(safe_uv_process *process, int status, const safe_stop_report *report,
                                const safe_error *error);
typedef void (*safe_uv_process_close_cb)(safe_uv_process *process);

struct safe_uv_process {
  uv_process_t uv; /* data is the caller's; loop and pid; the rest is not to be touched */
  struct safe__uv_process *own;
  void (*close_cb)(safe_uv_process *process); /* the library's */
};

typedef struct safe_uv_process_options {
  uint32_t size;
  uint32_t flags;                    /* none yet: 0 */
  const safe_spawn_options *spawn;   /* what to start, and all that safe_spawn can do */
  const uv_stdio_container_t *stdio; /* as uv_process_options_t has them, by number in the child; what is given here
                                        replaces spawn->in, out and err. UV_IGNORE is the null device below 3 */
  int stdio_count;
  safe_uv_exit_cb exit_cb; /* or NULL */
} safe_uv_process_options;

#define SAFE_UV_PROCESS_OPTIONS_INIT \
  { sizeof(safe_uv_process_options), 0, 0, 0, 0, 0 }

/*
 * Starts a program, as safe_spawn does: it has what was listed for it, and nothing else, whoever opened what how.
 * Returns 0, or a UV_E* with *error filled: then there is no handle, and nothing to close, unlike uv_spawn. Blocks
 * until the program is loaded, at most spawn->timeout_ms.
 *
 * UV_CREATE_PIPE takes a uv_pipe_t of this loop that was initialised and not opened; it has one direction where one is
 * asked for, and is a socket pair (Windows: a named pipe) where both are, or where the pipe is one for IPC. What the
 * loop reads and writes is libuv's as usual; the end of the child's input is a uv_close, as uv_shutdown is for sockets
 * (UV_ENOTSOCK; not on Windows).
 */
SAFE_UV_API int safe_uv_spawn(uv_loop_t *loop, safe_uv_process *process, const safe_uv_process_options *options,
                              safe_error *error);
/*
 * The same for a user of uv_spawn, who changes this one call, and the type of the handle. The exit callback gets
 * &process->uv with the exit code and signal; in it and after it uv_close may close the handle, as nothing else hangs
 * on it any more; before that, safe_uv_process_close. A stop that is under way when the child ends goes on, and the
 * exit callback comes at its end. A status that is not known is UV_UNKNOWN in place of an exit code. Pipes are socket
 * pairs (POSIX), as uv_spawn's are.
 *
 * What differs from uv_spawn: the child has its own process group (UV_PROCESS_DETACHED: its own session), gets no
 * descriptor that is not listed, nor ignored signals or a mask; PATH is the host's and without its relative elements;
 * UV_CREATE_PIPE needs a direction; a failed call leaves nothing to close; uv_ref, uv_unref, uv_has_ref, uv_is_active
 * and uv_process_kill are the safe_uv_process_ functions.
 */
SAFE_UV_API int safe_uv_spawn_like(uv_loop_t *loop, safe_uv_process *process, const uv_process_options_t *options,
                                   safe_error *error);

/* The child itself, for safe_process_tree, _signal, _handle, ...; stays the handle's. NULL once it is closed, and after
   the end of a child that was started by safe_uv_spawn_like. */
SAFE_UV_API safe_process *safe_uv_process_get(safe_uv_process *process);
/* As uv_process_kill: UV_ESRCH once it has ended. UV_EBUSY while it is being stopped. */
SAFE_UV_API int safe_uv_process_kill(safe_uv_process *process, int signal_number);
/*
 * Ends the child and its whole tree: politely, after the grace by force, and calls back with the verdict within the
 * grace and 100 ms, as safe_process_stop does. Also for a child that has ended, for what it left behind; UV_ESRCH once
 * safe_uv_process_get has none. One at a time: UV_EALREADY. Keeps the loop alive. callback may be NULL.
 */
SAFE_UV_API int safe_uv_process_stop(safe_uv_process *process, const safe_stop_options *options,
                                     safe_uv_stop_cb callback, safe_error *error);
/* Gives all of it back. A child that still runs goes on; its exit callback does not come any more. A stop that is under
   way ends with UV_ECANCELED, before the close callback. callback may be NULL. */
SAFE_UV_API void safe_uv_process_close(safe_uv_process *process, safe_uv_process_close_cb callback);
/* A child that runs keeps the loop alive, unless it is unreferenced. */
SAFE_UV_API void safe_uv_process_ref(safe_uv_process *process);
SAFE_UV_API void safe_uv_process_unref(safe_uv_process *process);
SAFE_UV_API int safe_uv_process_has_ref(const safe_uv_process *process);
/* Whether its exit or stop callback is still to come. */
SAFE_UV_API int safe_uv_process_is_active(const safe_uv_process *process);
SAFE_UV_API int safe_uv_process_is_closing(const safe_uv_process *process);

/* Whether a handle that uv_walk shows is one of the library's own: not to be closed by who walks, but by
   safe_uv_lock_cancel or safe_uv_process_close. */
SAFE_UV_API int safe_uv_owns(const uv_handle_t *handle);

#ifdef __cplusplus
}
#endif

#endif
