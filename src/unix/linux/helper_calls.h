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

/* One byte and room for one descriptor. */
struct helper_message {
  struct msghdr header;
  struct iovec bytes;
  char byte;
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static inline void helper_message_init(struct helper_message *message) {
  message->byte = 0;
  message->bytes.iov_base = &message->byte;
  message->bytes.iov_len = 1;
  message->header.msg_name = NULL;
  message->header.msg_namelen = 0;
  message->header.msg_iov = &message->bytes;
  message->header.msg_iovlen = 1;
  message->header.msg_control = message->control;
  message->header.msg_controllen = sizeof(message->control);
  message->header.msg_flags = 0;
}

/* With no descriptor for -1. */
static inline bool helper_send(int socket, int fd) {
  struct helper_message message;
  struct cmsghdr *rights = (struct cmsghdr *)(void *)message.control;
  long result;

  helper_message_init(&message);
  if (fd >= 0) {
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    *(int *)(void *)CMSG_DATA(rights) = fd;
  } else {
    message.header.msg_control = NULL;
    message.header.msg_controllen = 0;
  }
  do result = safe__raw6(SYS_sendmsg, socket, (long)&message.header, MSG_NOSIGNAL, 0, 0, 0);
  while (result == -EINTR);
  return result == 1;
}

/* False: the other end is gone. *fd is -1 when none came. */
static inline bool helper_receive(int socket, int *fd) {
  struct helper_message message;
  struct cmsghdr *rights = (struct cmsghdr *)(void *)message.control;
  long result;

  helper_message_init(&message);
  *fd = -1;
  do result = safe__raw6(SYS_recvmsg, socket, (long)&message.header, MSG_CMSG_CLOEXEC, 0, 0, 0);
  while (result == -EINTR);
  if (result != 1) return false;
  if (message.header.msg_controllen >= CMSG_LEN(sizeof(int)) && rights->cmsg_type == SCM_RIGHTS)
    *fd = *(int *)(void *)CMSG_DATA(rights);
  return true;
}

#endif
