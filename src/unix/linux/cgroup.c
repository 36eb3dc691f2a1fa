/* SPDX-License-Identifier: MIT */
/*
 * A cgroup of the version 2 for one tree: finding where one may be made, making it, its limits. The hierarchy may be
 * mounted anywhere, beside others of version 1 ("hybrid"), and only a part of it (in a container).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "above_stdio.h"
#include "poll_wait.h"
#include "proc_stat.h"
#include "tree.h"

#define CGROUP2_MAGIC 0x63677270 /* CGROUP2_SUPER_MAGIC of linux/magic.h */

/* ---- Where. */

/* All of a file of /proc; to be freed. NULL if it cannot be read. */
static char *read_all(const char *path) {
  size_t length = 0, room = 16384;
  char *text = safe__realloc(NULL, room), *more;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t count = fd < 0 || text == NULL ? -1 : 1;

  while (count > 0) {
    if (length + 1 == room) {
      more = safe__realloc(text, room * 2);
      if (more == NULL) break;
      text = more;
      room *= 2;
    }
    count = read(fd, text + length, room - length - 1);
    if (count > 0) length += (size_t)count;
  }
  if (fd >= 0) close(fd);
  if (text != NULL) text[length] = '\0';
  if (count == 0) return text;
  safe__free(text);
  return NULL;
}

/* In /proc/self/mountinfo blanks and backslashes are \ooo. In place. */
static void unescape(char *text) {
  const char *from;
  char *to = text;

  for (from = text; *from != '\0'; to++) {
    if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
      *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 4;
    } else {
      *to = *from++;
    }
  }
  *to = '\0';
}

/* Of a line of mountinfo, see proc(5): true if it is a cgroup2 mount. The line is taken apart. */
static bool read_mount(char *line, char **root, char **point) {
  char *type = strstr(line, " - "), *rest = NULL, *word;
  int field;

  if (type == NULL || strncmp(type, " - cgroup2 ", 11) != 0) return false;
  *root = *point = NULL;
  word = strtok_r(line, " ", &rest);
  for (field = 1; word != NULL && field < 5; field++) {
    word = strtok_r(NULL, " ", &rest);
    if (field == 3) *root = word;
    if (field == 4) *point = word;
  }
  if (*point == NULL) return false;
  unescape(*root);
  unescape(*point);
  return true;
}

/* The part of own that lies below root, or NULL: the mount does not show it. */
static const char *below_root(const char *own, const char *root) {
  size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);

  if (strncmp(own, root, length) != 0 || (own[length] != '/' && own[length] != '\0')) return NULL;
  return own + length;
}

/* Our own cgroup's path in the hierarchy, within text. */
static char *own_path(char *text) {
  char *line = text, *end;

  while (line != NULL && strncmp(line, "0::", 3) != 0) {
    line = strchr(line, '\n');
    if (line != NULL) line++;
  }
  if (line == NULL) return NULL;
  end = strchr(line, '\n');
  if (end != NULL) *end = '\0';
  return line + 3;
}

bool safe__cgroup_locate(char *own, char *mounts, char *folder, size_t size) {
  char *rest = NULL, *line, *root, *point;
  const char *below, *path = own_path(own);

  if (path == NULL) return false;
  for (line = strtok_r(mounts, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
    if (!read_mount(line, &root, &point)) continue;
    below = below_root(path, root);
    if (below == NULL) continue;
    return snprintf(folder, size, "%s%s", point, strcmp(below, "/") == 0 ? "" : below) < (int)size;
  }
  return false;
}

#define FOLDER_BYTES 3800

/* The folder in which a new one is to be made. */
static int find(char *folder, const safe_spawn_options *asked, safe_error *error) {
  struct statfs about;
  char *own, *mounts;
  bool found;

  if (asked->cgroup == NULL) {
    own = read_all("/proc/self/cgroup");
    mounts = read_all("/proc/self/mountinfo");
    found = own != NULL && mounts != NULL && safe__cgroup_locate(own, mounts, folder, FOLDER_BYTES);
    safe__free(own);
    safe__free(mounts);
    if (found) return SAFE_OK;
    return safe__fail(
      error, SAFE_ENOTSUP, SAFE_STAGE_CGROUP, -1,
      "No cgroup can be made: the hierarchy of version 2 is not mounted, or not with this process's own.");
  }
  if (statfs(asked->cgroup, &about) != 0)
    return safe__fail_os(error, errno, SAFE_STAGE_CGROUP, -1, "The cgroup %s cannot be asked for", asked->cgroup);
  if (about.f_type != CGROUP2_MAGIC || strlen(asked->cgroup) >= FOLDER_BYTES)
    return safe__fail(error, SAFE_ENOTSUP, SAFE_STAGE_CGROUP, -1, "%s is not a cgroup of version 2.", asked->cgroup);
  memcpy(folder, asked->cgroup, strlen(asked->cgroup) + 1);
  return SAFE_OK;
}

/* ---- A new one. */

static bool write_value(int folder, const char *name, const char *value) {
  int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);
  bool done = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

  if (fd >= 0) close(fd);
  return done;
}

/* Where the controller is there. Not every parent gives it on, and one with processes of its own cannot. */
static void set_limits(struct safe__cgroup *cgroup, const safe_spawn_options *asked) {
  char value[24];
  size_t at;

  for (at = 0; at < asked->limit_count; at++) {
    const safe_limit *limit = &asked->limits[at];
    const char *file = limit->kind == SAFE_LIMIT_MEMORY      ? "memory.max"
                       : limit->kind == SAFE_LIMIT_PROCESSES ? "pids.max"
                                                             : NULL;
    if (limit->value == SAFE_UNLIMITED)
      memcpy(value, "max", 4);
    else
      snprintf(value, sizeof(value), "%lld", (long long)limit->value);
    if (file != NULL && write_value(cgroup->folder, file, value)) cgroup->limits |= UINT32_C(1) << limit->kind;
  }
}

#define NAME_BYTES 80
#define JOIN "/cgroup.procs"

static int make_folder(struct safe__cgroup *cgroup, const char *parent, safe_error *error) {
  static atomic_uint counter;
  size_t size = strlen(parent) + NAME_BYTES;
  int tries, result = -1;

  cgroup->path = safe__alloc(size);
  cgroup->join = safe__alloc(size + sizeof(JOIN));
  if (cgroup->path == NULL || cgroup->join == NULL) return safe__fail_memory(error, SAFE_STAGE_CGROUP);
  for (tries = 0; result != 0 && tries < 100; tries++) {
    snprintf(cgroup->path, size, "%s/safehold-%lld-%llx-%u", parent, (long long)safe__os_self(),
             (unsigned long long)safe__os_now(), atomic_fetch_add(&counter, 1));
    result = mkdir(cgroup->path, 0755);
    if (result != 0 && errno != EEXIST) break;
  }
  if (result == 0) {
    snprintf(cgroup->join, size + sizeof(JOIN), "%s" JOIN, cgroup->path);
    return SAFE_OK;
  }
  return safe__fail_os(error, errno, SAFE_STAGE_CGROUP, -1, "No cgroup can be made in %s", parent);
}

int safe__cgroup_make(struct safe__cgroup *cgroup, const safe_spawn_options *asked, safe_error *error) {
  char parent[FOLDER_BYTES];
  int code = find(parent, asked, error);

  if (code != SAFE_OK) return code;
  code = make_folder(cgroup, parent, error);
  if (code == SAFE_OK) {
    cgroup->folder = safe__above_stdio(open(cgroup->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (cgroup->folder >= 0) {
      set_limits(cgroup, asked);
      return SAFE_OK;
    }
    code = safe__fail_os(error, errno, SAFE_STAGE_CGROUP, -1, "The new cgroup %s cannot be opened", cgroup->path);
    rmdir(cgroup->path);
  }
  safe__cgroup_close(cgroup);
  return code;
}

void safe__cgroup_close(struct safe__cgroup *cgroup) {
  if (cgroup->folder >= 0) close(cgroup->folder);
  safe__free(cgroup->path);
  safe__free(cgroup->join);
  cgroup->folder = -1;
  cgroup->path = cgroup->join = NULL;
}

/* ---- Its end. */

#define NO_DESCRIPTOR_MS 5 /* until there may be one again */

void safe__cgroup_wait(int folder, int64_t deadline) {
  int fd = openat(folder, "cgroup.events", O_RDONLY | O_CLOEXEC);
  struct pollfd changed = {fd, POLLPRI, 0};
  char text[256];

  if (fd < 0) {
    if (!safe__cgroup_empty(folder))
      safe__os_sleep(safe__deadline_min(deadline, safe__deadline(NO_DESCRIPTOR_MS)), NULL, false);
    return;
  }
  /* Only what changes after it was read wakes. */
  if (read(fd, text, sizeof(text)) > 0 && !safe__cgroup_empty(folder)) safe__poll(&changed, 1, deadline);
  close(fd);
}

/* By a pidfd, and only if the process is in it once that is open: no number alone is trusted. */
static bool signal_one(const struct safe__cgroup *cgroup, int64_t pid, int signal) {
  const char *name = strrchr(cgroup->path, '/');
  int pidfd = safe__pidfd_open(pid);
  bool reached = false;
  char text[4096];

  if (pidfd < 0) return false;
  if (safe__proc_text(pid, "cgroup", text, sizeof(text)) && strstr(text, name) != NULL)
    reached = safe__kernel.signal(pidfd, signal) == 0;
  close(pidfd);
  return reached;
}

#define MOST 4096 /* at a time; a larger tree takes more rounds */

bool safe__cgroup_signal(const struct safe__cgroup *cgroup, int signal) {
  int64_t *pids = safe__alloc(MOST * sizeof(*pids));
  bool reached = false;
  int at, count;

  if (pids == NULL) return false;
  count = safe__cgroup_list(cgroup->folder, pids, MOST);
  for (at = 0; at < count && at < MOST; at++) reached = signal_one(cgroup, pids[at], signal) || reached;
  safe__free(pids);
  return reached;
}
