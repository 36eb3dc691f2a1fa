/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_OS_TYPES_H
#define SAFEHOLD_OS_TYPES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* The last byte that a file can have: the turnstile of SAFE_LOCK_FAIR, behind all that is locked then. */
#define SAFE__GATE (INT64_MAX - 1)

struct safe__file {
  int fd; /* -1 when closed or parked */
  dev_t device;
  ino_t inode;
  bool borrowed; /* the caller's, whose device and inode have not been asked for */
  bool created;  /* by us, just now */
};

/* An epoll instance or a kqueue, and what it looks at. */
struct safe__poller {
  int fd, timer; /* -1 where there is none */
  int ready, cancel;
  int64_t owner; /* the process that a kqueue belongs to */
};

/* How a stream is moved without blocking. */
enum safe__manner {
  SAFE__NON_BLOCKING = 0, /* an open file of our own with O_NONBLOCK */
  SAFE__AT_ONCE,          /* a file: takes and gives everything at once */
  SAFE__SOCKET,           /* by MSG_DONTWAIT */
  SAFE__POLLED            /* asked first, and then only as much as cannot block */
};

struct safe__stream {
  int fd; /* -1 when there is no pipe, or it was closed or taken */
  bool writes;
  bool waits;    /* the last wait found that it cannot move */
  bool terminal; /* our end of a pseudo-terminal: EIO is its end, and its input ends with a character */
  bool blocking; /* as the caller asked for: never moved by safe_process_communicate */
  bool mid_line; /* terminal: what was written last was no line's end */
  bool borrowed; /* the caller's: never closed */
  enum safe__manner manner;
  size_t most; /* SAFE__POLLED: bytes at a time */
};

struct safe__child {
  struct safe__stream streams[3];
  int64_t pid;
  int exit_fd;     /* readable once the child has ended: pidfd, process descriptor or kqueue; -1 where there is none */
  int32_t group;   /* SAFE_GROUP_* */
  int64_t watched; /* one that was left when its group was last looked through, or 0 */
  bool ended;      /* it is a zombie of ours, or was reaped by somebody else */
  bool killed;     /* its end was forced once */
  bool listed;     /* Linux: all processes were looked through for its tree once */
  bool unlisted;   /* it was signalled before that: whoever lost his parent then is found by no link any more */
  int terminal;    /* our end of its pseudo-terminal, or -1 */
  int *targets;    /* of the listed handles, by their places in the list; NULL if there are none */
  size_t target_count;
  bool stolen;             /* reaped by somebody else: its number may be a stranger's by now */
  int32_t keeping;         /* SAFE_TREE_*, as it was asked for */
  uint32_t limits_lacking; /* as in safe_tree_info */
  struct safe__tree *tree; /* Linux: its cgroup, its guard, and who was seen of it; NULL: none of these */
};

#endif
