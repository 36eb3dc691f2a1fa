/* SPDX-License-Identifier: MIT */
#include "exit_status.h"

#include <sys/wait.h>

void safe__exit_from_status(int status, safe_exit *exit) {
  if (WIFEXITED(status)) {
    exit->kind = SAFE_EXIT_CODE;
    exit->code = WEXITSTATUS(status);
  } else if (WIFSIGNALED(status)) {
    exit->kind = SAFE_EXIT_SIGNAL;
    exit->signal = WTERMSIG(status);
    exit->core = WCOREDUMP(status) != 0;
  }
}
