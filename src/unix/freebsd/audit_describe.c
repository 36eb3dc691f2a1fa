/* SPDX-License-Identifier: MIT */
#include "audit_describe.h"

#include <sys/user.h>

#include <string.h>

#include "safehold/inspect.h"
#include "table.h"

/* By kf_type; those of a file system are told apart by their vnode. */
static const struct {
  int type;
  int32_t kind;
  const char *name;
} types[] = {
  {KF_TYPE_SOCKET, SAFE_KIND_SOCKET, "socket"},
  {KF_TYPE_PIPE, SAFE_KIND_PIPE, "pipe"},
  {KF_TYPE_FIFO, SAFE_KIND_PIPE, "fifo"},
  {KF_TYPE_KQUEUE, SAFE_KIND_EVENT, "kqueue"},
  {KF_TYPE_MQUEUE, SAFE_KIND_OTHER, "message queue"},
  {KF_TYPE_SHM, SAFE_KIND_MEMORY, "shared memory"},
  {KF_TYPE_SEM, SAFE_KIND_EVENT, "semaphore"},
  {KF_TYPE_PTS, SAFE_KIND_DEVICE, "terminal"},
  {KF_TYPE_PROCDESC, SAFE_KIND_PROCESS, "process descriptor"},
  {KF_TYPE_DEV, SAFE_KIND_DEVICE, "device"},
  {KF_TYPE_EVENTFD, SAFE_KIND_EVENT, "eventfd"},
  {KF_TYPE_TIMERFD, SAFE_KIND_EVENT, "timerfd"},
};

static int32_t kind_of_vnode(int type) {
  switch (type) {
  case KF_VTYPE_VDIR:
    return SAFE_KIND_FOLDER;
  case KF_VTYPE_VCHR:
  case KF_VTYPE_VBLK:
    return SAFE_KIND_DEVICE;
  case KF_VTYPE_VFIFO:
    return SAFE_KIND_PIPE;
  case KF_VTYPE_VSOCK:
    return SAFE_KIND_SOCKET;
  default:
    return SAFE_KIND_FILE;
  }
}

static void describe(struct safe__described *item, const struct kinfo_file *file) {
  const char *name = "";
  size_t at, length;

  item->kind = file->kf_type == KF_TYPE_VNODE ? kind_of_vnode(file->kf_un.kf_file.kf_file_type) : SAFE_KIND_OTHER;
  for (at = 0; at < sizeof(types) / sizeof(types[0]); at++) {
    if (types[at].type != file->kf_type) continue;
    item->kind = types[at].kind;
    name = types[at].name;
  }
  if (file->kf_path[0] != '\0') name = file->kf_path;
  length = strlen(name);
  if (length >= sizeof(item->what)) length = sizeof(item->what) - 1;
  memcpy(item->what, name, length); /* the rest is zeroes */
  item->asked_lock = (file->kf_flags & KF_FLAG_HASLOCK) != 0;
  atomic_store(&item->known, true);
}

void safe__audit_describe(void *shared) {
  struct safe__descriptions *all = shared;
  const struct kinfo_file *file;
  struct safe__table table;
  size_t at = 0;
  int item = 0;

  atomic_store(&all->os_code, safe__table_files(&table, all->pid));
  if (atomic_load(&all->os_code) != 0) return;
  while ((file = safe__table_next_file(&table, &at)) != NULL) {
    if (file->kf_fd < 0) continue; /* its folder, its program, its terminal */
    while (item < all->count && all->items[item].fd < file->kf_fd) item++;
    if (item < all->count && all->items[item].fd == file->kf_fd) describe(&all->items[item], file);
  }
  safe__table_drop(&table);
  atomic_store(&all->done, true);
}
