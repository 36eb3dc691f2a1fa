/* SPDX-License-Identifier: MIT */
#include "helper.h"

#include <errno.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "poll_wait.h"

#define STACK_BYTES (64 * 1024)
#define DONE 1 /* the identity of the user event */

/* Also on the way out of a cancelled thread, which leaves its system call and never returns from it. */
static void finish(void *argument) {
  struct safe__helper *helper = argument;
  struct kevent event;
  int ignored;

  /* A cancellation that comes late must not take effect in here. */
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);
  if (helper->ended != NULL) helper->ended(helper);
  atomic_store(&helper->done, true);
  EV_SET(&event, DONE, EVFILT_USER, 0, NOTE_TRIGGER, 0, NULL);
  kevent(helper->queue, &event, 1, NULL, 0, NULL);
}

static void *body(void *argument) {
  struct safe__helper *helper = argument;

  pthread_cleanup_push(finish, helper);
  helper->run(helper);
  pthread_cleanup_pop(1);
  return NULL;
}

/* A handler of the host must not run on our thread: it is created, and stays, with all signals blocked. */
static int start_thread(struct safe__helper *helper) {
  pthread_attr_t attributes;
  sigset_t all, old;
  int os_code = pthread_attr_init(&attributes);

  if (os_code != 0) return os_code;
  pthread_attr_setstacksize(&attributes, STACK_BYTES);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &old);
  os_code = pthread_create(&helper->thread, &attributes, body, helper);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
  pthread_attr_destroy(&attributes);
  return os_code;
}

int safe__helper_start(struct safe__helper *helper) {
  struct kevent event;
  int os_code = 0;

  atomic_init(&helper->done, false);
  atomic_init(&helper->owner, 0);
  helper->queue = kqueue();
  if (helper->queue < 0) return errno;
  EV_SET(&event, DONE, EVFILT_USER, EV_ADD | EV_CLEAR, 0, 0, NULL);
  if (kevent(helper->queue, &event, 1, NULL, 0, NULL) != 0) os_code = errno;
  if (os_code == 0) os_code = start_thread(helper);
  if (os_code == 0) return 0;
  close(helper->queue);
  helper->queue = -1;
  return os_code;
}

#define PAUSE (5 * SAFE__MS)          /* where the queue refuses to be waited on, not to spin */
#define LONGEST (86400000 * SAFE__MS) /* the kernel takes no more than some years (itimerfix) */

/*
 * One sleep, at most until the deadline: false if a signal handler ended it. The queue may hold a cancel of an earlier
 * wait; told of once, it is gone. What it was that ended the sleep is found out by the caller.
 */
static bool sleep_once(struct safe__helper *helper, int64_t deadline, safe_cancel *cancel) {
  struct kevent change, events[2];
  struct timespec left;
  int64_t ns = deadline - safe__os_now();
  int count;

  EV_SET(&change, (uintptr_t)safe__cancel_fd(cancel), EVFILT_READ, EV_ADD | EV_ONESHOT, 0, 0, NULL);
  if (ns < 0) ns = 0;
  if (ns > LONGEST) ns = LONGEST;
  left.tv_sec = (time_t)(ns / 1000000000);
  left.tv_nsec = (long)(ns % 1000000000);
  count = kevent(helper->queue, &change, cancel == NULL ? 0 : 1, events, 2, &left);
  if (count < 0 && errno == EINTR) return false;
  if (count < 0 || (count > 0 && (events[0].flags & EV_ERROR) != 0))
    safe__os_sleep(safe__deadline_min(deadline, safe__os_now() + PAUSE), cancel, false);
  return true;
}

int safe__helper_await(struct safe__helper *helper, int64_t deadline, safe_cancel *cancel, bool interruptible) {
  bool undisturbed = true;

  for (;;) {
    if (atomic_load(&helper->done)) return SAFE_OK;
    if (safe__os_cancel_triggered(cancel)) return SAFE_ECANCELED;
    if (!undisturbed && interruptible) return SAFE_EINTR;
    if (safe__os_now() >= deadline) return SAFE_ETIMEDOUT;
    undisturbed = sleep_once(helper, deadline, cancel);
  }
}

void safe__helper_join(struct safe__helper *helper) {
  pthread_join(helper->thread, NULL); /* it has said that it is done: what is left of it cannot block */
  close(helper->queue);
}

bool safe__helper_take(struct safe__helper *helper) { return atomic_fetch_add(&helper->owner, 1) == 0; }

static bool collect(struct safe__parked *item) {
  struct safe__helper *helper = (struct safe__helper *)item;

  if (!atomic_load(&helper->done)) return false;
  safe__helper_join(helper);
  helper->free(helper);
  return true;
}

void safe__helper_park(struct safe__helper *helper) {
  helper->parked.collect = collect;
  safe__park(&helper->parked);
}
