/* SPDX-License-Identifier: MIT */
/*
 * Much of /proc/PID cannot be read while the process is in the middle of exec: stat, wchan, syscall, stack, and the
 * links fd/N, exe and ns/N wait for its end, and so does kcmp(2) (exec_update_lock; for syscall and stack since
 * Linux 5.11, for the others since "proc: protect ptrace_may_access() with exec_update_lock" of July 2026, which is
 * in 7.1.4, 6.18.40, 6.12.97, 6.6.145, 6.1.178, 5.15.212 and 5.10.261). In its middle exec closes files, which on a
 * dead file system takes for ever, and no signal but SIGKILL ends the wait. status, statm, comm, sched, fdinfo, task
 * and children do not wait.
 */
#ifndef SAFEHOLD_IN_EXEC_H
#define SAFEHOLD_IN_EXEC_H

#include "proc_stat.h"

/* Whether it is so just now: it has a memory, and no program in it yet. It may begin right after; whoever asks and then
   reads waits for an exec that began in between. */
bool safe__is_in_exec(int64_t pid);

/* As safe__proc_stat; of a process in the middle of exec what its status tells: name, state, parent, group, session and
   the number of its threads, and 0, or for exit_signal -1, for the rest. Raw calls only, as there. */
bool safe__calm_stat(int64_t pid, struct safe__proc_stat *stat);

#endif
