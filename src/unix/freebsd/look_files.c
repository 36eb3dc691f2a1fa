/* SPDX-License-Identifier: MIT */
/* The descriptors of one process that its threads may wait for, and all ends of one pipe. */
#include <sys/param.h>

#include <sys/proc.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "look.h"
#include "table.h"

static void add_pipe(struct safe__seen_files *files, const struct kinfo_file *file) {
  struct safe__seen_pipe *pipe = &files->pipes[files->pipe_count];

  if (files->pipe_count == SAFE__MOST_SEEN_PIPES) return;
  pipe->fd = file->kf_fd;
  pipe->address = file->kf_un.kf_pipe.kf_pipe_addr;
  pipe->peer = file->kf_un.kf_pipe.kf_pipe_peer;
  files->pipe_count++;
}

static void add_flock(struct safe__seen_files *files, const struct kinfo_file *file, const struct kinfo_proc *helper) {
  struct safe__seen_flock *flock = &files->flocks[files->flock_count];
  size_t length = strnlen(file->kf_path, sizeof(flock->name) - 1);

  if (files->flock_count == SAFE__MOST_SEEN_FLOCKS) return;
  flock->helper = helper != NULL ? helper->ki_pid : 0;
  flock->slept_s = helper != NULL ? (int64_t)helper->ki_slptime : 0;
  flock->fd = file->kf_fd;
  flock->id.volume = file->kf_un.kf_file.kf_file_fsid;
  flock->id.low = file->kf_un.kf_file.kf_file_fileid;
  flock->id.high = 0;
  memcpy(flock->name, file->kf_path, length);
  flock->name[length] = '\0';
  files->flock_count++;
}

/* 0 or errno. */
static int read_files(struct safe__seen_files *files, pid_t pid, const struct kinfo_proc *helper) {
  const struct kinfo_file *file;
  struct safe__table table;
  size_t at = 0;
  int os_code = safe__table_files(&table, pid);

  if (os_code != 0) return os_code;
  while ((file = safe__table_next_file(&table, &at)) != NULL) {
    if (file->kf_fd < 0) continue;
    if (file->kf_type == KF_TYPE_PIPE && helper == NULL) add_pipe(files, file);
    if (file->kf_type == KF_TYPE_VNODE && (file->kf_flags & KF_FLAG_HASLOCK) != 0) add_flock(files, file, helper);
  }
  safe__table_drop(&table);
  return 0;
}

static bool has_file(const struct safe__seen_files *files, int before, const struct safe__seen_flock *flock) {
  int at;

  for (at = 0; at < before; at++)
    if (files->flocks[at].id.volume == flock->id.volume && files->flocks[at].id.low == flock->id.low) return true;
  return false;
}

/* A child that was never another program, sleeps for a lock, and has one file with locks, which its parent has, too:
   see wait_pdfork.c. */
static void add_helper(struct safe__seen_files *files, const struct kinfo_proc *child) {
  int before = files->flock_count;

  if (read_files(files, child->ki_pid, child) != 0 || files->flock_count != before + 1 ||
      !has_file(files, before, &files->flocks[before]))
    files->flock_count = before;
}

static bool may_help(const struct kinfo_proc *child, const struct kinfo_proc *parent) {
  return child->ki_ppid == parent->ki_pid && strncmp(child->ki_comm, parent->ki_comm, sizeof(child->ki_comm)) == 0 &&
         strncmp(child->ki_wmesg, "lockf", sizeof(child->ki_wmesg)) == 0;
}

static void add_helpers(struct safe__seen_files *files, pid_t pid) {
  const struct kinfo_proc *process, *parent = NULL;
  struct safe__table table;
  size_t at = 0;

  if (safe__table_processes(&table) != 0) return;
  while (parent == NULL && (process = safe__table_next_process(&table, &at)) != NULL)
    if (process->ki_pid == pid) parent = process;
  if (parent != NULL) files->record_locks = (parent->ki_flag & P_ADVLOCK) != 0;
  for (at = 0; parent != NULL && (process = safe__table_next_process(&table, &at)) != NULL;)
    if (may_help(process, parent)) add_helper(files, process);
  safe__table_drop(&table);
}

void safe__look_files(void *shared) {
  struct safe__files_order *order = shared;

  atomic_store(&order->os_code, read_files(&order->files, (pid_t)order->pid, NULL));
  if (atomic_load(&order->os_code) != 0) return;
  add_helpers(&order->files, (pid_t)order->pid);
  order->files.known = true;
  atomic_store(&order->done, true);
}

/* ---- The ends of a pipe. */

/* A descriptor of one end can be read from and written to: it reads from its own end, and writes to the other one's. */
static void add_end(struct safe__ends_order *order, const struct kinfo_proc *process, const struct kinfo_file *file) {
  bool reads = file->kf_un.kf_pipe.kf_pipe_addr == order->pipe,
       writes = file->kf_un.kf_pipe.kf_pipe_peer == order->pipe;
  int count = atomic_load(&order->count);

  if (!reads && !writes) return;
  if (count == SAFE__MOST_ENDS) {
    atomic_store(&order->too_many, true);
    return;
  }
  order->ends[count].pid = process->ki_pid;
  order->ends[count].fd = file->kf_fd;
  order->ends[count].writes = writes;
  memcpy(order->ends[count].name, process->ki_comm, sizeof(process->ki_comm));
  atomic_store(&order->count, count + 1);
}
_Static_assert(sizeof(((struct safe__ends_order *)0)->ends[0].name) == sizeof(((struct kinfo_proc *)0)->ki_comm),
               "a name fits");

static void read_ends(struct safe__ends_order *order, const struct kinfo_proc *process) {
  const struct kinfo_file *file;
  struct safe__table table;
  size_t at = 0;
  int os_code = safe__table_files(&table, process->ki_pid);

  if (os_code == EPERM || os_code == EACCES) atomic_fetch_add(&order->unreadable, 1);
  if (os_code != 0) return;
  while ((file = safe__table_next_file(&table, &at)) != NULL)
    if (file->kf_fd >= 0 && file->kf_type == KF_TYPE_PIPE) add_end(order, process, file);
  safe__table_drop(&table);
}

void safe__look_ends(void *shared) {
  struct safe__ends_order *order = shared;
  const struct kinfo_proc *process;
  struct safe__table table;
  size_t at = 0;

  if (safe__table_processes(&table) != 0) return;
  while ((process = safe__table_next_process(&table, &at)) != NULL)
    if (process->ki_pid != getpid() && process->ki_stat != SZOMB && (process->ki_flag & P_SYSTEM) == 0)
      read_ends(order, process);
  safe__table_drop(&table);
  atomic_store(&order->all, true);
}
