/* SPDX-License-Identifier: MIT */
/* A shell command whose output is read as it comes: what exec(), system(), passthru() and shell_exec() have in common.
 */
#ifndef SAFEHOLD_PHP_COMMAND_H
#define SAFEHOLD_PHP_COMMAND_H

#include "child.h"

/* Belongs to the request: however the script ends, neither process nor descriptor is left behind. */
struct safehold_command;

/* In MINIT, by each of them that is applied. */
void safehold_command_register(void);

/* stdout is a pipe, stdin and stderr are PHP's own. NULL if it cannot be started. May bail out, as all PHP code. */
struct safehold_command *safehold_command_start(const char *line);

/* How many bytes came; 0 at the end of the output, of safehold.exec_timeout, or when a signal handler has thrown. Runs
   signal handlers. */
size_t safehold_command_read(struct safehold_command *command, char *buffer, size_t room);

/* Waits for the end, or ends it where reading has found a reason for that, and frees. Returns the result code as
   pclose(3) has it, or -1; does not return when a signal handler ended the request. Where `error->code` is
   SAFE_ETIMEDOUT or SAFE_ESTUCK it has the sentence for a warning. */
int safehold_command_finish(struct safehold_command *command, safe_error *error);

#endif
