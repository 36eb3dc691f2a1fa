/* SPDX-License-Identifier: MIT */
/* What the tests of the libuv adapter share. */
#ifndef SAFEHOLD_TEST_UV_LOOP_H
#define SAFEHOLD_TEST_UV_LOOP_H

#include "safehold/uv.h"
#include "support.h"

/* assert_int_equal on a UV_E* with names in the message. */
#define assert_uv(code, expected) assert_uv_at(code, expected, __FILE__, __LINE__)
void assert_uv_at(int code, int expected, const char *file, int line);

void open_loop(uv_loop_t *loop);
/* Runs what is left, at most for a while, and fails the test unless nothing at all is. */
void close_loop(uv_loop_t *loop);

/* Turns the loop until the number is reached, or fails the test when that takes seconds. */
void run_until(uv_loop_t *loop, const int *number, int reached);
/* Turns the loop for so long, whatever is in it. */
void run_for(uv_loop_t *loop, int ms);

/* How many handles uv_walk shows, that are not closing; and how many of those safe_uv_owns. */
int count_loop_handles(uv_loop_t *loop, int *owned);

/* The helper as what safe_uv_spawn starts: words end with NULL. */
safe_spawn_options helper_options(const char *const *words);

#endif
