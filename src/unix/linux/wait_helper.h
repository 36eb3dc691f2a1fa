/* SPDX-License-Identifier: MIT */
/*
 * A process that does one thing after the other for us, each of which may block for as long as the kernel likes. It
 * shares our memory, so that making one is cheap and telling it what to do is free; but it has a descriptor table of
 * its own, with nothing in it but its end of a socket: a helper that cannot be killed keeps nothing of the host open,
 * and one that waits for its next job goes when the host execs or dies, as the socket's other end does.
 *
 * It has no exit signal: neither the host's SIGCHLD nor its waitpid(-1) sees it. It shares the thread-local storage of
 * the thread that made it: hence raw calls only in what it runs, all signals blocked but two of its own, and neither
 * sanitizer nor stack protector in its code.
 */
#ifndef SAFEHOLD_WAIT_HELPER_H
#define SAFEHOLD_WAIT_HELPER_H

#include "held.h"
#include "kernel.h"
#include "lock_raw.h"
#include "shared_stack.h"

/* Of the word beside the stack. The kernel clears it when the helper is gone (CLONE_CHILD_CLEARTID), so that a helper
   which somebody kills from outside is noticed too. */
enum safe__helper_word {
  SAFE__HELPER_GONE = 0,
  SAFE__HELPER_STARTING = 1,
  SAFE__HELPER_IDLE = 2,
  SAFE__HELPER_BUSY = 3,
  SAFE__HELPER_ANSWERED = 4
};

/* The signal that interrupts what a helper blocks in. Sent to the helper alone, which has a handler of its own for it.
 */
#define SAFE__HELPER_NUDGE SIGURG

struct safe__job {
  bool withdrawn; /* by safe__helper_withdraw: run ends when a call is interrupted */
  /* In the helper, which holds fd (-1: none was sent) and closes it afterwards; reply goes to us if it is not -1.
     0 or errno. */
  int (*run)(struct safe__job *job, int fd, int *reply);
  int result; /* what it returned; EINTR for a helper that was killed */
};

struct safe__helper {
  struct safe__parked parked;
  void (*parked_with)(struct safe__helper *helper); /* frees what was parked with it, or NULL */
  void *parked_data;
  struct safe__shared_stack *stack;
  struct safe_lock *noted; /* where a forked child finds the descriptors */
  int fds[3];              /* our end of the socket; the helper's, until it has its own; the pidfd */
  int end;                 /* the number of the helper's end in its own table */
  int64_t host, pid;
  struct safe__job *job;
  bool rings;   /* tells of the answer through the socket too, so that it can be polled for */
  bool refused; /* set by a helper that could not get a descriptor table of its own */
  bool apart;   /* set by one that got it */
  bool ready;   /* set when it has closed what else was in that: a close may ask a file system that does not answer */
  bool killed;
  bool spoilt; /* a message of it is still to come: not to be kept */
  bool fresh;
  int64_t look;                   /* of struct safe__turns */
  struct safe__known_mount mount; /* of the last file that it waited for */
  uint64_t socket; /* its inode: a host may close what it does not know, and get the number for something else */
};

/* What the helper itself runs (helper_serve.c). */
int safe__helper_serve(void *helper);
/* There: has a call that it blocks in interrupted (EINTR) from that time on, or with SAFE__NEVER not any more; and
   whether that time has come. */
void safe__helper_alarm(int64_t at);
bool safe__helper_alarmed(int64_t at);

/* The calling thread's spare one, unless it has to be fresh: with our working directory, mask and rights of now. A new
   one has so many ms to be on its own. NULL when there can be none; then *stuck, which may be NULL, says whether it is
   only for now, as a file system that this process has a file of does not let its helpers go. */
#define SAFE__HELPER_START_MS 50
struct safe__helper *safe__helper_get(bool fresh, int64_t ms, bool *stuck);

/* A fresh one that need not be ready when this returns, which is soon in any case: for a job without a descriptor. It
   may be waited for by what it rings once it is not late any more; until then it has to be looked at now and then. */
struct safe__helper *safe__helper_get_soon(bool *stuck);
bool safe__helper_is_late(struct safe__helper *helper);
#define SAFE__HELPER_LATE_MS 10

/* Sends the job, and a descriptor if it is not -1. False: it is gone. The job must stay where it is until the helper
   has answered or was reaped. */
bool safe__helper_post(struct safe__helper *helper, struct safe__job *job, int fd, bool rings);

/* 0: it has answered, or is gone. SAFE_ETIMEDOUT, SAFE_ECANCELED (only if it rings), SAFE_EINTR. */
int safe__helper_await(struct safe__helper *helper, int64_t deadline, safe_cancel *cancel, bool interruptible);
bool safe__helper_answered(const struct safe__helper *helper);

/* Interrupts what the job blocks in, once; false if there is nobody any more. Lost on one that is just about to. */
bool safe__helper_nudge(struct safe__helper *helper);
/* Has the job end early, if what it does can be interrupted; else, or if it does not within 20 ms, kills the helper. */
void safe__helper_withdraw(struct safe__helper *helper);
void safe__helper_kill(struct safe__helper *helper);

/* The descriptor that came with the answer, or -1. Once it has answered; and always if it rings. */
int safe__helper_reply(struct safe__helper *helper);

/* Of one that has answered: keeps it as the thread's spare one, or ends it. Of one that was killed: reaps it, until the
   deadline; false if it is still there. */
bool safe__helper_put(struct safe__helper *helper, int64_t deadline);

/* Readable when there is something to look at: an answer, or of a helper that was killed its end. */
int safe__helper_ready_fd(const struct safe__helper *helper);

/* Of one that has answered, or is gone, and may hang in closing what it sent: ends it, or parks it by itself. */
void safe__helper_dismiss(struct safe__helper *helper);
/* The same where nobody minds that it is parked, and an event loop may be who waits. */
void safe__helper_dismiss_soon(struct safe__helper *helper);

/* After false: hands it over to the list of parked things. data is freed with it. */
void safe__helper_park(struct safe__helper *helper, void (*free_data)(struct safe__helper *helper), void *data);

#endif
