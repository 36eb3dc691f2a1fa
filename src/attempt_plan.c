/* SPDX-License-Identifier: MIT */
/* What to ask the kernel for. */
#include "attempt.h"

static struct safe__claim claim_of(const safe_lock_options *options, int32_t method) {
  struct safe__claim claim = {options->mode, method, options->offset, options->length};

  return claim;
}

/* The turnstile is a byte behind all that is locked. Writers and readers go through one by one: a writer waits in it
   until the readers that came before him are done, and those that come after wait for him. */
static void plan_fair(struct safe_lock_wait *attempt) {
  const struct safe__claim gate = {SAFE_LOCK_EXCLUSIVE, attempt->options.method, SAFE__GATE, 1};

  attempt->steps[0].claim = gate;
  attempt->steps[1].claim = claim_of(&attempt->options, attempt->options.method);
  attempt->steps[1].claim.length = SAFE__GATE;
  attempt->step_count = 2;
  attempt->gate = true;
}

void safe__attempt_plan(struct safe_lock_wait *attempt) {
  const safe_lock_options *options = &attempt->options;

  if (options->method == SAFE_METHOD_BOTH) {
    /* A conversion asks for the one first that a refusal leaves as it was. */
    attempt->steps[0].claim = claim_of(options, attempt->converts ? SAFE_METHOD_OFD : SAFE_METHOD_FLOCK);
    attempt->steps[1].claim = claim_of(options, attempt->converts ? SAFE_METHOD_FLOCK : SAFE_METHOD_OFD);
    attempt->step_count = 2;
    attempt->swap = !attempt->converts;
  } else if ((options->flags & SAFE_LOCK_FAIR) != 0) {
    plan_fair(attempt);
  } else {
    attempt->steps[0].claim = claim_of(options, options->method);
    attempt->step_count = 1;
  }
}
