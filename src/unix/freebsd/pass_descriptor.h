/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_PASS_DESCRIPTOR_H
#define SAFEHOLD_PASS_DESCRIPTOR_H

#include <stddef.h>

/* Sends the bytes, and with them the descriptor unless it is -1. Plain system calls only, see child_calls.h. 0 or
 * errno.
 */
int safe__descriptor_send(int socket, const void *bytes, size_t length, int fd);

/* Does not wait: 0 with the bytes and fd, which is close-on-exec, or -1 where none came. EAGAIN: not all of the bytes
   are there, or the other side is gone. Else errno. */
int safe__descriptor_receive(int socket, void *bytes, size_t length, int *fd);

#endif
