/* SPDX-License-Identifier: MIT */
/*
 * CreateProcess with a deadline. It may block for long (a virus scanner, a program on a dead server) and cannot be
 * taken back, so it runs as a task: a caller that gives up leaves it behind, and a process that is made after all is
 * ended before anybody has heard of it.
 */
#ifndef SAFEHOLD_WIN_LAUNCH_H
#define SAFEHOLD_WIN_LAUNCH_H

#include "inherit.h"
#include "task.h"

struct safe__win_launch {
  struct safe__win_task task;
  /* The order, made by the caller. */
  wchar_t *name;                 /* the program as named; NULL for cmd.exe */
  wchar_t *command;              /* CreateProcess writes to it */
  wchar_t *environment, *folder; /* or NULL for the host's */
  HANDLE stdio[3];               /* the child's ends; err may be the same as out */
  struct safe__win_inherit listed;
  HANDLE job;
  DWORD flags;
  /* What came of it. */
  HANDLE process;
  DWORD pid;
  safe_error error; /* code SAFE_OK: the process runs */
};

/* Zeroed, or NULL without memory. */
struct safe__win_launch *safe__win_launch_make(void);
void safe__win_launch_free(struct safe__win_launch *launch);

/*
 * Carries it out. Afterwards it is not the caller's any more, whatever the answer: on success process and job were
 * handed over, on failure all was undone, or is parked (SAFE_ESTUCK) and undone later.
 */
int safe__win_launch_run(struct safe__win_launch *launch, int64_t deadline, HANDLE *process, HANDLE *job, DWORD *pid,
                         safe_error *error);

/* CreateProcessW; tests put a slow one in its place. */
typedef BOOL(WINAPI *safe__win_create)(const wchar_t *program, wchar_t *command, SECURITY_ATTRIBUTES *process,
                                       SECURITY_ATTRIBUTES *thread, BOOL inherit, DWORD flags, void *environment,
                                       const wchar_t *folder, STARTUPINFOW *startup, PROCESS_INFORMATION *made);
extern safe__win_create safe__win_create_process;

#endif
