/* SPDX-License-Identifier: MIT */
/* Communicating with a child in several calls, none of which loses anything. */
#ifndef SAFEHOLD_PHP_PROCESS_TALK_H
#define SAFEHOLD_PHP_PROCESS_TALK_H

#include "child.h"
#include "process_values.h"

struct safehold_talk {
  struct safehold_collected collected;
  zend_string *input; /* what is still to be delivered, from input_at on; or NULL */
  size_t input_at;
  bool input_ended;  /* nothing more can be given */
  safe_output piece; /* of the call at hand, in the library's memory: kept here, as copying it may bail out */
};

/* false: an earlier call has given all there can be. */
bool safehold_talk_give(struct safehold_talk *talk, zend_string *input);
/* SAFE_OK: all came, and the child has ended. SAFE_ETIMEDOUT, SAFE_EINTR as from safehold_child_wait; and what
   safe_process_communicate says. */
int safehold_talk(struct safehold_talk *talk, safe_process *process, size_t limit, struct safehold_wait *wait,
                  safe_error *error);
void safehold_talk_free(struct safehold_talk *talk);

#endif
