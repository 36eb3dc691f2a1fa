/* SPDX-License-Identifier: MIT */
/*
 * For processors without a raw.h of their own: libc's syscall(). It writes errno, which is harmless in a forked
 * process with memory of its own, the only kind made here: SAFE__RAW_CLONE 0 keeps shared-memory processes off.
 */
#ifndef SAFEHOLD_RAW_H
#define SAFEHOLD_RAW_H

#include <errno.h>
#include <unistd.h>

#define SAFE__RAW_CLONE 0

#define SAFE__RAW_HANDLERS 0
#define SAFE__RAW_HANDLER_FLAGS 0UL
#define SAFE__RAW_DEFINE_RESTORER static void (*const safe__raw_restorer)(void) = 0

static inline long safe__raw6(long number, long a, long b, long c, long d, long e, long f) {
  long result = syscall(number, a, b, c, d, e, f);

  return result == -1 ? -errno : result;
}

static inline long safe__raw_clone(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                                   void *argument) {
  (void)flags, (void)stack, (void)pid_out, (void)tid_word, (void)run, (void)argument;
  return -ENOSYS;
}

static inline long safe__raw_clone3(void *arguments, unsigned long size, int (*run)(void *), void *argument) {
  (void)arguments, (void)size, (void)run, (void)argument;
  return -ENOSYS;
}

static inline unsigned long safe__raw_on_valgrind(void) { return 0; }

#endif
