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

static inline int lock_as(safe_lock **lock, const char *file, int mode, int64_t timeout_ms, uint32_t flags,
                          safe_error *error) {
  safe_lock_options options = SAFE_LOCK_OPTIONS_INIT;

  options.mode = mode;
  options.timeout_ms = timeout_ms;
  options.flags = flags;
  error->size = sizeof(*error);
  return safe_lock_file(lock, file, &options, error);
}

/* Tries to lock a file that may not be locked: the code, after a look at the message. */
static inline int refusal(const char *file, uint32_t flags) {
  safe_error error;
  safe_lock *lock = NULL;
  int code = lock_as(&lock, file, SAFE_LOCK_EXCLUSIVE, SAFE_NO_WAIT, flags, &error);

  if (code == SAFE_OK) safe_unlock(lock);
  if (code != SAFE_OK) assert_true(strlen(error.message) > 10);
  return code;
}

#endif
