/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "pty.h"

int safe__pty_peer(int ours) {
  char name[128];

  if (ptsname_r(ours, name, sizeof(name)) != 0) return -1;
  return open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
}
