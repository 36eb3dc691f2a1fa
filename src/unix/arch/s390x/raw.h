/* SPDX-License-Identifier: MIT */
/* See arch/x86_64/raw.h for what each function is for. */
#ifndef SAFEHOLD_RAW_H
#define SAFEHOLD_RAW_H

#define SAFE__RAW_CLONE 1

/* Older kernels have a signal handler return to an instruction on the stack, which may not be executable. */
#define SAFE__RAW_HANDLERS 0
#define SAFE__RAW_HANDLER_FLAGS 0UL
#define SAFE__RAW_DEFINE_RESTORER static void (*const safe__raw_restorer)(void) = 0

static inline long safe__raw6(long number, long a, long b, long c, long d, long e, long f) {
  register long r1 __asm__("1") = number;
  register long r2 __asm__("2") = a;
  register long r3 __asm__("3") = b;
  register long r4 __asm__("4") = c;
  register long r5 __asm__("5") = d;
  register long r6 __asm__("6") = e;
  register long r7 __asm__("7") = f;

  __asm__ volatile("svc 0" : "+d"(r2) : "d"(r1), "d"(r3), "d"(r4), "d"(r5), "d"(r6), "d"(r7) : "memory");
  return r2;
}

static inline long safe__raw_clone(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                                   void *argument) {
  /* Here the stack comes first, and flags second. */
  register long r1 __asm__("1") = 120;
  register long r2 __asm__("2") = (long)stack;
  register long r3 __asm__("3") = (long)flags;
  register long r4 __asm__("4") = (long)pid_out;
  register long r5 __asm__("5") = (long)tid_word;
  register long r6 __asm__("6") = 0;
  register int (*r8)(void *) __asm__("8") = run;
  register void *r9 __asm__("9") = argument;

  __asm__ volatile("svc 0\n\t"
                   "ltgr %%r2, %%r2\n\t"
                   "jnz 1f\n\t"
                   "aghi %%r15, -160\n\t" /* the register save area that the ABI gives the callee */
                   "xc 0(8, %%r15), 0(%%r15)\n\t"
                   "lgr %%r2, %%r9\n\t"
                   "basr %%r14, %%r8\n\t"
                   "lghi %%r1, 1\n\t" /* exit */
                   "svc 0\n\t"
                   ".short 0\n" /* an illegal instruction: exit does not return */
                   "1:"
                   : "+d"(r2)
                   : "d"(r1), "d"(r3), "d"(r4), "d"(r5), "d"(r6), "a"(r8), "d"(r9)
                   : "memory", "cc");
  return r2;
}

static inline long safe__raw_clone3(void *arguments, unsigned long size, int (*run)(void *), void *argument) {
  register long r1 __asm__("1") = 435;
  register long r2 __asm__("2") = (long)arguments;
  register long r3 __asm__("3") = (long)size;
  register int (*r8)(void *) __asm__("8") = run;
  register void *r9 __asm__("9") = argument;

  __asm__ volatile("svc 0\n\t"
                   "ltgr %%r2, %%r2\n\t"
                   "jnz 1f\n\t"
                   "aghi %%r15, -160\n\t"
                   "xc 0(8, %%r15), 0(%%r15)\n\t"
                   "lgr %%r2, %%r9\n\t"
                   "basr %%r14, %%r8\n\t"
                   "lghi %%r1, 1\n\t" /* exit */
                   "svc 0\n\t"
                   ".short 0\n"
                   "1:"
                   : "+d"(r2)
                   : "d"(r1), "d"(r3), "a"(r8), "d"(r9)
                   : "memory", "cc");
  return r2;
}

static inline unsigned long safe__raw_on_valgrind(void) {
  volatile unsigned long question[6] = {0x1001, 0, 0, 0, 0, 0};
  register volatile unsigned long *r2 __asm__("2") = question;
  register unsigned long r3 __asm__("3") = 0;

  __asm__ volatile("lr 15, 15\n\tlr 1, 1\n\tlr 2, 2\n\tlr 3, 3\n\t"
                   "lr 2, 2"
                   : "+d"(r3)
                   : "d"(r2)
                   : "cc", "memory");
  return r3;
}

#endif
