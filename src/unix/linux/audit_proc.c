/* SPDX-License-Identifier: MIT */
/*
 * What a child would inherit, from /proc/PID/fd and fdinfo. The flags and the locks of an open file come from memory,
 * and links are read: nothing here asks a file system (see audit_kind.h).
 *
 * Descriptors belong to a thread: one that called unshare(CLONE_FILES) has a table of its own, and a child inherits
 * that of the thread that makes it. Of this process it is the calling thread's that is looked at, of another one the
 * first thread's that has not ended.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "audit_kind.h"
#include "in_exec.h"
#include "look.h"

struct audit {
  int64_t pid;
  bool own;
  char base[32];  /* /proc/PID, or that of a thread */
  uint32_t flags; /* SAFE_AUDIT_* */
  int64_t deadline;
  safe_handle_list *list;
  DIR *folder; /* /proc/PID/fd */
  struct safe__mounts mounts;
  int seen, unreadable; /* descriptors */
  bool late, no_memory;
};

/* What /proc/PID/fdinfo/N tells of it. */
struct info {
  int flags, mount;
  int32_t lock_mode, lock_method;
};

/* "1: FLOCK  ADVISORY  WRITE 101 fe:00:1234 0 EOF". A record lock (POSIX) belongs to the process, and no child has it.
 */
static void take_lock(struct info *info, const char *text) {
  char method[16], mode[16];

  if (sscanf(text, "%*d: %15s %*s %15s", method, mode) != 2) return;
  if (strcmp(method, "FLOCK") != 0 && strcmp(method, "OFDLCK") != 0) return;
  if (info->lock_mode == SAFE_LOCK_EXCLUSIVE) return; /* the strongest of several is told */
  info->lock_method = strcmp(method, "FLOCK") == 0 ? SAFE_METHOD_FLOCK : SAFE_METHOD_OFD;
  info->lock_mode = strcmp(mode, "READ") == 0 ? SAFE_LOCK_SHARED : SAFE_LOCK_EXCLUSIVE;
}

/* 0 or errno. */
static int read_info(const struct audit *audit, int fd, struct info *info) {
  char path[64], line[256];
  unsigned flags;
  FILE *file;

  snprintf(path, sizeof(path), "%s/fdinfo/%d", audit->base, fd);
  file = fopen(path, "re");
  if (file == NULL) return errno;
  while (fgets(line, sizeof(line), file) != NULL) {
    if (sscanf(line, "flags: %o", &flags) == 1) info->flags = (int)flags;
    if (strncmp(line, "mnt_id:", 7) == 0) info->mount = atoi(line + 7);
    if (strncmp(line, "lock:", 5) == 0) take_lock(info, line + 5);
  }
  fclose(file);
  return 0;
}

static bool is_refused(int os_code) { return os_code == EACCES || os_code == EPERM; }

/* False also when it has been closed meanwhile. */
static bool read_link(struct audit *audit, int fd, char *text, size_t size) {
  char number[16];
  ssize_t length;

  snprintf(number, sizeof(number), "%d", fd);
  length = readlinkat(dirfd(audit->folder), number, text, size - 1);
  text[length < 0 ? 0 : length] = '\0';
  if (length < 0 && is_refused(errno)) audit->unreadable++;
  if (length > 0) audit->seen++;
  return length > 0;
}

/* Of an own descriptor the system is asked, which touches no file, and works where fdinfo may not be read: before 5.14
   not by a process that may not be dumped. Then fdinfo has nothing to say but of files: to read an epoll's waits for
   its mutex. */
static bool is_inherited(struct audit *audit, int fd, const char *link, struct info *info) {
  int flags = audit->own ? fcntl(fd, F_GETFD) : 0, os_code;

  *info = (struct info){.mount = -1, .lock_mode = -1, .lock_method = -1};
  if (flags < 0 || (flags & FD_CLOEXEC) != 0) return false;
  if (audit->own && link[0] != '/') return true;
  os_code = read_info(audit, fd, info);
  if (is_refused(os_code)) audit->unreadable++;
  return audit->own || (os_code == 0 && (info->flags & O_CLOEXEC) == 0);
}

static void add(struct audit *audit, int fd, const struct info *info, const char *link) {
  const struct safe__described what = {link, audit->base, dirfd(audit->folder), fd, info->flags, info->mount};
  safe_leak leak = {0};

  leak.handle = fd;
  leak.standard = fd <= STDERR_FILENO;
  leak.kind = safe__audit_kind(&what, &audit->mounts);
  leak.lock_mode = info->lock_mode;
  leak.lock_method = info->lock_method;
  safe__leak_name(&leak, link);
  if (!safe__leak_add(audit->list, &leak)) audit->no_memory = true;
}

#define TRIES 4

/* The number may be closed and given to another file between two questions: then it is asked again. */
static void look_at(struct audit *audit, int fd) {
  char before[PATH_MAX], after[PATH_MAX];
  struct info info;
  int tries;

  for (tries = 0; tries < TRIES; tries++) {
    if (!read_link(audit, fd, before, sizeof(before)) || !is_inherited(audit, fd, before, &info)) return;
    if (!read_link(audit, fd, after, sizeof(after))) return;
    if (strcmp(before, after) != 0) continue;
    add(audit, fd, &info, after);
    return;
  }
}

static bool is_late(struct audit *audit) {
  audit->late = audit->late || safe__os_now() >= audit->deadline;
  return audit->late;
}

static void scan(struct audit *audit) {
  struct dirent *entry;
  int fd;

  while (!is_late(audit) && (entry = readdir(audit->folder)) != NULL) {
    if (entry->d_name[0] == '.') continue;
    fd = atoi(entry->d_name);
    if (fd > STDERR_FILENO || (audit->flags & SAFE_AUDIT_STANDARD) != 0) look_at(audit, fd);
  }
}

static void say_what_is_missing(struct audit *audit) {
  if (audit->unreadable > 0)
    safe__leak_unknown(audit->list, "What is known of %d descriptors may not be read by this user.", audit->unreadable);
  if (audit->no_memory) safe__leak_unknown(audit->list, "There was not enough memory for all of them.");
  if (audit->late) safe__leak_unknown(audit->list, "The time for looking was over before all descriptors were seen.");
}

/* ---- Without /proc: the own descriptors by number. */

#define MOST_NUMBERS (1 << 20)

static void ask_for(struct audit *audit, int fd) {
  int flags = fcntl(fd, F_GETFD), type;
  socklen_t size = sizeof(type);
  safe_leak leak = {0};

  if (flags < 0 || (flags & FD_CLOEXEC) != 0) return;
  leak.handle = fd;
  leak.standard = fd <= STDERR_FILENO;
  leak.lock_mode = leak.lock_method = -1;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0) leak.kind = SAFE_KIND_SOCKET;
  if (!safe__leak_add(audit->list, &leak)) audit->no_memory = true;
}

static void ask_for_all(struct audit *audit, int os_code) {
  struct rlimit limit;
  int fd, count = MOST_NUMBERS;
  char words[64];

  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < MOST_NUMBERS) count = (int)limit.rlim_cur;
  for (fd = (audit->flags & SAFE_AUDIT_STANDARD) != 0 ? 0 : STDERR_FILENO + 1; fd < count && !is_late(audit); fd++)
    ask_for(audit, fd);
  safe__os_describe(os_code, words, sizeof(words));
  safe__leak_unknown(audit->list,
                     "/proc cannot be read (%s): what they are, which have locks, and those from %d on are not known.",
                     words, count);
}

/* ---- Of which thread. */

/* A process whose first thread has ended lives on in the others. 0: in none. */
static int64_t living_thread(int64_t pid) {
  struct safe__proc_stat stat;
  int64_t thread = 0;
  char path[48];
  DIR *folder;

  snprintf(path, sizeof(path), "/proc/%lld/task", (long long)pid);
  folder = opendir(path);
  if (folder == NULL) return 0;
  while ((thread = safe__proc_next(folder)) != 0)
    if (safe__calm_stat(thread, &stat) && stat.state != 'Z' && stat.state != 'X') break;
  closedir(folder);
  return thread;
}

static int fail(const struct audit *audit, int os_code, safe_error *error) {
  bool proc_there = access("/proc/self/fd", F_OK) == 0;

  if (!proc_there)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_INSPECT, -1,
                      "/proc is not there: nothing tells of other processes.");
  if (is_refused(os_code)) {
    safe__fail(error, SAFE_EACCES, SAFE_STAGE_INSPECT, -1,
               "The descriptors of process %lld may not be seen by this user.", (long long)audit->pid);
    error->os_code = os_code;
    return SAFE_EACCES;
  }
  if (os_code != ENOENT && os_code != ESRCH)
    return safe__fail_os(error, os_code, SAFE_STAGE_INSPECT, -1, "The descriptors of process %lld cannot be seen",
                         (long long)audit->pid);
  /* With the mount option hidepid=2 it looks as if there were none. */
  if (audit->pid <= INT32_MAX && (kill((pid_t)audit->pid, 0) == 0 || errno == EPERM))
    return safe__fail(error, SAFE_EACCES, SAFE_STAGE_INSPECT, -1, "Process %lld is hidden from this user in /proc.",
                      (long long)audit->pid);
  return safe__fail(error, SAFE_ENOENT, SAFE_STAGE_INSPECT, -1, "There is no process %lld.", (long long)audit->pid);
}

static int open_folder(struct audit *audit) {
  char path[64];

  snprintf(path, sizeof(path), "%s/fd", audit->base);
  audit->folder = opendir(path);
  return audit->folder != NULL ? 0 : errno;
}

static int scan_other(struct audit *audit, safe_error *error) {
  struct safe__proc_stat stat;
  int64_t thread = audit->pid;
  int os_code;

  if (!safe__look_past_exec(thread, audit->deadline)) {
    safe__leak_unknown(audit->list, "Process %lld hangs in exec, and cannot be looked at.", (long long)audit->pid);
    return SAFE_OK;
  }
  if (safe__calm_stat(thread, &stat) && (stat.state == 'Z' || stat.state == 'X')) {
    thread = living_thread(thread);
    if (thread == 0) {
      safe__leak_unknown(audit->list, "Process %lld has ended, and has no descriptors any more.",
                         (long long)audit->pid);
      return SAFE_OK;
    }
  }
  snprintf(audit->base, sizeof(audit->base), "/proc/%lld", (long long)thread);
  os_code = open_folder(audit);
  if (os_code != 0) return fail(audit, os_code, error);
  scan(audit);
  /* The folder belongs to the same user, but what is in it asks for the rights of a debugger: of a process with more
     capabilities they are refused. */
  return audit->seen == 0 && audit->unreadable > 0 ? fail(audit, EACCES, error) : SAFE_OK;
}

/* Not by its number: this process may be in another pid namespace than the one that /proc shows. */
static void scan_own(struct audit *audit) {
  int os_code;

  audit->own = true;
  snprintf(audit->base, sizeof(audit->base), "/proc/thread-self");
  os_code = open_folder(audit);
  if (os_code == 0)
    scan(audit);
  else
    ask_for_all(audit, os_code);
}

int safe__os_audit(int64_t pid, uint32_t flags, int64_t deadline, safe_handle_list *list, safe_error *error) {
  struct audit audit = {.pid = pid, .flags = flags, .deadline = deadline, .list = list};
  int code = SAFE_OK;

  if (pid == safe__os_self())
    scan_own(&audit);
  else
    code = scan_other(&audit, error);
  if (code == SAFE_OK) say_what_is_missing(&audit);
  if (audit.folder != NULL) closedir(audit.folder);
  safe__mounts_free(&audit.mounts);
  return code;
}
