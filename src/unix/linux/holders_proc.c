/* SPDX-License-Identifier: MIT */
/*
 * Who holds a lock, from /proc. The lock lines of /proc/PID/fdinfo name every process that has the locked
 * description open, whoever locked it: the only source for OFD locks, and the one that shows an inherited
 * descriptor. /proc/locks adds the waiters, and holders whose fdinfo may not be read.
 *
 * Nothing here opens or stats a descriptor's file, which could block on a dead file system: links are read, which
 * cannot.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "os.h"
#include "proc_stat.h"

struct query {
  unsigned major, minor;             /* as stat(2) has it */
  unsigned mount_major, mount_minor; /* as /proc/self/mountinfo has it: the one of the locks on overlayfs and btrfs */
  unsigned long long inode;
  int64_t deadline;
  safe_holder_list *list;
  int unreadable; /* processes whose descriptors we may not see */
  bool late, no_memory;
};

/* "FLOCK  ADVISORY  WRITE 101 fe:00:1234 0 EOF": what follows the number in both files. */
static bool parse(const char *text, const struct query *query, safe_holder *holder) {
  char method[16], kind[16], mode[16];
  unsigned major, minor;
  unsigned long long inode;
  long long pid;

  if (sscanf(text, "%15s %15s %15s %lld %x:%x:%llu", method, kind, mode, &pid, &major, &minor, &inode) != 7)
    return false;
  if (inode != query->inode) return false;
  if ((major != query->major || minor != query->minor) && (major != query->mount_major || minor != query->mount_minor))
    return false;
  /* Leases and delegations stand in the same lists, and are no locks. */
  if (strcmp(method, "FLOCK") != 0 && strcmp(method, "OFDLCK") != 0 && strcmp(method, "POSIX") != 0) return false;
  holder->pid = pid;
  holder->handle = -1;
  holder->mode = strcmp(mode, "READ") == 0 ? SAFE_LOCK_SHARED : SAFE_LOCK_EXCLUSIVE;
  holder->method = strcmp(method, "FLOCK") == 0    ? SAFE_METHOD_FLOCK
                   : strcmp(method, "OFDLCK") == 0 ? SAFE_METHOD_OFD
                                                   : -1;
  return true;
}

static void add(struct query *query, safe_holder *holder) {
  safe__proc_line(holder->pid, "comm", holder->name, sizeof(holder->name));
  if (!safe__holder_add(query->list, holder)) query->no_memory = true;
}

/* A helper that waits for a lock has its host's descriptors, as it shares their table, but holds nothing of its own:
   the host it works for, or pid itself if it is no helper. */
static int64_t host_of(int64_t pid) {
  struct safe__proc_stat stat;

  return safe__proc_stat(pid, &stat) && stat.exit_signal == 0 && stat.parent > 0 ? stat.parent : pid;
}

static void read_fdinfo(struct query *query, int64_t pid, int fd) {
  char path[64], line[256];
  safe_holder holder = {0};
  FILE *info;

  snprintf(path, sizeof(path), "/proc/%lld/fdinfo/%d", (long long)pid, fd);
  info = fopen(path, "re");
  if (info == NULL) return;
  while (fgets(line, sizeof(line), info) != NULL) {
    const char *text = strncmp(line, "lock:", 5) == 0 ? strchr(line + 5, ':') : NULL;
    if (text == NULL || !parse(text + 1, query, &holder)) continue;
    holder.pid = host_of(pid);
    holder.handle = fd;
    holder.role = SAFE_HOLDER_HOLDS;
    add(query, &holder);
  }
  fclose(info);
}

/* Only a descriptor of a file with a path can have a lock on one; sockets, pipes and the like begin otherwise. */
static bool may_be_locked(int folder, const char *fd) {
  char target[2] = {0};

  return readlinkat(folder, fd, target, sizeof(target)) > 0 && target[0] == '/';
}

static void scan_process(struct query *query, int64_t pid) {
  struct dirent *entry;
  char path[64];
  DIR *folder;

  snprintf(path, sizeof(path), "/proc/%lld/fd", (long long)pid);
  folder = opendir(path);
  if (folder == NULL) {
    if (errno == EACCES || errno == EPERM) query->unreadable++;
    return;
  }
  while (!query->late && (entry = readdir(folder)) != NULL) {
    if (entry->d_name[0] != '.' && may_be_locked(dirfd(folder), entry->d_name))
      read_fdinfo(query, pid, atoi(entry->d_name));
    query->late = query->late || safe__os_now() >= query->deadline;
  }
  closedir(folder);
}

static void scan_all(struct query *query) {
  DIR *folder = opendir("/proc");
  int64_t pid;

  if (folder == NULL) {
    safe__holder_unknown(query->list, "/proc cannot be read.");
    return;
  }
  while (!query->late && (pid = safe__proc_next(folder)) != 0) scan_process(query, pid);
  closedir(folder);
}

static bool named(const struct query *query, int64_t pid) {
  size_t at;

  for (at = 0; at < query->list->count; at++)
    if (query->list->items[at].pid == pid && query->list->items[at].role == SAFE_HOLDER_HOLDS) return true;
  return false;
}

/* "3: FLOCK …" holds; "3: -> FLOCK …" waits for what 3 holds. Pid -1 is an OFD lock's; a lock of a process that this
   pid namespace does not know is not listed at all. */
static void read_locks(struct query *query, bool holders_too) {
  char line[256];
  safe_holder holder = {0};
  FILE *locks = fopen("/proc/locks", "re");

  if (locks == NULL) {
    safe__holder_unknown(query->list, "/proc/locks cannot be read.");
    return;
  }
  while (!query->late && fgets(line, sizeof(line), locks) != NULL) {
    const char *text = strchr(line, ':'), *arrow = strstr(line, "->");
    query->late = safe__os_now() >= query->deadline;
    if (text == NULL || !parse(arrow != NULL ? arrow + 2 : text + 1, query, &holder)) continue;
    holder.role = arrow != NULL ? SAFE_HOLDER_WAITS : SAFE_HOLDER_HOLDS;
    holder.pid = holder.pid > 0 ? host_of(holder.pid) : holder.pid;
    if (holder.pid > 0 && (arrow != NULL || (holders_too && !named(query, holder.pid)))) add(query, &holder);
  }
  fclose(locks);
}

/* The device of the mount that the descriptor is on. */
static void find_mount(struct query *query, int fd) {
  char path[64], line[512];
  int mount = -1, candidate;
  FILE *file;

  snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
  file = fopen(path, "re");
  while (file != NULL && mount < 0 && fgets(line, sizeof(line), file) != NULL)
    if (sscanf(line, "mnt_id: %d", &mount) != 1) mount = -1;
  if (file != NULL) fclose(file);
  file = mount < 0 ? NULL : fopen("/proc/self/mountinfo", "re");
  while (file != NULL && fgets(line, sizeof(line), file) != NULL)
    if (sscanf(line, "%d %*d %u:%u", &candidate, &query->mount_major, &query->mount_minor) == 3 && candidate == mount)
      break;
  if (file != NULL && feof(file)) { /* not found: what was read last is another mount's */
    query->mount_major = query->major;
    query->mount_minor = query->minor;
  }
  if (file != NULL) fclose(file);
}

/* The file that was opened, where there is one: the path may have another by now, or its file system be dead. */
static int identify(struct query *query, const char *path, safe_error *error) {
  const struct safe__file *file = query->list->file;
  struct safe__file_id id;
  struct stat status;
  int fd = file != NULL ? file->fd : -1, own = -1;

  if (file != NULL) {
    if (!safe__os_file_id(file, &id))
      return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_INSPECT, -1, "the file system has not answered yet.");
    status.st_dev = (dev_t)id.volume;
    status.st_ino = (ino_t)id.low;
  } else {
    fd = own = open(path, O_PATH | O_CLOEXEC);
    if (own < 0 || fstat(own, &status) != 0) {
      safe__fail_os(error, errno, SAFE_STAGE_INSPECT, -1, "The file cannot be examined");
      if (own >= 0) close(own);
      return error->code;
    }
  }
  query->major = query->mount_major = major(status.st_dev);
  query->minor = query->mount_minor = minor(status.st_dev);
  query->inode = status.st_ino;
  if (fd >= 0) find_mount(query, fd);
  if (own >= 0) close(own);
  return SAFE_OK;
}

/* The inode of the first pid namespace: include/linux/proc_ns.h, PROC_PID_INIT_INO. */
#define FIRST_PID_NAMESPACE 4026531836u

static bool sees_all_processes(void) {
  struct stat status;

  return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == FIRST_PID_NAMESPACE;
}

int safe__os_holders(const char *path, int64_t deadline, safe_holder_list *list, safe_error *error) {
  struct query query = {.deadline = deadline, .list = list};
  size_t before;
  int code = identify(&query, path, error);

  if (code != SAFE_OK) return code;
  read_locks(&query, false);
  before = list->count;
  if (!query.late) scan_all(&query);
  /* Whoever locked and then handed the descriptor on, or died, is in /proc/locks too: trusted only where no
     process could be seen that has the description. */
  if (list->count == before && !query.late) read_locks(&query, true);
  if (query.unreadable > 0)
    safe__holder_unknown(list, "The descriptors of %d processes may not be read by this user.", query.unreadable);
  if (query.no_memory) safe__holder_unknown(list, "There was not enough memory for all of them.");
  if (query.late) safe__holder_unknown(list, "The time for looking was over before all processes were seen.");
  if (!sees_all_processes()) safe__holder_unknown(list, "Processes outside of this container cannot be seen.");
  return SAFE_OK;
}
