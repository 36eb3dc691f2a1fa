/* SPDX-License-Identifier: MIT */
/*
 * What a descriptor is, to one who waits with it. Its link in /proc tells, without a question to its file system; only
 * whether a path is a FIFO's is nowhere but in the inode, and asked for by a helper.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "in_exec.h"
#include "look.h"
#include "seen_file.h"

#define INFO_BYTES 512

static const char *name_of(const char *folder, int number, char *name, size_t size) {
  snprintf(name, size, "%s/%d", folder, number);
  return name;
}

static bool read_link(const struct safe__looker *looker, int number, char *text, size_t size) {
  char path[96];
  ssize_t length;

  text[0] = '\0';
  if (safe__is_in_exec(looker->from)) return false;
  snprintf(path, sizeof(path), "/proc/%lld/task/%lld/fd/%d", (long long)looker->from, (long long)looker->task, number);
  length = readlink(path, text, size - 1);
  text[length < 0 ? 0 : length] = '\0';
  return length > 0;
}

static bool read_info(const struct safe__looker *looker, int number, char *text, size_t size) {
  char name[32];

  return safe__proc_read(looker->from, looker->task, name_of("fdinfo", number, name, sizeof(name)), text, size) > 0;
}

/* "Pid: -1": it was reaped; "Pid: 0": it is of a pid namespace beside this one. */
static int64_t pidfd_target(const struct safe__looker *looker, int number) {
  char info[INFO_BYTES];
  uint64_t pid;

  if (!read_info(looker, number, info, sizeof(info)) || !safe__info_number(info, "Pid", &pid)) return 0;
  return (int64_t)pid > 0 ? (int64_t)pid : 0;
}

/* By the numbers of fdinfo. What these do not tell is what stat(2) says: the inode before Linux 5.14, and the device in
   a chroot, of the mount that it is within. They are the same but on overlayfs and btrfs. */
static bool identify(struct safe__looker *looker, int number, struct safe__file_id *id) {
  char info[INFO_BYTES], name[32];
  struct safe__peeked_file file;
  bool inode, volume;
  uint64_t mount;

  memset(id, 0, sizeof(*id));
  if (!read_info(looker, number, info, sizeof(info))) return false;
  inode = safe__info_number(info, "ino", &id->low);
  volume = safe__info_number(info, "mnt_id", &mount) && safe__mount_volume(looker->from, (int)mount, &id->volume);
  if (inode && volume) return true;
  name_of("fd", number, name, sizeof(name));
  if (!safe__peek_file(looker->peek, looker->from, looker->task, name, &file)) return false;
  if (!inode) id->low = file.inode;
  if (!volume) id->volume = file.volume;
  return true;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

static bool is_terminal(const char *path) {
  return begins(path, "/dev/pts/") || begins(path, "/dev/tty") || strcmp(path, "/dev/console") == 0 ||
         strcmp(path, "/dev/ptmx") == 0;
}

static bool is_fifo(struct safe__looker *looker, int number) {
  struct safe__peeked_file file;
  char name[32];

  if (strstr(looker->channel, "pipe") != NULL) return true; /* it sleeps in one's read or write */
  return safe__peek_file(looker->peek, looker->from, looker->task, name_of("fd", number, name, sizeof(name)), &file) &&
         S_ISFIFO(file.mode);
}

static void take_path(struct safe__looker *looker, int number, struct safe__waitable *waitable) {
  if (is_terminal(waitable->name)) {
    waitable->kind = SAFE__IS_TERMINAL;
    waitable->words = "the terminal";
  } else if (is_fifo(looker, number) && identify(looker, number, &waitable->id)) {
    waitable->kind = SAFE__IS_PIPE;
  } else {
    waitable->kind = SAFE__IS_FILE;
  }
}

static const struct {
  const char *link;
  enum safe__waitable_kind kind;
  const char *words;
} kinds[] = {
  {"socket:", SAFE__IS_SOCKET, "a socket"},
  {"anon_inode:[pidfd]", SAFE__IS_PIDFD, "a process"},
  {"pidfd:", SAFE__IS_PIDFD, "a process"},
  {"anon_inode:[eventpoll]", SAFE__IS_EPOLL, "an epoll instance"},
  {"anon_inode:[eventfd]", SAFE__IS_OTHER, "an eventfd"},
  {"anon_inode:[timerfd]", SAFE__IS_OTHER, "a timer"},
  {"anon_inode:[signalfd]", SAFE__IS_OTHER, "a signal"},
  {"anon_inode:inotify", SAFE__IS_OTHER, "a change of a file"},
  {"anon_inode:[io_uring]", SAFE__IS_OTHER, "io_uring"},
};

void safe__look_descriptor(struct safe__looker *looker, int number, struct safe__waitable *waitable) {
  size_t at;

  memset(waitable, 0, sizeof(*waitable));
  if (!read_link(looker, number, waitable->name, sizeof(waitable->name))) {
    waitable->words = "a descriptor that cannot be seen";
    return;
  }
  if (sscanf(waitable->name, "pipe:[%llu]", (unsigned long long *)&waitable->id.low) == 1)
    waitable->kind = SAFE__IS_PIPE;
  else if (waitable->name[0] == '/')
    take_path(looker, number, waitable);
  for (at = 0; at < sizeof(kinds) / sizeof(kinds[0]); at++) {
    if (!begins(waitable->name, kinds[at].link)) continue;
    waitable->kind = kinds[at].kind;
    waitable->words = kinds[at].words;
  }
  if (waitable->kind == SAFE__IS_PIDFD) waitable->pid = pidfd_target(looker, number);
}

int32_t safe__look_locked_file(struct safe__looker *looker, int number, char *name, size_t size) {
  struct safe__file_id id;

  if (!read_link(looker, number, name, size)) return -1;
  if (identify(looker, number, &id)) return safe__scene_object(looker->scene, SAFE__OBJECT_FILE, &id, name);
  safe__scene_unknown(looker->scene, "Which file it is that process %lld waits to lock could not be told: %s.",
                      (long long)looker->pid, name);
  return -1;
}
