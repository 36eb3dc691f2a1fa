/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <time.h>

#include "os.h"

int64_t safe__os_now(void) {
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int safe__os_hold_cancellation(void) {
  int before;

  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  return before;
}

void safe__os_allow_cancellation(int held) {
  int ignored;

  pthread_setcancelstate(held, &ignored);
}
