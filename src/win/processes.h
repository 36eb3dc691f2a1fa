/* SPDX-License-Identifier: MIT */
/* The processes of the machine at one moment, with the states of their threads. */
#ifndef SAFEHOLD_WIN_PROCESSES_H
#define SAFEHOLD_WIN_PROCESSES_H

#include "look_calls.h"

struct safe__win_processes {
  char *bytes; /* NULL: not taken */
  ULONG length;
  uint64_t taken; /* when it was, as a FILETIME */
};

/* An NTSTATUS; STATUS_NO_MEMORY among them. */
LONG safe__win_processes_take(struct safe__win_processes *all);
void safe__win_processes_free(struct safe__win_processes *all);
/* One after the other, from NULL to NULL. */
const struct safe__win_process *safe__win_processes_next(const struct safe__win_processes *all,
                                                         const struct safe__win_process *after);
const struct safe__win_process *safe__win_processes_find(const struct safe__win_processes *all, int64_t pid);
const struct safe__win_thread *safe__win_process_threads(const struct safe__win_process *process);
/* 0 if that one is gone, or had its number after the child was made. */
int64_t safe__win_process_parent(const struct safe__win_processes *all, const struct safe__win_process *process);
/* "" for the idle process. */
void safe__win_process_name(const struct safe__win_process *process, char *name, size_t size);
/* The same without a list, of one that may be opened. */
void safe__win_name_of(DWORD pid, char *name, size_t size);

/* Of a thread (KTHREAD_STATE and KWAIT_REASON, which is one of a wait). */
enum { SAFE__THREAD_READY = 1, SAFE__THREAD_STANDBY = 3, SAFE__THREAD_WAITS = 5, SAFE__THREAD_DEFERRED = 7 };
bool safe__win_thread_runs(const struct safe__win_thread *thread);
bool safe__win_thread_suspended(const struct safe__win_thread *thread);

/*
 * The letter of safe_holder. Without a list (NULL) only whether it was terminated, but is still there. 0: it is not
 * known. denied, if not NULL: it may not be opened.
 */
char safe__win_process_state(const struct safe__win_processes *all, int64_t pid, bool *denied);
/* Whether a process was terminated, but is still there; with PROCESS_QUERY_LIMITED_INFORMATION. */
bool safe__win_process_deleting(HANDLE process);

#endif
