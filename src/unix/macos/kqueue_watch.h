/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_KQUEUE_WATCH_H
#define SAFEHOLD_KQUEUE_WATCH_H

#include <sys/event.h>
#include <sys/time.h>

/* Not put off to fall together with other timers, and on through the machine's sleep, as the clock of safe__os_now. */
#define KQUEUE_TIMER (NOTE_NSECONDS | NOTE_CRITICAL | NOTE_MACH_CONTINUOUS_TIME)

/* Adds (EV_ADD) or takes out (EV_DELETE) a descriptor that becomes readable: 0, or -1 and errno. */
static inline int kqueue_watch(int queue, int fd, unsigned short flags) {
  struct kevent event;

  EV_SET(&event, (uintptr_t)fd, EVFILT_READ, flags, 0, 0, NULL);
  return kevent(queue, &event, 1, NULL, 0, NULL);
}

#endif
