/* SPDX-License-Identifier: MIT */
/* See arch/x86_64/raw.h for what each function is for. */
#ifndef SAFEHOLD_RAW_H
#define SAFEHOLD_RAW_H

#define SAFE__RAW_CLONE 1

/* The kernel itself knows what a signal handler returns to (arch/arm64/kernel/signal.c: the vdso). */
#define SAFE__RAW_HANDLERS 1
#define SAFE__RAW_HANDLER_FLAGS 0UL
#define SAFE__RAW_DEFINE_RESTORER static void (*const safe__raw_restorer)(void) = 0

static inline long safe__raw6(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;

  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

static inline long safe__raw_clone(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                                   void *argument) {
  /* Here the thread-local pointer comes before tid_word in the argument order. */
  register long x8 __asm__("x8") = 220;
  register long x0 __asm__("x0") = (long)flags;
  register long x1 __asm__("x1") = (long)stack;
  register long x2 __asm__("x2") = (long)pid_out;
  register long x3 __asm__("x3") = 0;
  register long x4 __asm__("x4") = (long)tid_word;
  register int (*x10)(void *) __asm__("x10") = run;
  register void *x11 __asm__("x11") = argument;

  __asm__ volatile("svc #0\n\t"
                   "cbnz x0, 1f\n\t"
                   "mov x29, #0\n\t"
                   "mov x0, x11\n\t"
                   "blr x10\n\t"
                   "mov x8, #93\n\t" /* exit */
                   "svc #0\n\t"
                   "brk #0\n"
                   "1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x10), "r"(x11)
                   : "memory");
  return x0;
}

static inline long safe__raw_clone3(void *arguments, unsigned long size, int (*run)(void *), void *argument) {
  register long x8 __asm__("x8") = 435;
  register long x0 __asm__("x0") = (long)arguments;
  register long x1 __asm__("x1") = (long)size;
  register int (*x10)(void *) __asm__("x10") = run;
  register void *x11 __asm__("x11") = argument;

  __asm__ volatile("svc #0\n\t"
                   "cbnz x0, 1f\n\t"
                   "mov x29, #0\n\t"
                   "mov x0, x11\n\t"
                   "blr x10\n\t"
                   "mov x8, #93\n\t" /* exit */
                   "svc #0\n\t"
                   "brk #0\n"
                   "1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x10), "r"(x11)
                   : "memory");
  return x0;
}

static inline unsigned long safe__raw_on_valgrind(void) {
  volatile unsigned long question[6] = {0x1001, 0, 0, 0, 0, 0};
  register unsigned long x3 __asm__("x3") = 0;
  register volatile unsigned long *x4 __asm__("x4") = question;

  __asm__ volatile("ror x12, x12, #3; ror x12, x12, #13\n\t"
                   "ror x12, x12, #51; ror x12, x12, #61\n\t"
                   "orr x10, x10, x10"
                   : "+r"(x3)
                   : "r"(x4)
                   : "cc", "memory");
  return x3;
}

#endif
