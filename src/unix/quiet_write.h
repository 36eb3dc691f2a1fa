/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_QUIET_WRITE_H
#define SAFEHOLD_QUIET_WRITE_H

#include <stddef.h>
#include <sys/types.h>

/* write(2) to a pipe that may have lost its reader: EPIPE without SIGPIPE, whatever the host has set for it.
   Repeated at EINTR. */
ssize_t safe__quiet_write(int fd, const void *bytes, size_t length);
/* The same for a socket that may be a blocking one: EAGAIN instead of a wait. */
ssize_t safe__quiet_send(int fd, const void *bytes, size_t length);

#endif
