/* SPDX-License-Identifier: MIT */
/* What the tests for Windows alone share. Included once a program, after nothing else. */
#ifndef SAFEHOLD_TEST_WIN_H
#define SAFEHOLD_TEST_WIN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "win.h"

/* How many times slower than bare metal this machine may be. */
static inline int64_t slow(int64_t ms) {
  const char *text = getenv("SAFEHOLD_TEST_SLOWNESS");
  int64_t factor = text != NULL ? atoi(text) : 1;

  return ms * (factor < 1 ? 1 : factor);
}

static inline int64_t ms_since(int64_t began) { return (safe__os_now() - began) / SAFE__MS; }

static inline DWORD handle_count(void) {
  DWORD count = 0;

  assert_true(GetProcessHandleCount(GetCurrentProcess(), &count));
  return count;
}

static inline void join(char *into, size_t size, const char *name) {
  const char *folder = getenv("SAFEHOLD_TEST_DIR");

  snprintf(into, size, "%s\\%s", folder != NULL && folder[0] != '\0' ? folder : ".", name);
}

#endif
