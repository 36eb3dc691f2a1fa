/* SPDX-License-Identifier: MIT */
/*
 * What posix_spawn has no way for is done by a program of ours that is spawned in the child's stead, and then executes
 * the child's: the controlling terminal (posix_spawn makes the session after it has opened the files: kern_exec.c), the
 * umask, resource limits, user and groups. It is told in its arguments what to do, and reports as any child does that
 * was made by fork: through a pipe that closes itself at a successful exec.
 */
#ifndef SAFEHOLD_TRAMPOLINE_H
#define SAFEHOLD_TRAMPOLINE_H

#include "plan.h"

#define SAFE__TRAMPOLINE "safehold-trampoline"

bool safe__trampoline_needed(const struct safe__plan *plan);

/* Where it is; SAFE_ENOTSUP where it is not installed. */
int safe__trampoline_find(char *path, size_t size, safe_error *error);

/* Its arguments, in one block of memory; NULL without memory. The strings are the plan's. error_fd is where it reports,
   among its own descriptors, and not one of the plan's targets. */
char **safe__trampoline_arguments(const struct safe__plan *plan, int error_fd);

/* A plan out of the arguments; its strings are theirs. NULL where they are not of this version, or without memory. */
struct safe__plan *safe__trampoline_plan(int argc, char **argv);

#endif
