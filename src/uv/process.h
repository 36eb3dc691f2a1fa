/* SPDX-License-Identifier: MIT */
/* One running child, as process.c, stop.c and like.c share it. */
#ifndef SAFEHOLD_UV_PROCESS_H
#define SAFEHOLD_UV_PROCESS_H

#include "code.h"
#include "watch.h"

struct safe__uv_process {
  struct safe__uv_group group; /* first */
  struct safe__uv_watch watch; /* of the child's end */
  uv_timer_t timer;            /* of a stop, and of the close */
  bool has_timer;
  bool ended;      /* it was noticed, and told unless told_later */
  bool like;       /* started by safe_uv_spawn_like */
  bool told_later; /* the exit callback waits for the end of the stop */
  bool stop_cancelled;
  safe_uv_process *handle;
  safe_process *process;
  safe_exit status;
  safe_uv_exit_cb exit_cb;
  uv_exit_cb like_cb;
  safe_stop *stop; /* or NULL */
  safe_uv_stop_cb stop_cb;
};

struct safe__uv_start {
  safe_spawn_options spawn;
  const uv_stdio_container_t *stdio;
  int stdio_count;
  bool sockets; /* pipes are socket pairs, as uv_spawn's are */
  bool like;
  safe_uv_exit_cb exit_cb;
  uv_exit_cb like_cb;
};

/* 0, or a UV_E* with the error filled and nothing left behind. */
int safe__uv_start(uv_loop_t *loop, safe_uv_process *handle, struct safe__uv_start *start, safe_error *error);

/* Looks whether the child has ended, and if so calls the exit callback, unless that was done. False: it runs. The host
   may have closed the handle when this returns. */
bool safe__uv_process_look(struct safe__uv_process *own);

/* like.c: makes process->uv a handle that uv_close accepts. */
void safe__uv_like_init(uv_loop_t *loop, uv_process_t *process);
/* Detaches the block from the handle, which is uv_close's from now on, and calls the exit callback. */
void safe__uv_like_tell(struct safe__uv_process *own);

/* stop.c: the child has ended: look at once whether that was all. Does nothing where no stop is under way. */
void safe__uv_stop_hurry(struct safe__uv_process *own);

#endif
