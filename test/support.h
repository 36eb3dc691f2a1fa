/* SPDX-License-Identifier: MIT */
/* What the tests share. Each test program has a folder of its own, in which it starts. */
#ifndef SAFEHOLD_TEST_SUPPORT_H
#define SAFEHOLD_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "safehold.h"

/* The child program of the tests, see helper.c. */
const char *helper_path(void);

/* Factor on every claim about time: more than 1 under an emulator, Valgrind or a sanitizer. */
int slowness(void);

int64_t now_ms(void);
void sleep_ms(int64_t ms);

/* Starts the helper with the words, which end with NULL; its stdout is a pipe. Fails the test if it cannot. */
safe_process *start_helper(const char *word, ...);

/* Runs the helper to its end and returns what it wrote, to be freed with free(). Its exit code goes to *code, if not
 * NULL. */
char *helper_says(int *code, const char *word, ...);

/* Waits until the helper has written a line, and checks that the line begins with expected. */
void expect_line(safe_process *process, const char *expected);

/* Ends it by force and frees it. */
void end_helper(safe_process *process);

void make_file(const char *path, const char *content);
char *read_file(const char *path); /* to be freed */
void make_folder(const char *path);

/* Whether this is Windows as Wine plays it. */
bool on_wine(void);

/* safe_spawn, but once more where Wine's CreateProcess has failed for a reason of its own (error 1359, once in some
   thousands under load): its process had ended before it began. */
int spawn_surely(safe_process **process, const safe_spawn_options *options, safe_error *error);

/* The descriptors or handles that this process has open. */
int count_handles(void);

/* Whether the handle becomes readable (POSIX) or signalled (Windows) within so long. */
bool becomes_ready(safe_handle handle, int64_t ms);

/* In a thread that has ended when it returns. */
void in_another_thread(void (*run)(void *), void *argument);

/* A lock that another thread took: the calling thread may wait for it, in vain. Fails the test if it is not got. */
safe_lock *locked_by_another_thread(const char *path, const safe_lock_options *options);

/* assert_int_equal on a SAFE_E* with names in the message. */
#define assert_code(code, expected) assert_code_at(code, expected, __FILE__, __LINE__)
void assert_code_at(int code, int expected, const char *file, int line);

#endif
