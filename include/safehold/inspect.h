/* SPDX-License-Identifier: MIT */
/*
 * Questions: who holds a lock, who waits for whom, and what a careless child would inherit.
 *
 * None of these calls takes a lock, opens a lock file for writing, or stops or slows down a process that it looks at.
 * Each returns within its timeout, whatever it meets: a dead file system, a process that nobody can end. What could not
 * be seen is said, never left out in silence. Everything is what was so at the moment of the look, and may have changed
 * since. Any thread may call them, also after a fork.
 */
#ifndef SAFEHOLD_INSPECT_H
#define SAFEHOLD_INSPECT_H

#include <stddef.h>

#include "safehold/lock.h"

#ifdef __cplusplus
extern "C" {
#endif

enum safe_holder_role {
  SAFE_HOLDER_HOLDS = 0, /* has the locked description open: it holds the lock, maybe with others */
  SAFE_HOLDER_WAITS = 1, /* is queued for it */
  SAFE_HOLDER_OPENS = 2  /* has the file open; the system does not tell whether it locks it */
};

/* How a process comes to have the lock. */
enum safe_via {
  SAFE_VIA_UNKNOWN = 0,
  SAFE_VIA_LOCKED = 1,    /* it asked for it */
  SAFE_VIA_INHERITED = 2, /* it has the locked open file description from another process, which asked for it: it was
                             its parent's, or was handed over. The lock is kept alive all the same */
  SAFE_VIA_RECORD = 3     /* its owner record says so; the system has not confirmed it */
};

typedef struct safe_holder {
  int64_t pid;      /* never 0 */
  int64_t handle;   /* its descriptor number, or -1 where that is not known */
  int32_t role;     /* SAFE_HOLDER_* */
  int32_t mode;     /* SAFE_LOCK_*, or -1 */
  int32_t method;   /* SAFE_METHOD_OFD, _FLOCK, _POSIX, _FAR or _COMPAT, or -1 where that is not known */
  char name[64];    /* the program's name, or "" */
  int32_t via;      /* SAFE_VIA_* */
  int32_t state;    /* of the process, one letter: 'R' runs or can run, 'S' sleeps, 'D' sleeps and cannot be killed, 'T'
                       stopped, 't' stopped by a debugger, 'Z' ended, but not reaped, 'X' ended, but not gone
                       (Windows), or 0 where that is not known */
  int64_t since_ms; /* milliseconds since 1970: for a holder, when it got the lock (its owner record says so); for one
                       that waits, when it fell asleep; 0 where that is not known */
  int64_t offset, length; /* the bytes; 0, 0: all of them, or not known. As in safe_lock_options */
} safe_holder;

typedef struct safe_holder_list safe_holder_list;

/*
 * Who holds locks on the file at path, and who waits for them. Returns within timeout_ms (SAFE_FOREVER is
 * SAFE_EINVAL here) with what was found until then. 0 with an empty list: nobody, as far as can be seen;
 * safe_holder_list_unknown says what could not be seen.
 *
 * Linux: /proc/locks, and the lock lines of every /proc/PID/fdinfo that may be read, which also name processes
 * that merely inherited a locked description. FreeBSD: the kern.lockf table, together with the processes that have the
 * file open, as it does not name an flock's owner: SAFE_HOLDER_HOLDS only where a single one is possible. macOS and
 * Windows: processes that have the file open (SAFE_HOLDER_OPENS), as neither system names the owner of a lock; what
 * this process itself holds is known.
 */
SAFE_API int safe_lock_holders(const char *path, int64_t timeout_ms, safe_holder_list **list, safe_error *error);
SAFE_API size_t safe_holder_list_count(const safe_holder_list *list);
/* Valid until the list is freed; NULL when index is too large. */
SAFE_API const safe_holder *safe_holder_list_get(const safe_holder_list *list, size_t index);
/* What the list may lack, and why, as a sentence; NULL when it is complete. */
SAFE_API const char *safe_holder_list_unknown(const safe_holder_list *list);
SAFE_API void safe_holder_list_free(safe_holder_list *list);

enum safe_owner_state {
  SAFE_OWNER_NONE = 0,     /* nobody has left a record, or it was cleared */
  SAFE_OWNER_ALIVE = 1,    /* that very process is running */
  SAFE_OWNER_GONE = 2,     /* it has ended, or the machine was restarted since */
  SAFE_OWNER_ELSEWHERE = 3 /* it is another machine's, or another container's */
};

/*
 * What SAFE_LOCK_RECORD_OWNER leaves behind: a hint, which nobody is bound to believe. It is 512 bytes of text, at the
 * beginning of the lock file if the library made that file, else in a file of its own beside it, PATH.owner:
 *
 *   safehold owner 1
 *   pid=4711
 *   start=1234567        when that process was started: clock ticks since boot (Linux), else the system's unit
 *   boot=6b0f...         which start of the machine; - where that is not known
 *   host=web3
 *   thread=4712
 *   since=1795286400000  when the lock was got: milliseconds since 1970
 *   label=session gc
 *   check=8f1c...        FNV-1a, 64 bits, of all bytes before this line
 *
 * then newlines up to 512 bytes. With safe_unlock it becomes its first line and newlines; PATH.owner is removed.
 */
typedef struct safe_owner {
  uint32_t size;
  int32_t state; /* SAFE_OWNER_* */
  int64_t pid, thread, since_ms;
  uint64_t start;
  char boot[40], host[72], label[72];
} safe_owner;

#define SAFE_OWNER_INIT                                \
  {                                                    \
    sizeof(safe_owner), 0, 0, 0, 0, 0, {0}, {0}, { 0 } \
  }

/* Reads the record for the lock file at path. Never waits for a lock; opens a file on a dead file system as long as
   that takes. 0 also when there is none. */
SAFE_API int safe_lock_owner(const char *path, safe_owner *owner, safe_error *error);

/* ---- Why. */

enum safe_verdict {
  SAFE_VERDICT_FREE = 0,   /* nobody holds a lock on the file; or: the process does not wait for another one */
  SAFE_VERDICT_HELD = 1,   /* it is held, or the process waits; and who is waited for can go on, as far as was seen */
  SAFE_VERDICT_CYCLE = 2,  /* some wait for one another: none of them can go on */
  SAFE_VERDICT_STUCK = 3,  /* who is waited for cannot go on by itself: it is stopped, or has slept for 2 s where no
                              signal reaches it, or it waits for something that nobody is left to give */
  SAFE_VERDICT_UNKNOWN = 4 /* too little could be seen to tell */
};

/* What a process, or one of its threads, waits for. */
enum safe_waits {
  SAFE_WAITS_NOT = 0,      /* it runs, or could */
  SAFE_WAITS_LOCK = 1,     /* for a lock on the file `what`, held by `other` */
  SAFE_WAITS_CHILD = 2,    /* for its child `other` to end */
  SAFE_WAITS_INPUT = 3,    /* to read from a pipe, which `other` could write to; 0: nobody could */
  SAFE_WAITS_ROOM = 4,     /* to write to a pipe that is full, which `other` could read from */
  SAFE_WAITS_CONTINUE = 5, /* it is stopped: for SIGCONT, or to be resumed */
  SAFE_WAITS_DEBUGGER = 6, /* its debugger, `other`, has stopped it */
  SAFE_WAITS_KERNEL = 7,   /* in the kernel, where no signal reaches it: for a disk, a file server, a driver */
  SAFE_WAITS_REAPING = 8,  /* it has ended; its parent, `other`, has not asked for its status */
  SAFE_WAITS_OTHER = 9     /* for something else: a timer, a socket, another thread, a key */
};

/* One step of the chain. */
typedef struct safe_link {
  int64_t pid;
  int64_t thread;   /* which of its threads, or 0 for all of them */
  int64_t other;    /* the process it waits for; 0: none, or not known */
  int64_t handle;   /* the descriptor that it waits with, or -1 */
  int64_t since_ms; /* when it fell asleep: milliseconds since 1970, or 0 where that is not known */
  int64_t limit_ms; /* the wait ends by itself after so long, counted from its beginning; -1: never, or not known */
  int32_t waits;    /* SAFE_WAITS_* */
  int32_t in_cycle; /* 1: this step is a part of the cycle */
  char name[64], other_name[64];
  char what[256]; /* the file, the pipe, or where in the kernel; or "" */
} safe_link;

typedef struct safe_explain_options {
  uint32_t size;
  uint32_t flags;     /* 0 */
  const char *path;   /* the file, or NULL, and then: */
  int64_t pid;        /* the process */
  int64_t timeout_ms; /* default 1,000; not SAFE_FOREVER */
} safe_explain_options;

#define SAFE_EXPLAIN_OPTIONS_INIT \
  { sizeof(safe_explain_options), 0, 0, 0, 1000 }

typedef struct safe_explanation safe_explanation;

/*
 * Why a lock on a file is not to be had, or why a process does not go on: who is waited for, for whom that one waits,
 * and so on, across locks, children, pipes, debuggers and the kernel itself, to the end of the chain or round in a
 * circle. SAFE_ENOENT: there is no such file, or process.
 *
 * Linux: /proc alone. What other users' processes do is known to root; else it is among the unknown. Windows: who has
 * the file open, own locks, and the wait chains of the system; pipes are unknown. FreeBSD: locks, children, and the
 * wait messages of the kernel. macOS: who has the file open, children, and states.
 */
SAFE_API int safe_explain(const safe_explain_options *options, safe_explanation **why, safe_error *error);
SAFE_API int safe_explanation_verdict(const safe_explanation *why); /* SAFE_VERDICT_* */
/* The whole story in plain sentences. UTF-8, lines separated by newlines; valid until the explanation is freed, as is
   everything else that these calls return. */
SAFE_API const char *safe_explanation_text(const safe_explanation *why);
/* Holders and waiters of the file, or of the file that the process waits for; empty, never NULL, where there is none.
 */
SAFE_API const safe_holder_list *safe_explanation_holders(const safe_explanation *why);
/* That file: an absolute path where it is known; NULL where there is none. */
SAFE_API const char *safe_explanation_file(const safe_explanation *why);
SAFE_API size_t safe_explanation_link_count(const safe_explanation *why);
SAFE_API const safe_link *safe_explanation_link(const safe_explanation *why, size_t index); /* NULL: too large */
SAFE_API size_t safe_explanation_unknown_count(const safe_explanation *why);
SAFE_API const char *safe_explanation_unknown(const safe_explanation *why, size_t index); /* a sentence; NULL */
SAFE_API void safe_explanation_free(safe_explanation *why);

/* ---- What a child would inherit that is started without care: by fork and exec, system(3), or CreateProcess with
   bInheritHandles. A child of safe_spawn gets none of it. */

enum safe_handle_kind {
  SAFE_KIND_OTHER = 0,
  SAFE_KIND_FILE = 1,
  SAFE_KIND_FOLDER = 2,
  SAFE_KIND_PIPE = 3,
  SAFE_KIND_SOCKET = 4,
  SAFE_KIND_DEVICE = 5, /* a terminal among them */
  SAFE_KIND_MEMORY = 6, /* shared memory: a memfd, a section */
  SAFE_KIND_EVENT = 7,  /* what is waited for: an eventfd, epoll, a timer; an event, mutex or semaphore */
  SAFE_KIND_PROCESS = 8 /* a process or thread: a pidfd */
};

typedef struct safe_leak {
  int64_t handle;      /* the descriptor, or the value of the HANDLE */
  int32_t kind;        /* SAFE_KIND_* */
  int32_t standard;    /* 1: it is 0, 1 or 2, or a standard handle, which a child is meant to get */
  int32_t lock_mode;   /* the open file description has a lock, which a child would keep alive: SAFE_LOCK_*; else -1 */
  int32_t lock_method; /* SAFE_METHOD_*, or -1 */
  char what[256];      /* the path, or what the system calls it; or "" */
} safe_leak;

enum safe_audit_flags {
  SAFE_AUDIT_STANDARD = 1 << 0 /* the three standard streams too */
};

typedef struct safe_audit_options {
  uint32_t size;
  uint32_t flags;     /* SAFE_AUDIT_*; default 0 */
  int64_t pid;        /* default 0: this process */
  int64_t timeout_ms; /* default 1,000; not SAFE_FOREVER */
} safe_audit_options;

#define SAFE_AUDIT_OPTIONS_INIT \
  { sizeof(safe_audit_options), 0, 0, 1000 }

typedef struct safe_handle_list safe_handle_list;

/*
 * 0 with an empty list: nothing, as far as can be seen. SAFE_ENOENT: there is no such process; SAFE_EACCES: this user
 * may not look at it; SAFE_ENOTSUP: this system does not tell it of other processes (FreeBSD,
 * Windows before 8). Windows tells which handles another process would leave to a child, but not what its files are.
 */
SAFE_API int safe_audit_handles(const safe_audit_options *options, safe_handle_list **leaks, safe_error *error);
SAFE_API size_t safe_handle_list_count(const safe_handle_list *list);
SAFE_API const safe_leak *safe_handle_list_get(const safe_handle_list *list, size_t index); /* NULL: too large */
SAFE_API const char *safe_handle_list_unknown(const safe_handle_list *list); /* a sentence, or NULL: it is complete */
SAFE_API void safe_handle_list_free(safe_handle_list *list);

#ifdef __cplusplus
}
#endif

#endif
