/* SPDX-License-Identifier: MIT */
/* What the tracer of the host is told (safehold/hooks.h). Without one each of these is a look at a pointer. */
#ifndef SAFEHOLD_TRACE_H
#define SAFEHOLD_TRACE_H

#include "attempt.h"
#include "stop.h"

void safe__trace_wait(const struct safe_lock_wait *attempt);
/* How an attempt has ended; error says why there is no lock. */
void safe__trace_lock(const struct safe_lock_wait *attempt, int code, const safe_error *error);
/* process: NULL where there is none, and error says why. */
void safe__trace_spawn(const safe_spawn_options *options, const safe_process *process, const safe_error *error);
void safe__trace_stop(const struct safe_stop *stop);

#endif
