/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_ERROR_H
#define SAFEHOLD_ERROR_H

#include <stdint.h>

#include "safehold/version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A file descriptor, or a Windows HANDLE (which is a void pointer there, so that windows.h is not needed). */
#if defined(_WIN32)
typedef void *safe_handle;
#define SAFE_INVALID_HANDLE ((safe_handle)(intptr_t)-1)
#else
typedef int safe_handle;
#define SAFE_INVALID_HANDLE (-1)
#endif

#define SAFE_NO_WAIT INT64_C(0)
#define SAFE_FOREVER INT64_C(-1)

/* Return values. Append only; the numbers are part of the ABI. */
enum safe_code {
  SAFE_OK = 0,
  SAFE_EINVAL = -1,        /* an argument is wrong; index says which element where it is a list */
  SAFE_ENEWER = -2,        /* a struct has a non-zero field that this library is too old to know */
  SAFE_ENOMEM = -3,        /* no memory */
  SAFE_ETIMEDOUT = -4,     /* the deadline passed */
  SAFE_EBUSY = -5,         /* SAFE_NO_WAIT was asked for, and somebody else holds the lock */
  SAFE_ECANCELED = -6,     /* the safe_cancel was triggered */
  SAFE_ESTUCK = -7,        /* the kernel will not let go; what is stuck was parked */
  SAFE_EOWNER = -8,        /* the object belongs to the process that this one was forked from */
  SAFE_ELOST = -9,         /* the lock that was held before is gone */
  SAFE_EDEADLK = -10,      /* waiting would be for oneself */
  SAFE_EINTR = -11,        /* a signal came, and the caller asked to be told */
  SAFE_ENOENT = -12,       /* a file, a folder on the way to it, or a program does not exist */
  SAFE_EACCES = -13,       /* no permission, or the file system is read-only */
  SAFE_EISDIR = -14,       /* the path is a folder */
  SAFE_ENOTREG = -15,      /* the path is a device, pipe or socket */
  SAFE_ESYMLINK = -16,     /* the path is a symbolic link or reparse point, and following was not asked for */
  SAFE_EREPLACED = -17,    /* the file at the path kept being replaced while it was being locked */
  SAFE_ENOLCK = -18,       /* the kernel or the file server has no lock to give */
  SAFE_ENOTSUP = -19,      /* this system, or this file system, cannot do it */
  SAFE_EBADF = -20,        /* a handle is not open, or not open for what is asked */
  SAFE_ENOEXEC = -21,      /* the program has a format that the system cannot run */
  SAFE_EMFILE = -22,       /* no more descriptors or handles */
  SAFE_EAGAIN = -23,       /* no more processes, or another limit of the user or the system */
  SAFE_EPIPE = -24,        /* the other end is gone */
  SAFE_E2BIG = -25,        /* arguments or environment exceed what the system takes */
  SAFE_ENAMETOOLONG = -26, /* a path exceeds what the system takes */
  SAFE_ENOTDIR = -27,      /* something on the way to the file is not a folder */
  SAFE_EBATCH = -28,       /* a .bat or .cmd file: cmd.exe would parse the arguments again */
  SAFE_ENOSPC = -29,       /* the file system, or a quota, is full */
  SAFE_ESYSTEM = -30,      /* any other system error: os_code says which */
  SAFE_ESRCH = -31         /* the process has ended */
};

/* Where a call failed. Append only. */
enum safe_stage {
  SAFE_STAGE_NONE = 0,
  SAFE_STAGE_ARGUMENTS,   /* reading the caller's options */
  SAFE_STAGE_OPEN,        /* opening the lock file */
  SAFE_STAGE_VERIFY,      /* comparing the locked file with the one now at the path */
  SAFE_STAGE_LOCK,        /* asking for the lock */
  SAFE_STAGE_WAIT,        /* waiting for a lock, an exit or a stream */
  SAFE_STAGE_UNLOCK,      /* giving the lock back */
  SAFE_STAGE_SEARCH,      /* looking for the program */
  SAFE_STAGE_PREPARE,     /* copying what the child needs */
  SAFE_STAGE_PIPE,        /* making a pipe; index is 0, 1 or 2 */
  SAFE_STAGE_CREATE,      /* making the process */
  SAFE_STAGE_DESCRIPTORS, /* giving the child its own descriptor table */
  SAFE_STAGE_STDIO,       /* putting a standard stream in place; index is 0, 1 or 2 */
  SAFE_STAGE_HANDLE,      /* putting a listed handle in place; index is its place in the list */
  SAFE_STAGE_GROUP,       /* making the process group or session */
  SAFE_STAGE_CWD,         /* changing to the child's working directory */
  SAFE_STAGE_EXEC,        /* starting the program; index is the candidate's place on PATH */
  SAFE_STAGE_JOB,         /* making the job object */
  SAFE_STAGE_READ,        /* reading the child's output; index is 1 or 2 */
  SAFE_STAGE_WRITE,       /* writing the child's input */
  SAFE_STAGE_STOP,        /* ending the process */
  SAFE_STAGE_INSPECT,     /* looking at locks, processes and handles */
  SAFE_STAGE_TERMINAL,    /* making a pseudo-terminal, or taking the controlling one */
  SAFE_STAGE_LIMIT,       /* setting a resource limit; index is its place in the list */
  SAFE_STAGE_NICE,        /* changing the niceness or priority */
  SAFE_STAGE_GROUPS,      /* setting the supplementary groups */
  SAFE_STAGE_GID,         /* changing the group */
  SAFE_STAGE_UID,         /* changing the user */
  SAFE_STAGE_PRIVILEGES,  /* giving up new privileges */
  SAFE_STAGE_CGROUP,      /* making a cgroup, or entering it */
  SAFE_STAGE_GUARD,       /* making the guard process */
  SAFE_STAGE_PROXY        /* making the proxy parent, or giving it the handles */
};

/* Owned by the caller; filled on failure only. */
typedef struct safe_error {
  uint32_t size;
  int32_t code;       /* the SAFE_E* that was returned */
  int32_t stage;      /* a SAFE_STAGE_* */
  int32_t index;      /* which element, or -1 */
  int64_t os_code;    /* errno or GetLastError, or 0 where the system was not asked */
  int64_t holder_pid; /* who holds the lock, or 0 where that is not known */
  char message[512];  /* a whole sentence, NUL-terminated */
} safe_error;

#define SAFE_ERROR_INIT                       \
  {                                           \
    sizeof(safe_error), 0, 0, -1, 0, 0, { 0 } \
  }

/* "SAFE_ETIMEDOUT" for -4; "SAFE_?" for a number that is not one of ours. Never NULL, never to be freed. */
SAFE_API const char *safe_code_name(int code);
/* The stage in words, as used in messages: "opening the lock file". Never NULL, never to be freed. */
SAFE_API const char *safe_stage_name(int stage);

/*
 * A request to stop waiting, shared by any number of calls. Once triggered it stays triggered: every call that
 * waits with it, now or later, returns SAFE_ECANCELED.
 */
typedef struct safe_cancel safe_cancel;

SAFE_API int safe_cancel_create(safe_cancel **cancel);
/* From any thread; on POSIX from any signal handler too. Never blocks, never fails. NULL does nothing. */
SAFE_API void safe_cancel_trigger(safe_cancel *cancel);
/* No call may be waiting with it. NULL does nothing. */
SAFE_API void safe_cancel_free(safe_cancel *cancel);

/*
 * How many things are parked: helpers, requests and children that the kernel would not end in time. Looks
 * once, without waiting, whether some can be collected by now. Every spawn and every lock does the same.
 */
SAFE_API int safe_parked_count(void);

/*
 * Waits until everything parked is collected, at most timeout_ms, so that a host may unload the library.
 * 0, or SAFE_ESTUCK if something is left; the library must then stay loaded.
 */
SAFE_API int safe_shutdown(int64_t timeout_ms);

#ifdef __cplusplus
}
#endif

#endif
