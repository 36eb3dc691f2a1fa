/* SPDX-License-Identifier: MIT */
/* Pipes of libuv's where one way is enough, and named ones of our own where it takes both. */
#include "stdio.h"

#include <stdio.h>
#include <windows.h>

#define BOTH_WAYS (UV_READABLE_PIPE | UV_WRITABLE_PIPE)
#define BUFFER_BYTES 65536
#define TRIES 16

/* Nobody else can have made one of this name before, or be the one who opens it: the first instance is the only one. */
static HANDLE make_server(char *name, size_t size) {
  unsigned long long random;
  HANDLE server = INVALID_HANDLE_VALUE;
  int tries;

  for (tries = 0; tries < TRIES && server == INVALID_HANDLE_VALUE; tries++) {
    if (uv_random(NULL, NULL, &random, sizeof(random), 0, NULL) != 0) break;
    snprintf(name, size, "\\\\.\\pipe\\safehold-uv-%lu-%016llx", GetCurrentProcessId(), random);
    server = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
                              PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, 1,
                              BUFFER_BYTES, BUFFER_BYTES, 0, NULL);
    if (server == INVALID_HANDLE_VALUE && GetLastError() != ERROR_ACCESS_DENIED && GetLastError() != ERROR_PIPE_BUSY)
      break;
  }
  return server;
}

static int to_files(HANDLE server, HANDLE client, uv_file ends[2]) {
  uv_fs_t request;

  ends[0] = uv_open_osfhandle(server);
  ends[1] = ends[0] < 0 ? -1 : uv_open_osfhandle(client);
  if (ends[1] >= 0) return 0;
  if (ends[0] < 0)
    CloseHandle(server);
  else
    uv_fs_close(NULL, &request, ends[0], NULL);
  ends[0] = -1;
  CloseHandle(client);
  return UV_EMFILE;
}

int safe__uv_pair(uv_file ends[2], int flags, bool ipc, bool sockets) {
  HANDLE server, client;
  char name[80];
  DWORD failure;

  (void)sockets; /* uv_spawn has none here either */
  if (!ipc && (flags & BOTH_WAYS) != BOTH_WAYS) return safe__uv_one_way(ends, flags);
  server = make_server(name, sizeof(name));
  if (server == INVALID_HANDLE_VALUE) return uv_translate_sys_error((int)GetLastError());
  client = CreateFileA(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                       (flags & UV_NONBLOCK_PIPE) != 0 || ipc ? FILE_FLAG_OVERLAPPED : 0, NULL);
  if (client == INVALID_HANDLE_VALUE) {
    failure = GetLastError();
    CloseHandle(server);
    return uv_translate_sys_error((int)failure);
  }
  return to_files(server, client, ends);
}

/* uv_pipe_open takes the other end for the parent's, as a child would have it; handles that are sent are duplicated
   into that process (libuv's src/win/pipe.c). */
void safe__uv_ipc_peer(uv_pipe_t *pipe, int64_t pid) { pipe->pipe.conn.ipc_remote_pid = (DWORD)pid; }

/* A descriptor of the C runtime for it could be refused, when the child runs already. */
bool safe__uv_library_pipe(int index, int flags) {
  (void)index, (void)flags;
  return false;
}
