/* SPDX-License-Identifier: MIT */
/* The job object that a child is born in: what it limits, and what ends with it. */
#ifndef SAFEHOLD_WIN_JOB_H
#define SAFEHOLD_WIN_JOB_H

#include "win.h"

int safe__win_job_make(const safe_spawn_options *options, HANDLE *job, safe_error *error);

/* Adds one limit to what a job is to be set to: SAFE_ENOTSUP for a kind that jobs do not have. */
int safe__win_job_limit(JOBOBJECT_EXTENDED_LIMIT_INFORMATION *wanted, const safe_limit *limit);

/*
 * SAFE_SPAWN_DIE_WITH_HOST is a job that ends its processes when its last handle is closed. So the handle has to
 * outlive safe_process_free, which ends nobody: the leash is the note that keeps it, made in advance, as that call
 * cannot fail.
 */
struct safe__win_leash *safe__win_leash_make(void);
/* Takes both over: the job is closed once none of its processes is left. */
void safe__win_leash_keep(struct safe__win_leash *leash, HANDLE job);
void safe__win_leash_free(struct safe__win_leash *leash);

#endif
