/* SPDX-License-Identifier: MIT */
/* Processes that hold locks or wait for them, and what is found of them. */
#ifndef SAFEHOLD_LOCKERS_LINUX_H
#define SAFEHOLD_LOCKERS_LINUX_H

#include <sys/types.h>

#include "support.h"

#define LOCKER_FD 40 /* the descriptor that a locker has its file by */

/* What a child is to do before it sleeps for ever. */
struct orders {
  const char *path; /* NULL: nothing */
  int method, mode; /* SAFE_METHOD_OFD, _FLOCK or _POSIX */
  int64_t offset, length;
  bool waits;                 /* it blocks in the lock call itself */
  bool forks;                 /* then it makes a child, which has all its descriptors, and sleeps for ever too */
  void (*then)(void *orders); /* or NULL */
  pid_t child;                /* its answer, of forks */
};

/* Starts it, and waits until it has done that, or, if it waits, until it is about to. Ended by lockers_end. */
pid_t locker_start(struct orders *orders);
pid_t locker_holding(const char *path, int method);
pid_t locker_waiting(const char *path, int method);
/* Ends one of them, and reaps it. */
void locker_end(pid_t pid);
/* Ends and reaps all that were started, and their children: a teardown. */
int lockers_end(void **state);

/* Waits until so many lines of /proc/locks wait for the file. */
void expect_queue(const char *path, int count);

/* The holders of the file; *unknown, if not NULL, is what the list says of that, or "". Fails the test if it fails. To
   be freed with safe_holder_list_free. */
safe_holder_list *look_at(const char *path);
const char *unknown_of(const safe_holder_list *list);
/* Of the process, in that role; NULL: it is not there. */
const safe_holder *found_in(const safe_holder_list *list, int64_t pid, int role);
int count_role(const safe_holder_list *list, int role);

/* Why nothing can be said of what threads wait in (an emulator shows its own calls, or there is no right to look), or
   NULL. */
const char *calls_are_hidden(void);
/* Why not all processes of the machine can be seen (a container has some of them only), so that nothing is known to be
   free; or NULL. */
const char *others_are_hidden(void);
/* Prints why, and skips the test. */
void skip_because(const char *reason);

/* Runs it in a child, where it may change its user or its mounts; what fails there, fails here. */
void in_a_child(void (*run)(void));

#endif
