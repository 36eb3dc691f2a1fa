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
  SAFE_STDIO_TO_OUT = 4,  /* err only: the same as out */
  SAFE_STDIO_PATH = 5,    /* a file: read for in; made if there is none and written for out and err */
  SAFE_STDIO_PTY = 6      /* a pseudo-terminal, the same one for every stream that asks for it. The child gets a session
                             of its own with it as its controlling terminal; Windows: all three streams or none */
};

enum safe_stdio_flags {
  SAFE_STDIO_APPEND = 1u << 0,   /* PATH: write at the end of the file. Without it the file is emptied */
  SAFE_STDIO_NEW = 1u << 1,      /* PATH: the file must not exist yet */
  SAFE_STDIO_BLOCKING = 1u << 2, /* PIPE: safe_process_take_pipe gives a blocking end (Windows: one for synchronous
                                    calls), and safe_process_communicate is not for this stream */
  SAFE_STDIO_NON_BLOCKING_CHILD = 1u << 3 /* PIPE: the child's own end does not block (POSIX) */
};

typedef struct safe_stdio {
  int32_t kind;       /* SAFE_STDIO_* */
  uint32_t flags;     /* of safe_stdio_flags */
  safe_handle handle; /* HANDLE */
  const char *path;   /* PATH: opened by the child, within the deadline, with the host's rights; a relative one is meant
                         from the host's working directory */
  uint32_t pipe_size; /* PIPE: bytes that it is to hold, or 0 for the system's choice. A wish: less without complaint
                         where a quota is used up */
  uint32_t mode;      /* PATH: access rights of a file that is made, with the umask; 0 = 0666. Windows: not used */
} safe_stdio;

/* A handle that the child gets besides its standard streams. It stays the caller's, and stays as it is. */
typedef struct safe_child_handle {
  safe_handle handle;
  int32_t target; /* POSIX: the descriptor number in the child, 3 or above. Windows: -1, as the child sees the handle
                     under the same value or, with the proxy, under the one that safe_process_handle tells; or with
                     SAFE_SPAWN_CRT_HANDLES a descriptor number from 3 to 255 of the C runtime */
} safe_child_handle;

enum safe_process_group {
  SAFE_GROUP_NEW = 0,     /* a process group of its own, which safe_process_stop ends as a whole */
  SAFE_GROUP_SESSION = 1, /* a session of its own, without a controlling terminal unless one is asked for */
  SAFE_GROUP_HOST = 2     /* the host's group, as for an interactive program; stop ends the child alone */
};

/* Which processes belong to the child, and are ended with it by safe_process_stop. */
enum safe_tree {
  SAFE_TREE_DEFAULT = 0, /* those of its group or session, and its descendants as far as they can be found from it.
                            Windows: all, by a job object */
  SAFE_TREE_GROUP = 1,   /* those of its group or session only: a daemon that leaves it lives on. Windows: a process
                            started with CREATE_BREAKAWAY_FROM_JOB does */
  SAFE_TREE_WHOLE = 2,   /* all: by a cgroup of its own where the host may make one, else by a guard process, to which
                            also a daemon comes back whose parent has ended. The best there is, where there is neither:
                            safe_process_tree tells */
  SAFE_TREE_CGROUP = 3   /* a cgroup or nothing: SAFE_ENOTSUP */
};

enum safe_limit_kind {
  SAFE_LIMIT_MEMORY = 0,     /* bytes: of address space for each process (RLIMIT_AS), and of memory for all of them
                                together where a cgroup or a job can */
  SAFE_LIMIT_CPU_TIME = 1,   /* seconds, of each process; Windows: of all together */
  SAFE_LIMIT_OPEN_FILES = 2, /* descriptors of each process. Not on Windows */
  SAFE_LIMIT_PROCESSES = 3,  /* at a time: of the tree by a cgroup or job, else of the child's user (RLIMIT_NPROC) */
  SAFE_LIMIT_CORE = 4,       /* bytes of a core file. Not on Windows */
  SAFE_LIMIT_FILE_SIZE = 5   /* bytes of a file that it writes. Not on Windows */
};

typedef struct safe_limit {
  int32_t kind;     /* SAFE_LIMIT_* */
  int32_t reserved; /* 0 */
  int64_t value;    /* in the kind's unit; SAFE_UNLIMITED takes an inherited limit away, where the host may */
} safe_limit;

#define SAFE_UNLIMITED INT64_C(-1)

enum safe_spawn_flags {
  SAFE_SPAWN_PATH_OF_CHILD =
    1u << 0,                         /* look the program up on the PATH of the child's environment, not of the host's */
  SAFE_SPAWN_KEEP_IGNORED = 1u << 1, /* signals that the host ignores are ignored in the child too (POSIX) */
  SAFE_SPAWN_NO_NEW_PRIVILEGES = 1u << 2, /* neither the child nor its children gain any by exec (Linux, FreeBSD) */
  SAFE_SPAWN_DIE_WITH_HOST = 1u << 3, /* the tree is killed when this process has ended, however it did; not when the
                                         spawning thread ends. Linux: where it was for want of memory, the child alone.
                                         macOS: SAFE_ENOTSUP */
  SAFE_SPAWN_GUARD = 1u << 4, /* a guard process, which never execs, is the child's parent: its status is known also
                                 where the host ignores SIGCHLD or reaps every child, on kernels that cannot tell
                                 otherwise (Linux; needless and so without effect elsewhere) */
  SAFE_SPAWN_CONTROLLING_TERMINAL = 1u << 5, /* SAFE_GROUP_SESSION: the child's stdin, a terminal, becomes its
                                                controlling terminal (POSIX) */
  SAFE_SPAWN_VERBATIM = 1u << 6,             /* Windows: the arguments are joined with spaces and not quoted */
  SAFE_SPAWN_BATCH = 1u << 7,       /* Windows: the program may be a .bat or .cmd file. Arguments that cmd.exe would not
                                       hand over as they are get SAFE_EBATCH; so do line breaks and the like */
  SAFE_SPAWN_CRT_HANDLES = 1u << 8, /* Windows: targets are descriptor numbers of the C runtime */
  SAFE_SPAWN_NO_WINDOW = 1u << 9,   /* Windows: a console program gets a console that is not shown */
  SAFE_SPAWN_NEW_CONSOLE = 1u << 10, /* Windows: a console of its own, in a window */
  SAFE_SPAWN_HIDDEN = 1u << 11,      /* Windows: the first window is not shown (SW_HIDE) */
  SAFE_SPAWN_PROXY = 1u << 12,       /* Windows: by the proxy parent or not at all, see safe_spawn */
  SAFE_SPAWN_NO_PROXY = 1u << 13     /* Windows: never by the proxy parent */
};

/* Flags and fields that say "POSIX" or name systems are SAFE_ENOTSUP on others, unless they say otherwise. Those that
   say "Windows" are without effect elsewhere. */
typedef struct safe_spawn_options {
  uint32_t size;
  uint32_t flags;          /* of safe_spawn_flags */
  const char *file;        /* the program, or NULL for argv[0]; a name without a folder is looked up on PATH */
  const char *const *argv; /* ends with NULL; argv[0] is what the program sees as its name */
  const char *shell;       /* instead of file and argv: a command line for /bin/sh -c or cmd.exe /d /s /c */
  const char *const *env;  /* "NAME=value" strings, ends with NULL; NULL = the host's environment */
  const char *cwd;         /* or NULL for the host's */
  safe_stdio in, out, err; /* default SAFE_STDIO_INHERIT */
  const safe_child_handle *handles;
  size_t handle_count;
  int64_t timeout_ms;             /* for the spawn itself; default 10,000 */
  int32_t group;                  /* SAFE_GROUP_*; default SAFE_GROUP_NEW. Windows: always a job object of its own,
                                     SAFE_GROUP_NEW also CREATE_NEW_PROCESS_GROUP */
  int32_t tree;                   /* SAFE_TREE_*; default SAFE_TREE_DEFAULT */
  const char *const *env_changes; /* applied to env, or to the host's environment: "NAME=value" sets, "NAME" removes; of
                                     several for one name the last counts. Ends with NULL; or NULL */
  int64_t uid, gid;               /* the child's user and group, real, effective and saved; -1 = the host's (POSIX) */
  const uint32_t *groups;         /* its supplementary groups (POSIX) */
  size_t group_count;             /* with uid or gid and no list: none but gid, as those of the host are not the child's
                                     to have. Without uid, gid and list: the host's */
  int32_t umask;                  /* -1 = the host's (POSIX) */
  int32_t nice;             /* added to the host's niceness, -40 to 40. Windows: a priority class, with idle as 19,
                               below normal 10, normal 0, above normal -7 and high -14 */
  const safe_limit *limits; /* soft and hard alike, but for one second of CPU time from SIGXCPU to SIGKILL */
  size_t limit_count;
  const char *cgroup; /* the folder in which a cgroup for the tree is made; NULL = the host's own cgroup (Linux) */
  int32_t pty_columns, pty_rows; /* of SAFE_STDIO_PTY; 0 = 80 and 24 */
} safe_spawn_options;

#define SAFE_STDIO_INIT \
  { SAFE_STDIO_INHERIT, 0, SAFE_INVALID_HANDLE, 0, 0, 0 }

#define SAFE_SPAWN_OPTIONS_INIT                                                                                   \
  {                                                                                                               \
    sizeof(safe_spawn_options), 0, 0, 0, 0, 0, 0, SAFE_STDIO_INIT, SAFE_STDIO_INIT, SAFE_STDIO_INIT, 0, 0, 10000, \
      SAFE_GROUP_NEW, SAFE_TREE_DEFAULT, 0, -1, -1, 0, 0, -1, 0, 0, 0, 0, 0, 0                                    \
  }

/*
 * Starts a program. The child has its three standard streams and the listed handles, and no other; an empty
 * signal mask and default dispositions, ignored signals included. PATH is the host's unless asked otherwise, and its
 * empty and relative elements are passed over: a program in the current directory is never found by accident.
 * On Windows a .bat or .cmd file, however its name is disguised, is refused with SAFE_EBATCH.
 *
 * Returns when the program has been loaded, not merely when a process was made: a missing or unusable program
 * is an error here, not an exit status. Blocks at most timeout_ms: a child that does not reach its program in time is
 * killed (SAFE_ETIMEDOUT), and parked if it cannot be (SAFE_ESTUCK). *process is NULL on failure.
 *
 * Of the host nothing changes: no descriptor, signal mask, handler, working directory, umask or user, not for a moment.
 *
 * Windows: what is inherited has to be inheritable in the parent, where any other CreateProcess of the host might catch
 * it. So a suspended process of ours, the proxy, is the parent wherever no stream is a console; this process then
 * never owns an inheritable handle. Without the proxy there is a window of time in which the listed handles are.
 *
 * error->stage says what failed, error->index which element, error->os_code why.
 */
SAFE_API int safe_spawn(safe_process **process, const safe_spawn_options *options, safe_error *error);

/*
 * Keeps the lowest free descriptor numbers, at most count (and 256) of them, for the pipes of children, in a host with
 * thousands of descriptors: what a spawn costs grows with the highest number that the child is given. For the whole
 * process; 0 gives them back. Returns how many there are now, or a SAFE_E*. SAFE_ENOTSUP where it would be of no use.
 */
SAFE_API int safe_reserve_descriptors(int count);

/* The system's number for the child. It stays the child's own until safe_process_free, unless the host itself reaps
   the child, by a waitpid(-1) or by ignoring SIGCHLD. */
SAFE_API int64_t safe_process_pid(const safe_process *process);

/*
 * Hands over our end of a pipe (0 = the child's stdin, 1 = stdout, 2 = stderr): it becomes the caller's to
 * close. POSIX: non-blocking, close-on-exec. Windows: a pipe handle for overlapped I/O, not inheritable.
 * SAFE_INVALID_HANDLE if that stream is no pipe or was taken already.
 */
SAFE_API safe_handle safe_process_take_pipe(safe_process *process, int stream);

enum safe_tree_kind {
  SAFE_TREE_BY_CHILD = 0,  /* SAFE_GROUP_HOST: the child alone */
  SAFE_TREE_BY_GROUP = 1,  /* process group or session */
  SAFE_TREE_BY_WALK = 2,   /* that and the descendants found from it */
  SAFE_TREE_BY_GUARD = 3,  /* a guard process adopts what leaves, and finds all */
  SAFE_TREE_BY_CGROUP = 4, /* a cgroup */
  SAFE_TREE_BY_JOB = 5     /* a job object */
};

typedef struct safe_tree_info {
  uint32_t size;
  int32_t kind;            /* SAFE_TREE_BY_* */
  int64_t guard;           /* the pid of the guard process, or 0 */
  uint32_t limits_lacking; /* bit 1 << SAFE_LIMIT_*: a limit that could not be set for the tree as a whole, for want of
                             the cgroup's controller, and is each process's own instead */
  char cgroup[268];        /* its path, or "" */
} safe_tree_info;

#define SAFE_TREE_INFO_INIT                \
  {                                        \
    sizeof(safe_tree_info), 0, 0, 0, { 0 } \
  }

/* How the child's tree is kept together. Never blocks. */
SAFE_API int safe_process_tree(const safe_process *process, safe_tree_info *info, safe_error *error);

/* The value under which the child sees listed handle number index. POSIX: its target. */
SAFE_API safe_handle safe_process_handle(const safe_process *process, size_t index);

/* Tells the child of a new size of its SAFE_STDIO_PTY. SAFE_EINVAL if it has none. */
SAFE_API int safe_process_resize(safe_process *process, int columns, int rows);

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
  int32_t kind;               /* SAFE_EXIT_* */
  int64_t code;               /* the exit code (Windows: all 32 bits), or -1 */
  int32_t signal;             /* the signal that ended it, or 0 */
  int32_t core;               /* 1 if the system dumped core */
  int64_t user_us, system_us; /* CPU time of the child and of the children that it waited for; -1 if it is not known */
  int64_t peak_memory;        /* the most bytes of memory that it had at a time; -1 if it is not known */
} safe_exit;

#define SAFE_EXIT_INIT \
  { sizeof(safe_exit), 0, -1, 0, 0, -1, -1, -1 }

/*
 * Waits until the child has ended. Can be called again, also after it has ended. The child's number stays
 * reserved (as a zombie, on POSIX) until safe_process_free, so that no signal of safe_process_stop can
 * reach a stranger. SAFE_ETIMEDOUT or SAFE_ECANCELED: it still runs. status may be NULL.
 *
 * With an error to fill, the last 20 ms of a wait of 100 ms or more are for a look at what the child does, which the
 * message of SAFE_ETIMEDOUT ends with; should the child end meanwhile, that is noticed after the look.
 */
SAFE_API int safe_process_wait(safe_process *process, const safe_wait_options *options, safe_exit *status,
                               safe_error *error);

/* Readable (POSIX) or signalled (Windows) once the child has ended. Stays the library's. SAFE_INVALID_HANDLE
   where the system has no such thing (Linux before 5.3). */
SAFE_API safe_handle safe_process_exit_handle(safe_process *process);

/* What becomes of a stream of the child's output. */
enum safe_sink_kind {
  SAFE_SINK_MEMORY = 0,   /* kept in memory, up to the limit */
  SAFE_SINK_DROP = 1,     /* read and thrown away */
  SAFE_SINK_HANDLE = 2,   /* written to the handle, which stays the caller's */
  SAFE_SINK_CALLBACK = 3, /* handed to the function */
  SAFE_SINK_LEAVE = 4     /* not read at all: the caller's to read */
};

/* What is kept where there is more than the limit. */
enum safe_keep {
  SAFE_KEEP_HEAD = 0, /* the first bytes */
  SAFE_KEEP_TAIL = 1, /* the last bytes */
  SAFE_KEEP_BOTH = 2  /* the first half and the last half of the limit */
};

/* Takes the bytes: 0, or a SAFE_E* that ends safe_process_communicate with it. stream is 1 or 2. It runs in the calling
   thread, and its time is part of the deadline, which cannot interrupt it. */
typedef int (*safe_sink_function)(void *context, int stream, const void *bytes, size_t length);

typedef struct safe_sink {
  int32_t kind;       /* SAFE_SINK_* */
  int32_t keep;       /* MEMORY: SAFE_KEEP_* */
  size_t limit;       /* MEMORY: bytes that are kept; the rest is read and dropped. Default 64 MiB */
  safe_handle handle; /* HANDLE: a file, pipe or socket. One that does not take more at the moment is waited for, within
                         the deadline; a file is taken to take everything at once (Windows: any handle but a
                         non-blocking socket is written to on a thread that can be left behind) */
  safe_sink_function function; /* CALLBACK */
  void *context;
} safe_sink;

#define SAFE_SINK_INIT \
  { SAFE_SINK_MEMORY, SAFE_KEEP_HEAD, (size_t)64 << 20, SAFE_INVALID_HANDLE, 0, 0 }

/* Gives up to room bytes of the child's input: how many, 0 at the end, or a SAFE_E* that ends the call. As above. */
typedef int64_t (*safe_source_function)(void *context, void *buffer, size_t room);

typedef struct safe_communicate_options {
  uint32_t size;
  uint32_t flags;    /* none yet: 0 */
  const void *input; /* goes to the child's stdin, which is then closed */
  size_t input_length;
  safe_handle input_handle;            /* instead: what can be read from this until its end */
  safe_source_function input_function; /* instead: what this gives */
  void *input_context;
  safe_sink out, err;  /* default: into memory */
  int64_t timeout_ms;  /* for all of it; default 10,000 */
  int64_t drain_ms;    /* after the child has ended, while somebody else keeps its pipes open; default 1,000 */
  safe_cancel *cancel; /* or NULL */
} safe_communicate_options;

#define SAFE_COMMUNICATE_OPTIONS_INIT                                                                                  \
  {                                                                                                                    \
    sizeof(safe_communicate_options), 0, 0, 0, SAFE_INVALID_HANDLE, 0, 0, SAFE_SINK_INIT, SAFE_SINK_INIT, 10000, 1000, \
      0                                                                                                                \
  }

enum safe_output_flags {
  SAFE_OUTPUT_OUT_CUT = 1 << 0,   /* stdout had more than its limit of bytes */
  SAFE_OUTPUT_ERR_CUT = 1 << 1,   /* stderr had more than its limit of bytes */
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
  uint64_t input_used;     /* bytes of the input that the pipe took */
  size_t out_cut, err_cut; /* where in out and err the bytes are missing that were dropped, if any were */
} safe_output;

#define SAFE_OUTPUT_INIT \
  { sizeof(safe_output), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

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
  uint32_t flags;      /* none yet: 0 */
  int64_t grace_ms;    /* from the polite request to the forced end; default 2,000; 0 = forced at once */
  safe_cancel *cancel; /* or NULL; ends the grace time, not the call */
} safe_stop_options;

#define SAFE_STOP_OPTIONS_INIT \
  { sizeof(safe_stop_options), 0, 2000, 0 }

enum safe_stop_verdict {
  SAFE_STOP_WAS_GONE = 0, /* it had ended already, and so had its group or job */
  SAFE_STOP_POLITE = 1,   /* the polite request was enough */
  SAFE_STOP_FORCED = 2,   /* it had to be killed */
  SAFE_STOP_STUCK = 3     /* it is still there */
};

#define SAFE_STOP_MAX_PIDS 256

typedef struct safe_stop_report {
  uint32_t size;
  int32_t verdict;                  /* SAFE_STOP_* */
  int32_t left_count;               /* how many processes of the group or job are left */
  int32_t state;                    /* of the first one left: the letter of proc(5), such as 'D', or 0 */
  int64_t left[SAFE_STOP_MAX_PIDS]; /* the first of them; 0: one that the list of processes does not show */
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
 * The same without blocking, for event loops: begin, then poll after each delay, and when the exit handle becomes
 * ready; finish.
 *
 *   safe_stop_begin(&stop, process, &options, &error);
 *   while (safe_stop_poll(stop) == SAFE_EAGAIN) ... let safe_stop_delay_ms(stop) pass in the loop
 *   code = safe_stop_finish(stop, &report, &error);
 *
 * begin asks politely, or ends by force where there is no grace. One stop at a time for a process (SAFE_EBUSY); nothing
 * else may be called for the process meanwhile but safe_process_exit_handle, _pid, and from its owner
 * safe_process_wait. *stop is NULL on failure. A poll that is due, or comes after something has changed, looks for what
 * is left, which takes as long as the system's list of processes is; any other is cheap.
 */
typedef struct safe_stop safe_stop;
SAFE_API int safe_stop_begin(safe_stop **stop, safe_process *process, const safe_stop_options *options,
                             safe_error *error);
/* 0: over, and finish will not block. SAFE_EAGAIN: not yet. */
SAFE_API int safe_stop_poll(safe_stop *stop);
/* Milliseconds after which the next poll is of use; 0 = now. */
SAFE_API int64_t safe_stop_delay_ms(const safe_stop *stop);
/* The outcome, as safe_process_stop would return it; blocks for what is left of the time if it is called early. Frees
   the stop, except with SAFE_EINVAL for a wrong report or error. */
SAFE_API int safe_stop_finish(safe_stop *stop, safe_stop_report *report, safe_error *error);
/* Frees the stop without going on with it: what was asked to end may still do so. Never blocks. NULL does nothing. */
SAFE_API void safe_stop_abandon(safe_stop *stop);

enum safe_signal_flags {
  SAFE_SIGNAL_GROUP = 1u << 0 /* to the process group that the child leads; Windows: to the whole job */
};

/*
 * Sends the child a signal: SIGTERM, SIGHUP, ...; 0 only asks whether it is there. Never reaches a stranger, as the
 * child's number is not given to anybody else before safe_process_free. Never blocks. With SAFE_SIGNAL_GROUP also what
 * an ended child left behind in its group gets it; with SAFE_GROUP_HOST that flag is SAFE_EINVAL, as the group is the
 * host's.
 *
 * SAFE_ESRCH: it has ended, and so has its group; of a group, SIGKILL may say SAFE_OK even so, as it does not look
 * first. SAFE_EINVAL: no such signal. Windows knows 0 and the numbers 2, 3, 9 and 15 (SIGINT, SIGQUIT, SIGKILL,
 * SIGTERM), which all end it at once with exit code 1; SAFE_ENOTSUP for others.
 */
SAFE_API int safe_process_signal(safe_process *process, int signal_number, uint32_t flags, safe_error *error);

/*
 * For the common case: safe_spawn, safe_process_communicate, safe_process_stop and safe_process_free in one. stdin is a
 * pipe if there is input and else the null device, stdout and stderr are pipes, unless spawn says otherwise
 * (SAFE_STDIO_INHERIT, which is the default, does not: give the host's own stream as SAFE_STDIO_HANDLE; a pipe must be
 * one that is communicated with). communicate's timeout is that of the whole run, to which ending the tree may add the
 * default grace; NULL gives the defaults. When the call returns nothing of the child's tree is left, or it is
 * SAFE_ESTUCK and error names what is. SAFE_ETIMEDOUT and SAFE_ECANCELED: it was ended, and output has what came until
 * then. status and output may be NULL.
 */
SAFE_API int safe_run(const safe_spawn_options *spawn, const safe_communicate_options *communicate, safe_exit *status,
                      safe_output *output, safe_error *error);

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
