/* SPDX-License-Identifier: MIT */
#include "error_pipe.h"

#include <errno.h>
#include <unistd.h>

#include "poll_wait.h"

enum safe__heard safe__error_pipe_hear(int fd, struct safe__child_report *report, int64_t deadline) {
  struct pollfd ready = {fd, POLLIN, 0};
  int words[3];
  ssize_t length;

  for (;;) {
    if (safe__poll(&ready, 1, deadline) > 0) {
      length = read(fd, words, sizeof(words)); /* 12 bytes, less than PIPE_BUF: all or nothing */
      if (length < 0 && errno == EINTR) continue;
      if (length < (ssize_t)sizeof(words)) return SAFE__HEARD_EXEC;
      report->stage = words[0];
      report->index = words[1];
      report->os_code = words[2];
      return SAFE__HEARD_REPORT;
    }
    if (safe__os_now() >= deadline) return SAFE__HEARD_NOTHING;
  }
}
