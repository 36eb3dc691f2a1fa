/* SPDX-License-Identifier: MIT */
/* Questions about locks. None of these calls takes a lock, or opens a lock file for writing. */
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

typedef struct safe_holder {
  int64_t pid;    /* never 0 */
  int64_t handle; /* its descriptor number, or -1 where that is not known */
  int32_t role;   /* SAFE_HOLDER_* */
  int32_t mode;   /* SAFE_LOCK_*, or -1 */
  int32_t method; /* SAFE_METHOD_*, or -1 for another one, such as a POSIX record lock */
  char name[64];  /* the program's name, or "" */
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

#ifdef __cplusplus
}
#endif

#endif
