/* SPDX-License-Identifier: MIT */
/*
 * Child processes that get what was listed for them and nothing else, with a deadline on every wait.
 *
 *   static const char *const argv[] = { "rrdtool", "-", NULL };
 *   safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;
 *   safe_process *process;
 *
 *   options.argv = argv;
 *   options.in.kind = options.out.kind = SAFE_STDIO_PIPE;
 *   if (safe_spawn(&process, &options, &error) == 0) {
 *     safe_process_communicate(process, &talk, &output, &error);
 *     safe_process_stop(process, NULL, NULL, NULL);
 *     safe_process_free(process);
 *   }
 */
#ifndef SAFEHOLD_PROCESS_H
#define SAFEHOLD_PROCESS_H

#include <stddef.h>

#include "safehold/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct safe_process safe_process;

enum safe_stdio_kind {
  SAFE_STDIO_INHERIT = 0, /* the host's own; the null device where the host has it closed */
  SAFE_STDIO_NULL = 1,    /* the null device */
  SAFE_STDIO_PIPE = 2,    /* a pipe, whose other end safe_process_communicate or _take_pipe uses */
  SAFE_STDIO_HANDLE = 3,  /* the given handle, which stays the caller's */
  SAFE_STDIO_TO_OUT = 4   /* err only: the same as out */
};

typedef struct safe_stdio {
  int32_t kind; /* SAFE_STDIO_* */
  safe_handle handle;
} safe_stdio;

/* A handle that the child gets besides its standard streams. It stays the caller's, and stays as it is. */
typedef struct safe_child_handle {
  safe_handle handle;
  int32_t target; /* POSIX: the descriptor number in the child, 3 or above. Windows: must be -1, as the child
                     sees the handle under the same value: pass it in an argument or a variable */
} safe_child_handle;

enum safe_process_group {
  SAFE_GROUP_NEW = 0,     /* a process group of its own, which safe_process_stop ends as a whole */
  SAFE_GROUP_SESSION = 1, /* a session of its own, without a controlling terminal */
  SAFE_GROUP_HOST = 2     /* the host's group, as for an interactive program; stop ends the child alone */
};

typedef struct safe_spawn_options {
  uint32_t size;
  uint32_t flags;          /* none yet: 0 */
  const char *file;        /* the program, or NULL for argv[0]; a name without a folder is looked up on PATH */
  const char *const *argv; /* ends with NULL; argv[0] is what the program sees as its name */
  const char *shell;       /* instead of file and argv: a command line for /bin/sh -c or cmd.exe /d /s /c */
  const char *const *env;  /* "NAME=value" strings, ends with NULL; NULL = the host's environment */
  const char *cwd;         /* or NULL for the host's */
  safe_stdio in, out, err; /* default SAFE_STDIO_INHERIT */
  const safe_child_handle *handles;
  size_t handle_count;
  int64_t timeout_ms; /* for the spawn itself; default 10,000 */
  int32_t group;      /* SAFE_GROUP_*; default SAFE_GROUP_NEW. Windows: always a job object of its own,
                         SAFE_GROUP_NEW also CREATE_NEW_PROCESS_GROUP */
} safe_spawn_options;

#define SAFE_STDIO_INIT \
  { SAFE_STDIO_INHERIT, SAFE_INVALID_HANDLE }

#define SAFE_SPAWN_OPTIONS_INIT                                                                                   \
  {                                                                                                               \
    sizeof(safe_spawn_options), 0, 0, 0, 0, 0, 0, SAFE_STDIO_INIT, SAFE_STDIO_INIT, SAFE_STDIO_INIT, 0, 0, 10000, \
      SAFE_GROUP_NEW                                                                                              \
  }

/*
 * Starts a program. The child has its three standard streams and the listed handles, and no other; an empty
 * signal mask and default dispositions, ignored signals included. PATH is the host's, and its empty and
 * relative elements are passed over: a program in the current directory is never found by accident.
 * On Windows a .bat or .cmd file is refused with SAFE_EBATCH.
 *
 * Returns when the program has been loaded, not merely when a process was made: a missing or unusable program
 * is an error here, not an exit status. Blocks at most timeout_ms: a child that does not reach its program in time is
 * killed (SAFE_ETIMEDOUT), and parked if it cannot be (SAFE_ESTUCK). *process is NULL on failure.
 *
 * error->stage says what failed, error->index which element, error->os_code why.
 */
SAFE_API int safe_spawn(safe_process **process, const safe_spawn_options *options, safe_error *error);

/* The system's number for the child. It stays the child's own until safe_process_free, unless the host itself reaps
   the child, by a waitpid(-1) or by ignoring SIGCHLD. */
SAFE_API int64_t safe_process_pid(const safe_process *process);

/*
 * Hands over our end of a pipe (0 = the child's stdin, 1 = stdout, 2 = stderr): it becomes the caller's to
 * close. POSIX: non-blocking, close-on-exec. Windows: a pipe handle for overlapped I/O, not inheritable.
 * SAFE_INVALID_HANDLE if that stream is no pipe or was taken already.
 */
SAFE_API safe_handle safe_process_take_pipe(safe_process *process, int stream);

typedef struct safe_wait_options {
  uint32_t size;
  uint32_t flags;      /* none yet: 0 */
  int64_t timeout_ms;  /* default 10,000 */
  safe_cancel *cancel; /* or NULL */
} safe_wait_options;

#define SAFE_WAIT_OPTIONS_INIT \
  { sizeof(safe_wait_options), 0, 10000, 0 }

enum safe_exit_kind {
  SAFE_EXIT_UNKNOWN = 0, /* it ended, but the host discarded its status, and the kernel keeps none */
  SAFE_EXIT_CODE = 1,
  SAFE_EXIT_SIGNAL = 2
};

typedef struct safe_exit {
  uint32_t size;
  int32_t kind;   /* SAFE_EXIT_* */
  int64_t code;   /* the exit code (Windows: all 32 bits), or -1 */
  int32_t signal; /* the signal that ended it, or 0 */
  int32_t core;   /* 1 if the system dumped core */
} safe_exit;

#define SAFE_EXIT_INIT \
  { sizeof(safe_exit), 0, -1, 0, 0 }

/*
 * Waits until the child has ended. Can be called again, also after it has ended. The child's number stays
 * reserved (as a zombie, on POSIX) until safe_process_free, so that no signal of safe_process_stop can
 * reach a stranger. SAFE_ETIMEDOUT or SAFE_ECANCELED: it still runs. status may be NULL.
 */
SAFE_API int safe_process_wait(safe_process *process, const safe_wait_options *options, safe_exit *status,
                               safe_error *error);

/* Readable (POSIX) or signalled (Windows) once the child has ended. Stays the library's. SAFE_INVALID_HANDLE
   where the system has no such thing (Linux before 5.3). */
SAFE_API safe_handle safe_process_exit_handle(safe_process *process);

typedef struct safe_communicate_options {
  uint32_t size;
  uint32_t flags;    /* none yet: 0 */
  const void *input; /* goes to the child's stdin, which is then closed */
  size_t input_length;
  size_t out_limit;    /* keep at most so many bytes of stdout; the rest is read and dropped. Default 64 MiB */
  size_t err_limit;    /* the same for stderr */
  int64_t timeout_ms;  /* for all of it; default 10,000 */
  int64_t drain_ms;    /* after the child has ended, while somebody else keeps its pipes open; default 1,000 */
  safe_cancel *cancel; /* or NULL */
} safe_communicate_options;

#define SAFE_COMMUNICATE_OPTIONS_INIT \
  { sizeof(safe_communicate_options), 0, 0, 0, (size_t)64 << 20, (size_t)64 << 20, 10000, 1000, 0 }

enum safe_output_flags {
  SAFE_OUTPUT_OUT_CUT = 1 << 0,   /* stdout had more than out_limit bytes */
  SAFE_OUTPUT_ERR_CUT = 1 << 1,   /* stderr had more than err_limit bytes */
  SAFE_OUTPUT_HELD_OPEN = 1 << 2, /* the child ended, but a process that it started keeps a pipe open */
  SAFE_OUTPUT_IN_REFUSED = 1 << 3 /* the child closed its stdin before it had read all the input */
};

/* Filled also by a call that fails on the way, with what was read until then. out and err belong to the caller:
   safe_output_free. They end with a NUL that does not count; they stay as they were when the call did not begin, for a
   bad argument, a forked copy (SAFE_EOWNER) or want of memory. */
typedef struct safe_output {
  uint32_t size;
  uint32_t flags; /* SAFE_OUTPUT_* */
  char *out;
  size_t out_length;
  char *err;
  size_t err_length;
  uint64_t out_total; /* bytes that came, kept or not */
  uint64_t err_total;
  size_t input_used; /* bytes of the input that the pipe took */
} safe_output;

#define SAFE_OUTPUT_INIT \
  { sizeof(safe_output), 0, 0, 0, 0, 0, 0, 0, 0 }

/*
 * Feeds the input, collects both outputs, and waits for the child's end, all at once, so that neither side can
 * block the other. Streams that are no pipes are passed over. Returns 0 when the child has ended and both
 * outputs were read to their end, or the drain time was over (SAFE_OUTPUT_HELD_OPEN).
 *
 * SAFE_ETIMEDOUT or SAFE_ECANCELED: the child still runs and its pipes are still open. The call may be
 * repeated, with the input from input_used on. SAFE_ENOMEM: output was lost.
 *
 * SIGPIPE is never raised in the host.
 */
SAFE_API int safe_process_communicate(safe_process *process, const safe_communicate_options *options,
                                      safe_output *output, safe_error *error);
SAFE_API void safe_output_free(safe_output *output);

typedef struct safe_stop_options {
  uint32_t size;
  uint32_t flags;   /* none yet: 0 */
  int64_t grace_ms; /* from the polite request to the forced end; default 2,000; 0 = forced at once */
} safe_stop_options;

#define SAFE_STOP_OPTIONS_INIT \
  { sizeof(safe_stop_options), 0, 2000 }

enum safe_stop_verdict {
  SAFE_STOP_WAS_GONE = 0, /* it had ended already, and so had its group or job */
  SAFE_STOP_POLITE = 1,   /* the polite request was enough */
  SAFE_STOP_FORCED = 2,   /* it had to be killed */
  SAFE_STOP_STUCK = 3     /* it is still there */
};

#define SAFE_STOP_MAX_PIDS 16

typedef struct safe_stop_report {
  uint32_t size;
  int32_t verdict;                  /* SAFE_STOP_* */
  int32_t left_count;               /* how many processes of the group or job are left */
  int32_t state;                    /* of the first one left: the letter of proc(5), such as 'D', or 0 */
  int64_t left[SAFE_STOP_MAX_PIDS]; /* the first of them */
  char wait_channel[64];            /* where in the kernel the first one left waits, or "" */
} safe_stop_report;

#define SAFE_STOP_REPORT_INIT                     \
  {                                               \
    sizeof(safe_stop_report), 0, 0, 0, {0}, { 0 } \
  }

/*
 * Ends the child and whatever is left of its process group or job: politely (SIGTERM; CTRL_BREAK on Windows, where the
 * child shares our console), then, grace_ms later, by force. Returns within grace_ms + 100 ms with a verdict: 0 when
 * all are gone, SAFE_ESTUCK when the kernel will not end one, which the report and the error then describe. Also for a
 * child that has ended: a process that it left behind in its group is ended too. With SAFE_GROUP_HOST only the child
 * itself.
 */
SAFE_API int safe_process_stop(safe_process *process, const safe_stop_options *options, safe_stop_report *report,
                               safe_error *error);

/*
 * Closes the pipes and gives the child's number back. Never blocks and ends nobody: a child that still runs
 * goes on, and once it has ended it is collected by the next spawn, lock, safe_parked_count or safe_shutdown. NULL does
 * nothing.
 */
SAFE_API void safe_process_free(safe_process *process);

#ifdef __cplusplus
}
#endif

#endif
