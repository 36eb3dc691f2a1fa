/* SPDX-License-Identifier: MIT */
/* What kern.proc.filedesc tells of descriptors: for safe__aside. */
#ifndef SAFEHOLD_AUDIT_DESCRIBE_H
#define SAFEHOLD_AUDIT_DESCRIBE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct safe__described {
  int fd;
  bool asked_lock;   /* flock(2) was called on it, and not undone; whether it was got is not told */
  atomic_bool known; /* what follows is filled in */
  int32_t kind;      /* SAFE_KIND_* */
  char what[256];
};

/* In memory that both processes see. */
struct safe__descriptions {
  pid_t pid;
  atomic_int os_code;
  atomic_bool done;
  int count;
  struct safe__described items[]; /* by ascending fd */
};

void safe__audit_describe(void *shared);

#endif
