/* SPDX-License-Identifier: MIT */
/* Children on behalf of PHP code: what exec, proc_open, popen and Safehold\Process share. */
#ifndef SAFEHOLD_PHP_CHILD_H
#define SAFEHOLD_PHP_CHILD_H

#include "php_safehold.h"
#include "wait.h"

/* SAFE_SPAWN_OPTIONS_INIT with what PHP's own functions give a child: the signals that PHP ignores stay ignored, the
   script's virtual working directory (thread-safe builds), and the terminal's process group where PHP has a terminal,
   so that an interactive program can use it. The strings in it live until the request's end. */
void safehold_child_options(safe_spawn_options *options);

/* The child's stream as a PHP stream of PHP's own plain kind: stream_select, stream_set_blocking and the rest work.
   `stream` is 0, 1 or 2 as for safe_process_take_pipe, which must have been opened with SAFE_STDIO_BLOCKING. */
php_stream *safehold_child_stream(safe_process *process, int stream);

/* Waits until the child has ended, handling signals. SAFE_OK; SAFE_ETIMEDOUT; SAFE_EINTR: a handler has thrown.
   `status` as by safe_process_wait. */
int safehold_child_wait(safe_process *process, struct safehold_wait *wait, safe_exit *status, safe_error *error);

/* Ends it with safehold.stop_grace. */
int safehold_child_stop(safe_process *process, safe_stop_report *report, safe_error *error);

/* What pclose(3) and proc_close() make of a status: the exit code, the number of the signal for a killed child where
   `shell` is not meant (proc_close), -1 where it is unknown. */
int safehold_child_code(const safe_exit *status);

#endif
