/* SPDX-License-Identifier: MIT */
/* What runs in the helper process, on the memory and the thread-local storage of the thread that made it: raw calls
 * only. */
#include <sys/prctl.h>
#include <sys/time.h>

#include "helper_calls.h"
#include "wait_helper.h"

/* What is above the socket is not even referenced for a moment (but for the kernel's granularity of 64). What is below
   is closed, and a close may ask the file's file system, which may be one that does not answer. */
static bool get_own_table(struct safe__helper *helper, int socket) {
  if (safe__raw6(SYS_close_range, socket + 1, ~0u, SAFE__CLOSE_RANGE_UNSHARE, 0, 0, 0) != 0) return false;
  __atomic_store_n(&helper->apart, true, __ATOMIC_RELEASE);
  if (socket > 0) safe__raw6(SYS_close_range, 0, socket - 1, 0, 0, 0, 0);
  __atomic_store_n(&helper->ready, true, __ATOMIC_RELEASE);
  return true;
}

/* Signal handlers are not shared with the host: one that does nothing, for a signal that nobody else sends to the
   helper alone, makes a lock call that waits return. */
struct kernel_action { /* of rt_sigaction(2), which libc's sigaction is not */
  void (*handler)(int);
  unsigned long flags;
  void (*restorer)(void);
  uint64_t mask;
};

SAFE__RAW_DEFINE_RESTORER;

static void wake(int number) { (void)number; }

#define BIT(signal) (UINT64_C(1) << ((signal)-1))

static void listen_to_nudges(void) {
  struct kernel_action action;
  uint64_t mask = ~(BIT(SAFE__HELPER_NUDGE) | BIT(SIGALRM));

  action.handler = wake;
  action.flags = SAFE__RAW_HANDLER_FLAGS;
  action.restorer = safe__raw_restorer;
  action.mask = ~UINT64_C(0);
  safe__raw6(SYS_rt_sigaction, SAFE__HELPER_NUDGE, (long)&action, 0, sizeof(mask), 0, 0);
  safe__raw6(SYS_rt_sigaction, SIGALRM, (long)&action, 0, sizeof(mask), 0, 0);
  safe__raw6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, 0, sizeof(mask), 0, 0);
}

/* The helper's own ITIMER_REAL; again each millisecond, as what comes just before the call is lost. */
void safe__helper_alarm(int64_t at) {
  int64_t us = at == SAFE__NEVER ? 0 : (at - safe__raw_now()) / 1000;
  long when[4]; /* struct itimerval as the kernel has it */

  if (at != SAFE__NEVER && us < 1) us = 1;
  when[0] = 0;
  when[1] = us > 0 ? 1000 : 0;
  when[2] = (long)(us / 1000000);
  when[3] = (long)(us % 1000000);
  safe__raw6(SYS_setitimer, ITIMER_REAL, (long)when, 0, 0, 0, 0);
}

bool safe__helper_alarmed(int64_t at) { return safe__raw_now() >= at - SAFE__MS; }

static void wake_host(int *word) { safe__raw6(SYS_futex, (long)word, FUTEX_WAKE, 1, 0, 0, 0); }

static void answer(struct safe__helper *helper, int socket, int reply) {
  int *word = &helper->stack->word;
  bool rings = helper->rings; /* before the answer, after which another job may be on its way */

  __atomic_store_n(word, SAFE__HELPER_ANSWERED, __ATOMIC_RELEASE);
  if (rings || reply >= 0)
    helper_send(socket, reply);
  else
    wake_host(word);
  if (reply >= 0) safe__raw6(SYS_close, reply, 0, 0, 0, 0, 0);
}

int safe__helper_serve(void *argument) {
  struct safe__helper *helper = argument;
  int fd, reply, socket = helper->end, word = SAFE__HELPER_STARTING;

  /* Killed with the thread that made it, whose memory it is on. Asked after, as that may have died before. */
  safe__raw6(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0, 0);
  if (safe__raw6(SYS_getppid, 0, 0, 0, 0, 0, 0) != helper->host) return 0;
  if (!get_own_table(helper, socket)) {
    helper->refused = true;
    return 0;
  }
  if (SAFE__RAW_HANDLERS) listen_to_nudges();
  if (!helper->fresh) safe__raw6(SYS_chdir, (long)"/", 0, 0, 0, 0, 0); /* not to keep a mount busy */
  /* Unless it was given its job before. */
  __atomic_compare_exchange_n(&helper->stack->word, &word, SAFE__HELPER_IDLE, false, __ATOMIC_ACQ_REL,
                              __ATOMIC_ACQUIRE);
  wake_host(&helper->stack->word);
  while (helper_receive(socket, &fd)) {
    reply = -1;
    helper->job->result = helper->job->run(helper->job, fd, &reply);
    /* First, so that nothing of ours has the file open once the call that waits has returned. */
    if (fd >= 0) safe__raw6(SYS_close, fd, 0, 0, 0, 0, 0);
    answer(helper, socket, reply);
  }
  return 0;
}
