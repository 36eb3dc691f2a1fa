/* SPDX-License-Identifier: MIT */
/* What holders_proc.c finds of one file's locks, and hands to lock_sharers.c and lock_waiters.c. */
#ifndef SAFEHOLD_HOLDER_QUERY_H
#define SAFEHOLD_HOLDER_QUERY_H

#include "lock_line.h"
#include "os.h"
#include "proc_stat.h"
#include "seen_file.h"

/* A descriptor through which a lock on the file is held. */
struct safe__found {
  struct safe__lock_line line;
  struct safe__proc_stat stat;
  int64_t process; /* whose descriptor it is */
  int64_t host;    /* the same, or, of a helper of ours, who has it work for him */
  int number;
  int32_t via; /* SAFE_VIA_* */
  bool gone;   /* the process has ended meanwhile */
};

/* A descriptor of the file, locked or not; or one of another file that has the same inode. */
struct safe__opener {
  int64_t process;
  int number;
};

struct safe__holder_query {
  const struct safe__seen_file *file;
  safe_holder_list *list;
  int64_t deadline;
  /* /proc/locks: those of the file, then the others. NULL: not read. */
  struct safe__lock_line *table;
  size_t own_lines, lines;
  struct safe__found *found;
  size_t found_count, found_room;
  struct safe__opener *openers;
  size_t opener_count, opener_room;
  bool wants_openers;   /* they are kept: some wait whom the table does not name, or the table is not read yet */
  bool partly;          /* the last search was of those alone who may well be it, and not of everybody */
  int64_t waiting[256]; /* threads that are in the list already, so many: */
  size_t waiting_count;
  int nameless_told;   /* of those whom the table does not name */
  int64_t replaced_by; /* has a lock on a file that was at the path before, or 0 */
  int unreadable;      /* processes whose descriptors we may not see */
  bool late, no_memory;
};

/* Adds to the list who holds locks on the file and who waits for them, and says what could not be seen. fast: the
   holders alone, as there is little time (holders_proc.c). */
void safe__find_holders(const struct safe__seen_file *file, int64_t deadline, bool fast, safe_holder_list *list);

bool safe__is_own_line(const struct safe__holder_query *query, const struct safe__lock_line *line);

/* Whose descriptors are looked at. */
enum safe__extent {
  SAFE__NOBODY,
  SAFE__NAMED,   /* of those whom the table names */
  SAFE__LIKELY,  /* of these, and of those who had the file open when all were looked at */
  SAFE__OPENERS, /* by which the file was open then, and no others */
  SAFE__EVERY
};
/* What an earlier search has found is forgotten. */
void safe__search(struct safe__holder_query *query, enum safe__extent extent);

/* Whether none of those who have the file open waits for a lock on it (lock_unqueued.c). False: one may. */
bool safe__nobody_queues(const struct safe__holder_query *query);
/* Whether one of them is at work just now, or would be if it had a processor. */
bool safe__opener_runs(const struct safe__holder_query *query);

/* How each that was found has come to its lock: fills in via. */
void safe__tell_sharers(struct safe__holder_query *query);

/* Adds to the list who waits. */
void safe__tell_waiters(struct safe__holder_query *query);

/* A helper that waits for a lock holds nothing of its own: the process that it works for, or process itself. */
int64_t safe__host_of(int64_t process, const struct safe__proc_stat *stat);

/* A letter that safe_holder knows, or 0. */
char safe__state_letter(char state);

#endif
