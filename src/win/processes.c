/* SPDX-License-Identifier: MIT */
#include "processes.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define FIRST_ROOM (256u * 1024)
#define MOST_BYTES (64u * 1024 * 1024)
#define SLACK (32u * 1024) /* for what is started between two questions */

static uint64_t number(FILETIME time) { return (uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime; }

LONG safe__win_processes_take(struct safe__win_processes *all) {
  ULONG room = FIRST_ROOM, length = 0;
  LONG status = SAFE__STATUS_LENGTH_MISMATCH;
  FILETIME now;

  GetSystemTimeAsFileTime(&now);
  all->taken = number(now);
  while (status == SAFE__STATUS_LENGTH_MISMATCH && room <= MOST_BYTES) {
    safe__free(all->bytes);
    all->bytes = safe__alloc(room);
    if (all->bytes == NULL) return SAFE__STATUS_NO_MEMORY;
    status = safe__win_look_calls.query_system(SAFE__ASK_PROCESSES, all->bytes, room, &length);
    all->length = room;
    room = length + SLACK > room * 2 ? length + SLACK : room * 2;
  }
  if (status < 0) safe__win_processes_free(all);
  return status;
}

void safe__win_processes_free(struct safe__win_processes *all) {
  safe__free(all->bytes);
  all->bytes = NULL;
}

const struct safe__win_process *safe__win_processes_next(const struct safe__win_processes *all,
                                                         const struct safe__win_process *after) {
  const char *at = (const char *)after;

  if (after == NULL) return (const struct safe__win_process *)(const void *)all->bytes;
  if (after->next == 0 || after->next > all->length - (ULONG)(at - all->bytes)) return NULL;
  return (const struct safe__win_process *)(const void *)(at + after->next);
}

const struct safe__win_process *safe__win_processes_find(const struct safe__win_processes *all, int64_t pid) {
  const struct safe__win_process *at = NULL;

  while ((at = safe__win_processes_next(all, at)) != NULL)
    if ((int64_t)(intptr_t)at->pid == pid) return at;
  return NULL;
}

const struct safe__win_thread *safe__win_process_threads(const struct safe__win_process *process) {
  return (const struct safe__win_thread *)(const void *)(process + 1);
}

/* Nobody takes the number of a parent out of its children: it may be another process's by now. */
int64_t safe__win_process_parent(const struct safe__win_processes *all, const struct safe__win_process *process) {
  const struct safe__win_process *parent = safe__win_processes_find(all, (int64_t)(intptr_t)process->parent);

  return parent == NULL || parent == process || parent->made > process->made ? 0 : (int64_t)(intptr_t)parent->pid;
}

void safe__win_process_name(const struct safe__win_process *process, char *name, size_t size) {
  wchar_t copy[MAX_PATH];
  size_t length = process->name.length / sizeof(wchar_t);

  if (length >= MAX_PATH) length = MAX_PATH - 1;
  if (length > 0) wmemcpy(copy, process->name.text, length);
  copy[length] = L'\0';
  safe__win_narrow(copy, name, size);
}

void safe__win_name_of(DWORD pid, char *name, size_t size) {
  HANDLE process = safe__win_look_calls.open_process(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, pid);
  wchar_t path[1024], *base;
  DWORD length = sizeof(path) / sizeof(path[0]);

  name[0] = '\0';
  if (process == NULL) return;
  if (QueryFullProcessImageNameW(process, 0, path, &length)) {
    base = wcsrchr(path, L'\\');
    safe__win_narrow(base != NULL ? base + 1 : path, name, size);
  }
  CloseHandle(process);
}

bool safe__win_thread_runs(const struct safe__win_thread *thread) {
  return (thread->state >= SAFE__THREAD_READY && thread->state <= SAFE__THREAD_STANDBY) ||
         thread->state == SAFE__THREAD_DEFERRED;
}

bool safe__win_thread_suspended(const struct safe__win_thread *thread) {
  return thread->state == SAFE__THREAD_WAITS && (thread->reason == 5 || thread->reason == 12); /* WrSuspended */
}

/* By its threads. Wine calls each of them initialized (0), which none is for longer than it takes to be made. */
static char listed_state(const struct safe__win_process *process) {
  const struct safe__win_thread *threads = safe__win_process_threads(process);
  ULONG at, told = 0, suspended = 0;

  for (at = 0; at < process->thread_count; at++) {
    if (safe__win_thread_runs(&threads[at])) return 'R';
    told += threads[at].state != 0;
    suspended += safe__win_thread_suspended(&threads[at]);
  }
  if (told == 0) return 0;
  return suspended == process->thread_count ? 'T' : 'S';
}

static bool debugged(HANDLE process) {
  DWORD_PTR port = 0;

  return safe__win_look_calls.query_process(process, SAFE__ASK_DEBUG_PORT, &port, sizeof(port), NULL) >= 0 && port != 0;
}

/*
 * A process that is ended has its handle signalled only once its last thread is gone, which a driver can keep for
 * ever; until then it has no exit code either. IsProcessDeleting alone tells that it was terminated.
 */
static ULONG flags_of(HANDLE process) {
  struct safe__win_basic basic = {sizeof(basic), 0, NULL, 0, 0, 0, 0, 0};
  LONG status = safe__win_look_calls.query_process(process, SAFE__ASK_PROCESS_BASIC, &basic, sizeof(basic), NULL);

  return status < 0 ? 0 : basic.flags;
}

bool safe__win_process_deleting(HANDLE process) { return (flags_of(process) & SAFE__PROCESS_DELETING) != 0; }

/* Ended when the list was taken, and yet on it, as those are not whose threads are gone. */
static bool ended_before(HANDLE process, uint64_t time) {
  FILETIME made, ended, kernel, user;

  return safe__win_signalled(process) && GetProcessTimes(process, &made, &ended, &kernel, &user) &&
         number(ended) < time;
}

static char state_of(HANDLE process, const struct safe__win_processes *all, const struct safe__win_process *listed) {
  ULONG flags = flags_of(process);
  char state;

  if ((flags & SAFE__PROCESS_DELETING) != 0) return 'X';
  if (listed == NULL) return 0;
  if (ended_before(process, all->taken)) return 'X';
  if ((flags & SAFE__PROCESS_FROZEN) != 0) return 'T';
  state = listed_state(listed);
  return state == 'T' && debugged(process) ? 't' : state;
}

char safe__win_process_state(const struct safe__win_processes *all, int64_t pid, bool *denied) {
  const struct safe__win_process *listed = all == NULL ? NULL : safe__win_processes_find(all, pid);
  const DWORD least = PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE;
  HANDLE process = safe__win_look_calls.open_process(PROCESS_QUERY_INFORMATION | SYNCHRONIZE, FALSE, (DWORD)pid);
  char state;

  if (process == NULL) process = safe__win_look_calls.open_process(least, FALSE, (DWORD)pid);
  if (process == NULL) {
    if (denied != NULL) *denied = GetLastError() == ERROR_ACCESS_DENIED;
    return listed == NULL ? 0 : listed_state(listed);
  }
  state = state_of(process, all, listed);
  CloseHandle(process);
  return state;
}
