/* SPDX-License-Identifier: MIT */
/* What the tests of a child's tree share. */
#ifndef SAFEHOLD_TEST_TREE_LINUX_H
#define SAFEHOLD_TEST_TREE_LINUX_H

#include "support_unix.h"

#define BOMB 100

/* Options of a helper with so many processes below it, each in a session of its own; name is how they are found. */
safe_spawn_options of_bomb(const char **argv, const char *count, bool orphans, const char *name);

/* How many living processes have the name as one of their words. */
int count_named(const char *name);
/* Waits until there are so many, a second at most. */
#define expect_named(name, count) expect_named_at(name, count, __FILE__, __LINE__)
void expect_named_at(const char *name, int count, const char *file, int line);

void kill_named(const char *name);

safe_tree_info tree_of(const safe_process *process);
/* Whether there is such a process, and it is no zombie. */
bool is_alive(int64_t pid);
/* Whether the helper is a script that calls qemu-user (cmake/testing.cmake). */
bool is_emulated(void);

/* Skips the test where a process cannot adopt what its children leave behind, as under qemu-user 7.2. */
void need_adoption(void);
/* Waits until nothing is parked any more, a second at most. */
void expect_nothing_parked(void);

#endif
