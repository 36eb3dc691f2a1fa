/* SPDX-License-Identifier: MIT */
#include "findings.h"

#include <sys/param.h>
#include <sys/proc.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <sys/user.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "process_state.h"
#include "table.h"

static void name_record(struct safe__found_record *record) {
  int mib[4] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, record->pid};
  struct kinfo_proc process;
  size_t size = sizeof(process);

  record->name[0] = '\0';
  record->state = 0;
  if (sysctl(mib, 4, &process, &size, NULL, 0) != 0 || size != sizeof(process)) return;
  memcpy(record->name, process.ki_comm, SAFE__FOUND_NAME);
  record->state = safe__holder_state(&process);
}
_Static_assert(SAFE__FOUND_NAME == sizeof(((struct kinfo_proc *)0)->ki_comm), "a name fits");

static void add_record(struct safe__findings *findings, const struct kinfo_lockf *lock) {
  int count = atomic_load(&findings->record_count);
  struct safe__found_record *record = &findings->records[count];

  if (count == SAFE__MOST_RECORDS) return;
  record->pid = lock->kl_pid;
  record->shared = lock->kl_rw == KLOCKF_RW_READ;
  record->offset = lock->kl_start;
  record->length = lock->kl_len;
  name_record(record);
  atomic_store(&findings->record_count, count + 1);
}

static void add_lock(struct safe__findings *findings, const struct kinfo_lockf *lock) {
  if (lock->kl_file_fsid != findings->device || lock->kl_file_fileid != findings->inode) return;
  if (lock->kl_type == KLOCKF_TYPE_PID)
    add_record(findings, lock);
  else if (lock->kl_type == KLOCKF_TYPE_REMOTE)
    findings->remote++;
  else if (lock->kl_rw == KLOCKF_RW_READ)
    findings->flock_shared++;
  else
    findings->flock_exclusive++;
}

static int read_locks(struct safe__findings *findings) {
  static const int name[2] = {CTL_KERN, KERN_LOCKF};
  const struct kinfo_lockf *lock;
  struct safe__table table;
  size_t at = 0;
  int os_code = safe__table_fetch(&table, name, 2);

  if (os_code != 0) return os_code;
  while (at + sizeof(lock->kl_structsize) <= table.size) {
    lock = (const struct kinfo_lockf *)(const void *)(table.memory + at);
    if (lock->kl_structsize <= 0) break;
    at += (size_t)lock->kl_structsize;
    if (at <= table.size) add_lock(findings, lock);
  }
  safe__table_drop(&table);
  return 0;
}

static bool is_ours(const struct safe__findings *findings, const struct kinfo_file *file) {
  return file->kf_type == KF_TYPE_VNODE && (file->kf_flags & KF_FLAG_HASLOCK) != 0 &&
         file->kf_un.kf_file.kf_file_fsid == findings->device && file->kf_un.kf_file.kf_file_fileid == findings->inode;
}

static void look_through(struct safe__findings *findings, struct safe__found_process *found) {
  const struct kinfo_file *file;
  struct safe__table table;
  size_t at = 0;
  int os_code = safe__table_files(&table, found->pid);

  if (os_code == EPERM || os_code == EACCES) atomic_fetch_add(&findings->unreadable, 1);
  if (os_code != 0) return;
  while ((file = safe__table_next_file(&table, &at)) != NULL) {
    if (!is_ours(findings, file)) continue;
    if (found->descriptors++ == 0) found->first = file->kf_fd;
  }
  safe__table_drop(&table);
}

static void add_process(struct safe__findings *findings, const struct kinfo_proc *process) {
  int count = atomic_load(&findings->process_count);
  struct safe__found_process *found = &findings->processes[count];

  if (count == SAFE__MOST_PROCESSES || process->ki_pid == getpid() || process->ki_stat == SZOMB ||
      (process->ki_flag & P_SYSTEM) != 0)
    return;
  memset(found, 0, sizeof(*found));
  found->pid = process->ki_pid;
  found->parent = process->ki_ppid;
  found->waiting = strncmp(process->ki_wmesg, "lockf", sizeof(process->ki_wmesg)) == 0; /* lockstr in kern_lockf.c */
  found->state = safe__holder_state(process);
  if (found->waiting) found->slept_s = process->ki_slptime;
  memcpy(found->name, process->ki_comm, SAFE__FOUND_NAME);
  look_through(findings, found);
  if (found->descriptors > 0) atomic_store(&findings->process_count, count + 1);
}

static int read_processes(struct safe__findings *findings) {
  const struct kinfo_proc *process;
  struct safe__table table;
  size_t at = 0;
  int os_code = safe__table_processes(&table);

  if (os_code != 0) return os_code;
  while ((process = safe__table_next_process(&table, &at)) != NULL) add_process(findings, process);
  safe__table_drop(&table);
  return 0;
}

/* 0 or errno. A lock that is let go of meanwhile must be free: hence the close. */
static int examine(struct safe__findings *findings) {
  struct stat status;
  int result, os_code;

  if (findings->path == NULL && findings->fd < 0) return 0;
  result = findings->fd >= 0 ? fstat(findings->fd, &status) : stat(findings->path, &status);
  os_code = errno;
  if (findings->fd >= 0) close(findings->fd);
  if (result != 0) return os_code;
  findings->device = status.st_dev;
  findings->inode = status.st_ino;
  return 0;
}

static int collect(struct safe__findings *findings) {
  int os_code = examine(findings);

  if (os_code != 0) return os_code;
  atomic_store(&findings->state, SAFE__FOUND_FILE);
  if (findings->only_file) return 0;
  os_code = read_locks(findings);
  if (os_code != 0) return os_code;
  atomic_store(&findings->state, SAFE__FOUND_LOCKS);
  if (findings->flock_shared + findings->flock_exclusive > 0) os_code = read_processes(findings);
  if (os_code == 0) atomic_store(&findings->state, SAFE__FOUND_ALL);
  return os_code;
}

void safe__findings_collect(void *shared) {
  struct safe__findings *findings = shared;

  atomic_store(&findings->os_code, collect(findings));
}
