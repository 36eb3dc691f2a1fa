/* SPDX-License-Identifier: MIT */
/* Pipes, and socket pairs where something goes both ways or with descriptors. */
#include "stdio.h"

#include <sys/socket.h>

#define BOTH_WAYS (UV_READABLE_PIPE | UV_WRITABLE_PIPE)

int safe__uv_pair(uv_file ends[2], int flags, bool ipc, bool sockets) {
  uv_os_sock_t pair[2];
  int code;

  if (!sockets && !ipc && (flags & BOTH_WAYS) != BOTH_WAYS) return safe__uv_one_way(ends, flags);
  code = uv_socketpair(SOCK_STREAM, 0, pair, UV_NONBLOCK_PIPE, flags & UV_NONBLOCK_PIPE);
  if (code != 0) return code;
  ends[0] = pair[0];
  ends[1] = pair[1];
  return 0;
}

/* Descriptors travel without anybody's number. */
void safe__uv_ipc_peer(uv_pipe_t *pipe, int64_t pid) { (void)pipe, (void)pid; }

/* The library's never lies open without close-on-exec, not for a moment (macOS has no pipe2), and has one of the low
   numbers of safe_reserve_descriptors. */
bool safe__uv_library_pipe(int index, int flags) {
  return index < 3 && flags == (UV_CREATE_PIPE | (index == 0 ? UV_READABLE_PIPE : UV_WRITABLE_PIPE));
}
