/* SPDX-License-Identifier: MIT */
#include "audit_kind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct safe__mount {
  int id;
  char type[16];
};

/* File systems that answer stat(2) of an open file from memory. One that may ask a server or a process, or whose
   layers may (overlay), is not among them. */
static const char *const answering[] = {"ext2",     "ext3",   "ext4",  "xfs",  "btrfs",    "f2fs",     "tmpfs",
                                        "devtmpfs", "devpts", "ramfs", "vfat", "squashfs", "hugetlbfs"};

static bool answers(const char *type) {
  size_t at;

  for (at = 0; at < sizeof(answering) / sizeof(answering[0]); at++)
    if (strcmp(type, answering[at]) == 0) return true;
  return false;
}

/* "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw": proc(5). Spaces in paths are escaped. */
static void add(struct safe__mounts *mounts, const char *line, size_t *room) {
  const char *type = strstr(line, " - ");
  struct safe__mount *items;

  if (mounts->count == *room) {
    items = safe__realloc(mounts->items, (*room * 2 + 32) * sizeof(*items));
    if (items == NULL) return; /* the kind of its files is told less exactly then */
    mounts->items = items;
    *room = *room * 2 + 32;
  }
  items = &mounts->items[mounts->count];
  if (type != NULL && sscanf(line, "%d", &items->id) == 1 && sscanf(type + 3, "%15s", items->type) == 1)
    mounts->count++;
}

static void read_mounts(struct safe__mounts *mounts, const char *base) {
  char path[48], *line = NULL;
  size_t size = 0, room = 0;
  FILE *file;

  mounts->read = true;
  snprintf(path, sizeof(path), "%s/mountinfo", base);
  file = fopen(path, "re");
  if (file == NULL) return;
  while (getline(&line, &size, file) > 0) add(mounts, line, &room);
  free(line);
  fclose(file);
}

void safe__mounts_free(struct safe__mounts *mounts) {
  safe__free(mounts->items);
  mounts->items = NULL;
}

/* "" for one that is not in the list: it was unmounted while in use, or is the kernel's own. */
static const char *type_of(const struct safe__described *what, struct safe__mounts *mounts) {
  size_t at;

  if (!mounts->read) read_mounts(mounts, what->base);
  for (at = 0; at < mounts->count; at++)
    if (mounts->items[at].id == what->mount) return mounts->items[at].type;
  return "";
}

static int32_t kind_of_mode(mode_t mode) {
  if (S_ISDIR(mode)) return SAFE_KIND_FOLDER;
  if (S_ISFIFO(mode)) return SAFE_KIND_PIPE;
  if (S_ISCHR(mode) || S_ISBLK(mode)) return SAFE_KIND_DEVICE;
  return SAFE_KIND_FILE;
}

/*
 * A folder that was opened without O_DIRECTORY. Opened with O_PATH and O_DIRECTORY a descriptor's link is followed, and
 * the kernel looks whether what it has in memory is a folder (do_o_path and path_lookupat in fs/namei.c): without a
 * permission check, and without the file system's open. Only d_weak_revalidate is called: of NFS it sends nothing
 * without LOOKUP_OPEN or LOOKUP_REVAL, of 9p it may.
 */
static bool is_folder(const struct safe__described *what, const char *type) {
  char number[16];
  int fd;

  if ((what->flags & O_DIRECTORY) != 0) return true;
  if (type[0] == '\0' || strcmp(type, "9p") == 0) return false;
  snprintf(number, sizeof(number), "%d", what->fd);
  fd = openat(what->folder, number, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  close(fd);
  return true;
}

static bool begins(const char *text, const char *beginning) { return strncmp(text, beginning, strlen(beginning)) == 0; }

static int32_t kind_of_path(const struct safe__described *what, struct safe__mounts *mounts) {
  const char *type = type_of(what, mounts);
  struct stat status;
  char number[16];

  if (begins(what->link, "/memfd:") || begins(what->link, "/dmabuf:") || begins(what->link, "/SYSV"))
    return SAFE_KIND_MEMORY;
  if (answers(type)) {
    snprintf(number, sizeof(number), "%d", what->fd);
    if (fstatat(what->folder, number, &status, 0) == 0 && !S_ISREG(status.st_mode)) return kind_of_mode(status.st_mode);
    return begins(what->link, "/dev/shm/") ? SAFE_KIND_MEMORY : SAFE_KIND_FILE; /* shm_open(3) */
  }
  if (is_folder(what, type)) return SAFE_KIND_FOLDER;
  return begins(what->link, "/dev/") ? SAFE_KIND_DEVICE : SAFE_KIND_FILE;
}

/* "anon_inode:[eventfd]"; an inotify's is "anon_inode:inotify". */
static int32_t kind_of_anonymous(const char *name) {
  static const char *const waited_for[] = {"eventfd", "eventpoll", "timerfd",  "signalfd",
                                           "inotify", "fanotify",  "io_uring", "userfaultfd"};
  size_t at;

  name += name[0] == '[';
  if (begins(name, "pidfd")) return SAFE_KIND_PROCESS;
  for (at = 0; at < sizeof(waited_for) / sizeof(waited_for[0]); at++)
    if (begins(name, waited_for[at])) return SAFE_KIND_EVENT;
  return SAFE_KIND_OTHER;
}

int32_t safe__audit_kind(const struct safe__described *what, struct safe__mounts *mounts) {
  static const char anonymous[] = "anon_inode:";

  if (what->link[0] == '/') return kind_of_path(what, mounts);
  if (begins(what->link, "pipe:")) return SAFE_KIND_PIPE;
  if (begins(what->link, "socket:")) return SAFE_KIND_SOCKET;
  if (begins(what->link, "pidfd:")) return SAFE_KIND_PROCESS; /* so it was called in 6.9-rc */
  if (begins(what->link, anonymous)) return kind_of_anonymous(what->link + sizeof(anonymous) - 1);
  return SAFE_KIND_OTHER;
}
