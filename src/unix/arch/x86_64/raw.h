/* SPDX-License-Identifier: MIT */
/*
 * System calls without libc, for code that runs in a process which shares the caller's memory: libc's own
 * wrappers would write the errno, and may touch other thread-local state, of the thread that made it.
 */
#ifndef SAFEHOLD_RAW_H
#define SAFEHOLD_RAW_H

#define SAFE__RAW_CLONE 1

/* What a signal handler that is installed without libc returns to: rt_sigreturn(2) is to be called with the stack as
   the kernel left it. In a file that installs one. */
#define SAFE__RAW_HANDLERS 1
#define SAFE__RAW_HANDLER_FLAGS 0x04000000UL /* SA_RESTORER */
#define SAFE__RAW_DEFINE_RESTORER                                \
  __asm__(".text\n\t"                                            \
          ".type safe__raw_restorer, @function\n"                \
          "safe__raw_restorer:\n\t"                              \
          "mov $15, %eax\n\t"                                    \
          "syscall\n\t"                                          \
          ".size safe__raw_restorer, . - safe__raw_restorer\n"); \
  extern void safe__raw_restorer(void) __attribute__((visibility("hidden")))

static inline long safe__raw6(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;

  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

/*
 * clone(2): the new process calls run(argument) and exits with what it returns. stack is the upper end of its
 * stack, or NULL for a copy of this one (then without CLONE_VM). pid_out takes the pidfd of CLONE_PIDFD,
 * tid_word is what CLONE_CHILD_CLEARTID clears.
 */
static inline long safe__raw_clone(unsigned long flags, void *stack, int *pid_out, int *tid_word, int (*run)(void *),
                                   void *argument) {
  register long r10 __asm__("r10") = (long)tid_word;
  register long r8 __asm__("r8") = 0;
  register int (*r12)(void *) __asm__("r12") = run;
  register void *r13 __asm__("r13") = argument;
  long result;

  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xor %%ebp, %%ebp\n\t" /* the outermost frame, for debuggers */
                   "and $-16, %%rsp\n\t"
                   "mov %%r13, %%rdi\n\t"
                   "call *%%r12\n\t"
                   "mov %%eax, %%edi\n\t"
                   "mov $60, %%eax\n\t" /* exit */
                   "syscall\n\t"
                   "hlt\n"
                   "1:"
                   : "=a"(result)
                   : "a"(56L), "D"(flags), "S"(stack), "d"(pid_out), "r"(r10), "r"(r8), "r"(r12), "r"(r13)
                   : "rcx", "r11", "memory");
  return result;
}

/*
 * clone3(2), for what clone(2) has no room for: the struct names the stack and all the rest, and its size is what the
 * caller knows of it.
 */
static inline long safe__raw_clone3(void *arguments, unsigned long size, int (*run)(void *), void *argument) {
  register int (*r12)(void *) __asm__("r12") = run;
  register void *r13 __asm__("r13") = argument;
  long result;

  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "and $-16, %%rsp\n\t"
                   "mov %%r13, %%rdi\n\t"
                   "call *%%r12\n\t"
                   "mov %%eax, %%edi\n\t"
                   "mov $60, %%eax\n\t" /* exit */
                   "syscall\n\t"
                   "hlt\n"
                   "1:"
                   : "=a"(result)
                   : "a"(435L), "D"(arguments), "S"(size), "r"(r12), "r"(r13)
                   : "rcx", "r11", "memory");
  return result;
}

/* Valgrind aborts at a clone that it does not know, so it has to be asked before. The instructions do nothing
   on a real processor; Valgrind takes them for a question, 0x1001 being "are we running on you?". */
static inline unsigned long safe__raw_on_valgrind(void) {
  volatile unsigned long question[6] = {0x1001, 0, 0, 0, 0, 0};
  unsigned long answer = 0;

  __asm__ volatile("rolq $3, %%rdi; rolq $13, %%rdi\n\t"
                   "rolq $61, %%rdi; rolq $51, %%rdi\n\t"
                   "xchgq %%rbx, %%rbx"
                   : "+d"(answer)
                   : "a"(&question[0])
                   : "cc", "memory");
  return answer;
}

#endif
