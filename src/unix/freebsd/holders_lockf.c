/* SPDX-License-Identifier: MIT */
/*
 * Who holds a lock. kern.lockf names the owner of a record lock, but not of a flock, which belongs to an open file: it
 * only says that there is one. What is known beside it: our own locks (own_locks.c); who has the file open and has
 * asked for a flock on it; and who of those sleeps in the asking. If that leaves one, and all could be seen, he has it.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "aside.h"
#include "findings.h"
#include "holders_lockf.h"
#include "own_locks.h"

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

/* When it fell asleep; FreeBSD counts whole seconds. */
static int64_t asleep_since(unsigned seconds) {
  struct timespec now;

  clock_gettime(CLOCK_REALTIME, &now);
  return ((int64_t)now.tv_sec - seconds) * 1000 + now.tv_nsec / 1000000;
}

static void add(safe_holder_list *list, const struct safe__found_process *process, int role, int mode) {
  safe_holder holder = {0};

  holder.pid = process->pid;
  holder.handle = process->first;
  holder.role = role;
  holder.mode = mode;
  holder.method = SAFE_METHOD_FLOCK;
  holder.state = process->state;
  if (role == SAFE_HOLDER_WAITS && process->waiting) holder.since_ms = asleep_since(process->slept_s);
  memcpy(holder.name, process->name, sizeof(process->name));
  safe__holder_add(list, &holder);
}

/* The method stays open: here a record lock and a flock exclude each other. */
static void add_records(const struct safe__findings *findings, safe_holder_list *list) {
  safe_holder holder = {0};
  int at, count = atomic_load(&findings->record_count);

  for (at = 0; at < count; at++) {
    holder.pid = findings->records[at].pid;
    holder.handle = -1;
    holder.role = SAFE_HOLDER_HOLDS;
    holder.mode = findings->records[at].shared ? SAFE_LOCK_SHARED : SAFE_LOCK_EXCLUSIVE;
    holder.method = -1;
    holder.via = SAFE_VIA_LOCKED; /* a record lock is not inherited */
    holder.state = findings->records[at].state;
    holder.offset = findings->records[at].offset;
    holder.length = findings->records[at].length;
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
  if (file == NULL || (file->fd < 0 && path != NULL)) return;
  findings->path = NULL;
  findings->device = file->device;
  findings->inode = file->inode;
  if (file->borrowed && file->fd >= 0) findings->fd = file->fd; /* to be asked which one it is */
}

static struct safe__findings *find(const char *path, const struct safe__file *file, bool only_file, int64_t deadline,
                                   int *os_code) {
  struct safe__findings *findings = safe__aside_memory(sizeof(*findings));

  if (findings == NULL) return NULL;
  say_which(findings, path, file);
  findings->only_file = only_file;
  findings->host = getpid();
  *os_code = safe__aside(safe__findings_collect, findings, findings->fd, deadline);
  return findings;
}

static int find_holders(const char *path, const struct safe__file *file, int64_t deadline, safe_holder_list *list,
                        safe_error *error) {
  int os_code, code = SAFE_OK;
  struct safe__findings *findings = find(path, file, false, deadline, &os_code);

  if (findings == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  if (os_code == 0)
    code = evaluate(findings, list, error);
  else
    safe__holder_unknown(list, "No process could be made to read the lock table (system error %d).", os_code);
  safe__aside_free(findings, sizeof(*findings));
  return code;
}

int safe__os_holders(const char *path, int64_t deadline, safe_holder_list *list, safe_error *error) {
  return find_holders(path, list->file, deadline, list, error);
}

int safe__lockf_holders(const struct safe__file_id *id, int64_t deadline, safe_holder_list *list, safe_error *error) {
  struct safe__file file;

  safe__os_file_none(&file);
  file.device = (dev_t)id->volume;
  file.inode = (ino_t)id->low;
  return find_holders(NULL, &file, deadline, list, error);
}

static int file_of(const struct safe__findings *findings, struct safe__file_id *id, safe_error *error) {
  int os_code = atomic_load(&findings->os_code);

  if (atomic_load(&findings->state) >= SAFE__FOUND_FILE) {
    *id = (struct safe__file_id){findings->device, findings->inode, 0};
    return SAFE_OK;
  }
  if (os_code != 0) return safe__fail_os(error, os_code, SAFE_STAGE_INSPECT, -1, "The file cannot be examined");
  return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_INSPECT, -1, "The file system did not answer in time.");
}

int safe__lockf_file(const char *path, int64_t deadline, struct safe__file_id *id, safe_error *error) {
  int os_code, code;
  struct safe__findings *findings = find(path, NULL, true, deadline, &os_code);

  if (findings == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  if (os_code != 0)
    code = safe__fail_os(error, os_code, SAFE_STAGE_INSPECT, -1, "No process could be made to examine the file");
  else
    code = file_of(findings, id, error);
  safe__aside_free(findings, sizeof(*findings));
  return code;
}
