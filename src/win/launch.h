/* SPDX-License-Identifier: MIT */
/*
 * CreateProcess with a deadline. It may block for long (a virus scanner, a program on a dead server), as may the
 * opening of a file, and cannot be taken back, so all of it runs as a task: a caller that gives up leaves it behind,
 * and a process that is made after all is ended before anybody has heard of it.
 */
#ifndef SAFEHOLD_WIN_LAUNCH_H
#define SAFEHOLD_WIN_LAUNCH_H

#include "crt_table.h"
#include "inherit.h"
#include "proxy.h"
#include "task.h"

/* A standard stream that is a file, still to be opened; path NULL: it is not. */
struct safe__win_file {
  wchar_t *path;
  DWORD access, disposition;
  bool empty; /* throw away what is in it */
};

enum safe__win_route {
  SAFE__ROUTE_WINDOW, /* inherit.h */
  SAFE__ROUTE_PROXY,  /* proxy.h */
  SAFE__ROUTE_EITHER  /* the proxy where there can be one */
};

struct safe__win_launch {
  struct safe__win_task task;
  /* The order, made by the caller. */
  wchar_t *name;                 /* the program as named; NULL for cmd.exe */
  wchar_t *command;              /* CreateProcess writes to it */
  wchar_t *batch;                /* what follows the name of a batch file; NULL: there must be none */
  safe_error batch_error;        /* or why there is none */
  wchar_t *environment, *folder; /* or NULL for the host's */
  bool path_of_child;            /* look for the program on the environment's PATH */
  struct safe__win_file files[3];
  HANDLE stdio[3]; /* the child's ends; err may be the same as out */
  bool err_is_out;
  HANDLE *listed; /* besides: each once, unless they are copies of our own, for the C runtime's descriptors */
  size_t listed_count;
  bool own_listed;
  size_t *place; /* of the caller's n-th handle, in listed */
  size_t count;  /* of the caller's handles */
  int *targets;  /* their descriptor numbers, or NULL */
  bool pty;      /* stdio[0] and [1] are for a pseudo-console of this size */
  int columns, rows;
  HANDLE pty_input; /* a second handle of our end of its input */
  HANDLE job;
  enum safe__win_route route;
  DWORD flags;  /* of CreateProcess */
  bool console; /* the child has a part in ours, unless the proxy is its parent */
  bool hidden;
  struct safe__win_inherit window; /* the two routes; of each at most one spawn is under way */
  struct safe__win_proxied proxied;
  struct safe__win_crt_table *table;
  /* What came of it. */
  HANDLE process;
  DWORD pid;
  struct safe__win_pty *made_pty;
  HANDLE *seen;     /* the caller's n-th handle, as the child knows it */
  safe_error error; /* code SAFE_OK: the process runs */
};

/* Zeroed, or NULL without memory. */
struct safe__win_launch *safe__win_launch_make(void);
void safe__win_launch_free(struct safe__win_launch *launch);

/*
 * Carries it out. Afterwards it is not the caller's any more, whatever the answer: on success the child has got its
 * process, its job, and what else is its own; on failure all was undone, or is parked (SAFE_ESTUCK) and undone later.
 */
int safe__win_launch_run(struct safe__win_launch *launch, int64_t deadline, struct safe__child *child,
                         safe_error *error);

/* ---- create.c: CreateProcess itself, by the order's route; fills in what came of it. */
void safe__win_create(struct safe__win_launch *launch, const wchar_t *program);

/* CreateProcessW and CreateFileW; tests put slow ones in their place. */
typedef BOOL(WINAPI *safe__win_creator)(const wchar_t *program, wchar_t *command, SECURITY_ATTRIBUTES *process,
                                        SECURITY_ATTRIBUTES *thread, BOOL inherit, DWORD flags, void *environment,
                                        const wchar_t *folder, STARTUPINFOW *startup, PROCESS_INFORMATION *made);
typedef HANDLE(WINAPI *safe__win_opener)(const wchar_t *path, DWORD access, DWORD share, SECURITY_ATTRIBUTES *security,
                                         DWORD disposition, DWORD flags, HANDLE model);
extern safe__win_creator safe__win_create_process;
extern safe__win_opener safe__win_open_file;

#endif
