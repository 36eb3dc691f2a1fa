/* SPDX-License-Identifier: MIT */
/* One descriptor to poll for several things: an epoll instance is itself readable when one of what it looks at is. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "above_stdio.h"
#include "os.h"
#include "poll_wait.h"

void safe__os_poller_none(struct safe__poller *poller) {
  poller->fd = poller->timer = poller->ready = poller->cancel = -1;
}

static bool look_at(int instance, int fd) {
  struct epoll_event event = {.events = EPOLLIN};

  return epoll_ctl(instance, EPOLL_CTL_ADD, fd, &event) == 0 || errno == EEXIST;
}

static int make(struct safe__poller *poller) {
  if (poller->fd < 0) poller->fd = safe__above_stdio(epoll_create1(EPOLL_CLOEXEC));
  if (poller->fd >= 0 && poller->timer < 0)
    poller->timer = safe__above_stdio(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  return poller->timer >= 0 && look_at(poller->fd, poller->timer) ? SAFE_OK : safe__os_translate(errno);
}

/* Taken out while it is still open: a number that was closed may be another thread's by now. */
static bool replace(int instance, int *old, int now) {
  struct epoll_event none = {0};

  if (*old == now) return true;
  if (*old >= 0) epoll_ctl(instance, EPOLL_CTL_DEL, *old, &none);
  *old = now;
  return now < 0 || look_at(instance, now);
}

int safe__os_poller_arm(struct safe__poller *poller, safe_handle ready, safe_cancel *cancel, int64_t at) {
  struct itimerspec when = {{0, 0}, {0, 0}};
  int code = make(poller);

  if (code != SAFE_OK) return code;
  if (at != SAFE__NEVER) {
    when.it_value.tv_sec = (time_t)(at / 1000000000);
    when.it_value.tv_nsec = (long)(at % 1000000000);
    if (at <= 0) when.it_value.tv_nsec = 1; /* all zero would be no time at all */
  }
  if (timerfd_settime(poller->timer, TFD_TIMER_ABSTIME, &when, NULL) != 0 ||
      !replace(poller->fd, &poller->ready, ready) || !replace(poller->fd, &poller->cancel, safe__cancel_fd(cancel)))
    return safe__os_translate(errno);
  return SAFE_OK;
}

safe_handle safe__os_poller_handle(const struct safe__poller *poller) { return poller->fd; }

void safe__os_poller_close(struct safe__poller *poller) {
  if (poller->timer >= 0) close(poller->timer);
  if (poller->fd >= 0) close(poller->fd);
  safe__os_poller_none(poller);
}
