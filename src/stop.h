/* SPDX-License-Identifier: MIT */
/*
 * One stop, from the polite request to the verdict, as a machine that is moved on by looks: safe_process_stop drives it
 * to its end, safe_stop_begin lets an event loop do so.
 */
#ifndef SAFEHOLD_STOP_H
#define SAFEHOLD_STOP_H

#include "process.h"

enum safe__stop_state {
  SAFE__STOP_GRACE, /* they were asked */
  SAFE__STOP_FORCE, /* they were killed */
  SAFE__STOP_OVER
};

struct safe_stop {
  safe_process *process;
  safe_stop_options options;
  enum safe__stop_state state;
  bool polled;       /* by an event loop, which may come late */
  int64_t grace_end; /* of the grace, counted from the beginning of the call: what looking takes is part of it */
  int64_t verdict;   /* once they were killed: when it is given up */
  int64_t force_at;  /* once they were killed: when it is done again */
  int64_t look_at;   /* when it is looked though nothing is known to have changed */
  int rounds;        /* of killing */
  int code;          /* once it is over */
  safe_stop_report report;
  safe_error error;
};

/* Asks politely, or ends by force where there is no grace. polled and options are the caller's. */
void safe__stop_start(struct safe_stop *stop, safe_process *process);
/* Looks, if there is a reason to, and goes on. Never waits. */
void safe__stop_poll(struct safe_stop *stop);
/* Waits until it is over. */
void safe__stop_drive(struct safe_stop *stop);
/* When the next look is of use, if nobody watches the exit handle of a child that has ended. */
int64_t safe__stop_next(const struct safe_stop *stop);

#endif
