/* SPDX-License-Identifier: MIT */
/*
 * One descriptor to poll for several things: a kqueue is itself readable when it has an event to tell of. Nobody takes
 * its events out, so that it stays readable until it is armed anew.
 *
 * A forked child does not get a copy of it: in there the number is nobody's, or another file's.
 */
#include <errno.h>
#include <sys/event.h>
#include <sys/time.h>
#include <unistd.h>

#include "above_stdio.h"
#include "kqueue_watch.h"
#include "os.h"
#include "poll_wait.h"

#define TIMER 1                       /* its identity */
#define LONGEST (86400000 * SAFE__MS) /* to be woken up once a day for nothing is allowed */

void safe__os_poller_none(struct safe__poller *poller) {
  poller->fd = poller->timer = poller->ready = poller->cancel = -1;
  poller->owner = 0;
}

static int make(struct safe__poller *poller) {
  if (poller->fd >= 0 && poller->owner == safe__os_self()) return SAFE_OK;
  safe__os_poller_none(poller);
  poller->fd = safe__above_stdio(kqueue());
  if (poller->fd < 0) return safe__os_translate(errno);
  poller->owner = safe__os_self();
  return SAFE_OK;
}

/* What was closed has left by itself, and its number may be another one's: it is always asked for anew. */
static bool replace(int queue, int *old, int now) {
  if (*old >= 0) kqueue_watch(queue, *old, EV_DELETE);
  *old = now;
  return now < 0 || kqueue_watch(queue, now, EV_ADD) == 0;
}

/* Deleted first: adding to a timer that has gone off did not arm it again before FreeBSD 12 (filt_timertouch). */
static bool set_timer(int queue, int64_t at) {
  int64_t left = at - safe__os_now();
  struct kevent event;

  EV_SET(&event, TIMER, EVFILT_TIMER, EV_DELETE, 0, 0, NULL);
  kevent(queue, &event, 1, NULL, 0, NULL);
  if (at == SAFE__NEVER) return true;
  if (left < 1) left = 1;
  if (left > LONGEST) left = LONGEST;
  EV_SET(&event, TIMER, EVFILT_TIMER, EV_ADD | EV_ONESHOT, KQUEUE_TIMER, left, NULL);
  return kevent(queue, &event, 1, NULL, 0, NULL) == 0;
}

int safe__os_poller_arm(struct safe__poller *poller, safe_handle ready, safe_cancel *cancel, int64_t at) {
  int code = make(poller);

  if (code != SAFE_OK) return code;
  if (!set_timer(poller->fd, at) || !replace(poller->fd, &poller->ready, ready) ||
      !replace(poller->fd, &poller->cancel, safe__cancel_fd(cancel)))
    return safe__os_translate(errno);
  return SAFE_OK;
}

safe_handle safe__os_poller_handle(const struct safe__poller *poller) { return poller->fd; }

void safe__os_poller_close(struct safe__poller *poller) {
  if (poller->fd >= 0 && poller->owner == safe__os_self()) close(poller->fd);
  safe__os_poller_none(poller);
}
