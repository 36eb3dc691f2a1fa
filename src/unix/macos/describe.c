/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "os.h"

/* There is no strerror_l here, and strerror_r is the one of POSIX, which knows no language but English. */
void safe__os_describe(int64_t os_code, char *text, size_t size) {
  if (strerror_r((int)os_code, text, size) != 0) snprintf(text, size, "system error");
}
