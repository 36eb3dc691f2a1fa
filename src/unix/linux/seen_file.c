/* SPDX-License-Identifier: MIT */
/*
 * To find the file at a path is to ask file systems on the way, any of which may be dead. A helper does it, as for
 * SAFE_LOCK_ISOLATE (lock_isolated.c): a fresh one, which has our working directory. All that it finds out it reads
 * from its own descriptor, so that nothing comes back but text.
 */
#include "seen_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef STATX_BASIC_STATS /* musl before 1.2.5 leaves it to the kernel's header */
#include <linux/stat.h>
#endif

#include "ask_aside.h"
#include "proc_stat.h"

#define INFO_BYTES 512

/* Until the helper has answered, all of it is the helper's. */
struct request {
  struct safe__errand errand;
  char *path;
  char info[INFO_BYTES]; /* the fdinfo */
  char link[sizeof(((struct safe__seen_file *)0)->name)];
  long link_length;
  struct statx status;
};

/* ---- In the helper: raw calls only. */

static void name_own(char *name, const char *folder, long fd) {
  char digits[12];
  int count = 0;

  while (*folder != '\0') *name++ = *folder++;
  do digits[count++] = (char)('0' + fd % 10);
  while ((fd /= 10) > 0);
  while (count > 0) *name++ = digits[--count];
  *name = '\0';
}

static void read_own_info(struct request *request, long fd) {
  char name[40];
  long info, length = 0;

  name_own(name, "/proc/self/fdinfo/", fd);
  info = safe__raw6(SYS_openat, AT_FDCWD, (long)name, O_RDONLY | O_CLOEXEC, 0, 0, 0);
  if (info >= 0) {
    length = safe__raw6(SYS_read, info, (long)request->info, INFO_BYTES - 1, 0, 0, 0);
    safe__raw6(SYS_close, info, 0, 0, 0, 0, 0);
  }
  request->info[length < 0 ? 0 : length] = '\0';
  name_own(name, "/proc/self/fd/", fd);
  request->link_length =
    safe__raw6(SYS_readlinkat, AT_FDCWD, (long)name, (long)request->link, sizeof(request->link), 0, 0);
}

static int look(struct safe__job *job, int none, int *reply) {
  struct request *request = (struct request *)job;
  long fd, result;

  (void)none, (void)reply;
  fd = safe__raw6(SYS_openat, AT_FDCWD, (long)request->path, O_PATH | O_CLOEXEC, 0, 0, 0);
  if (fd < 0) return (int)-fd;
  read_own_info(request, fd);
  result =
    safe__raw6(SYS_statx, fd, (long)"", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, (long)&request->status, 0);
  safe__raw6(SYS_close, fd, 0, 0, 0, 0, 0);
  return (int)-result;
}

/* ---- Numbers. */

bool safe__info_number(const char *info, const char *name, uint64_t *value) {
  size_t length = strlen(name);
  const char *at;

  for (at = info; at != NULL; at = strchr(at, '\n')) {
    at += *at == '\n';
    if (strncmp(at, name, length) == 0 && at[length] == ':') {
      *value = strtoull(at + length + 1, NULL, 10);
      return true;
    }
  }
  return false;
}

/* "36 35 98:0 /mnt1 /mnt2 rw …": its number, its parent's, the device. */
bool safe__mount_volume(int64_t pid, int mount, uint64_t *volume) {
  char path[40], line[512];
  unsigned major, minor;
  bool found = false, whole = true;
  int candidate;
  FILE *file;

  snprintf(path, sizeof(path), "/proc/%lld/mountinfo", (long long)pid);
  file = fopen(path, "re");
  while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
    found = whole && sscanf(line, "%d %*d %u:%u", &candidate, &major, &minor) == 3 && candidate == mount;
    whole = strchr(line, '\n') != NULL;
  }
  if (file != NULL) fclose(file);
  if (found) *volume = (uint64_t)major << 32 | minor;
  return found;
}

/* False also for the mount that a chroot(2) is within: mountinfo has only those below the caller's root. */
static bool info_volume(const char *info, int64_t pid, uint64_t *volume) {
  uint64_t mount;

  return safe__info_number(info, "mnt_id", &mount) && safe__mount_volume(pid, (int)mount, volume);
}

bool safe__is_seen_file(const struct safe__seen_file *seen, int64_t pid, const char *info, const char *link) {
  uint64_t inode, volume;
  bool told = safe__info_number(info, "ino", &inode);

  if (told && inode != seen->id.low) return false;
  if (told && info_volume(info, pid, &volume)) return volume == seen->id.volume;
  if (told && link == NULL) return true; /* another file has the same inode seldom enough */
  return link != NULL && seen->name[0] != '\0' && strcmp(link, seen->name) == 0;
}

/* What is not told there is as stat(2) has it. */
static void take_numbers(struct safe__seen_file *seen, const char *info, uint64_t volume, uint64_t inode) {
  seen->id.volume = volume;
  seen->id.low = inode;
  seen->id.high = 0;
  safe__info_number(info, "ino", &seen->id.low);
  info_volume(info, safe__os_self(), &seen->id.volume);
}

static uint64_t volume_of(unsigned major, unsigned minor) { return (uint64_t)major << 32 | minor; }

static void take(struct safe__seen_file *seen, struct request *request) {
  take_numbers(seen, request->info, volume_of(request->status.stx_dev_major, request->status.stx_dev_minor),
               request->status.stx_ino);
  seen->name[0] = '\0';
  if (request->link_length <= 0 || request->link_length >= (long)sizeof(seen->name)) return;
  memcpy(seen->name, request->link, (size_t)request->link_length);
  seen->name[request->link_length] = '\0';
}

/* ---- In the host. */

static void release(struct safe__errand *errand) {
  struct request *request = (struct request *)errand;

  safe__free(request->path);
  safe__free(request);
}

static struct request *make_request(const char *path) {
  struct request *request = safe__alloc(sizeof(*request));

  if (request == NULL) return NULL;
  request->path = safe__copy_text(path);
  if (request->path == NULL) {
    safe__free(request);
    return NULL;
  }
  request->errand.job.run = look;
  request->errand.release = release;
  return request;
}

int safe__see_path(const char *path, int64_t deadline, struct safe__seen_file *seen, safe_error *error) {
  struct request *request = make_request(path);
  int code;

  if (request == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  code = safe__ask_aside(&request->errand, deadline, error);
  if (code == SAFE_ESTUCK) return code;
  if (code == SAFE_OK && request->errand.job.result != 0)
    code = safe__fail_os(error, request->errand.job.result, SAFE_STAGE_INSPECT, -1, "The file cannot be examined");
  if (code == SAFE_OK) take(seen, request);
  release(&request->errand);
  return code;
}

/* The name is as it is now; it cannot block, as it is the kernel's own memory. */
static void read_own_texts(int fd, char *info, size_t size, char *link, size_t link_size) {
  char name[32];
  ssize_t length;

  snprintf(name, sizeof(name), "fdinfo/%d", fd);
  safe__proc_text(safe__os_self(), name, info, size);
  snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
  length = readlink(name, link, link_size);
  link[length < 0 || length >= (ssize_t)link_size ? 0 : length] = '\0';
}

int safe__see_open_file(const struct safe__file *file, struct safe__seen_file *seen, safe_error *error) {
  struct safe__file_id id = {0};
  char info[INFO_BYTES] = "";
  uint64_t unused;
  bool told;

  seen->name[0] = '\0';
  if (file->fd >= 0) read_own_texts(file->fd, info, sizeof(info), seen->name, sizeof(seen->name));
  told = safe__info_number(info, "ino", &unused) && info_volume(info, safe__os_self(), &unused);
  if (!told && !safe__os_file_id(file, &id))
    return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_INSPECT, -1, "the file system has not answered yet.");
  take_numbers(seen, info, volume_of(major((dev_t)id.volume), minor((dev_t)id.volume)), id.low);
  return SAFE_OK;
}
