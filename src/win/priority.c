/* SPDX-License-Identifier: MIT */
/*
 * Niceness as a priority class. The numbers are those that libuv gives the classes, so that the two agree:
 *
 *   idle 19, below normal 10, normal 0, above normal -7, high -14
 *
 * The host's number and what is added to it make the child's; it gets the class whose number is the last one reached on
 * the way from 0. Realtime is never chosen: such a process can keep the system from running.
 */
#include "priority.h"

static int niceness_of(DWORD class) {
  switch (class) {
  case IDLE_PRIORITY_CLASS:
    return 19;
  case BELOW_NORMAL_PRIORITY_CLASS:
    return 10;
  case ABOVE_NORMAL_PRIORITY_CLASS:
    return -7;
  case HIGH_PRIORITY_CLASS:
  case REALTIME_PRIORITY_CLASS:
    return -14;
  default:
    return 0;
  }
}

DWORD safe__win_priority(DWORD host, int32_t nice) {
  int sum = niceness_of(host) + (int)nice;

  /* What CreateProcess gives a child without being asked. */
  if (nice == 0 && sum < 0) return NORMAL_PRIORITY_CLASS;
  if (sum >= 19) return IDLE_PRIORITY_CLASS;
  if (sum >= 10) return BELOW_NORMAL_PRIORITY_CLASS;
  if (sum > -7) return NORMAL_PRIORITY_CLASS;
  if (sum > -14) return ABOVE_NORMAL_PRIORITY_CLASS;
  return HIGH_PRIORITY_CLASS;
}
