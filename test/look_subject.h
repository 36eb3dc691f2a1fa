/* SPDX-License-Identifier: MIT */
/* What the tests of the looks at processes share (Linux): processes that wait, and what is seen of them. */
#ifndef SAFEHOLD_TEST_LOOK_SUBJECT_H
#define SAFEHOLD_TEST_LOOK_SUBJECT_H

#include <sys/types.h>

#include "look.h"
#include "support_unix.h"

/* What a subject knows: descriptors and a process. */
struct means {
  int fd, other;
  pid_t pid;
  int timeout;
};

/* A copy of this process that runs the function, and then ends. Killed and reaped after each test. */
pid_t start_subject(void (*run)(struct means *means), struct means *means);
int end_subjects(void **state);
void forget_subject(void); /* the last one, which the test has reaped */
void pause_for_ever(struct means *means);
void read_byte(struct means *means); /* of fd */

pid_t only_child_of(pid_t pid);

/* What was seen last. */
extern struct safe__scene scene;

int look_set_up(void **state);
int look_tear_down(void **state);

/* Skips the test where system calls are an emulator's. */
void need_calls(void);

void look_once(pid_t pid);
/* Until it has so many wants, and the first of them is of this kind (or -1): it takes a moment to fall asleep. */
const struct safe__want *look_until(pid_t pid, size_t count, int32_t waits);
const struct safe__want *look_for(pid_t pid, int32_t waits); /* just one */
/* It is the first thread's, and began just now. */
void expect_plain(const struct safe__want *want, pid_t pid, int64_t handle, int64_t limit);
/* It is for the file, or pipe, that is open as fd. */
void expect_object(const struct safe__want *want, enum safe__object_kind kind, int fd);

#define LOOK(name) cmocka_unit_test_setup_teardown(name, look_set_up, look_tear_down)

#endif
