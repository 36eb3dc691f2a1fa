/* SPDX-License-Identifier: MIT */
/* The program safehold-trampoline, see trampoline.h. It is not for people: what it is to do it is told by the library.
 */
#include "trampoline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Where the library is to hear of it is known in whatever version. */
static int not_ours(int argc, char **argv) {
  const int words[3] = {SAFE_STAGE_PREPARE, -1, EPROTO};
  int error_fd = argc < 3 ? -1 : atoi(argv[2]);
  ssize_t sent;

  if (error_fd < 3) {
    fputs(SAFE__TRAMPOLINE " is a part of the library safehold, which calls it.\n", stderr);
    return 2;
  }
  sent = write(error_fd, words, sizeof(words));
  return sent == (ssize_t)sizeof(words) ? 127 : 126;
}

int main(int argc, char **argv) {
  struct safe__plan *plan = safe__trampoline_plan(argc, argv);

  /* As a child made by fork would: nothing is to be given back. */
  if (plan == NULL || fcntl(plan->error_fd, F_SETFD, FD_CLOEXEC) != 0) _exit(not_ours(argc, argv));
  _exit(safe__child_run(plan));
}
