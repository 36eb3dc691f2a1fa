/* SPDX-License-Identifier: MIT */
/* The smallest CGI program: what is measured is what a server needs to get there and back. Without libc, as child.c.
   With NAP_MS it sleeps before it answers. */
#include <sys/syscall.h>
#include <time.h>

#include "raw.h"

#ifndef NAP_MS
#define NAP_MS 0
#endif

void _start(void);

void _start(void) {
  static const char response[] = "Content-Type: text/plain\r\n\r\nhello\n";
  static const struct timespec nap = {0, NAP_MS * 1000000};

  if (NAP_MS > 0) safe__raw6(SYS_nanosleep, (long)&nap, 0, 0, 0, 0, 0);
  safe__raw6(SYS_write, 1, (long)response, sizeof(response) - 1, 0, 0, 0);
  for (;;) safe__raw6(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}
