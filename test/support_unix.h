/* SPDX-License-Identifier: MIT */
/* What the tests of Unix children share. */
#ifndef SAFEHOLD_TEST_SUPPORT_UNIX_H
#define SAFEHOLD_TEST_SUPPORT_UNIX_H

#include "support.h"

/* Whether SAFEHOLD_LONG=1 asks for the long tier. */
bool long_tier(void);

/* Valgrind does not survive a refused execve, and keeps some limits to itself. */
bool on_valgrind(void);

/* Whether a process can limit its memory: qemu-user takes the call, and leaves the limit as it was. */
bool memory_can_be_limited(void);

/* Options that start the helper with these words: its stdout is a pipe, its other streams are the null device. */
safe_spawn_options of_helper(const char *const *argv);

/* The same for a command line of sh. */
safe_spawn_options of_shell(const char *command);

/* What a child with these options writes to its stdout, to be freed with free(). Fails the test if it does not start,
   or does not come to its end. */
char *output_of(const safe_spawn_options *options);

/* Fails the test if the child's output is another one. */
#define expect_output(options, expected) expect_output_at(options, expected, __FILE__, __LINE__)
void expect_output_at(const safe_spawn_options *options, const char *expected, const char *file, int line);

/* All that a host has and a spawn must not change. Its children too: it is to have none. */
struct host;
struct host *host_now(void); /* to be freed with free() */

/* NULL if the host is as it was before, has no child, and nothing is parked; else the name of what is not so. */
const char *host_trouble(const struct host *before);

/* Fails the test if there is such trouble. */
#define expect_host(before) expect_host_at(before, __FILE__, __LINE__)
void expect_host_at(const struct host *before, const char *file, int line);

#endif
