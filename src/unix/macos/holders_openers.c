/* SPDX-License-Identifier: MIT */
/*
 * Who has the file open: no call of macOS names the owner of a flock or OFD lock (F_GETLK answers -1 for them, and
 * closing what it had been asked on would drop the host's own record locks on the file). Our own locks are known
 * (own_locks.c).
 *
 * The kernel examines every open file for it, and may wait for a dead file server in doing so: hence the thread.
 */
#include <errno.h>
#include <libproc.h>
#include <stdlib.h>
#include <sys/proc_info.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper.h"
#include "holders_openers.h"
#include "members.h"
#include "own_locks.h"

#define MOST_FOUND 256

struct query {
  struct safe__helper helper;
  char *path;     /* NULL for a file that has been opened */
  int fd;         /* of the caller's own file, which has to be asked which one it is; or -1 */
  bool only_file; /* which one it is, and no more */
  atomic_bool given_up;
  atomic_bool file_known, complete;
  int os_code; /* of a file that cannot be examined */
  dev_t device;
  ino_t inode;
  atomic_int unreadable; /* processes whose descriptors we may not see */
  atomic_int count;      /* grows after what it counts, which may be read while the thread goes on */
  safe_holder found[MOST_FOUND];
};

/* With the letters of safe_holder. */
char safe__openers_state(int64_t pid) {
  struct safe__member_state state;

  errno = 0;
  safe__member_state(pid, &state); /* which takes a process that this user may not see for one that ends */
  if (state.letter == 'E') return errno == EPERM ? 0 : 'X';
  return state.letter;
}

static void add(struct query *query, pid_t pid, int fd) {
  int count = atomic_load(&query->count);
  safe_holder *holder = &query->found[count];

  if (count == MOST_FOUND) return;
  holder->pid = pid;
  holder->handle = fd;
  holder->role = SAFE_HOLDER_OPENS;
  holder->mode = -1;
  holder->method = -1;
  holder->state = safe__openers_state(pid);
  if (proc_name(pid, holder->name, sizeof(holder->name)) <= 0) holder->name[0] = '\0';
  atomic_store(&query->count, count + 1);
}

static void look_at(struct query *query, pid_t pid, int fd) {
  struct vnode_fdinfo info;

  if (proc_pidfdinfo(pid, fd, PROC_PIDFDVNODEINFO, &info, sizeof(info)) < (int)sizeof(info)) return;
  if (info.pvi.vi_stat.vst_dev != (uint32_t)query->device || info.pvi.vi_stat.vst_ino != query->inode) return;
  if (pid != getpid() || !safe__own_lock_known(fd)) add(query, pid, fd);
}

static void scan_process(struct query *query, pid_t pid) {
  struct proc_fdinfo *list;
  int at, bytes;

  errno = 0;
  bytes = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, NULL, 0);
  if (bytes <= 0) {
    if (errno == EPERM) atomic_fetch_add(&query->unreadable, 1);
    return;
  }
  list = safe__alloc((size_t)bytes);
  if (list == NULL) return;
  bytes = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, list, bytes);
  for (at = 0; at < bytes / (int)sizeof(*list) && !atomic_load(&query->given_up); at++)
    if (list[at].proc_fdtype == PROX_FDTYPE_VNODE) look_at(query, pid, list[at].proc_fd);
  safe__free(list);
}

static void scan_all(struct query *query) {
  int at, bytes = proc_listpids(PROC_ALL_PIDS, 0, NULL, 0);
  pid_t *list = bytes <= 0 ? NULL : safe__alloc((size_t)bytes);

  if (list == NULL) return;
  bytes = proc_listpids(PROC_ALL_PIDS, 0, list, bytes);
  for (at = 0; at < bytes / (int)sizeof(*list) && !atomic_load(&query->given_up); at++)
    if (list[at] > 0) scan_process(query, list[at]);
  safe__free(list);
  if (!atomic_load(&query->given_up)) atomic_store(&query->complete, true);
}

static bool examine(struct query *query) {
  struct stat status;

  if (query->path == NULL && query->fd < 0) return true; /* known already */
  if ((query->fd >= 0 ? fstat(query->fd, &status) : stat(query->path, &status)) != 0) {
    query->os_code = errno;
    return false;
  }
  query->device = status.st_dev;
  query->inode = status.st_ino;
  return true;
}

static void run(struct safe__helper *helper) {
  struct query *query = (struct query *)helper;

  if (!examine(query)) return;
  atomic_store(&query->file_known, true);
  if (!query->only_file) scan_all(query);
}

static void free_query(struct safe__helper *helper) {
  struct query *query = (struct query *)helper;

  safe__free(query->path);
  safe__free(query);
}

/* The file that was opened, where there is one: the path may have another by now. */
static struct query *make_query(const char *path, const struct safe__file *file) {
  struct query *query = safe__alloc(sizeof(*query));

  if (query == NULL) return NULL;
  query->helper.run = run;
  query->helper.free = free_query;
  query->fd = -1;
  if (file == NULL || (file->fd < 0 && path != NULL)) {
    query->path = path == NULL ? NULL : safe__copy_text(path);
    if (query->path != NULL) return query;
    safe__free(query);
    return NULL;
  }
  if (file->borrowed && file->fd >= 0) query->fd = file->fd;
  query->device = file->device;
  query->inode = file->inode;
  return query;
}

static int hand_over(struct query *query, safe_holder_list *list, safe_error *error) {
  int at, count = atomic_load(&query->count), unreadable = atomic_load(&query->unreadable);

  if (!atomic_load(&query->file_known)) {
    if (atomic_load(&query->helper.done))
      return safe__fail_os(error, query->os_code, SAFE_STAGE_INSPECT, -1, "The file cannot be examined");
    safe__holder_unknown(list, "The time for looking was over before the file could be examined.");
    return SAFE_OK;
  }
  safe__own_locks(query->device, query->inode, list);
  for (at = 0; at < count; at++) safe__holder_add(list, &query->found[at]);
  safe__holder_unknown(list, "macOS tells who has a file open, but not who locks it.");
  if (unreadable > 0)
    safe__holder_unknown(list, "The descriptors of %d processes may not be read by this user.", unreadable);
  if (!atomic_load(&query->complete))
    safe__holder_unknown(list, "The time for looking was over before all processes were seen.");
  return SAFE_OK;
}

/* What the query finds goes to one of them. */
struct wanted {
  safe_holder_list *list; /* who has the file open; or */
  struct safe__file_id *id;
};

static int hand_over_id(struct query *query, struct safe__file_id *id, safe_error *error) {
  if (!atomic_load(&query->file_known) && atomic_load(&query->helper.done))
    return safe__fail_os(error, query->os_code, SAFE_STAGE_INSPECT, -1, "The file cannot be examined");
  if (!atomic_load(&query->file_known))
    return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_INSPECT, -1, "The file system did not answer in time.");
  *id = (struct safe__file_id){(uint64_t)query->device, query->inode, 0};
  return SAFE_OK;
}

static int answer(struct query *query, const struct wanted *wanted, safe_error *error) {
  return wanted->id != NULL ? hand_over_id(query, wanted->id, error) : hand_over(query, wanted->list, error);
}

static int find(const char *path, const struct safe__file *file, int64_t deadline, const struct wanted *wanted,
                safe_error *error) {
  struct query *query = make_query(path, file);
  int code, os_code;

  if (query == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  query->only_file = wanted->id != NULL;
  os_code = safe__helper_start(&query->helper);
  if (os_code != 0) {
    free_query(&query->helper);
    return safe__fail_os(error, os_code, SAFE_STAGE_INSPECT, -1, "No thread could be made to look");
  }
  if (safe__helper_await(&query->helper, deadline, NULL, false) == SAFE_OK) {
    code = answer(query, wanted, error);
    safe__helper_join(&query->helper);
    free_query(&query->helper);
    return code;
  }
  atomic_store(&query->given_up, true);
  code = answer(query, wanted, error);
  safe__helper_park(&query->helper);
  return code;
}

int safe__os_holders(const char *path, int64_t deadline, safe_holder_list *list, safe_error *error) {
  const struct wanted wanted = {list, NULL};

  return find(path, list->file, deadline, &wanted, error);
}

int safe__openers_of(const struct safe__file_id *id, int64_t deadline, safe_holder_list *list, safe_error *error) {
  const struct wanted wanted = {list, NULL};
  struct safe__file file;

  safe__os_file_none(&file);
  file.device = (dev_t)id->volume;
  file.inode = (ino_t)id->low;
  return find(NULL, &file, deadline, &wanted, error);
}

int safe__openers_file(const char *path, int64_t deadline, struct safe__file_id *id, safe_error *error) {
  const struct wanted wanted = {NULL, id};

  return find(path, NULL, deadline, &wanted, error);
}
