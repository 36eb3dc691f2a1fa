/* SPDX-License-Identifier: MIT */
/* Passing a descriptor over the helper's socket, with raw calls and without memset and memcpy, which sanitizers make
   their own: used on both ends, one of which is a process on somebody else's thread-local storage. */
#ifndef SAFEHOLD_HELPER_CALLS_H
#define SAFEHOLD_HELPER_CALLS_H

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "kernel.h"

/* As the kernel lays them out (linux/socket.h); musl's structs have padding in the place of the upper half of a size.
 */
struct helper_message {
  struct {
    void *name;
    int name_length;
    struct iovec *parts;
    size_t part_count;
    void *control;
    size_t control_length;
    unsigned flags;
  } header;
  struct iovec bytes;
  struct {
    size_t length;
    int level, type;
    int fd;
  } rights;
  char byte;
};

#define HELPER_RIGHTS_LENGTH \
  (offsetof(struct helper_message, rights.fd) - offsetof(struct helper_message, rights) + sizeof(int))

static inline void helper_message_init(struct helper_message *message) {
  message->byte = 0;
  message->bytes.iov_base = &message->byte;
  message->bytes.iov_len = 1;
  message->header.name = NULL;
  message->header.name_length = 0;
  message->header.parts = &message->bytes;
  message->header.part_count = 1;
  message->header.control = &message->rights;
  message->header.control_length = sizeof(message->rights);
  message->header.flags = 0;
}

/* With no descriptor for -1. */
static inline bool helper_send(int socket, int fd) {
  struct helper_message message;
  long result;

  helper_message_init(&message);
  message.rights.length = HELPER_RIGHTS_LENGTH;
  message.rights.level = SOL_SOCKET;
  message.rights.type = SCM_RIGHTS;
  message.rights.fd = fd;
  if (fd < 0) {
    message.header.control = NULL;
    message.header.control_length = 0;
  }
  do result = safe__raw6(SYS_sendmsg, socket, (long)&message.header, MSG_NOSIGNAL, 0, 0, 0);
  while (result == -EINTR);
  return result == 1;
}

/* False: the other end is gone. *fd is -1 when none came. */
static inline bool helper_receive(int socket, int *fd) {
  struct helper_message message;
  long result;

  helper_message_init(&message);
  *fd = -1;
  do result = safe__raw6(SYS_recvmsg, socket, (long)&message.header, MSG_CMSG_CLOEXEC, 0, 0, 0);
  while (result == -EINTR);
  if (result != 1) return false;
  if (message.header.control_length >= HELPER_RIGHTS_LENGTH && message.rights.type == SCM_RIGHTS)
    *fd = message.rights.fd;
  return true;
}

#endif
