/* SPDX-License-Identifier: MIT */
/* The command, run as a user would. */
#ifndef SAFEHOLD_TEST_COMMAND_H
#define SAFEHOLD_TEST_COMMAND_H

#include "support.h"

struct result {
  int status;
  char *out, *err;
};

/* Runs the command with these words, of which the last is NULL, and nothing on stdin. To be given back with done. */
struct result run(const char *word, ...);
void done(struct result *result);

/* Checks the status, and gives the result back. */
#define assert_status(got, expected) assert_status_at(got, expected, __FILE__, __LINE__)
void assert_status_at(struct result got, int expected, const char *file, int line);

#endif
