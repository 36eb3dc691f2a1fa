/* SPDX-License-Identifier: MIT */
/*
 * Which file systems are this machine's own. On a dead one of another machine, or of a process, nothing but its death
 * may take a thread out of a lock call; and one that only waits may lose its place at the server when it is
 * interrupted. In a helper too: raw calls only.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "kernel.h"
#include "lock_raw.h"

#ifndef SYS_statmount
#define SYS_statmount 457 /* Linux 6.8; the same number on every architecture but Alpha */
#endif
#define MNT_ID_UNIQUE 0x4000u /* STATX_MNT_ID_UNIQUE, 6.8 */
#define SB_BASIC 1u           /* STATMOUNT_SB_BASIC */

/* linux/stat.h and linux/mount.h, as far as they are read here. */
union found {
  struct {
    uint32_t mask, to_mnt_id[35];
    uint64_t mnt_id;
  } file;
  struct {
    uint32_t size, options;
    uint64_t mask;
    uint32_t major, minor;
    uint64_t magic;
  } mount;
  unsigned char room[1024];
};
_Static_assert(offsetof(union found, file.mnt_id) == 144, "stx_mnt_id");
_Static_assert(offsetof(union found, mount.magic) == 24, "sb_magic");

/* The numbers are linux/magic.h's, and of the file systems' own headers. */
bool safe__is_distant(unsigned int magic) {
  switch (magic) {
  case 0x6969:     /* nfs */
  case 0x517B:     /* smb */
  case 0xFF534D42: /* cifs */
  case 0xFE534D42: /* smb2 */
  case 0x01021997: /* 9p */
  case 0x00C36400: /* ceph */
  case 0x5346414F: /* openafs */
  case 0x6B414653: /* afs */
  case 0x65735546: /* fuse */
  case 0x01161970: /* gfs2 */
  case 0x7461636F: /* ocfs2 */
  case 0x0BD00BD0: /* lustre */
  case 0x73757245: /* coda */
  case 0x786F4256: /* vboxsf */
    return true;
  default:
    return false;
  }
}

/* Neither this call nor statx asks the file system itself, as statfs(2) does. */
static long ask_mount(uint64_t mount, bool *local) {
  struct {
    uint32_t size, spare;
    uint64_t mnt_id, param;
  } request;
  union found found;
  long result;

  request.size = 24;
  request.spare = 0;
  request.mnt_id = mount;
  request.param = SB_BASIC;
  result = safe__raw6(SYS_statmount, (long)&request, (long)&found, sizeof(found), 0, 0, 0);
  if (result != 0) return result;
  *local = (found.mount.mask & SB_BASIC) != 0 && !safe__is_distant((unsigned int)found.mount.magic);
  return 0;
}

/* Before Linux 6.8. Of a file of which a lock was asked for just now, so that its file system answers. */
static bool ask_file_system(int fd) {
  struct statfs status;

  return safe__raw6(SYS_fstatfs, fd, (long)&status, 0, 0, 0, 0) == 0 && !safe__is_distant((unsigned int)status.f_type);
}

int safe__mount_is_local(int fd, struct safe__known_mount *known) {
  union found found;
  bool local;

  found.file.mask = 0;
  found.file.mnt_id = 0;
  if (safe__raw6(SYS_statx, fd, (long)"", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, MNT_ID_UNIQUE, (long)&found, 0) != 0 ||
      (found.file.mask & MNT_ID_UNIQUE) == 0 || found.file.mnt_id == 0) /* qemu-user hands on the mask alone */
    return -1;
  if (known->mount != found.file.mnt_id) {
    if (ask_mount(found.file.mnt_id, &local) != 0) return -1; /* a policy may know one of both calls */
    known->mount = found.file.mnt_id;
    known->local = local;
  }
  return known->local;
}

bool safe__is_local(int fd, struct safe__known_mount *known) {
  int local = safe__mount_is_local(fd, known);

  return local < 0 ? ask_file_system(fd) : local != 0;
}
