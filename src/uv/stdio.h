/* SPDX-License-Identifier: MIT */
/* What uv_stdio_container_t says, made into what safe_spawn takes. */
#ifndef SAFEHOLD_UV_STDIO_H
#define SAFEHOLD_UV_STDIO_H

#include "process.h"

struct safe__uv_stdio {
  const uv_stdio_container_t *given;
  int count;
  uv_file (*ends)[2];         /* of each: ours and the child's, or -1 */
  safe_child_handle *handles; /* the caller's, and then those from descriptor 3 on */
};

/* Fills in start->spawn. 0, or a UV_E*; in both cases safe__uv_stdio_release is to be called. */
int safe__uv_stdio_prepare(struct safe__uv_stdio *stdio, uv_loop_t *loop, struct safe__uv_start *start,
                           safe_error *error);
/* The child runs: our ends become the caller's streams. */
int safe__uv_stdio_open(struct safe__uv_stdio *stdio, safe_process *process, safe_error *error);
/* Closes what is still here, the child's ends among it. */
void safe__uv_stdio_release(struct safe__uv_stdio *stdio);

/* ---- Each system's own part. */

/* A pair of ends that no child inherits: ours and the child's. sockets: as uv_spawn makes them. 0 or a UV_E*. */
int safe__uv_pair(uv_file ends[2], int flags, bool ipc, bool sockets);
/* stdio.c: one that goes one way only, as the flags say. */
int safe__uv_one_way(uv_file ends[2], int flags);
/* A pipe for IPC was opened: this process is at the other end. */
void safe__uv_ipc_peer(uv_pipe_t *pipe, int64_t pid);
/* Whether the library's own pipe fits, and is the better one. */
bool safe__uv_library_pipe(int index, int flags);

#endif
