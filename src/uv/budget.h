/* SPDX-License-Identifier: MIT */
/*
 * The time that a thread may spend on looks for the holders of locks: a bucket that fills with a twentieth of the time
 * that passes. A loop has other things to do, and a thousand waits may end at once.
 */
#ifndef SAFEHOLD_UV_BUDGET_H
#define SAFEHOLD_UV_BUDGET_H

#include <stdint.h>

/* Milliseconds that the next look may take, at most so many. */
uint32_t safe__uv_budget_ms(uint32_t at_most);
/* So much was spent, in nanoseconds. */
void safe__uv_budget_spend(uint64_t spent);

#endif
