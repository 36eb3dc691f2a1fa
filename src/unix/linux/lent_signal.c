/* SPDX-License-Identifier: MIT */
/*
 * A lock wait without a helper, for a host that lends a signal number: the thread itself blocks in the lock call, and
 * at the deadline a timer's signal takes it out of it. From the unlock to the waiter's return it is one hop and not
 * two.
 *
 * A signal that comes just before the call finds nobody to interrupt. So the timer goes on ringing every millisecond
 * until it is told to stop: a wake-up can come late by that, but it cannot be lost.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "lock_calls.h"
#include "lock_catch.h"
#include "lock_raw.h"
#include "wait_note.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid /* glibc before 2.35 has the field without the name; musl has both */
#endif

static atomic_int lent; /* 0: none */

/* One timer a thread, kept: made and deleted for each wait, it would cost as much as the wait's end. */
struct bell {
  int timer; /* the kernel's number */
  int signal;
  int64_t owner; /* timers are not inherited by a forked child */
  int64_t look;  /* of struct safe__turns */
  struct safe__known_mount mount;
  volatile bool busy; /* a wait goes on: a handler of the host's that has interrupted it must not set it anew */
};

/* struct itimerspec as the kernel has it. */
struct bell_time {
  long every_s, every_ns, at_s, at_ns;
};

static pthread_key_t at_exit; /* of a thread */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool keyed;

static void delete_bell(void *memory) {
  struct bell *bell = memory;

  if (bell->owner == safe__os_self()) safe__raw6(SYS_timer_delete, bell->timer, 0, 0, 0, 0, 0);
  safe__free(bell);
}

static void make_key(void) { keyed = pthread_key_create(&at_exit, delete_bell) == 0; }

static struct bell *make_bell(int number) {
  struct bell *bell = safe__alloc(sizeof(*bell));
  struct sigevent event = {0};

  if (bell == NULL) return NULL;
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = number;
  event.sigev_notify_thread_id = (pid_t)safe__raw6(SYS_gettid, 0, 0, 0, 0, 0, 0);
  bell->signal = number;
  bell->owner = safe__os_self();
  if (safe__raw6(SYS_timer_create, CLOCK_MONOTONIC, (long)&event, (long)&bell->timer, 0, 0, 0) == 0) {
    if (pthread_setspecific(at_exit, bell) == 0) return bell;
    safe__raw6(SYS_timer_delete, bell->timer, 0, 0, 0, 0, 0);
  }
  safe__free(bell);
  return NULL;
}

static struct bell *own_bell(int number) {
  struct bell *bell;

  pthread_once(&once, make_key);
  if (!keyed) return NULL;
  bell = pthread_getspecific(at_exit);
  if (bell != NULL && bell->owner == safe__os_self()) {
    if (bell->busy) return NULL;
    if (bell->signal == number) return bell;
  }
  if (bell != NULL) {
    pthread_setspecific(at_exit, NULL);
    delete_bell(bell);
  }
  return make_bell(number);
}

#define AGAIN SAFE__MS

static void set_bell(const struct bell *bell, int64_t at) {
  const struct bell_time when = {0, AGAIN, (long)(at / 1000000000), (long)(at % 1000000000)};

  safe__raw6(SYS_timer_settime, bell->timer, TIMER_ABSTIME, (long)&when, 0, 0, 0);
}

static void stop_bell(const struct bell *bell) {
  const struct bell_time never = {0, 0, 0, 0};

  safe__raw6(SYS_timer_settime, bell->timer, 0, (long)&never, 0, 0, 0);
}

struct bell_wait {
  struct bell *bell;
  const struct safe__file *file;
  const struct safe__claim *claim;
  struct flock range;
  struct safe__wait_note note; /* behind it */
  struct safe__file_id id;     /* of a caller's own file */
};

/* 0, errno or SAFE_ETIMEDOUT. An interrupted lock call has not got the lock. */
static int block(const struct bell_wait *wait, int64_t until) {
  long result;

  for (;;) {
    result = safe__raw_lock(wait->file->fd, wait->claim, &wait->range, true);
    if (result != -EINTR) return (int)-result;
    if (safe__os_now() >= until) return SAFE_ETIMEDOUT;
  }
}

/* From the moment of the grant the processor, which has slept, fetches each line of code and of data anew, at the price
   of a hundred instructions. So what is done then is little, is done here, and asks no library. */
SAFE__ON_GRANT static int wait_until(void *context, int64_t until) {
  const struct bell_wait *wait = context;
  int code;

  set_bell(wait->bell, until);
  code = block(wait, until);
  stop_bell(wait->bell);
  if (code == SAFE_ETIMEDOUT && !safe__is_still(wait->file, &wait->id)) return EBADF;
  return code;
}

bool safe__os_signal_is_lent(void) { return atomic_load_explicit(&lent, memory_order_relaxed) != 0; }

SAFE__ON_GRANT static int wait_unblocked(struct bell *bell, const struct safe__turns *turns) {
  bool was_blocked;
  sigset_t mask, old;
  int code;

  sigemptyset(&mask);
  sigaddset(&mask, bell->signal);
  if (pthread_sigmask(SIG_UNBLOCK, &mask, &old) != 0) return SAFE_EBUSY;
  was_blocked = sigismember(&old, bell->signal) == 1;
  bell->busy = true;
  code = safe__wait_in_turns(turns);
  bell->busy = false;
  /* One that has rung meanwhile was delivered when the timer call returned. */
  if (was_blocked) pthread_sigmask(SIG_SETMASK, &old, NULL);
  return code;
}

SAFE__ON_GRANT int safe__os_lock_signalled(struct safe__file *file, const struct safe__claim *claim, int64_t deadline,
                                           safe_error *error) {
  int code, number = atomic_load_explicit(&lent, memory_order_relaxed);
  struct bell_wait wait = {
    NULL,     file, claim, safe__record_range(claim, safe__record_type(claim)), {SAFE__WAIT_NOTE_MAGIC, deadline},
    {0, 0, 0}};
  struct safe__turns turns = {.fd = file->fd,
                              .claim = claim,
                              .began = safe__os_now(),
                              .deadline = deadline,
                              .wait = wait_until,
                              .context = &wait};

  if (number == 0 || claim->method == SAFE_METHOD_POSIX || deadline == SAFE__NEVER) return SAFE_EBUSY;
  wait.bell = own_bell(number);
  if (wait.bell == NULL || !safe__is_local(file->fd, &wait.bell->mount)) return SAFE_EBUSY;
  if (file->borrowed && !safe__os_file_id(file, &wait.id)) return safe__lock_failed(EBADF, error);
  turns.look = &wait.bell->look;
  code = wait_unblocked(wait.bell, &turns);
  return code > 0 ? safe__lock_failed(code, error) : code;
}

static atomic_uint rings; /* that were heard */

static void wake(int number) {
  (void)number;
  atomic_fetch_add_explicit(&rings, 1, memory_order_relaxed);
}

#define HEARD_MS 50

/* Tried out: an emulator may refuse a timer that signals one thread, or have no such signal and say nothing (qemu-user,
   whose own signals are as many fewer for the program). Then each wait would have lent a signal in vain. */
static bool bell_is_heard(int number) {
  unsigned before = atomic_load(&rings);
  struct bell *bell = own_bell(number);
  sigset_t mask, old;
  int tries;

  if (bell == NULL) return false;
  sigemptyset(&mask);
  sigaddset(&mask, number);
  if (pthread_sigmask(SIG_UNBLOCK, &mask, &old) != 0) return false;
  set_bell(bell, safe__os_now());
  for (tries = 0; tries < HEARD_MS && atomic_load(&rings) == before; tries++)
    safe__os_sleep(safe__deadline(1), NULL, true);
  stop_bell(bell);
  if (sigismember(&old, number)) pthread_sigmask(SIG_SETMASK, &old, NULL);
  return atomic_load(&rings) != before;
}

int safe__os_use_signal(int number) {
  struct sigaction action = {.sa_handler = wake, .sa_flags = SA_ONSTACK}, old;

  /* Valgrind takes F_OFD_SETLKW for a call that does not block, and lets no other thread run meanwhile: not even the
     one that has the lock. */
  if (number != 0 && safe__raw_on_valgrind() != 0) return SAFE_ENOTSUP;
  if (number == 0) {
    number = atomic_exchange(&lent, 0);
    action.sa_handler = SIG_DFL;
    return number == 0 || sigaction(number, &action, NULL) == 0 ? SAFE_OK : SAFE_ESYSTEM;
  }
  if (number < 0 || number > SIGRTMAX || number == SIGKILL || number == SIGSTOP || sigaction(number, NULL, &old) != 0)
    return SAFE_EINVAL;
  if (atomic_load(&lent) == number) return SAFE_OK;
  if (atomic_load(&lent) != 0 || (old.sa_flags & SA_SIGINFO) != 0 || old.sa_handler != SIG_DFL) return SAFE_EBUSY;
  /* Without SA_RESTART: it is there to interrupt. */
  if (sigaction(number, &action, NULL) != 0) return SAFE_EINVAL;
  if (!bell_is_heard(number)) {
    sigaction(number, &old, NULL);
    return SAFE_ENOTSUP;
  }
  atomic_store(&lent, number);
  return SAFE_OK;
}
