/* SPDX-License-Identifier: MIT */
#ifndef SAFEHOLD_KQUEUE_WATCH_H
#define SAFEHOLD_KQUEUE_WATCH_H

#include <sys/types.h>

#include <errno.h>
#include <sys/event.h>
#include <sys/time.h>

#define KQUEUE_TIMER NOTE_NSECONDS

/* Adds (EV_ADD) or takes out (EV_DELETE) a descriptor that becomes readable: 0, or -1 and errno. A process descriptor
   knows no filter but its own (sys_procdesc.c: procdesc_kqfilter), and no other descriptor knows that. */
static inline int kqueue_watch(int queue, int fd, unsigned short flags) {
  struct kevent event;

  EV_SET(&event, (uintptr_t)fd, EVFILT_READ, flags, 0, 0, NULL);
  if (kevent(queue, &event, 1, NULL, 0, NULL) == 0) return 0;
  if (errno != EINVAL && errno != ENOENT) return -1;
  EV_SET(&event, (uintptr_t)fd, EVFILT_PROCDESC, flags, NOTE_EXIT, 0, NULL);
  return kevent(queue, &event, 1, NULL, 0, NULL);
}

#endif
