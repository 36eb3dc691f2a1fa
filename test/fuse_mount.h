/* SPDX-License-Identifier: MIT */
/* The file system of fuse_fs.c, mounted at "mnt" in the test's folder: started, told, killed, and always unmounted. */
#ifndef SAFEHOLD_FUSE_MOUNT_H
#define SAFEHOLD_FUSE_MOUNT_H

#include "support.h"

#define MOUNT "mnt"

/* Mounts, in a mount namespace of the test's own, so that nothing stays mounted however the test ends. Skips the test
 * where that cannot be done. Its end in any case: fuse_end, which is a teardown. */
void fuse_start(void);
int fuse_end(void **state);

/* "hold" or "go on", see fuse_fs.c. */
void fuse_tell(const char *order);

/* The ways in which a mount dies. */
void fuse_kill(void);     /* its program */
void fuse_abort(void);    /* by the kernel's switch; the program lives on */
void fuse_stop(int stop); /* its program is stopped (1), or continued (0) */

/* Children of process, whatever they are, without the file system's own program and the dead; the first one goes to
 * *pid, if not NULL. */
int children_of(int64_t process, int64_t *pid);

/* The helper has nothing open but its socket and what it was sent to open on the mount. */
void expect_own_table(int64_t helper);

/* At the end of a pipe: the other end is open in no process any more. Closes it. */
void expect_end_of_file(int fd);

#endif
