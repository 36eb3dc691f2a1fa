/* SPDX-License-Identifier: MIT */
/*
 * Who holds a lock. kern.lockf names the owner of a record lock, but not of a flock, which belongs to an open file: it
 * only says that there is one. What is known beside it: our own locks (own_locks.c); who has the file open and has
 * asked for a flock on it; and who of those sleeps in the asking. If that leaves one, and all could be seen, he has it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procdesc.h>
#include <unistd.h>

#include "findings.h"
#include "own_locks.h"
#include "procdesc.h"

/* In the copy of the host, with all signals blocked. */
static void collect(struct safe__findings *findings) {
  safe__procdesc_begin(findings->host, findings->fd);
  safe__findings_collect(findings);
  _exit(0);
}

/* 0 or errno. What was found by the deadline is there when it returns, and nobody writes any more, or too late. */
static int run(struct safe__findings *findings, int64_t deadline) {
  int procdesc;
  pid_t pid;

  findings->host = getpid();
  pid = safe__procdesc_fork(&procdesc, PD_CLOEXEC);
  if (pid == 0) collect(findings);
  if (pid < 0) return errno;
  if (safe__procdesc_ended(procdesc, deadline)) {
    safe__procdesc_close(procdesc, pid);
    return 0;
  }
  pdkill(procdesc, SIGKILL);
  safe__procdesc_park(procdesc, pid);
  return 0;
}

/* Our view of the processes: a process that waits on an open file which its parent has too is a helper of it
   (wait_pdfork.c, or flock(1) under a shell). */
struct view {
  const struct safe__findings *findings;
  int count;
  int helpers[SAFE__MOST_PROCESSES];
  bool is_helper[SAFE__MOST_PROCESSES];
};

static void tell_helpers(struct view *view) {
  const struct safe__found_process *processes = view->findings->processes;
  int at, parent;

  for (at = 0; at < view->count; at++) {
    if (!processes[at].waiting) continue;
    for (parent = 0; parent < view->count; parent++) {
      if (processes[parent].pid != processes[at].parent) continue;
      view->helpers[parent]++;
      view->is_helper[at] = true;
    }
  }
}

/* Has more open files that were locked or asked for than requests: one of them may be the lock. */
static bool may_hold(const struct view *view, int at) {
  const struct safe__found_process *process = &view->findings->processes[at];

  return !view->is_helper[at] && process->pid != view->findings->host &&
         process->descriptors > view->helpers[at] + (process->waiting ? 1 : 0);
}

static void add(safe_holder_list *list, const struct safe__found_process *process, int role, int mode) {
  safe_holder holder = {0};

  holder.pid = process->pid;
  holder.handle = process->first;
  holder.role = role;
  holder.mode = mode;
  holder.method = SAFE_METHOD_FLOCK;
  memcpy(holder.name, process->name, sizeof(process->name));
  safe__holder_add(list, &holder);
}

static void add_records(const struct safe__findings *findings, safe_holder_list *list) {
  safe_holder holder = {0};
  int at, count = atomic_load(&findings->record_count);

  for (at = 0; at < count; at++) {
    holder.pid = findings->records[at].pid;
    holder.handle = -1;
    holder.role = SAFE_HOLDER_HOLDS;
    holder.mode = findings->records[at].shared ? SAFE_LOCK_SHARED : SAFE_LOCK_EXCLUSIVE;
    holder.method = -1;
    memcpy(holder.name, findings->records[at].name, SAFE__FOUND_NAME);
    safe__holder_add(list, &holder);
  }
  if (findings->remote > 0) safe__holder_unknown(list, "A client of this machine's NFS server holds a lock.");
}

/* Every process was there to be seen: who is left over must be the one. */
static bool saw_all(const struct safe__findings *findings) {
  return atomic_load(&findings->state) == SAFE__FOUND_ALL && atomic_load(&findings->unreadable) == 0;
}

static void add_flocks(struct view *view, int ours, safe_holder_list *list) {
  const struct safe__findings *findings = view->findings;
  int mode = findings->flock_exclusive > 0 ? SAFE_LOCK_EXCLUSIVE : SAFE_LOCK_SHARED, at, candidates = 0;
  bool sure;

  tell_helpers(view);
  for (at = 0; at < view->count; at++) candidates += may_hold(view, at);
  sure = candidates == 1 && ours == 0 && saw_all(findings);
  for (at = 0; at < view->count; at++) {
    /* An exclusive lock that is ours is nobody else's. */
    if (may_hold(view, at) && !(ours > 0 && findings->flock_exclusive > 0))
      add(list, &findings->processes[at], sure ? SAFE_HOLDER_HOLDS : SAFE_HOLDER_OPENS, mode);
    if (findings->processes[at].pid == findings->host || view->is_helper[at]) continue;
    if (findings->processes[at].waiting || view->helpers[at] > 0)
      add(list, &findings->processes[at], SAFE_HOLDER_WAITS, -1);
  }
  if (ours == 0 && !sure)
    safe__holder_unknown(list, "FreeBSD says that a flock is held, but not by which of those that have the file open.");
}

static int evaluate(const struct safe__findings *findings, safe_holder_list *list, safe_error *error) {
  struct view *view;
  int state = atomic_load(&findings->state), os_code = atomic_load(&findings->os_code), ours;
  int unreadable = atomic_load(&findings->unreadable);

  if (state == SAFE__FOUND_NOTHING && os_code != 0)
    return safe__fail_os(error, os_code, SAFE_STAGE_INSPECT, -1, "The file cannot be examined");
  if (state < SAFE__FOUND_LOCKS) {
    safe__holder_unknown(list, os_code == 0 ? "The time for looking was over before the lock table was read."
                                            : "The lock table, kern.lockf, cannot be read.");
    return SAFE_OK;
  }
  ours = safe__own_locks(findings->device, findings->inode, list);
  add_records(findings, list);
  view = safe__alloc(sizeof(*view));
  if (view == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  view->findings = findings;
  view->count = atomic_load(&findings->process_count);
  if (findings->flock_shared + findings->flock_exclusive > 0) add_flocks(view, ours, list);
  safe__free(view);
  if (unreadable > 0)
    safe__holder_unknown(list, "The descriptors of %d processes may not be read by this user.", unreadable);
  if (state < SAFE__FOUND_ALL)
    safe__holder_unknown(list, os_code == 0 ? "The time for looking was over before all processes were seen."
                                            : "The table of processes cannot be read.");
  return SAFE_OK;
}

/* The file that was opened, where there is one: the path may have another by now. */
static void say_which(struct safe__findings *findings, const char *path, const struct safe__file *file) {
  findings->fd = -1;
  findings->path = path;
  if (file == NULL || file->fd < 0) return;
  findings->path = NULL;
  findings->device = file->device;
  findings->inode = file->inode;
  if (file->borrowed) findings->fd = file->fd; /* to be asked which one it is */
}

int safe__os_holders(const char *path, int64_t deadline, safe_holder_list *list, safe_error *error) {
  struct safe__findings *findings = mmap(NULL, sizeof(*findings), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANON, -1, 0);
  int os_code, code = SAFE_OK;

  if (findings == MAP_FAILED) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  say_which(findings, path, list->file);
  os_code = run(findings, deadline);
  if (os_code == 0)
    code = evaluate(findings, list, error);
  else
    safe__holder_unknown(list, "No process could be made to read the lock table (system error %d).", os_code);
  munmap(findings, sizeof(*findings));
  return code;
}
