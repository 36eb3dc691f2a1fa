/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_TEST_WIN_CHILD_H
#define SAFEHOLD_TEST_WIN_CHILD_H

#include "test_win.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

extern char self[1024]; /* this program, once set_up_group has run */
int set_up_group(void **state);

/* main of the child: its words are in test_win_child.c. */
int play_child(int count, char **args);

safe_process *start_child(const char *const *argv, safe_spawn_options *options);
int64_t end_of(safe_process *process);
/* What a child of these words writes, to be freed with safe_output_free; it must end with 0. */
safe_output output_of(const char *const *argv, safe_spawn_options *options);
safe_output say_of(const char *first, const char *second, safe_spawn_options *options);
/* Tries to start a program by this name, to its end; the answer of safe_spawn. */
int spawn_code(const char *file, safe_error *error);

HANDLE decoy_file(const char *name, bool inherit);
void make_file_at(const char *name, const char *content);

#endif
