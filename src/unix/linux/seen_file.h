/* SPDX-License-Identifier: MIT */
/*
 * Which file it is that a question is about, by the numbers that /proc/locks and fdinfo print: the inode, and the
 * device of the file system as mountinfo has it. stat(2) has another device on btrfs, and may have another inode on
 * overlayfs.
 */
#ifndef SAFEHOLD_SEEN_FILE_H
#define SAFEHOLD_SEEN_FILE_H

#include "os.h"

struct safe__seen_file {
  struct safe__file_id id; /* volume: major << 32 | minor; low: inode */
  char name[1024];         /* its absolute path, without symbolic links; "" where it is longer, or not known */
};

/* The file at the path, a symbolic link being followed. Asks the file system, in a helper that can be left behind:
   SAFE_ESTUCK. */
int safe__see_path(const char *path, int64_t deadline, struct safe__seen_file *seen, safe_error *error);
/* One that this process has open, or is about to: asks nobody. */
int safe__see_open_file(const struct safe__file *file, struct safe__seen_file *seen, safe_error *error);

/* The device of a mount as that process knows it; false if it does not. */
bool safe__mount_volume(int64_t pid, int mount, uint64_t *volume);
/* Whether a descriptor of the process, whose fdinfo this is, is of the file; link, which may be NULL, is asked for the
   path where the kernel does not tell the inode (before Linux 5.14). */
bool safe__is_seen_file(const struct safe__seen_file *seen, int64_t pid, const char *info, const char *link);
/* The value of "name:\t123" in an fdinfo; false if there is none. */
bool safe__info_number(const char *info, const char *name, uint64_t *value);

#endif
