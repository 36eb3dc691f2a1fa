/* SPDX-License-Identifier: MIT */
/* The three flows of safe_process_communicate: into the child's stdin, and out of its stdout and stderr. */
#ifndef SAFEHOLD_FLOW_H
#define SAFEHOLD_FLOW_H

#include "kept.h"
#include "process.h"

struct safe__outflow {
  int index; /* 1 or 2 */
  const safe_sink *sink;
  struct safe__stream *stream, target; /* the child's pipe; the caller's handle, if it is one */
  struct safe__carry *carry;
  struct safe__kept kept; /* also the count of what is not kept */
  bool moved;
};

struct safe__talk {
  safe_process *process;
  safe_communicate_options options;
  struct safe__stream *in, source; /* the child's stdin; the caller's handle, if it is one */
  struct safe__carry *carry;       /* of the input */
  size_t earlier;                  /* how much of that is an earlier call's */
  uint64_t used;                   /* of this call's input */
  bool moved;                      /* something has gone on since this was last cleared; in the other flows too */
  bool dry;                        /* it has come to its end */
  bool refused;                    /* the child closed its stdin before that */
  bool held;                       /* the drain time was over */
  struct safe__carry scratch;      /* for what is not kept, or not where it was read to */
  struct safe__outflow out[2];
};

/* Each moves what can be moved without blocking, once. SAFE_OK or what ends the call, with the error filled. */
int safe__flow_in(struct safe__talk *talk, safe_error *error);
int safe__flow_out(struct safe__talk *talk, struct safe__outflow *flow, safe_error *error);

/* Whether a flow has something left to do, and if so what it waits for. */
bool safe__flow_in_awaits(struct safe__talk *talk, struct safe__awaited *awaited, size_t *count);
bool safe__flow_out_awaits(struct safe__outflow *flow, struct safe__awaited *awaited, size_t *count);

/* Whether it is the caller's handle, and not the child's pipe, that holds a flow of output up. */
bool safe__flow_out_stalls(const struct safe__outflow *flow);

/* Makes sure of what is under way on the caller's handles: what cannot be called off counts. */
void safe__flow_settle(struct safe__talk *talk);

#endif
