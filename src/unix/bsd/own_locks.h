/* SPDX-License-Identifier: MIT */
/*
 * The locks that this process holds or waits for. Neither FreeBSD nor macOS tells which open file a flock or OFD lock
 * belongs to, but the most frequent holder of all is another thread of the host, and that is known here.
 *
 * Nothing here takes a lock or allocates, so that a fork in another thread leaves nothing held in its child.
 */
#ifndef SAFEHOLD_OWN_LOCKS_H
#define SAFEHOLD_OWN_LOCKS_H

#include <sys/stat.h>

#include "os.h"

/* Lists the descriptor as one that holds the lock. id is that of its file; NULL: it is asked for. */
void safe__own_lock_note(int fd, const struct safe__claim *claim, const struct safe__file_id *id);
void safe__own_lock_forget(int fd, const struct safe__claim *claim);

/* The same for a request that is queued; a descriptor that holds a lock, which is being converted, stays listed so. */
void safe__own_wait_note(int fd, const struct safe__claim *claim);
void safe__own_wait_forget(int fd);

/* Adds those of the file to the list; how many of them hold it. Never blocks. */
int safe__own_locks(dev_t device, ino_t inode, safe_holder_list *list);

/* The lock that the descriptor holds; false if none is listed. */
bool safe__own_lock_of(int fd, int32_t *mode, int32_t *method);

/* Whether the descriptor is listed. */
bool safe__own_lock_known(int fd);

#endif
