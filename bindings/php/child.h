/* SPDX-License-Identifier: MIT */
/* Children on behalf of PHP code: what exec, proc_open, popen and Safehold\Process share. */
#ifndef SAFEHOLD_PHP_CHILD_H
#define SAFEHOLD_PHP_CHILD_H

#include "php_safehold.h"
#include "wait.h"

/* SAFE_SPAWN_OPTIONS_INIT with what PHP's own functions give a child: the signals that PHP ignores stay ignored, the
   script's virtual working directory (thread-safe builds), and the terminal's process group where PHP has a terminal,
   so that an interactive program can use it. The strings in it live until the script changes its directory. */
void safehold_child_options(safe_spawn_options *options);

/* safe_spawn, but the environment is the one that putenv() changes. */
int safehold_child_spawn(safe_process **process, const safe_spawn_options *options, safe_error *error);

/* The child's stream as a PHP stream of PHP's own plain kind: stream_select, stream_set_blocking and the rest work.
   `stream` is 0, 1 or 2 as for safe_process_take_pipe, which must have been opened with SAFE_STDIO_BLOCKING. NULL if
   that stream is no pipe, or was taken. */
php_stream *safehold_child_stream(safe_process *process, int stream);

#define SAFEHOLD_LOOK_MS 100 /* for a look at what the child does, once its time is over */

/* Waits until the child has ended, handling signals. SAFE_OK; SAFE_ETIMEDOUT, which comes up to 100 ms late, as `error`
   tells what the child does; SAFE_EINTR: safehold_wait_go_on says that it is not to go on. Returns also where a handler
   ends the request, see safehold_wait_end. `status` as by safe_process_wait. */
int safehold_child_wait(safe_process *process, struct safehold_wait *wait, safe_exit *status, safe_error *error);

/* Ends it with safehold.stop_grace. */
int safehold_child_stop(safe_process *process, safe_stop_report *report, safe_error *error);

/* What proc_close() and pclose() do: waits at most safehold.exec_timeout, then stops the child with a warning. A signal
   handler that throws ends the wait and the child too. The child is freed however this ends, also by a fatal error.
   safehold_child_code of its status. */
int safehold_child_finish(safe_process *process);

/* What pclose(3) and proc_close() make of a status: the exit code, or for a killed child the number of the signal, with
   bit 7 set where it dumped core; -1 where it is unknown. */
int safehold_child_code(const safe_exit *status);

#endif
