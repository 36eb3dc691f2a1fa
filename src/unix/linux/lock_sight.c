/* SPDX-License-Identifier: MIT */
#include "lock_sight.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel.h"
#include "proc_stat.h"
#include "seen_file.h"

/* The inode of the first pid namespace: include/linux/proc_ns.h, PROC_PID_INIT_INO. */
#define FIRST_PID_NAMESPACE 4026531836u

bool safe__sees_all_processes(void) {
  struct stat status;

  return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == FIRST_PID_NAMESPACE;
}

/* Who lacks this right meets some process whose descriptors he may not read; or, where /proc is mounted with hidepid=2,
   does not even meet it. */
static bool may_look_at_all(void) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

  return safe__raw6(SYS_capget, (long)&header, (long)data, 0, 0, 0, 0) == 0 &&
         (data[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective & CAP_TO_MASK(CAP_SYS_PTRACE)) != 0;
}

/* What it has open it has in no table of descriptors: nfsd with lockd, and ksmbd, when their modules are there
   (create_proc_exports_entry in fs/nfsd/nfsctl.c, ksmbd_control_class in fs/smb/server/server.c). */
static bool serves_files(void) {
  return access("/proc/fs/nfs/exports", F_OK) == 0 || access("/sys/class/ksmbd-control", F_OK) == 0;
}

/* Since Linux 5.14. Before, only their links tell which file descriptors are of, and to read all of them takes long. */
static bool tells_inodes(void) {
  char name[32], info[512];
  uint64_t inode;
  bool told;
  int fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0) return false;
  snprintf(name, sizeof(name), "fdinfo/%d", fd);
  told = safe__proc_text(safe__os_self(), name, info, sizeof(info)) && safe__info_number(info, "ino", &inode);
  close(fd);
  return told;
}

/* The first process may be hidden from one who has the right in a user namespace of his own, or for a security module:
   hidepid hides it then. */
bool safe__descriptors_tell_all(void) {
  return safe__sees_all_processes() && may_look_at_all() && access("/proc/1", F_OK) == 0 && !serves_files() &&
         tells_inodes();
}
