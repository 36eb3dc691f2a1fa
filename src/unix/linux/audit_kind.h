/* SPDX-License-Identifier: MIT */
/* What a descriptor is, told without asking a file system that may be dead. */
#ifndef SAFEHOLD_AUDIT_KIND_H
#define SAFEHOLD_AUDIT_KIND_H

#include "os.h"

/* The mounts of the process that is looked at, read when the first descriptor of a file is found. */
struct safe__mounts {
  struct safe__mount *items;
  size_t count;
  bool read;
};

struct safe__described {
  const char *link; /* of /proc/PID/fd/N */
  const char *base; /* /proc/PID */
  int folder;       /* /proc/PID/fd, open */
  int fd;           /* N */
  int flags, mount; /* as fdinfo has them; mount may be -1 */
};

int32_t safe__audit_kind(const struct safe__described *what, struct safe__mounts *mounts);
void safe__mounts_free(struct safe__mounts *mounts);

#endif
