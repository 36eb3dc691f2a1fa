/* SPDX-License-Identifier: MIT */
#include "pass_descriptor.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include <sys/socket.h>
#include <sys/uio.h>

struct message {
  struct msghdr header;
  struct iovec bytes;
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
};

static void init(struct message *message, void *bytes, size_t length) {
  memset(message, 0, sizeof(*message));
  message->bytes.iov_base = bytes;
  message->bytes.iov_len = length;
  message->header.msg_iov = &message->bytes;
  message->header.msg_iovlen = 1;
  message->header.msg_control = message->control;
  message->header.msg_controllen = sizeof(message->control);
}

int safe__descriptor_send(int socket, const void *bytes, size_t length, int fd) {
  struct message message;
  struct cmsghdr *rights;

  init(&message, (void *)(size_t)bytes, length);
  if (fd >= 0) {
    rights = CMSG_FIRSTHDR(&message.header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(rights), &fd, sizeof(fd));
  } else {
    message.header.msg_control = NULL;
    message.header.msg_controllen = 0;
  }
  return sendmsg(socket, &message.header, MSG_NOSIGNAL) < 0 ? errno : 0;
}

int safe__descriptor_receive(int socket, void *bytes, size_t length, int *fd) {
  struct message message;
  struct cmsghdr *rights;
  ssize_t received;

  *fd = -1;
  init(&message, bytes, length);
  do received = recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (received < 0 && errno == EINTR);
  if (received < 0) return errno;
  if (received != (ssize_t)length) return EAGAIN; /* what is sent at once comes at once */
  rights = CMSG_FIRSTHDR(&message.header);
  if (rights != NULL && rights->cmsg_type == SCM_RIGHTS) memcpy(fd, CMSG_DATA(rights), sizeof(*fd));
  return 0;
}
